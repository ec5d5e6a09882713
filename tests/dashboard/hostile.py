"""What strangers write stays text, on every page that shows it."""

import urllib.error
import urllib.parse

from playwright.sync_api import expect

PAYLOADS = [
    "<script>window.ran = 1</script>",
    "<img src=x onerror=window.ran=1>",
    '"><svg onload=window.ran=1>',
    "' onmouseover='window.ran=1",
    "javascript:window.ran=1",
    "</title></script><iframe srcdoc='<script>parent.ran=1</script>'>",
    "{{constructor.constructor('window.ran=1')()}}",
]
#: Whether something of a payload has become part of the page, or has run.
PLANTED = """() => [
  window.ran && 'it ran',
  ...[...document.querySelectorAll('iframe, object, embed, base, img[src="x"], script:not([src])')].map((one) => one.outerHTML),
  ...[...document.querySelectorAll('*')].filter((one) => one.getAttributeNames().some((name) => name.startsWith('on'))).map((one) => one.outerHTML),
  ...[...document.querySelectorAll('[href], [src], [action], [formaction]')]
    .filter((one) => ['href', 'src', 'action', 'formAction'].some((name) => /^javascript:/i.test(one[name]))).map((one) => one.outerHTML),
].filter(Boolean)"""


def assert_harmless(desk, where):
    page = desk.page
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    # Handlers wait for a pointer, some of them.
    page.mouse.move(300, 300)
    page.mouse.move(640, 450)
    planted = page.evaluate(PLANTED)
    assert planted == [], f"{where}: {planted}"


def refused(desk, method, path, body):
    try:
        answer = desk.send(method, path, body)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code in (400, 403, 422)
    raise AssertionError(f"{body} was taken: {answer}")


def plant(desk):
    """Puts the payloads everywhere where the service takes them; gives the links."""
    links = []
    for number, payload in enumerate(PAYLOADS):
        assert refused(desk, "POST", "/links", {"url": payload})
        link = desk.mint(f"https://www.example.org/{number}?a={payload}#{payload}", title=payload, tags=[payload[:64]])
        links.append(link)
        plain = desk.mint(f"https://www.example.org/untitled/{number}/{payload}")
        desk.send("PATCH", f"/links/{plain['code']}", {"state": "disabled", "reason": payload})
        links.append(plain)
        made = desk.send("POST", "/keys", {"name": payload, "scopes": ["mint"]})
        links.append(desk.send("POST", "/links", {"url": f"https://www.example.org/of/{number}"}, key=made["key"]))
        for referrer in [payload, f"https://{payload}/", f"https://www.example.net/{payload}", f"android-app://{payload}"]:
            desk.click(link["code"], agent=f"Mozilla/5.0 {payload}", referrer=referrer, language=payload)
            desk.click(link["code"], agent=f"{payload}bot/1.0 (+{payload})", referrer=referrer)
            desk.click("nobody1", agent=payload, referrer=referrer)
        desk.click(urllib.parse.quote(payload))
        desk.click(urllib.parse.quote(payload) + "+")
    # Links that move in keep their targets byte for byte.
    moved = b'{"code":"moved1","target":"HTTP://www.example.org/<script>window.ran=1</script>|\\"onload=","title":"<b>"}\n'
    with desk.ask("POST", "/api/v1/import", moved, headers={"Content-type": "application/x-ndjson"}) as answer:
        assert b'"imported":1' in answer.read()
    links.append(desk.get("/links/moved1"))
    desk.until_counted()
    return links


def what_strangers_write_stays_text_in_the_dashboard(desk):
    page = desk.page
    desk.expect_complaint("status of 4(00|04)")
    plant(desk)
    page.goto(f"{desk.base}/-/dashboard/sign-in?to={urllib.parse.quote(PAYLOADS[2])}")
    assert_harmless(desk, "the form")
    desk.sign_in()
    page.on("dialog", lambda dialog: desk.complain(f"a dialog: {dialog.message}"))
    views = ["?show=all", "?show=bots", "/links", "/orphans", "/keys", "/settings"]
    for payload in PAYLOADS:
        given = urllib.parse.quote(payload, safe="")
        views += [f"/links?q={given}&tag={given}&state={given}&owner={given}", f"/article?url={given}", f"/{given}"]
    for view in views:
        desk.open(view)
        page.wait_for_load_state("load")
        assert_harmless(desk, view)
    for payload in PAYLOADS:
        desk.open(f"/links/{urllib.parse.quote(payload, safe='')}?tz={urllib.parse.quote(payload)}&last=9{urllib.parse.quote(payload)}")
        expect(page.get_by_role("alert").first).to_be_visible()
        assert_harmless(desk, f"a link that is {payload}")
    desk.open("/keys")
    for payload in PAYLOADS:
        # As it was written, and so as text.
        expect(page.get_by_role("rowheader").get_by_text(payload, exact=True)).to_be_visible()
    desk.open("/links")
    for payload in PAYLOADS:
        expect(page.locator(".row .title").get_by_text(payload, exact=True)).to_be_visible()
        expect(page.locator(".row .tag").get_by_text(payload[:64], exact=True)).to_be_visible()


def what_strangers_write_stays_text_on_a_links_page_and_in_dialogs(desk):
    page = desk.page
    page.on("dialog", lambda dialog: desk.complain(f"a dialog: {dialog.message}"))
    links = plant(desk)
    desk.sign_in(path="/links")
    for link in links:
        desk.open(f"/links/{link['code']}?show=all")
        expect(page.locator(".about dt").first).to_be_visible()
        assert_harmless(desk, f"the page of {link['title'] or link['target']}")
        if link["title"] and link["state"] == "active":
            expect(page.get_by_role("heading", level=1)).to_have_text(link["title"])
            for name in ["Edit", "Disable", "Delete", "QR code"]:
                page.get_by_role("button", name=name, exact=True).click()
                expect(desk.dialog).to_be_visible()
                assert_harmless(desk, f"{name} of {link['title']}")
                page.keyboard.press("Escape")
                expect(desk.dialog).to_have_count(0)
    page.set_viewport_size({"width": 1280, "height": 900})
    desk.open()
    expect(page.locator(".live .state")).to_have_text("Live")
    for link in links[::3]:
        desk.click(link["code"])
    expect(page.locator(".now li")).not_to_have_count(0)
    assert_harmless(desk, "what comes in")


def what_strangers_write_stays_text_for_readers(desk):
    page = desk.page
    page.on("dialog", lambda dialog: desk.complain(f"a dialog: {dialog.message}"))
    desk.expect_complaint("status of (404|410|400)")
    for link in plant(desk):
        for suffix in ["+", ".info"]:
            page.goto(f"{desk.base}/{link['code']}{suffix}")
            assert_harmless(desk, f"{link['code']}{suffix}")
    for link in desk.get("/links", state="disabled", limit=100)["items"]:
        page.goto(f"{desk.base}/{link['code']}")
        expect(page.locator("body")).to_contain_text(link["reason"])
        assert_harmless(desk, link["code"])
    for payload in PAYLOADS:
        page.goto(f"{desk.base}/{urllib.parse.quote(payload)}")
        assert_harmless(desk, payload)


def a_hostile_brand_stays_text(desk):
    page = desk.page
    desk.expect_complaint("status of (404|401)")
    brand = desk.given["brand"]
    page.goto(f"{desk.base}/nobody1")
    expect(page.locator("header")).to_contain_text(brand)
    assert_harmless(desk, "404")
    page.goto(f"{desk.base}/-/dashboard/sign-in")
    expect(page.get_by_role("heading", level=1)).to_have_text(brand)
    assert_harmless(desk, "the form")
    desk.sign_in()
    expect(page.locator(".brand .name")).to_have_text(brand)
    assert page.title().endswith(brand)
    assert_harmless(desk, "the dashboard")
