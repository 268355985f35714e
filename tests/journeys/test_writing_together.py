"""Two editors at one story, in two browsers: it saves itself, they see each other, and nobody overwrites anybody."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.journeys import steps
from tests.support.browser import DESKTOP, watch
from tests.support.house import House

SAVED = re.compile(r"^Saved \d\d:\d\d:\d\d$")


def by_itself(request: Request) -> bool:
    return request.method == "POST" and 'name="auto"' in (request.post_data or "")


def test_two_editors_at_one_story(build: Callable[..., House], page: Page, browser: Browser) -> None:
    house = build().start("--sample")
    steps.first_sign_in(page, house.invitation)
    complaints: list[str] = []
    ben = browser.new_context(viewport=DESKTOP).new_page()  # type: ignore[arg-type]
    watch(ben, complaints)
    steps.first_sign_in(ben, steps.add_editor(house, "ben@herald.example", "Ben Okoro", "reporter"))

    # A new story saves itself once there is something to save; the hands stay where they are.
    ben.goto(f"{house.url}/desk/story/new/")
    ben.get_by_label("Headline").fill(steps.HEADLINE)
    ben.get_by_label("Text").press_sequentially("It has stood open since 14:05.")
    expect(ben.locator("#autosave")).to_have_text(SAVED)
    expect(ben.get_by_label("Text")).to_be_focused()
    expect(ben).to_have_url(re.compile(r"/desk/story/[0-9a-f-]{36}/$"))
    where = ben.url
    ben.close(run_before_unload=False)  # nothing is lost

    ben = browser.contexts[-1].new_page()
    watch(ben, complaints)
    ben.goto(where)
    expect(ben.get_by_label("Text")).to_have_value("It has stood open since 14:05.")

    # Each sees the other.
    page.goto(where)
    expect(page.get_by_text(re.compile("Ben Okoro is here, since"))).to_be_visible()
    ben.get_by_label("Text").fill("It has stood open since 14:05. A crane is coming.")
    expect(ben.locator("#autosave")).to_have_text(SAVED)
    expect(page.get_by_text(re.compile("Ben Okoro is here, writing since"))).to_be_visible(timeout=15_000)
    expect(page.get_by_text(re.compile("Ben Okoro saved version 2"))).to_be_visible()

    # What the other one types on an older version is not saved by itself: both are shown, and she decides.
    page.get_by_label("Text").fill("It has stood open since 14:05. Cars turn back.")
    expect(page.locator("#autosave")).to_contain_text("Yours is not saved by itself any more")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert").locator("del").last).to_contain_text("coming.")
    expect(page.get_by_label("Text")).to_have_value("It has stood open since 14:05. Cars turn back.")
    expect(page.locator("[data-autosave]")).to_have_count(0)
    page.get_by_label("Text").fill("It has stood open since 14:05. A crane is coming, cars turn back.")
    page.get_by_role("button", name="Save mine", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()

    # A button pressed while it saves itself waits for that: no conflict with oneself.
    saving: list[Route] = []
    page.route(where, lambda route: saving.append(route) if by_itself(route.request) else route.continue_())
    with page.expect_request(by_itself):
        page.get_by_label("Standfirst").fill("Nobody is hurt.")
    page.get_by_role("button", name="Save and check").click()
    saving[0].continue_()
    expect(page.get_by_role("heading", name="Check the alert")).to_be_visible()
    ben.context.close()
    assert complaints == []
