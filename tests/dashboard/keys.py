"""Keys, what each may do, and the settings page."""

import urllib.error

from playwright.sync_api import expect


def a_key_is_shown_once_and_revoked(desk):
    page = desk.page
    desk.expect_complaint("status of 401")
    desk.sign_in(path="/keys")
    page.get_by_role("button", name="New key").click()
    dialog = desk.dialog
    dialog.get_by_label("Name").fill("News desk")
    dialog.get_by_role("checkbox", name="read reads all").check()
    dialog.get_by_role("button", name="Create").click()
    shown = dialog.get_by_label("Key", exact=True)
    expect(dialog).to_contain_text("This is the only time that it is shown.")
    key = shown.input_value()
    dialog.get_by_role("button", name="Copy").click()
    assert desk.clipboard() == key
    [made] = [one for one in desk.get("/keys")["items"] if one["name"] == "News desk"]
    assert sorted(made["scopes"]) == ["mint", "read"]
    assert desk.send("GET", "/keys/current", key=key)["key"]["id"] == made["id"]
    page.keyboard.press("Escape")
    page.mouse.click(5, 5)
    expect(shown).to_have_value(key)
    dialog.get_by_role("button", name="I have kept it").click()
    expect(dialog).to_have_count(0)
    row = page.get_by_role("row").filter(has_text="News desk")
    expect(row).to_be_visible()
    everything = "[document.documentElement.outerHTML, ...[...document.querySelectorAll('input')].map((i) => i.value)].join()"
    assert key not in page.evaluate(everything)
    page.reload()
    expect(row).to_be_visible()
    assert key not in page.evaluate(everything)

    row.get_by_role("button", name="Revoke").click()
    dialog.get_by_role("button", name="Revoke").click()
    desk.says("Revoked.")
    expect(row).to_have_count(0)
    page.get_by_label("Show revoked ones").check()
    expect(row).to_contain_text("revoked")
    try:
        desk.send("GET", "/keys/current", key=key)
        raise AssertionError("it still opens something")
    except urllib.error.HTTPError as answer:
        assert answer.code == 401
        answer.close()


def who_revokes_their_own_key_is_signed_out(desk):
    page = desk.page
    desk.expect_complaint("status of 401")
    own = desk.send("POST", "/keys", {"name": "Leaving", "scopes": ["admin"]})
    desk.sign_in(own["key"], "/keys")
    page.get_by_role("row").filter(has_text="Leaving").get_by_role("button", name="Revoke").click()
    expect(desk.dialog).to_contain_text("you will be signed out")
    desk.dialog.get_by_role("button", name="Revoke").click()
    page.wait_for_url("**/-/dashboard/sign-in?to=*")
    expect(page.get_by_role("alert")).to_contain_text("has been revoked")


def a_read_key_sees_nothing_to_edit(desk):
    page = desk.page
    desk.expect_complaint("status of 403")
    link = desk.mint("https://www.example.org/read", title="To be read")
    desk.click("nobody1")
    desk.until_counted()
    reader = desk.send("POST", "/keys", {"name": "Analyst", "scopes": ["read"]})
    desk.sign_in(reader["key"])
    harmless = ["Copy", "QR code", "Show", "Keyboard", "Sign out", "Close", "Menu", "Clear", "Reset zoom", "More links"]
    for view in ["", "/links", f"/links/{link['code']}", f"/article?url={link['article']}", "/orphans"]:
        desk.open(view)
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        names = page.locator("button").evaluate_all("(all) => all.map((one) => one.ariaLabel ?? one.textContent.trim())")
        for name in names:
            known = name in harmless or name.startswith(("Copy ", "More about ", "Theme: "))
            assert known, f"{name} on {view}"
        assert page.get_by_label("Mint a link").count() == 0, view
        assert page.get_by_role("link", name="Mint").count() == 0, view
    assert page.get_by_role("link", name="Keys").count() == 0
    desk.open("/links")
    page.get_by_role("button", name="More about To be read").click()
    acts = desk.dialog.locator("button").all_text_contents()
    assert set(acts) == {"", "Copy", "QR code"}, acts
    page.keyboard.press("Escape")

    # Whoever writes the requests by hand gets no further.
    path = f"/api/v1/links/{link['code']}"
    for method, address, body in [
        ("POST", "/api/v1/links", '{"url": "https://www.example.org/no"}'),
        ("PATCH", path, '{"title": "no"}'),
        ("DELETE", path, None),
        ("POST", "/api/v1/keys", '{"name": "no", "scopes": ["admin"]}'),
        ("GET", "/api/v1/config", None),
        ("GET", "/api/v1/health", None),
    ]:
        status = page.evaluate(
            "([method, address, body]) => fetch(address, { method, body, headers: {"
            " 'Content-Type': 'application/json' } }).then(({ status }) => status)",
            [method, address, body],
        )
        assert status == 403, f"{method} {address}: {status}"
    assert desk.get(f"/links/{link['code']}")["title"] == "To be read"


def a_minting_key_edits_its_own_links_only(desk):
    page = desk.page
    other = desk.mint("https://www.example.org/theirs", title="Of the admin")
    minter = desk.send("POST", "/keys", {"name": "CMS", "scopes": ["mint"]})
    own = desk.send("POST", "/links", {"url": "https://www.example.org/mine", "title": "Mine"}, key=minter["key"])
    desk.sign_in(minter["key"], f"/links/{own['code']}")
    expect(page.get_by_role("button", name="Edit")).to_be_visible()
    desk.open("/links")
    expect(desk.rows).to_have_count(1)
    expect(page.get_by_text(other["title"])).to_have_count(0)
    desk.open()
    # Figures of its own in place of the site's.
    expect(page.locator(".today .cards")).to_have_attribute("aria-busy", "false")
    expect(page.locator(".report .cards")).to_have_attribute("aria-busy", "false")


def settings_and_health_are_those_in_effect(desk):
    page = desk.page
    desk.sign_in(path="/settings")
    items = desk.get("/config")["items"]
    lines = page.locator("table.settings tbody tr")
    expect(lines).to_have_count(len(items))
    told = lines.evaluate_all("(rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent))")
    told = {key: (value, source) for key, value, source in told}
    for item in items:
        value, source = told[item["key"]]
        assert source == item["source"], item
        if item["secret"]:
            assert value in ("••••••", "empty"), item
        elif isinstance(item["value"], str) and item["value"]:
            assert value == item["value"], item
    assert told["auth.bootstrap_key"] == ("••••••", "environment")
    assert desk.key not in page.content()
    assert page.locator("main input:not([type=search]), main textarea, main select").count() == 0, "read-only"
    page.get_by_label("Search settings").fill("flush_interval")
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("50ms")
    health = page.locator(".health")
    expect(health).to_contain_text("Embedded store")
    expect(health).to_contain_text("Answers")
    expect(health.locator("[data-state=right]")).to_have_count(3)
    expect(health.locator("[data-state=wrong]")).to_have_count(0)
    expect(health).to_contain_text(desk.get("/health")["node"])
