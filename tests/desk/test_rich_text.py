"""The write page's text, from what stands there to the editor, whatever happens in between."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

import morefollows
from morefollows.desk.stories.writing.editor_html import editor_html

STATIC = Path(morefollows.__file__).parent / "desk/static/desk"
SITE = "http://desk.example/"
TEXT = "The **lock** is shut. Boats wait.\n\nBoats wait at the [pier](https://port.example/wait)."
PAGE = """<!doctype html><html><head><title>Desk</title><script src="/scripted.js"></script>
<link rel="stylesheet" href="/write.css"></head><body>
<div class="tools" id="tools"><button type="button" data-command="list">List</button>
<button type="button" id="plain-text" aria-pressed="false">Plain text</button></div>
<div id="rich" data-editor="/editor.js">%(still)s</div>
<div class="markdown-area"><label for="id_text">Text</label>
<textarea id="id_text">%(text)s</textarea><p>Markdown</p></div>
<input id="id_headline" value="Lock fails"><script src="/rich.js" defer></script></body></html>"""
STILL = '<div class="still copy" id="still">%s</div>'


class Desk:
    """The page. The editor's script comes when `come` is called, if `hold` was."""

    def __init__(self, page: Page) -> None:
        self.page, self.asked, self.held = page, list[Route](), False
        page.route(f"{SITE}**", self._answer)

    def _answer(self, route: Route) -> None:
        name = route.request.url.removeprefix(SITE)
        if name == "editor.js" and self.held:
            self.asked.append(route)
        elif name:
            route.fulfill(path=STATIC / name)
        else:
            body = PAGE % {"still": STILL % editor_html(TEXT), "text": TEXT}
            route.fulfill(body=body, content_type="text/html")

    def open(self, *, held: bool = False) -> Page:
        self.held = held
        self.page.goto(SITE)
        return self.page

    def come(self, *, fails: bool = False) -> None:
        self.page.wait_for_function("document.querySelector('head script[src$=\"editor.js\"]')")
        self.held = False
        for route in self.asked:
            route.abort() if fails else route.fulfill(path=STATIC / "editor.js")


@pytest.fixture
def desk(browser: Browser) -> Iterator[Desk]:
    page = browser.new_page()
    page.set_default_timeout(20_000)
    yield Desk(page)
    page.close()


def stored(page: Page) -> str:
    return page.locator("#id_text").input_value()


def caret_behind(page: Page, words: str) -> None:
    """As a click there does."""
    page.evaluate(
        "words => { const still = document.getElementById('still');"
        " const walker = document.createTreeWalker(still, NodeFilter.SHOW_TEXT);"
        " let node; while ((node = walker.nextNode()) && !node.data.includes(words));"
        " still.focus();"
        " getSelection().collapse(node, node.data.indexOf(words) + words.length); }",
        words,
    )


def test_the_text_stands_there_and_the_editor_is_not_run(desk: Desk) -> None:
    page = desk.open()
    expect(page.locator("#still strong")).to_be_visible()
    expect(page.get_by_role("textbox", name="Text", exact=True).first).to_have_id("still")
    expect(page.locator("#id_text")).to_be_hidden()
    expect(page.locator("link[rel=prefetch]")).to_have_count(1)
    assert page.evaluate("window.morefollowsEditor") is None


def test_at_the_first_sign_the_editor_takes_the_place_without_a_move(desk: Desk) -> None:
    page = desk.open()
    before = page.locator("#still").bounding_box()
    page.mouse.move(5, 5)
    expect(page.locator(".ProseMirror")).to_be_visible()
    expect(page.locator("#still")).to_have_count(0)
    assert page.locator(".ProseMirror").bounding_box() == before
    assert stored(page) == TEXT


@pytest.mark.parametrize(
    ("behind", "expected"),
    [
        ("is shut", TEXT.replace("is shut", "is shut, Ann")),
        ("Boats wait at", TEXT.replace("Boats wait at", "Boats wait at, Ann")),
        ("loc", TEXT.replace("loc", "loc, Ann")),
    ],
)
@pytest.mark.parametrize("slow", [False, True], ids=["fast", "slow"])
def test_what_is_typed_meanwhile_stands_where_the_caret_was(
    desk: Desk, behind: str, expected: str, *, slow: bool
) -> None:
    page = desk.open(held=slow)
    caret_behind(page, behind)
    page.keyboard.type(", A")
    if slow:
        expect(page.locator("#id_text")).to_be_focused()
        assert stored(page) == expected.replace("Ann", "A")
        desk.come()
    expect(page.locator(".ProseMirror")).to_be_focused()
    page.keyboard.type("nn")
    assert stored(page) == expected


def test_a_finger_has_its_keyboard_at_once(desk: Desk, browser: Browser) -> None:
    context = browser.new_context(has_touch=True, is_mobile=True)
    touched = Desk(context.new_page())
    page = touched.open(held=True)
    page.locator("#still strong").tap()
    expect(page.locator("#id_text")).to_be_focused()
    page.keyboard.type("X")
    assert re.search(r"\*\*\w*X\w*\*\*", stored(page)), stored(page)
    touched.come()
    expect(page.locator(".ProseMirror")).to_be_focused()
    context.close()


def test_a_key_reaches_the_text_and_begins_at_its_start(desk: Desk) -> None:
    page = desk.open(held=True)
    page.locator("#plain-text").focus()
    page.keyboard.press("Tab")
    expect(page.locator("#still")).to_be_focused()
    desk.come()
    expect(page.locator(".ProseMirror")).to_be_focused()
    page.keyboard.type("Now: ")
    assert stored(page) == f"Now: {TEXT}"


def test_a_command_waits_for_the_editor(desk: Desk) -> None:
    page = desk.open(held=True)
    page.get_by_role("button", name="List").click()
    desk.come()
    expect(page.locator(".ProseMirror li")).to_have_count(1)


def test_without_the_editor_the_text_area_takes_over(desk: Desk) -> None:
    page = desk.open(held=True)
    caret_behind(page, "is shut")
    page.keyboard.type("!")
    desk.come(fails=True)
    expect(page.locator("#tools")).to_be_hidden()
    expect(page.locator("#id_text")).to_be_focused()
    page.keyboard.type("!")
    assert stored(page) == TEXT.replace("is shut", "is shut!!")


def test_words_that_come_from_elsewhere_take_the_place(desk: Desk) -> None:
    page = desk.open()
    page.locator("#id_text").evaluate(
        "area => { area.value = 'Other words.';"
        " area.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    expect(page.locator(".ProseMirror")).to_have_text("Other words.")


def test_plain_text_and_no_scripts_have_the_text_area(desk: Desk, browser: Browser) -> None:
    page = desk.open()
    page.get_by_role("button", name="Plain text").click()
    expect(page.locator("#id_text")).to_be_focused()
    page.reload()
    expect(page.locator("#id_text")).to_be_visible()
    expect(page.locator("#still")).to_be_hidden()
    page.get_by_role("button", name="Plain text").click()
    expect(page.locator(".ProseMirror")).to_be_focused()

    context = browser.new_context(java_script_enabled=False)
    silent = Desk(context.new_page()).open()
    expect(silent.locator("#id_text")).to_be_visible()
    expect(silent.locator("#still")).to_be_hidden()
    expect(silent.locator("#tools")).to_be_hidden()
    context.close()
