"""The mails in a real browser without scripts and network, as mail programs show them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Route, sync_playwright

from morefollows.audience.models import Topic
from morefollows.courier.message import alert as alerts
from morefollows.stories.models import Alert
from tests.courier.message.support import confirmation, parts, thanks, wire
from tests.support.browser import DESKTOP, NARROW, PHONE

LONG = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz"


TEXT = f"""The **bridge** is closed.

> Quoted

- https://port.example/{"notice" * 30}

## {LONG}

`{LONG * 2}`
"""


@pytest.fixture
def shown(alert: Alert, breaking: Topic) -> dict[str, str]:
    """Each mail's HTML."""
    alert.update.headline = f"Harbour bridge closed after ferry collision: {LONG}"
    alert.update.text = TEXT
    composed = {
        "alert": alerts.alert(alert, "en"),
        "confirmation": confirmation(breaking, "en", offers=True),
        "thanks": thanks(breaking, "en"),
    }
    return {name: parts(wire(mail))[1] for name, mail in composed.items()}


MAILS = ("alert", "confirmation", "thanks")
SIZES = {"phone": PHONE, "narrow": NARROW, "desktop": DESKTOP}


class Sight(NamedTuple):
    """What a reader would see."""

    boxes: list[tuple[str, float, float]]  #: words, left edge, right edge
    colours: list[tuple[str, str, str]]  #: words, their colour, the background under them
    button_height: float | None
    leave_at: float | None  #: how far down the first link to leave stands
    fetched: list[str]


Look = Callable[[str, str, str], Sight]


@pytest.fixture(scope="module")
def look(browser_address: str) -> Iterator[Look]:
    """Renders HTML in a colour scheme and size as a mail program does, without scripts.

    What talks to the browser lives in a thread of its own: its event loop must not get between a
    test and the database.
    """
    with ThreadPoolExecutor(1) as thread:
        playwright = thread.submit(lambda: sync_playwright().start()).result()
        browser = thread.submit(
            lambda: playwright.chromium.connect_over_cdp(browser_address)
        ).result()
        yield lambda html, scheme, size: thread.submit(_sight, browser, html, scheme, size).result()
        thread.submit(browser.close).result()
        thread.submit(playwright.stop).result()


def _sight(browser: Browser, html: str, scheme: str, size: str) -> Sight:
    fetched: list[str] = []

    def refuse(route: Route) -> None:
        fetched.append(route.request.url)
        route.abort()

    context = browser.new_context(
        color_scheme=scheme, viewport=SIZES[size], java_script_enabled=False
    )  # type: ignore[arg-type]
    context.route("**/*", refuse)
    page = context.new_page()
    page.set_content(html)
    boxes = [
        (place.inner_text(), place.bounding_box())
        for place in page.locator("h1, p, a, li, code").all()
    ]
    button = page.locator(".mf-button a").all()
    leave = page.get_by_text("Unsubscribe").all()
    sight = Sight(
        [(words, box["x"], box["x"] + box["width"]) for words, box in boxes if box],
        page.evaluate(_COLOURS),
        _box(button[0])["height"] if button else None,
        _box(leave[0])["y"] if leave else None,
        fetched,
    )
    context.close()
    return sight


def _box(place: Locator) -> FloatRect:
    box = place.bounding_box()
    assert box is not None
    return box


@pytest.mark.parametrize("name", MAILS)
@pytest.mark.parametrize("size", SIZES)
def test_nothing_runs_out_of_sight(shown: dict[str, str], look: Look, name: str, size: str) -> None:
    seen = look(shown[name], "light", size)
    assert len(seen.boxes) > 5
    for words, left, right in seen.boxes:
        assert 0 <= left < right <= SIZES[size]["width"], words


@pytest.mark.parametrize("name", MAILS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_can_be_read(shown: dict[str, str], look: Look, name: str, scheme: str) -> None:
    """Contrast of at least 4.5:1 (WCAG 2.2, 1.4.3) on the colour scheme's background."""
    seen = look(shown[name], scheme, "desktop")
    assert len(seen.colours) > 5
    for words, colour, sandbox in seen.colours:
        assert _contrast(colour, sandbox) >= 4.5, (words, colour, sandbox)
    assert (_luminance(seen.colours[0][2]) < 0.05) == (scheme == "dark")


@pytest.mark.parametrize("name", MAILS)
def test_what_can_be_pressed_can_be_hit(shown: dict[str, str], look: Look, name: str) -> None:
    """The button is at least 44 pixels high. The first unsubscribe link is on the first screen."""
    seen = look(shown[name], "light", "phone")
    assert (seen.button_height is None) == (name == "thanks")
    assert (seen.leave_at is None) == (name == "confirmation")
    assert seen.button_height is None or seen.button_height >= 44
    assert seen.leave_at is None or seen.leave_at < 300


def test_nothing_is_fetched(shown: dict[str, str], look: Look) -> None:
    assert all(look(html, "light", "phone").fetched == [] for html in shown.values())
    with_image = shown["alert"].replace("<h1", '<img src="https://pixel.example/"><h1')
    assert look(with_image, "light", "phone").fetched == ["https://pixel.example/"]


# Every run of text that is shown, its colour, and the nearest background under it.
_COLOURS = """() => {
    const found = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
        const words = node.data.trim(), holder = node.parentElement;
        if (!words || !holder.checkVisibility() || holder.closest('style')) continue;
        let ground = 'rgba(0, 0, 0, 0)';
        for (let at = holder; at && ground === 'rgba(0, 0, 0, 0)'; at = at.parentElement)
            ground = getComputedStyle(at).backgroundColor;
        found.push([words, getComputedStyle(holder).color, ground]);
    }
    return found;
}"""


def _luminance(colour: str) -> float:
    channels = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)
