"""Every page at its smallest and widest, light and dark: who can use it, and how it looks."""

import json

from playwright.sync_api import expect

from browser import AXE

WIDTHS = {360: 740, 1920: 1080}
SCHEMES = ["light", "dark"]


def look(desk, name):
    """At the page as it stands, in each guise; what it holds must have come."""
    page = desk.page
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            # Two frames: by then observers have been told, and charts are drawn anew.
            page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            desk.screenshot(f"{name}-{width}-{scheme}")
            fits = page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
            if not fits:
                desk.complain(f"{name} has to be scrolled sideways at {width} px")
            ask_axe(desk, f"{name} at {width} px, {scheme}")


def ask_axe(desk, where):
    """What keeps somebody out is told at the end, with what else there is."""
    found = desk.page.evaluate("() => axe.run(document, { resultTypes: ['violations'], selectors: false, iframes: false })")
    for one in found["violations"]:
        if one["impact"] in ("serious", "critical"):
            for node in one["nodes"][:3]:
                desk.complain(f"{where}: {one['id']}: {node['html'][:160]} {node['failureSummary']}")


def every_page_of_the_dashboard_can_be_used_by_everyone(desk):
    page = desk.page
    page.add_init_script(path=AXE)
    desk.expect_complaint("status of 401")
    page.goto(f"{desk.base}/-/dashboard")
    look(desk, "sign-in")
    page.get_by_label("API key").fill("sl_no_key_of_anybody")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(desk, "sign-in-refused")
    desk.sign_in()
    code = desk.given["codes"][0]
    article = desk.get(f"/links/{code}")["article"]
    views = {
        "overview": "?last=7d",
        "links": "/links",
        "links-none-fits": "/links?q=nothing+has+this",
        "link": f"/links/{code}?last=7d&show=all",
        "link-disabled": f"/links/{desk.given['codes'][1]}",
        "article": f"/article?url={article}",
        "orphans": "/orphans",
        "keys": "/keys",
        "settings": "/settings",
        "nothing-here": "/nothing/here",
    }
    for name, view in views.items():
        desk.open(view)
        if name in ("overview", "link", "article", "orphans"):
            expect(page.locator(".uplot canvas")).to_be_visible()
        if name == "settings":
            expect(page.locator("table.settings").first).to_be_visible()
        look(desk, name)


def every_dialog_can_be_used_by_everyone(desk):
    page = desk.page
    page.add_init_script(path=AXE)
    desk.sign_in(path=f"/links/{desk.given['codes'][0]}")
    for name in ["QR code", "Edit", "Disable", "Delete"]:
        page.get_by_role("button", name=name).click()
        if name == "Edit":
            desk.dialog.get_by_text("More", exact=True).click()
        look(desk, f"dialog-{name.lower().replace(' ', '-')}")
        page.keyboard.press("Escape")
        expect(desk.dialog).to_have_count(0)
    page.set_viewport_size({"width": 1280, "height": 900})
    desk.open("/links")
    page.get_by_role("button", name="More about").first.click()
    look(desk, "dialog-actions")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Many at once").click()
    desk.dialog.get_by_label("Addresses, one on each line").fill("https://www.example.org/x\nnothing")
    look(desk, "dialog-bulk")
    desk.dialog.get_by_role("button", name="Mint 2 links").click()
    expect(desk.dialog.locator("tbody tr")).to_have_count(2)
    look(desk, "dialog-bulk-done")
    page.keyboard.press("Escape")
    desk.mint_field.fill("https://www.example.org/x")
    desk.mint_field.press("Enter")
    expect(page.locator(".outcome")).to_contain_text("already had a link")
    page.get_by_text("Code, title, tags, expiry").click()
    look(desk, "links-minted")
    desk.open("/keys")
    page.get_by_role("button", name="New key").click()
    look(desk, "dialog-new-key")
    desk.dialog.get_by_label("Name").fill("News desk")
    desk.dialog.get_by_role("button", name="Create").click()
    expect(desk.dialog).to_contain_text("This is the only time")
    look(desk, "dialog-key-once")


def what_is_folded_away_or_still_empty_can_be_used_by_everyone(desk):
    page = desk.page
    page.add_init_script(path=AXE)
    desk.expect_complaint("net::ERR_|Failed to load resource")
    desk.sign_in()
    expect(page.get_by_text("There is no link yet")).to_be_visible()
    expect(page.locator(".uplot canvas")).to_be_visible()
    look(desk, "overview-empty")
    desk.open("/links")
    expect(page.get_by_text("There is no link yet.")).to_be_visible()
    look(desk, "links-empty")
    page.set_viewport_size({"width": 360, "height": 740})
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Overview")).to_be_visible()
    desk.screenshot("menu-360")
    ask_axe(desk, "the menu")
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Overview")).to_be_hidden()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.keyboard.press("?")
    expect(desk.dialog).to_contain_text("Search the links")
    look(desk, "dialog-keyboard")
    page.keyboard.press("Escape")
    desk.order("kill service")
    page.get_by_label("State").select_option("active")
    expect(page.locator(".banner")).to_be_visible()
    look_at_banner(desk)


def look_at_banner(desk):
    """The list waits for its service: it is busy as long as the banner stands."""
    for width, height in WIDTHS.items():
        desk.page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            desk.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            desk.screenshot(f"service-away-{width}-{scheme}")
            ask_axe(desk, f"the banner at {width} px, {scheme}")


def every_page_for_readers_can_be_used_by_everyone(desk):
    page = desk.page
    page.add_init_script(path=AXE)
    desk.expect_complaint(r"status of (404|410|503|403)")
    codes = desk.given["codes"]
    pages = {
        "public-404": ("/nobody1", 404),
        "public-410-withdrawn": (f"/{codes['withdrawn']}", 410),
        "public-410-deleted": (f"/{codes['deleted']}", 410),
        "public-plus": (f"/{codes['story']}+", 200),
        "public-warning": (f"/{codes['harmful']}", None),
    }
    for name, (path, status) in pages.items():
        answer = page.goto(desk.base + path)
        assert status in (None, answer.status), f"{path}: {answer.status}"
        look(desk, name)
    desk.order("kill store")
    answer = page.goto(f"{desk.base}/nobody2")
    assert answer.status == 503
    look(desk, "public-503")
    answer = page.goto(f"{desk.base}/-/dashboard/sign-in")
    page.get_by_label("API key").fill(desk.key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("The store does not answer")
    look(desk, "sign-in-store-away")


def the_keyboard_reaches_everything_and_the_focus_is_seen(desk):
    page = desk.page
    desk.sign_in(path=f"/links/{desk.given['codes'][0]}")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    wanted = page.evaluate(
        "() => { window.waiting = new Set([...document.querySelectorAll('a[href], button, select, summary,"
        " input:not([type=radio]), [tabindex=\"0\"]')].filter((one) => one.checkVisibility() && !one.disabled));"
        " return waiting.size; }"
    )
    assert wanted > 20
    page.evaluate("document.activeElement.blur()")
    for _ in range(3 * wanted):
        page.keyboard.press("Tab")
        left, unseen = page.evaluate(
            "() => { const at = document.activeElement; waiting.delete(at); const style = getComputedStyle(at);"
            " const seen = style.outlineStyle !== 'none' || style.boxShadow !== 'none'"
            "   || at.type === 'radio';"
            " return [waiting.size, seen || at === document.body ? null : at.outerHTML.slice(0, 200)]; }"
        )
        assert unseen is None, f"no focus to be seen: {unseen}"
        if left == 0:
            break
    missed = page.evaluate("[...waiting].map((one) => one.outerHTML.slice(0, 200))")
    assert missed == [], json.dumps(missed, indent=1)
    page.keyboard.press("/")
    desk.wait_for_address("/links")
    expect(page.get_by_label("Search", exact=True)).to_be_focused()


def the_first_load_is_small(desk):
    # Nothing is in the cache: not even the form was there before.
    desk.begin_session()
    desk.open()
    expect(desk.page.locator(".uplot canvas")).to_be_visible()
    loaded = desk.page.evaluate(
        "['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type))"
        ".map(({ name, transferSize }) => [name, transferSize])"
    )
    assert any(name.endswith("/app.js") and size > 0 for name, size in loaded), loaded
    assert sum(size for _, size in loaded) <= 150_000, loaded


def the_next_load_asks_for_no_file(desk):
    desk.begin_session()
    for sizes in [lambda size: size > 0, lambda size: size == 0]:
        desk.open()
        expect(desk.page.locator(".uplot canvas")).to_be_visible()
        files = desk.page.evaluate(
            "performance.getEntriesByType('resource').map(({ name, transferSize }) => [name, transferSize])"
            ".filter(([name]) => name.includes('/assets/'))"
        )
        assert len(files) > 20, files
        assert all(sizes(size) for _, size in files), files


def one_can_mint_before_there_are_figures(desk):
    page = desk.page
    desk.expect_complaint("net::ERR_|Failed to load resource")
    page.route("**/readers.js", lambda route: route.abort())
    desk.sign_in()
    expect(page.locator("main .problem")).to_contain_text("A part of the page could not be loaded")
    desk.mint_field.fill("https://www.example.org/before")
    desk.mint_field.press("Enter")
    expect(page.locator(".outcome")).to_contain_text("Minted; copied.")
    # Back again, the service is asked for what is missing.
    page.unroute("**/readers.js")
    desk.order("kill service")
    desk.mint_field.fill("https://www.example.org/before")
    desk.mint_field.press("Enter")
    expect(page.locator(".banner")).to_be_visible()
    desk.order("start service")
    expect(page.locator(".uplot canvas")).to_be_visible()
    expect(page.get_by_text("A part of the page could not be loaded")).to_have_count(0)
    expect(page.locator(".report")).to_have_count(1)
