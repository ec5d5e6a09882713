"""Signing in and out, and what a browser keeps of it."""

import json

from playwright.sync_api import expect


def a_wrong_key_is_told_what_to_do_and_the_right_one_enters(desk):
    page = desk.page
    desk.expect_complaint("status of 401")
    wanted = f"{desk.base}/-/dashboard/links?q=budget"
    page.goto(wanted)
    page.wait_for_url("**/-/dashboard/sign-in?to=*")
    field = page.get_by_label("API key")
    expect(field).to_be_focused()
    assert field.get_attribute("type") == "password"
    with page.expect_response("**/sign-in*") as answer:
        field.fill("sl_no_key_of_anybody")
        field.press("Enter")
    assert answer.value.status == 401
    expect(page.get_by_role("alert")).to_have_text(
        "This key is not known here. Check that it is whole: it begins with sl_ as a rule."
    )
    assert desk.context.cookies() == []
    page.get_by_label("API key").fill(desk.key)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(wanted)
    expect(page.get_by_label("Search")).to_have_value("budget")


def the_key_stays_out_of_the_page_and_its_storage(desk):
    desk.sign_in()
    [cookie] = desk.context.cookies()
    assert (cookie["name"], cookie["path"]) == ("slugline_session", "/")
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict", cookie
    assert desk.key not in json.dumps(cookie)
    for view in ["", "/links", "/orphans", "/keys", "/settings"]:
        desk.open(view)
        desk.page.wait_for_load_state("load")
        # Whatever the view asks for has come.
        expect(desk.page.locator("[aria-busy=true]")).to_have_count(0)
        seen = desk.page.evaluate(
            "[document.documentElement.outerHTML, document.cookie, JSON.stringify(localStorage),"
            " JSON.stringify(sessionStorage), location.href, JSON.stringify(history.state),"
            " ...[...document.querySelectorAll('input')].map((input) => input.value)].join('\\n')"
        )
        assert desk.key not in seen
        assert cookie["value"] not in seen


def a_session_that_ends_leads_to_the_form_and_back(desk):
    page = desk.page
    desk.expect_complaint("status of 401")
    desk.mint("https://www.example.org/budget", title="The budget")
    desk.begin_session()
    desk.open("/links?q=budget")
    expect(page.get_by_role("link", name="The budget")).to_be_visible()
    desk.end_session()
    page.get_by_label("State").select_option("active")
    page.wait_for_url("**/-/dashboard/sign-in?to=*")
    expect(page.get_by_role("alert")).to_have_text("Your session has ended. Sign in again.")
    page.get_by_label("API key").fill(desk.key)
    page.get_by_role("button", name="Sign in").click()
    desk.wait_for_address("/links?q=budget&state=active")
    expect(page.get_by_role("link", name="The budget")).to_be_visible()


def what_was_entered_outlives_the_session(desk):
    page = desk.page
    desk.expect_complaint("status of 401")
    code = desk.mint("https://www.example.org/budget", title="The budget")["code"]
    desk.begin_session()
    desk.open(f"/links/{code}")
    page.get_by_role("button", name="Edit").click()
    desk.dialog.get_by_label("Title").fill("The budget, explained")
    # Beside the form and beside its fields.
    box = desk.dialog.bounding_box()
    page.mouse.click(5, 5)
    page.mouse.click(box["x"] + 4, box["y"] + 4)
    desk.end_session()
    desk.dialog.get_by_role("button", name="Save").click()
    expect(desk.dialog.locator(".banner")).to_contain_text("Your session has ended.")
    with desk.context.expect_page() as opened:
        desk.dialog.get_by_role("link", name="Sign in in another tab").click()
    opened.value.get_by_label("API key").fill(desk.key)
    opened.value.get_by_role("button", name="Sign in").click()
    expect(opened.value.get_by_role("heading", name="The budget")).to_be_visible()
    opened.value.close()
    expect(desk.dialog.get_by_label("Title")).to_have_value("The budget, explained")
    desk.dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="The budget, explained")).to_be_visible()
    expect(page.locator(".banner")).to_be_hidden()


def who_signs_out_is_out(desk):
    page = desk.page
    desk.sign_in(path="/links")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/-/dashboard/sign-in")
    assert desk.context.cookies() == []
    # Neither by the browser's button, nor by the address.
    page.go_back()
    page.wait_for_url("**/-/dashboard/sign-in?to=*")
    page.goto(f"{desk.base}/-/dashboard/keys")
    page.wait_for_url("**/-/dashboard/sign-in?to=*")
