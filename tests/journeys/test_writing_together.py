"""Two editors at one story in two browsers: autosave, presence, no overwriting."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import APIResponse, Browser, Page, Request, Route, expect

from tests.journeys import steps
from tests.support import validators
from tests.support.browser import DESKTOP, watch
from tests.support.installation import Installation
from tests.support.waiting import until

SAVED = re.compile(r"^Saved \d\d:\d\d:\d\d$")


def by_itself(request: Request) -> bool:
    return request.method == "POST" and 'name="auto"' in (request.post_data or "")


def test_two_editors_at_one_story(
    build: Callable[..., Installation], page: Page, browser: Browser
) -> None:
    installation = build().start("--sample")
    steps.first_sign_in(page, installation.invitation)
    complaints: list[str] = []
    ben = browser.new_context(viewport=DESKTOP).new_page()  # type: ignore[arg-type]
    watch(ben, complaints)
    steps.first_sign_in(
        ben, steps.add_editor(installation, "ben@herald.example", "Ben Okoro", "reporter")
    )

    # A new story saves itself once there is something to save; the hands stay where they are.
    ben.goto(f"{installation.url}/desk/story/new/")
    ben.get_by_label("Headline", exact=True).fill(steps.HEADLINE)
    ben.locator(".ProseMirror").press_sequentially("It has stood open since 14:05.")
    expect(ben.locator("#autosave")).to_have_text(SAVED)
    expect(ben.locator(".ProseMirror")).to_be_focused()
    expect(ben).to_have_url(re.compile(r"/desk/story/[0-9a-f-]{36}/$"))
    where = ben.url
    ben.close(run_before_unload=False)  # nothing is lost

    ben = browser.contexts[-1].new_page()
    watch(ben, complaints)
    ben.goto(where)
    expect(ben.locator("#id_text")).to_have_value("It has stood open since 14:05.")

    # Each sees the other.
    page.goto(where)
    expect(page.get_by_text(re.compile("Ben Okoro is here, since"))).to_be_visible()
    steps.write_text(ben, "It has stood open since 14:05. A crane is coming.")
    expect(ben.locator("#autosave")).to_have_text(SAVED)
    expect(page.get_by_text(re.compile("Ben Okoro is here, writing since"))).to_be_visible()
    expect(page.get_by_text(re.compile("Ben Okoro saved version 2"))).to_be_visible()

    # What the other one types on an older version is not saved by itself: both are shown, and she
    # decides.
    steps.write_text(page, "It has stood open since 14:05. Cars turn back.")
    expect(page.locator("#autosave")).to_contain_text("Yours is not saved by itself any more")
    assert not validators.accessible(page) + validators.narrow(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert").locator("del").last).to_contain_text("coming.")
    expect(page.locator("#id_text")).to_have_value("It has stood open since 14:05. Cars turn back.")
    expect(page.locator("[data-autosave]")).to_have_count(0)
    assert not validators.accessible(page) + validators.narrow(page)
    steps.write_text(page, "It has stood open since 14:05. A crane is coming, cars turn back.")
    page.get_by_role("button", name="Save mine", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()

    # A button pressed while it saves itself waits for the answer: no conflict with oneself.
    saved: list[tuple[Route, APIResponse]] = []
    page.route(
        where,
        lambda route: (
            saved.append((route, route.fetch())) if by_itself(route.request) else route.continue_()
        ),
    )
    page.wait_for_load_state()
    with page.expect_request(by_itself):
        page.get_by_label("Standfirst").fill("Nobody is hurt.")
    page.get_by_label("Standfirst").fill("Nobody is hurt. The lock is dry.")
    until("the server has saved", lambda: page.evaluate("1") and saved)
    page.locator("#act").evaluate("bar => { bar.dataset.before = 'yes'; }")
    page.get_by_role("button", name="Send test to me").click()
    # Meanwhile a preview has brought the bar with that button anew.
    page.evaluate("document.getElementById('story').dispatchEvent(new Event('story-changed'))")
    expect(page.locator("#act:not([data-before])")).to_be_visible()
    route, answer = saved.pop()
    route.fulfill(response=answer)
    expect(page.get_by_text("A test is on its way to")).to_be_visible()
    ben.context.close()
    assert complaints == []


def test_the_keys(build: Callable[..., Installation], page: Page, tmp_path: Path) -> None:
    installation = build(hold="600").start("--sample")
    steps.import_readers(installation, tmp_path, "cy@reader.example")
    steps.first_sign_in(page, installation.invitation)
    sheet = page.get_by_role("dialog", name="Shortcuts")
    page.goto(f"{installation.url}/desk/log/")  # on Home the field for the news has the focus
    page.keyboard.press("?")
    expect(sheet).to_be_visible()
    assert not validators.accessible(page) + validators.narrow(page)
    page.keyboard.press("n")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(page.locator("dialog :focus")).to_have_count(0)  # it is given back a moment later
    page.keyboard.press("g")
    page.keyboard.press("h")
    expect(page).to_have_url(f"{installation.url}/desk/")
    page.goto(f"{installation.url}/desk/log/")

    # In a field a key is a letter.
    page.get_by_label("Story or subject").press("s")
    expect(page.get_by_label("Story or subject")).to_have_value("s")
    expect(page.get_by_role("heading", name="Activity log")).to_be_visible()

    # Send is reached, not pressed; in the hold one key takes back. Switched off, single keys do
    # nothing.
    steps.write_story(page, installation)
    page.wait_for_load_state()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#send")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#take-back")).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("t")
    expect(page.get_by_text("Nothing was mailed")).to_be_visible()
    page.goto(f"{installation.url}/desk/log/")
    page.keyboard.press("?")
    sheet.get_by_label("Single keys").uncheck()
    page.keyboard.press("Escape")
    expect(page.locator("dialog :focus")).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("h")
    page.keyboard.press("?")
    expect(page).to_have_url(f"{installation.url}/desk/log/")
    expect(sheet).to_be_hidden()
    page.get_by_role("button", name="Shortcuts").click()
    sheet.get_by_label("Single keys").check()
    page.keyboard.press("Escape")
    expect(page.locator("dialog :focus")).to_have_count(0)
    page.keyboard.press("?")
    expect(sheet).to_be_visible()

    # What is wrong, in a menu; a letter is not typed where the key leads.
    steps.send_the_draft_without_hold(page, installation)
    page.keyboard.press("w")
    expect(page.get_by_role("link", name="Retract …")).to_be_visible()
