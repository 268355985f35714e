"""Breaking a story on one screen: by keyboard alone, by mouse, and what is typed is never lost."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import APIResponse, Browser, Page, Route, expect

from tests.journeys import steps
from tests.support.installation import Installation
from tests.support.waiting import until

PICTURES = os.environ.get("PICTURES", "")


def picture(page: Page, name: str) -> None:
    """A picture of this state, for whoever looks at them: PICTURES names the folder."""
    if not PICTURES:
        return
    for size in ((1280, 720), (390, 844), (1920, 1080)):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.wait_for_timeout(250)
            page.screenshot(path=f"{PICTURES}/{name}-{size[0]}-{scheme}.png")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 720})


class Keys:
    """Presses keys, and counts those that are no words."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pressed = 0

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.pressed += 1


def test_a_story_is_broken_by_keyboard_alone(
    build: Callable[..., Installation], page: Page, tmp_path: Path
) -> None:
    installation = build(hold="60").start("--sample")
    steps.import_readers(installation, tmp_path, "cy@reader.example", "dee@reader.example")
    link = steps.add_editor(installation, "ben@herald.example", "Ben Okoro", "editor")
    assert link  # two people may send: approval is asked for
    page.set_viewport_size({"width": 1280, "height": 720})
    steps.first_sign_in(page, link)
    keys = Keys(page)
    expect(page.get_by_label("What’s the news?")).to_be_focused()
    picture(page, "home")
    page.keyboard.type("Harbour bridge closed after ferry collision")
    keys.press("Enter")
    expect(page.locator(".ProseMirror")).to_be_focused()
    page.keyboard.type("The bridge was closed at 19:52.")
    keys.press("Enter")
    page.keyboard.type("Engineers are on their way.")
    expect(page.locator("#todo")).to_contain_text("approval")
    expect(page.locator("#preview-inbox .su")).to_have_text(re.compile("^Harbour bridge"))
    expect(page.locator("#autosave")).to_contain_text("Saved", timeout=15000)
    page.wait_for_timeout(800)
    picture(page, "write")
    box = page.locator("#send").bounding_box()
    assert box and box["y"] + box["height"] <= 720, "Send is in the first screen"
    keys.press("Control+Enter")
    keys.press("Space")
    expect(page.locator("#todo")).to_have_count(0)
    expect(page.locator("#send")).to_have_text("Send to 2")
    picture(page, "ready")
    keys.press("Control+Enter")
    expect(page.locator("#send")).to_be_focused()
    keys.press("Enter")
    expect(page.locator("#take-back")).to_be_focused()
    assert keys.pressed <= 12
    picture(page, "hold")
    page.keyboard.press("t")
    expect(page.get_by_text("Nothing was mailed")).to_be_visible()
    # A second press of what stands there now sends nothing, and the reason is to be chosen again.
    expect(page.locator("#send")).to_have_attribute("aria-disabled", "true")
    expect(page.locator("#send-pause")).to_contain_text("Send is free again in")
    expect(page.locator("#todo")).to_contain_text("approval")
    box = page.locator("#send").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#send-pause")).to_have_count(0)
    expect(page.locator("#send")).to_be_enabled()
    expect(page.locator(".act .trouble, [role=alert]")).to_have_count(0)
    assert "/desk/alert/" not in page.url

    # By mouse, and on a phone: three presses, and what blocks Send is in sight beside it.
    page.goto(f"{installation.url}/desk/")
    page.keyboard.type("Lock gate jammed, barges wait")
    page.get_by_role("button", name="Start story").click()
    page.locator(".ProseMirror").press_sequentially("The gate jammed at 21:04.")
    for width, height in ((1280, 720), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        for part in ("#send", "#todo"):
            box = page.locator(part).bounding_box()
            assert box and box["y"] >= 0 and box["y"] + box["height"] <= height, (part, width)
    bars = [page.locator(part).bounding_box() for part in (".whead", "form .act, .act")]
    assert sum(box["height"] for box in bars if box) <= 0.2 * 844, bars
    page.set_viewport_size({"width": 1280, "height": 720})
    # An answer that comes late does not put back what was chosen meanwhile.
    late: list[tuple[Route, APIResponse]] = []
    page.wait_for_timeout(1000)
    page.route(
        "**/desk/typed/",
        lambda route: route.continue_() if late else late.append((route, route.fetch())),
    )
    page.locator(".ProseMirror").focus()
    page.keyboard.insert_text(" Barges wait.")
    until("an answer is on its way", lambda: page.evaluate("1") and late)
    page.get_by_text("Alone on shift").click()
    late[-1][0].fulfill(response=late[-1][1])
    expect(page.locator("#todo")).to_have_count(0)
    expect(page.get_by_label("Alone on shift")).to_be_checked()
    page.locator("#send").click()
    expect(page.locator("#take-back")).to_be_focused()


def test_what_is_typed_survives(build: Callable[..., Installation], browser: Browser) -> None:
    """A lost network, a tab that is closed meanwhile, and a session that has ended."""
    installation = build().start("--sample")
    context = browser.new_context()  # whose console may say that there is no network
    page = context.new_page()
    steps.first_sign_in(page, installation.invitation)
    steps.write_story(page, installation, text="The gate jammed at 21:04.")
    expect(page.locator("#autosave")).to_contain_text("Saved")
    where = page.url

    context.set_offline(True)
    steps.write_text(page, "The gate jammed at 21:04. Barges wait.")
    expect(page.locator("#autosave")).not_to_contain_text("Saved")
    steps.write_text(page, "The gate jammed at 21:04. Twelve barges wait.")
    page.close(run_before_unload=False)
    context.set_offline(False)
    page = context.new_page()
    page.goto(where)
    expect(page.locator("#id_text")).to_have_value("The gate jammed at 21:04. Twelve barges wait.")
    expect(page.locator("#autosave")).to_contain_text("Saved")  # by itself, as the network is back

    page.route(
        "**",
        lambda route: (
            route.fulfill(status=503, body="busy")
            if route.request.method == "POST"
            else route.continue_()
        ),
    )
    steps.write_text(page, "The gate jammed at 21:04. Sixteen barges wait.")
    expect(page.locator("#autosave")).to_contain_text("Not saved yet")
    expect(page.locator("#autosave a")).to_have_count(0)  # nobody is signed out
    page.unroute("**")
    expect(page.locator("#autosave")).to_contain_text(re.compile("^Saved"))

    cookies = context.cookies()
    context.clear_cookies()
    steps.write_text(page, "The gate jammed at 21:04. Twenty barges wait.")
    expect(page.locator("#autosave a")).to_be_visible()  # a link to sign in, in another tab
    context.add_cookies(cookies)  # type: ignore[arg-type]
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator("#autosave")).to_contain_text("Saved")
    page.reload()
    expect(page.locator("#id_text")).to_have_value("The gate jammed at 21:04. Twenty barges wait.")
    context.close()


def test_what_was_begun_and_left_is_a_draft_of_its_own(
    build: Callable[..., Installation], page: Page
) -> None:
    """It was saved as its editor left. A new story begins empty, and nobody saved it meanwhile."""
    installation = build().start("--sample")
    steps.first_sign_in(page, installation.invitation)
    page.goto(f"{installation.url}/desk/story/new/")
    page.locator("#id_headline").fill("Ferry aground")
    # Beside the text no key leads away: the focus may have been lost by a click.
    page.evaluate("document.activeElement.blur()")
    page.keyboard.type("n gh")
    expect(page).to_have_url(re.compile("/desk/story/"))
    page.goto(f"{installation.url}/desk/")
    until(
        "the draft", lambda: "Ferry aground" in str(installation.rows("stories")["stories_story"])
    )

    page.goto(f"{installation.url}/desk/story/new/")
    until("the new story's own words", lambda: _kept(page) == [])
    expect(page.locator("#id_headline")).to_have_value("")
    page.locator("#id_headline").fill("Ferry afloat")
    expect(page.locator("#autosave")).to_contain_text(re.compile("^Saved"))
    headlines = [str(row) for row in installation.rows("stories")["stories_story"]]
    assert sum("Ferry" in one for one in headlines) == 2


def test_what_could_not_be_saved_outlives_the_next_story(
    build: Callable[..., Installation], browser: Browser
) -> None:
    """The save failed, and the editor types in a new story before that is known."""
    installation = build().start("--sample")
    context = browser.new_context()
    page = context.new_page()
    # Not by a route: the save that a page makes as it is left is not stopped by one.
    page.add_init_script(
        "{const real = fetch; globalThis.fetch = (to, how) => how?.method === 'POST'"
        " && sessionStorage.lost ? Promise.reject(new TypeError('lost')) : real(to, how);}"
    )
    steps.first_sign_in(page, installation.invitation)
    new = f"{installation.url}/desk/story/new/"
    page.goto(new)
    page.evaluate("sessionStorage.lost = '1'")
    page.locator("#id_headline").fill("Ferry aground")
    until("its words", lambda: _kept(page))
    slow: list[Route] = []
    page.route(re.compile("/desk/story/[0-9a-f-]{36}/$"), lambda route: slow.append(route))
    page.goto(new)
    until("the question whether it was saved", lambda: page.evaluate("1") and slow)
    page.locator("#id_headline").fill("Lock gate jammed")
    slow.pop().continue_()
    page.unroute(re.compile("/desk/story/[0-9a-f-]{36}/$"))
    page.evaluate("delete sessionStorage.lost")
    expect(page.locator("#autosave")).to_contain_text(re.compile("^Saved"), timeout=30_000)
    expect(page.locator("#id_headline")).to_have_value("Lock gate jammed")

    page.goto(new)
    expect(page.locator("#id_headline")).to_have_value("Ferry aground")
    expect(page.locator("#autosave")).to_contain_text(re.compile("^Saved"), timeout=30_000)
    headlines = str(installation.rows("stories")["stories_story"])
    assert "Ferry aground" in headlines and "Lock gate jammed" in headlines
    page.goto(new)
    until("nothing more to be kept", lambda: not _kept(page))
    expect(page.locator("#id_headline")).to_have_value("")
    context.close()


def _kept(page: Page) -> list[str]:
    """The pages of new stories for which words are kept in the browser."""
    found: list[str] = page.evaluate(
        "Object.keys(localStorage).filter((one) => one.endsWith('/story/new/')"
        " || one.startsWith('morefollows-earlier-'))"
    )
    return found
