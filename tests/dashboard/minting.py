"""Making links: one with one key press, and many at once."""

import re

from playwright.sync_api import expect

STORY = "https://www.example.org/2026/11/23/a-story.html"


def one_key_press_mints_and_copies(desk):
    page = desk.page
    desk.sign_in()
    expect(page.get_by_text("There is no link yet")).to_be_visible()
    page.keyboard.press("n")
    field = desk.mint_field
    expect(field).to_be_focused()
    field.fill(f"{STORY}?utm_source=desk")
    field.press("Enter")
    outcome = page.locator(".outcome")
    expect(outcome).to_contain_text("Minted; copied.")
    [link] = desk.get("/links")["items"]
    assert link["article"] == STORY
    assert desk.clipboard() == link["short_url"]
    expect(outcome.get_by_role("link", name=link["short_url"])).to_be_visible()
    expect(page.get_by_text("There is no link yet")).to_have_count(0)
    expect(field).to_be_focused()
    expect(field).to_have_value("")

    page.evaluate("navigator.clipboard.writeText('something else')")
    field.fill(STORY)
    field.press("Enter")
    expect(outcome).to_contain_text("This article already had a link")
    expect(outcome).to_contain_text("copied.")
    assert desk.clipboard() == link["short_url"]
    assert len(desk.get("/links")["items"]) == 1


def a_link_gets_the_code_title_and_tags_that_were_asked_for(desk):
    page = desk.page
    desk.expect_complaint("status of 422")
    desk.sign_in(path="/links")
    page.get_by_text("Code, title, tags, expiry").click()
    page.get_by_label("Code of your choice").fill("not a code")
    page.get_by_label("Title").fill("A story")
    tags = page.get_by_label("Tags")
    for tag in ["world", "a, b"]:
        tags.fill(tag)
        tags.press("Enter")
    field = desk.mint_field
    field.fill(STORY)
    field.press("Enter")
    code = page.get_by_label("Code of your choice")
    expect(code).to_have_attribute("aria-invalid", "true")
    expect(code).to_be_focused()
    code.fill("Story-1")
    code.press("Enter")
    expect(page.locator(".outcome")).to_contain_text("Minted; copied.")
    link = desk.get("/links/Story-1")
    assert (link["title"], sorted(link["tags"])) == ("A story", ["a, b", "world"]), link
    # It stands on top of the list at once.
    expect(desk.rows.first).to_contain_text("A story")


def a_code_that_the_address_asks_for_is_the_links(desk):
    page = desk.page
    desk.expect_complaint("net::ERR_|Failed to load resource")
    desk.sign_in(path="/links?mint=printed-1")
    expect(page.get_by_label("Code of your choice")).to_have_value("printed-1")
    # Also where its field can't be had.
    page.route("**/more.js", lambda route: route.abort())
    page.reload()
    expect(page.locator("form.mint .problem")).to_contain_text("A part of the page could not be loaded")
    desk.mint_field.fill(STORY)
    desk.mint_field.press("Enter")
    expect(page.locator(".outcome")).to_contain_text("Minted; copied.")
    assert desk.get("/links/printed-1")["target"] == STORY


def many_lines_make_many_links(desk):
    page = desk.page
    desk.mint(STORY)
    desk.sign_in(path="/links")
    lines = [f"https://www.example.org/bulk-{n}" for n in range(3)] + [STORY, "javascript:alert(1)"]
    page.evaluate("(text) => navigator.clipboard.writeText(text)", "\n".join(lines))
    desk.mint_field.focus()
    page.keyboard.press("Control+V")
    dialog = desk.dialog
    expect(dialog.get_by_label("Addresses, one on each line")).to_have_value("\n".join(lines))
    tags = dialog.get_by_label("Tags for all that are new")
    tags.fill("bulk")
    tags.press("Enter")
    dialog.get_by_role("button", name="Mint 5 links").click()
    summary = "3 minted, 1 had a link already, 1 refused."
    expect(dialog.locator("p").filter(has_text=summary).first).to_be_visible()
    rows = dialog.locator("tbody tr")
    expect(rows).to_have_count(5)
    expect(rows.first).to_contain_text("javascript:alert(1)")
    dialog.get_by_role("button", name="Copy all short URLs").click()
    desk.says("All short URLs copied")
    made = {link["target"]: link for link in desk.get("/links")["items"]}
    assert desk.clipboard().split("\n") == [made[line]["short_url"] for line in lines[:4]] + [""]
    assert made[lines[0]]["tags"] == ["bulk"] and made[STORY]["tags"] == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(desk.rows).to_have_count(4)


def lines_that_were_not_sent_are_kept(desk):
    page = desk.page
    desk.expect_complaint("status of 400")
    desk.sign_in(path="/links")
    many = page.get_by_role("button", name="Many at once")
    many.click()
    lines = [f"https://www.example.org/{number}" for number in range(700)]
    field = desk.dialog.get_by_label("Addresses, one on each line")
    field.fill("\n".join(lines))
    page.keyboard.press("Escape")
    expect(desk.dialog).to_have_count(0)
    many.click()
    expect(field).to_have_value("\n".join(lines))
    asked = []

    def second_is_refused(route):
        asked.append(route)
        refused = {"status": 400, "json": {"title": "No", "detail": "Not today."}}
        route.fulfill(**refused) if len(asked) == 2 else route.continue_()

    page.route("**/api/v1/links/batch", second_is_refused)
    desk.dialog.get_by_role("button", name="Mint 700 links").click()
    expect(desk.dialog.get_by_text("Not today.")).to_be_visible()
    expect(field).to_have_value("\n".join(lines[500:]))
    desk.dialog.get_by_role("button", name="Mint 200 links").click()
    expect(desk.dialog.get_by_text("200 minted").first).to_be_visible()
    assert len(desk.get("/links", limit=1000)["items"]) == 700


def what_was_not_fetched_in_time_says_so_and_is_had_later(desk):
    page = desk.page
    desk.expect_complaint("net::ERR_|Failed to load resource")
    parts = re.compile("/(bulk|more|qr)[.]js$")
    page.route(parts, lambda route: route.abort())
    desk.sign_in()
    many = page.get_by_role("button", name="Many at once")
    many.click()
    expect(page.locator("form.mint .problem")).to_contain_text("A part of the page could not be loaded")
    desk.order("kill service")
    many.click()
    expect(page.locator(".banner")).to_contain_text("No connection to the service")
    page.get_by_text("Code, title, tags, expiry").click()
    desk.order("start service")
    expect(page.locator(".banner")).to_be_hidden()
    page.unroute(parts)
    many.click()
    expect(desk.dialog).to_contain_text("Addresses, one on each line")
    expect(page.locator("form.mint .problem")).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_text("Code, title, tags, expiry").click()
    page.get_by_label("Title", exact=True).fill("Fetched late")
    desk.mint_field.fill("https://www.example.org/late")
    desk.mint_field.press("Enter")
    expect(page.locator(".outcome")).to_contain_text("Fetched late")
    page.get_by_role("button", name="QR code").click()
    expect(desk.dialog.get_by_role("img")).to_be_visible()
