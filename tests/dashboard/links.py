"""The list of links, and what can be done with one."""

import pathlib
import struct
import urllib.error
from xml.etree import ElementTree

from playwright.sync_api import expect

from browser import PATIENCE, wait_for


def links_are_found_and_what_is_looked_for_stands_in_the_address(desk):
    page = desk.page
    flood = desk.mint("https://www.example.org/flood", code="Flood-1", title="The river", tags=["weather", "a & b"])
    desk.mint("https://www.example.org/budget", title="Money matters", tags=["politics"])
    withdrawn = desk.mint("https://www.example.org/error", title="An error")
    desk.send("PATCH", f"/links/{withdrawn['code']}", {"state": "disabled"})
    desk.sign_in(path="/links")
    rows = desk.rows
    expect(rows).to_have_count(3)
    search = page.get_by_label("Search", exact=True)
    asked = [
        ("Flood-1", "The river"),
        ("Money", "Money matters"),
        ("org/flood", "The river"),
        ("#politics", "Money matters"),
        ("https://www.example.org/budget?utm_source=x", "Money matters"),
    ]
    for text, title in asked:
        search.fill(text)
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text(title)
    search.fill("nothing has this")
    expect(page.get_by_text("No link fits.")).to_be_visible()
    search.fill(flood["short_url"])
    desk.wait_for_address("/links/Flood-1")
    expect(page.get_by_role("heading", name="The river")).to_be_visible()

    desk.open("/links")
    expect(rows).to_have_count(3)
    rows.filter(has_text="The river").get_by_role("link", name="a & b").click()
    desk.wait_for_address("/links?tag=a+%26+b")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Clear").click()
    desk.wait_for_address("/links")
    expect(rows).to_have_count(3)
    page.get_by_label("State").select_option("disabled")
    desk.wait_for_address("/links?state=disabled")
    expect(rows).to_have_count(1)
    page.get_by_label("Made by").select_option(flood["owner"])
    desk.wait_for_address(f"/links?state=disabled&owner={flood['owner']}")
    page.go_back()
    desk.wait_for_address("/links?state=disabled")
    expect(page.get_by_label("Made by")).to_have_value("")
    page.go_back()
    desk.wait_for_address("/links")
    expect(rows).to_have_count(3)
    page.go_back()
    desk.wait_for_address("/links?tag=a+%26+b")
    expect(page.get_by_label("Tag", exact=True)).to_have_value("a & b")
    expect(rows).to_have_count(1)
    page.go_forward()
    page.go_forward()
    desk.wait_for_address("/links?state=disabled")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("An error")
    page.reload()
    expect(rows).to_have_count(1)
    expect(page.get_by_label("State")).to_have_value("disabled")
    rows.get_by_role("link", name="An error").click()
    desk.wait_for_address(f"/links/{withdrawn['code']}")
    expect(page.get_by_role("heading", name="An error")).to_be_visible()
    page.go_back()
    expect(rows).to_have_count(1)


def a_link_is_edited_withdrawn_restored_and_deleted(desk):
    page = desk.page
    code = desk.mint("https://www.example.org/old", title="Old title", tags=["old"])["code"]
    desk.sign_in(path=f"/links/{code}")
    page.get_by_role("button", name="Edit").click()
    dialog = desk.dialog
    dialog.get_by_label("Title").fill("New title")
    dialog.get_by_label("Target", exact=True).fill("https://www.example.org/new")
    dialog.get_by_role("button", name="Remove old").click()
    tags = dialog.get_by_label("Tags")
    tags.fill("fresh")
    tags.press("Enter")
    dialog.get_by_role("button", name="Save").click()
    desk.says("Saved.")
    expect(page.get_by_role("heading", name="New title")).to_be_visible()
    expect(page.get_by_role("link", name="https://www.example.org/new", exact=True)).to_be_visible()
    link = desk.get(f"/links/{code}")
    assert (link["title"], link["target"], link["tags"]) == ("New title", "https://www.example.org/new", ["fresh"])

    page.get_by_role("button", name="Disable").click()
    dialog.get_by_label("Reason, shown to readers (optional)").fill("Legal advice")
    dialog.get_by_role("button", name="Disable").click()
    desk.says("Disabled.")
    expect(page.locator(".about")).to_contain_text("Legal advice")
    assert desk.click(code) == 410
    page.get_by_role("button", name="Restore").click()
    dialog.get_by_role("button", name="Restore").click()
    desk.says("Restored.")
    assert desk.click(code) == 302
    expect(page.locator(".about")).not_to_contain_text("Legal advice")

    desk.open("/links")
    row = desk.rows.filter(has_text="New title")
    row.get_by_role("button", name="More about New title").click()
    dialog.get_by_role("button", name="Delete").click()
    last = dialog.last
    expect(last).to_contain_text("Delete this link?")
    last.get_by_role("button", name="Cancel").click()
    assert desk.get(f"/links/{code}")["state"] == "active", "nothing is deleted before it is confirmed"
    more = row.get_by_role("button", name="More about New title")
    expect(more).to_be_focused()
    more.click()
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog).to_contain_text("Delete this link?")
    dialog.get_by_role("button", name="Delete").click()
    desk.says("Deleted.")
    expect(dialog).to_have_count(0)
    assert desk.click(code) == 410
    try:
        desk.get(f"/links/{code}")
        raise AssertionError("it is still there")
    except urllib.error.HTTPError as answer:
        assert answer.code == 410
        answer.close()
    expect(row).to_have_attribute("data-state", "deleted")
    expect(more).to_be_focused()


def a_refused_edit_says_at_its_field_what_is_wrong(desk):
    page = desk.page
    desk.expect_complaint("status of 4..")
    code = desk.mint("https://www.example.org/a")["code"]
    desk.sign_in(path=f"/links/{code}")
    page.get_by_role("button", name="Edit").click()
    target = desk.dialog.get_by_label("Target", exact=True)
    target.fill("javascript:alert(1)")
    desk.dialog.get_by_role("button", name="Save").click()
    expect(target).to_have_attribute("aria-invalid", "true")
    expect(target).to_be_focused()
    expect(desk.dialog.locator("[data-field=url] .error")).to_be_visible()
    page.keyboard.press("Escape")
    expect(desk.dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Edit")).to_be_focused()
    assert desk.get(f"/links/{code}")["target"] == "https://www.example.org/a"


def a_refused_search_leaves_no_other_rows(desk):
    page = desk.page
    desk.expect_complaint("status of 400")
    for number in range(3):
        desk.mint(f"https://www.example.org/{number}", title=f"Story {number}")
    desk.sign_in(path="/links")
    expect(page.get_by_text("3 links, that is all.")).to_be_visible()
    problem = {"title": "No", "detail": "Not today."}
    page.route("**/api/v1/links?state=active*", lambda route: route.fulfill(status=400, json=problem))
    page.get_by_label("State").select_option("active")
    expect(page.get_by_text("Not today.")).to_be_visible()
    expect(desk.rows).to_have_count(0)
    page.unroute("**/api/v1/links?state=active*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("3 links, that is all.")).to_be_visible()


def who_comes_back_to_the_list_finds_it_as_it_is_now(desk):
    page = desk.page
    for number in range(3):
        desk.mint(f"https://www.example.org/{number}", title=f"Story {number}")
    desk.sign_in(path="/links")
    page.get_by_role("link", name="Story 1").click()
    page.get_by_role("button", name="Disable").click()
    desk.dialog.get_by_role("button", name="Disable").click()
    desk.says("Disabled.")
    page.go_back()
    expect(desk.rows.filter(has_text="Story 1")).to_have_attribute("data-state", "disabled")
    page.get_by_role("link", name="Story 2").click()
    expect(page.get_by_role("heading", name="Story 2")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("link", name="Story 2")).to_be_focused()


def an_expiry_is_told_and_taken_in_the_chosen_zone(desk):
    page = desk.page
    code = desk.mint("https://www.example.org/sale", expires_at="2097-07-01T12:00:00Z")["code"]
    desk.sign_in()
    page.locator(".report").get_by_label("Time zone").select_option("America/St_Johns")
    desk.open(f"/links/{code}")
    page.get_by_role("button", name="Edit").click()
    expires = desk.dialog.get_by_label("Expires")
    expect(expires).to_have_value("2097-07-01T09:30")
    # By then the clocks there have been put back.
    expires.fill("2097-12-01T08:15")
    desk.dialog.get_by_role("button", name="Save").click()
    desk.says("Saved.")
    assert desk.get(f"/links/{code}")["expires_at"].startswith("2097-12-01T11:45")


def qr_codes_are_the_files_that_they_say(desk):
    page = desk.page
    link = desk.mint("https://www.example.org/print", code="Print-1")
    desk.sign_in(path="/links/Print-1")
    page.get_by_role("button", name="QR code").click()
    image = desk.dialog.get_by_role("img", name=f"QR code of {link['short_url']}")
    expect(image).to_be_visible()
    page.wait_for_function("document.querySelector('dialog img.qr').naturalWidth > 0")

    def download(name):
        with page.expect_download() as given:
            desk.dialog.get_by_role("link", name=name, exact=True).click()
        return given.value.suggested_filename, pathlib.Path(given.value.path()).read_bytes()

    name, svg = download("SVG")
    assert name == "Print-1.svg"
    assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    for label, size in [("PNG, 512 px", 512), ("PNG, 2048 px", 2048)]:
        name, png = download(label)
        assert name == "Print-1.png"
        assert png.startswith(b"\x89PNG\r\n\x1a\n") and png.rstrip().endswith(b"IEND\xaeB`\x82")
        assert struct.unpack(">II", png[16:24]) == (size, size)
    with desk.ask("GET", "/Print-1.qr.svg?size=512") as answer:
        assert svg == answer.read(), "it is what the service draws for this link"


def ten_thousand_links_are_scrolled_to_the_last(desk):
    page = desk.page
    # Rows that are far out of sight are taken away again: all that were ever there are remembered.
    page.add_init_script(
        "window.met = new Set(); new MutationObserver((records) =>"
        " records.flatMap(({ addedNodes }) => [...addedNodes]).forEach((node) =>"
        " [node, ...(node.querySelectorAll?.('.row') ?? [])].forEach(({ dataset }) =>"
        " dataset?.code && met.add(dataset.code))))"
        ".observe(document, { childList: true, subtree: true });"
    )
    desk.sign_in(path="/links")
    page.wait_for_function(
        "() => { scrollTo(0, document.body.scrollHeight); return document.querySelector('.note').textContent; }",
        timeout=3 * PATIENCE,
    )
    expect(page.locator(".note")).to_have_text("10,000 links, that is all.")
    assert page.evaluate("met.size") == 10_000, "every link was there to be seen"
    # The newest first: the one that was made first is the last, and in sight.
    last = page.locator(".row[data-code='story-0']")
    expect(last).to_contain_text("Story 0 ")
    expect(last).to_be_in_viewport()
    # A page stays quick that holds what is near to be seen, and no more.
    page.wait_for_function("document.querySelectorAll('.row').length < 500")
    # It still does what it is told.
    last.get_by_role("link", name="Story 0 ").click()
    expect(page.locator("h1")).to_have_text("Story 0 of the archive")
    page.go_back()
    expect(last).to_be_in_viewport()
    # And back to the first.
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator(".row[data-code='story-9999']")).to_be_in_viewport()


def going_back_before_a_page_came_stays_where_one_is(desk):
    page = desk.page
    desk.mint("https://www.example.org/slow", title="Slow to come")
    desk.sign_in(path="/links")
    held = []
    page.route("**/view-link.js", lambda route: held.append(route))
    page.get_by_role("link", name="Slow to come").click()
    wait_for(lambda: held or page.wait_for_timeout(10), "the page's script to be asked for")
    page.go_back()
    desk.wait_for_address("/links")
    with page.expect_request_finished(lambda request: request.url.endswith("view-link.js")):
        held[0].continue_()
    # Whoever waits for a module goes on in a task of its own.
    page.evaluate("(path) => import(path).then(() => new Promise((done) => setTimeout(done)))", held[0].request.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Links")
    expect(desk.rows).to_have_count(1)
