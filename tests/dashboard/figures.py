"""What readers do: now, and over any window."""

import pathlib
import urllib.parse

from playwright.sync_api import expect

from browser import BOT, PERSON, wait_for

#: How soon a click is to be seen, in milliseconds.
SOON = 2_000


def cards(scope):
    """The figures of a panel by their names, as they are shown."""
    values = scope.locator(".cards .card").evaluate_all(
        "(cards) => cards.map((card) => [card.querySelector('dt').textContent, card.querySelector('.value').textContent])"
    )
    return {name.lower(): text for name, text in values}


def shown(total):
    return {name: f"{total[name]:,}" for name in ["clicks", "people", "bots", "visitors"]}


def a_click_is_seen_within_two_seconds(desk):
    page = desk.page
    link = desk.mint("https://www.example.org/live", title="Breaking news")
    desk.sign_in()
    expect(page.locator(".live .state")).to_have_text("Live")
    today = page.locator(".today")
    clicks = today.locator(".card").filter(has_text="Clicks").locator(".value")
    expect(clicks).to_have_text("0")
    desk.click(link["code"])
    expect(page.locator(".rate")).to_have_text("1 in the last three minutes", timeout=SOON)
    expect(page.locator(".now")).to_contain_text("Breaking news")
    expect(clicks).to_have_text("1")
    desk.click(link["code"])
    expect(clicks).to_have_text("2", timeout=SOON)
    expect(page.locator(".audit summary")).to_contain_text("accepted =")

    # The page listens once its stream is answered.
    with page.expect_response("**/stats/live*"):
        desk.open(f"/links/{link['code']}")
    clicks = page.locator(".report .card").filter(has_text="Clicks").locator(".value")
    expect(clicks).to_have_text("2")
    desk.click(link["code"])
    expect(clicks).to_have_text("3", timeout=SOON)


def every_window_and_zone_says_what_the_api_says(desk):
    page = desk.page
    desk.sign_in()
    report = page.locator(".report")

    def agrees(**query):
        wait_for(lambda: cards(report) == shown(desk.get("/stats", **query)["total"]), f"the figures of {query}")
        answer = desk.get("/stats", **query)
        assert answer["total"]["clicks"] > 0, f"a figure that proves nothing: {query}"
        return answer

    vienna = "Europe/Vienna"
    agrees(last="24h", tz=vienna)
    for text, last in [("7 days", "7d"), ("30 days", "30d"), ("All time", "all")]:
        report.get_by_role("radio", name=text, exact=True).check()
        desk.wait_for_address(f"?last={last}&tz=Europe%2FVienna")
        agrees(last=last, tz=vienna)
    report.get_by_role("radio", name="7 days").check()
    report.get_by_text("As a table").click()
    rows = report.locator(".as-table tbody tr")
    for zone in [vienna, "Pacific/Auckland", "America/St_Johns"]:
        report.get_by_label("Time zone").select_option(zone)
        expect(report.locator(".span")).to_contain_text(zone.replace("_", " "))
        report.get_by_label("Width of the rows").select_option("day")
        answer = agrees(last="7d", tz=zone, by="day")
        expect(rows).to_have_count(len(answer["series"]))
        told = rows.evaluate_all("(rows) => rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent))")
        names = ["clicks", "people", "bots", "visitors"]
        assert told == [[f"{row[name]:,}" for name in names] for row in answer["series"]], zone
        report.get_by_label("Width of the rows").select_option("")
    first = answer["series"][1]["start"][:10]
    report.get_by_label("From").fill(first)
    report.get_by_label("Through").fill(first)
    report.get_by_role("button", name="Show").click()
    agrees(**{"from": first, "to": answer["series"][2]["start"][:10], "tz": "America/St_Johns"})
    # The address says it all: another page shows the same.
    before = cards(report)
    page.reload()
    wait_for(lambda: cards(report) == before, "the same figures after a reload")
    page.go_back()
    expect(report.get_by_label("Through")).to_have_value("")


def dragging_over_the_chart_shows_that_part_of_it(desk):
    page = desk.page
    desk.sign_in()
    report = page.locator(".report")
    plot = report.locator(".u-over")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.25, middle)
    expect(report.locator(".readout")).to_contain_text("people")
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=5)
    page.mouse.up()
    reset = report.get_by_role("button", name="Reset zoom")
    expect(reset).to_be_visible()
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.url).query))
    answer = desk.get("/stats", **asked)
    assert 5 < len(answer["series"]) < 14, answer["series"]
    wait_for(lambda: cards(report) == shown(answer["total"]), "the figures of what was dragged over")
    reset.click()
    desk.wait_for_address("")
    expect(reset).to_be_hidden()


def files_hold_what_the_api_answers_byte_for_byte(desk):
    page = desk.page
    desk.sign_in(path="?last=30d&by=day")
    report = page.locator(".report")
    expect(report.locator(".cards")).to_have_attribute("aria-busy", "false")
    asked = {"last": "30d", "by": "day", "tz": "Europe/Vienna", "limit": 1000, "format": "csv"}

    def is_same(path, name, **query):
        before = desk.bytes(path, **asked, **query)
        with page.expect_download() as given:
            page.locator("main").get_by_role("link", name=name, exact=True).click()
        saved = pathlib.Path(given.value.path()).read_bytes()
        # A quarter of an hour may have begun in between.
        assert saved in (before, desk.bytes(path, **asked, **query)), given.value.url
        assert saved.count(b"\n") > 1, saved
        assert given.value.suggested_filename.endswith(".csv"), given.value.suggested_filename

    is_same("/stats", "CSV", table="series")
    is_same("/stats", "Referrers as CSV", table="referrers")
    is_same("/stats", "Platforms as CSV", table="platforms")
    code = desk.given["codes"][0]
    desk.open(f"/links/{code}?last=30d&by=day")
    is_same(f"/links/{code}/stats", "CSV", table="series")
    desk.open("/orphans?last=30d&by=day")
    is_same("/stats/orphans", "Codes as CSV", table="codes")


def people_and_bots_are_told_apart_and_compared_with_before(desk):
    page = desk.page
    desk.sign_in(path="?last=7d")
    report = page.locator(".report")
    chart = report.locator(".chart")
    bots = report.locator(".panel").filter(has=page.get_by_role("heading", name="Bots"))
    referrers = report.locator(".panel").filter(has=page.get_by_role("heading", name="Referrers"))
    expect(chart).to_have_attribute("data-show", "people")
    expect(referrers).to_be_visible()
    expect(bots).to_be_hidden()
    report.get_by_role("radio", name="Bots").check()
    desk.wait_for_address("?last=7d&show=bots&tz=Europe%2FVienna")
    expect(chart).to_have_attribute("data-show", "bots")
    expect(bots).to_be_visible()
    expect(bots).to_contain_text("Googlebot (crawler)")
    expect(referrers).to_be_hidden()
    report.get_by_role("radio", name="All", exact=True).check()
    desk.wait_for_address("?last=7d&show=all&tz=Europe%2FVienna")
    answer = desk.get("/stats", last="7d", tz="Europe/Vienna", include="bots")
    for row in answer["breakdowns"]["referrers"]:
        name = {"direct": "Direct"}.get(row["id"], row["id"])
        expect(referrers.get_by_role("row", name=f"{name} {row['clicks']:,}", exact=True)).to_be_visible()

    before = desk.get("/stats", last="7d", tz="Europe/Vienna", compare="previous")["previous"]["total"]
    assert before["clicks"] > 0
    card = report.locator(".card").filter(has_text="Clicks")
    expect(card.locator(".before")).to_contain_text("on the window before")
    expect(card.locator(".was")).to_have_text(f" ({before['clicks']:,})")
    expect(chart).to_have_class("chart compared")
    report.get_by_label("Compare").uncheck()
    desk.wait_for_address("?last=7d&show=all&compare=0&tz=Europe%2FVienna")
    expect(card.locator(".was")).to_have_count(0)
    expect(chart).to_have_class("chart")


def a_page_outlives_the_service(desk):
    page = desk.page
    desk.expect_complaint("net::ERR_|Failed to load resource")
    code = desk.mint("https://www.example.org/outage", title="Before the outage")["code"]
    desk.sign_in()
    expect(page.locator(".live .state")).to_have_text("Live")
    banner = page.locator(".banner")
    expect(banner).to_be_hidden()
    desk.order("kill service")
    expect(page.locator(".live .state")).to_have_text("Connecting…")
    desk.mint_field.fill("https://www.example.org/meanwhile")
    page.keyboard.press("Enter")
    expect(banner).to_contain_text("No connection to the service")
    # What was typed is not lost.
    expect(desk.mint_field).to_have_value("https://www.example.org/meanwhile")
    desk.order("start service")
    expect(banner).to_be_hidden()
    desk.says("The service answers again.")
    expect(page.locator(".live .state")).to_have_text("Live")
    desk.click(code, PERSON)
    desk.click(code, BOT)
    expect(page.locator(".today .card").filter(has_text="Clicks").locator(".value")).to_have_text("2")
    expect(page.locator(".report .card").filter(has_text="Bots").locator(".value")).to_have_text("1")
    desk.mint_field.press("Enter")
    expect(page.locator(".outcome")).to_contain_text("Minted; copied.")
