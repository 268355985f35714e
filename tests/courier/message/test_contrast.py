"""The mails' own colours: every word can be read by day and by night."""

from __future__ import annotations

import pytest

from morefollows.audience.models import Purpose
from morefollows.courier.message import preview as previews
from morefollows.stories.models import Story, UpdateKind
from tests.courier.message import contrast


@pytest.mark.parametrize("kind", UpdateKind.values)
@pytest.mark.parametrize("drill", [False, True])
def test_every_alert_can_be_read_by_day_and_by_night(story: Story, kind: str, drill: bool) -> None:
    story.kind, story.note, story.drill = kind, "It was the second pier.", drill
    html = previews.preview(story).html
    for dark in (False, True):
        assert contrast.weakest(html, dark=dark).ratio >= contrast.ENOUGH
    assert contrast.weakest(html, dark=True) != contrast.weakest(html, dark=False)


def test_so_can_an_offer(story: Story) -> None:
    story.topic, story.purpose = None, Purpose.OFFERS
    for dark in (False, True):
        assert contrast.weakest(previews.preview(story).html, dark=dark).ratio >= contrast.ENOUGH


@pytest.mark.parametrize(
    ("html", "light", "dark"),
    [
        ("<p>Black on white</p>", 21, 18.7),
        ('<div style="background:#777;color:#777"><p>Seen by nobody</p></div>', 1, 1),
        (
            '<div style="background-color:#000"><a style="color:#767676">Grey <b>and '
            "bold</b></a></div>",
            4.6,
            4.6,
        ),
        (
            '<p style="display:none;color:#fff">Hidden</p><p style="color:#767676">Grey</p>',
            4.5,
            4.1,
        ),
        ('<p class="mf-a" style="color:#000">By its class</p>', 21, 11.7),
        ('<td class="mf-b" style="background-color:#fff"><i>Below it</i></td>', 21, 21),
        ('<td class="mf-c"><p><i>Somewhere below it</i></p></td>', 21, 1.2),
    ],
)
def test_it_knows_which_colours_are_in_force(html: str, light: float, dark: float) -> None:
    sheet = (
        "<style>@media (prefers-color-scheme: dark) { .mf-a, .no { color: #ccc !important; }"
        " .mf-b > i { color: #fff !important; } .mf-b { background: #000 !important; }"
        " .mf-c > i { color: #121212 !important; } .mf-c i { color: #222 !important; } }</style>"
    )
    page = f"<html><head>{sheet}</head><body>{html}</body></html>"
    assert round(contrast.weakest(page, dark=False).ratio, 1) == pytest.approx(light, abs=0.06)
    assert round(contrast.weakest(page, dark=True).ratio, 1) == pytest.approx(dark, abs=0.06)


def test_a_colour_that_it_does_not_know_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="tomato"):
        contrast.weakest('<p style="color:tomato">Red</p>', dark=False)
