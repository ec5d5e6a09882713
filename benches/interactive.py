"""How soon the dashboard can be used: interactive.py PROGRAM TIMES.

Starts the service on an empty store of its own and opens the overview in Chromium, signed in, with nothing of it in
the cache. Told is the time from the navigation's beginning until the field that mints links can be typed into and
until the chart is drawn, by the clock of the page, and what came over the wire.
"""

import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from playwright.sync_api import sync_playwright

KEY = "sl_bench_bootstrap_key_0123456789"
WATCH = """
  globalThis.seen = {};
  const note = (what) => (seen[what] ??= performance.now());
  new MutationObserver(() => {
    if (document.querySelector('main input[name="url"]:enabled')) note('field');
    if (document.querySelector('main .uplot canvas')) note('chart');
  }).observe(document, { childList: true, subtree: true, attributes: true });
"""
SENT = """
  ['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type))
    .map(({ transferSize }) => transferSize)
"""


def run(program, times):
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        with socket.create_server(("127.0.0.1", 0)) as free:
            base = "http://127.0.0.1:%d" % free.getsockname()[1]
        service = started(program, folder, base)
        try:
            wait_until_live(base)
            launch = lambda: playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
            tell("a browser just started", [open_in(launch, base) for _ in range(times)])
            browser = launch()
            open_once(browser, base)
            tell("a browser that runs", [open_once(browser, base) for _ in range(times)])
            browser.close()
        finally:
            service.terminate()
            service.wait()


def started(program, folder, base):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLUGLINE")}
    settings = {
        "SLUGLINE__LISTEN": base.removeprefix("http://"),
        "SLUGLINE__DATA_DIR": folder,
        "SLUGLINE__AUTH__BOOTSTRAP_KEY": KEY,
        "SLUGLINE__LOG__LEVEL": "warn",
    }
    return subprocess.Popen([program.resolve(), "serve"], cwd=folder, env=kept | settings)


def wait_until_live(base):
    for _ in range(100):
        try:
            return urllib.request.urlopen(f"{base}/-/live").close()
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("the service does not answer")


def open_in(launch, base):
    browser = launch()
    try:
        return open_once(browser, base)
    finally:
        browser.close()


def open_once(browser, base):
    """Milliseconds until the field and the chart are there, bytes, requests."""
    context = browser.new_context()
    context.add_init_script(WATCH)
    context.request.post(f"{base}/-/dashboard/sign-in", form={"key": KEY, "to": ""}, max_redirects=0)
    page = context.new_page()
    page.goto(f"{base}/-/dashboard")
    page.locator("main .uplot canvas").wait_for()
    seen, sent = page.evaluate("seen"), page.evaluate(SENT)
    context.close()
    return seen["field"], seen["chart"], sum(sent), len(sent)


def tell(where, found):
    field, chart, sent, requests = (sorted(column) for column in zip(*found))
    spread = lambda column: f"{statistics.median(column):.0f} ms ({column[0]:.0f}–{column[-1]:.0f})"
    print(f"{where}: the field after {spread(field)}, the chart after {spread(chart)};", end=" ")
    print(f"{sent[-1]:,} bytes in {requests[-1]} requests; {len(found)} times")


run(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
