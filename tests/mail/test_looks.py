"""How the mails look in a real browser without scripts and network, as a mail program shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route

from morefollows.audience.models import Topic
from morefollows.bulletin.models import Alert
from morefollows.courier import mails
from tests.support.browser import DESKTOP, NARROW, PHONE

from .support import parts, wire

LONG = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz"


TEXT = f"""The **bridge** is closed.

> Quoted

- https://port.example/{"notice" * 30}

## {LONG}

`{LONG * 2}`
"""


@pytest.fixture(scope="module", autouse=True)
def database_beside_the_browser() -> Iterator[None]:
    """Playwright keeps an event loop in this thread; it stands still whenever a test asks the database."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "yes")
        yield


@pytest.fixture
def shown(alert: Alert, breaking: Topic) -> dict[str, str]:
    """Each mail's HTML."""
    alert.update.headline = f"Harbour bridge closed after ferry collision: {LONG}"
    alert.update.text = TEXT
    composed = {
        "alert": mails.alert(alert, "en"),
        "confirmation": mails.confirmation(breaking, "en", offers=True),
        "thanks": mails.thanks(breaking, "en"),
    }
    return {name: parts(wire(mail))[1] for name, mail in composed.items()}


MAILS = ("alert", "confirmation", "thanks")
SIZES = {"phone": PHONE, "narrow": NARROW, "desktop": DESKTOP}


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def view(shown: dict[str, str], browser: Browser, scheme: str) -> Iterator[Page]:
    """A mail program's window: its scripts are off, and it fetches nothing."""
    context = browser.new_context(color_scheme=scheme, java_script_enabled=False)  # type: ignore[arg-type]
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    context.route("**/*", refuse)
    page = context.new_page()
    yield page
    context.close()
    assert asked == [], "a mail must fetch nothing"


@pytest.mark.parametrize("name", MAILS)
@pytest.mark.parametrize("size", SIZES)
def test_nothing_runs_out_of_sight(shown: dict[str, str], view: Page, name: str, size: str) -> None:
    width = SIZES[size]["width"]
    view.set_viewport_size(SIZES[size])  # type: ignore[arg-type]
    view.set_content(shown[name])
    for place in view.locator("h1, p, a, li, code").all():
        box = place.bounding_box()
        assert box is None or (box["x"] >= 0 and box["x"] + box["width"] <= width), place.inner_text()


@pytest.mark.parametrize("name", MAILS)
def test_every_word_can_be_read(shown: dict[str, str], view: Page, name: str, scheme: str) -> None:
    """Contrast of at least 4.5:1 (WCAG 2.2, 1.4.3) in light and in dark."""
    view.set_content(shown[name])
    bodies = view.evaluate(_COLOURS)
    assert len(bodies) > 5
    for words, colour, ground in bodies:
        assert _contrast(colour, ground) >= 4.5, (words, colour, ground)
    page_ground = bodies[0][2]
    assert (_luminance(page_ground) < 0.05) == (scheme == "dark")


@pytest.mark.parametrize("name", MAILS)
def test_what_can_be_pressed_can_be_hit(shown: dict[str, str], view: Page, name: str) -> None:
    """The button is at least 44 pixels high, and the first link to leave stands on the first screen."""
    view.set_viewport_size(PHONE)  # type: ignore[arg-type]
    view.set_content(shown[name])
    button = view.locator(".mf-button a")
    if name != "thanks":
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    if name != "confirmation":
        box = view.get_by_text("Unsubscribe").first.bounding_box()
        assert box is not None
        assert box["y"] < 300


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
