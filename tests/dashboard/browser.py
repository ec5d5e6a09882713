"""A browser that forgives nothing: what goes wrong in a page fails the scenario, even if nobody looks there."""

import contextlib
import json
import pathlib
import re
import shutil
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from playwright.sync_api import expect, sync_playwright

TARGET = pathlib.Path(__file__).parents[2] / "target"
SCREENSHOTS = TARGET / "screenshots"
AXE = TARGET / "npm/node_modules/axe-core/axe.min.js"
#: What a person reads with.
PERSON = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/150.0.0.0 Safari/537.36"
)
BOT = "Twitterbot/1.0"
#: How long anything may take on a busy machine, in milliseconds.
PATIENCE = 20_000

expect.set_options(timeout=PATIENCE)


class Redirects(urllib.request.HTTPRedirectHandler):
    """Readers here are not sent on: where a link leads is nobody's business but the test's."""

    def redirect_request(self, *_):
        return None


fetch = urllib.request.build_opener(urllib.request.ProxyHandler({}), Redirects).open


class Desk:
    """A page of the dashboard, the service behind it, and what the page did that it should not."""

    def __init__(self, browser, given):
        self.browser = browser
        self.base, self.key = given["base"], given["key"]
        self.given = given
        self.wrong = []
        self.expected = []
        self.context = self.new_context()
        self.page = self.new_page()

    # The browser

    def new_context(self, **options):
        context = self.browser.new_context(
            locale="en-GB", timezone_id="Europe/Vienna", viewport={"width": 1280, "height": 900}, **options
        )
        context.set_default_timeout(PATIENCE)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=self.base)
        context.add_init_script(
            "document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>"
            " console.error(`policy: ${violatedDirective} ${blockedURI}`));"
        )
        context.on("page", self.watch)
        return context

    def new_page(self):
        return self.context.new_page()

    def watch(self, page):
        def console(message):
            if message.type in ("error", "warning"):
                self.complain(f"{message.type} in the console of {page.url}: {message.text}")

        def request(asked):
            if not asked.url.startswith((self.base + "/", "data:", "blob:", "about:")):
                self.complain(f"a request to another host: {asked.url}")

        page.on("console", console)
        page.on("pageerror", lambda error: self.complain(f"an error on {page.url}: {error}"))
        page.on("request", request)

    def complain(self, what):
        if not any(re.search(pattern, what) for pattern in self.expected):
            self.wrong.append(what)

    def expect_complaint(self, pattern):
        """From now on the browser may say this: that the service refused something, as a rule."""
        self.expected.append(pattern)

    def assert_well(self):
        assert not self.wrong, "\n".join(self.wrong)

    # The dashboard

    def open(self, path=""):
        """Opens a view and waits until it has its heading."""
        self.page.goto(f"{self.base}/-/dashboard{path}")
        expect(self.page.locator("h1").first).to_be_visible()

    def sign_in(self, key=None, path=""):
        self.page.goto(f"{self.base}/-/dashboard{path}")
        self.page.get_by_label("API key").fill(key or self.key)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.locator("main h1").first).to_be_visible()
        self.page.wait_for_url(f"{self.base}/-/dashboard{path}")

    def says(self, text):
        """Waits until the page says something in passing."""
        expect(self.page.locator(".words")).to_contain_text(text)

    @property
    def mint_field(self):
        return self.page.get_by_role("textbox", name="Mint a link", exact=True)

    @property
    def rows(self):
        """The links that are listed."""
        return self.page.get_by_role("list", name="Links").get_by_role("listitem")

    @property
    def dialog(self):
        """The dialog that is open."""
        return self.page.locator("dialog[open]")

    def clipboard(self):
        return self.page.evaluate("navigator.clipboard.readText()")

    def address(self):
        """Path below the dashboard and query, as they stand in the address bar."""
        return self.page.url.removeprefix(f"{self.base}/-/dashboard")

    def wait_for_address(self, address):
        self.page.wait_for_url(f"{self.base}/-/dashboard{address}", wait_until="commit")

    def begin_session(self):
        """Signs in without a page: nothing is in the browser but the cookie."""
        url = f"{self.base}/-/dashboard/sign-in"
        answer = self.context.request.post(url, form={"key": self.key, "to": ""}, max_redirects=0)
        assert answer.status == 303, answer.status

    def end_session(self):
        """Has the time of the session be over: then nobody looks further."""
        [cookie] = self.context.cookies()
        key, _, mac = cookie["value"].split(".")
        cookie["value"] = f"{key}.{int(time.time()) - 1}.{mac}"
        self.context.add_cookies([cookie])

    # The service

    def ask(self, method, target, body=None, key=None, headers=None):
        request = urllib.request.Request(self.base + target, method=method)
        request.add_header("Authorization", f"Bearer {key or self.key}")
        if body is not None:
            request.data = body if isinstance(body, bytes) else json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        return fetch(request, timeout=30)

    def bytes(self, path, **query):
        """What the API answers, byte by byte."""
        given = urllib.parse.urlencode(query)
        with self.ask("GET", f"/api/v1{path}?{given}") as answer:
            return answer.read()

    def get(self, path, **query):
        return json.loads(self.bytes(path, **query))

    def send(self, method, path, body=None, key=None):
        with self.ask(method, f"/api/v1{path}", body, key) as answer:
            return json.loads(answer.read() or b"null")

    def mint(self, url, **more):
        return self.send("POST", "/links", {"url": url, **more})

    def click(self, code, agent=PERSON, referrer=None, language=None):
        """Somebody follows a link."""
        headers = {"User-Agent": agent, "Referer": referrer, "Accept-Language": language}
        request = urllib.request.Request(f"{self.base}/{code}")
        for name, value in headers.items():
            if value:
                request.add_header(name, value)
        try:
            fetch(request, timeout=30).close()
        except urllib.error.HTTPError as answer:
            answer.close()
            return answer.code
        raise AssertionError("a link that redirects nowhere")

    def until_counted(self):
        wait_for(lambda: self.get("/audit")["total"]["pending"] == 0, "every click to be counted")

    def order(self, what):
        """Has something done to the service: `kill service`, `start service`, `kill store`."""
        print(what, flush=True)
        assert sys.stdin.readline() == "done\n"

    def screenshot(self, name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True, animations="disabled")


def wait_for(done, what):
    deadline = time.monotonic() + PATIENCE / 1000
    while not (found := done()):
        assert time.monotonic() < deadline, f"{what}: still waiting"
        time.sleep(0.02)
    return found


@contextlib.contextmanager
def opened(given, name):
    """A desk, for as long as the scenario lasts; it must have gone well to the end."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or "chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--headless=new", "--no-sandbox", "--disable-dev-shm-usage"]
        )
        desk = Desk(browser, given)
        (SCREENSHOTS / f"failed-{name}.png").unlink(missing_ok=True)
        try:
            yield desk
            desk.assert_well()
        except BaseException:
            with contextlib.suppress(Exception):
                print(f"at {desk.page.url}", *desk.wrong, sep="\n", file=sys.stderr)
                desk.screenshot(f"failed-{name}")
            raise
        finally:
            browser.close()
