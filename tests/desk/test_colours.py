"""The colours that every page is made of are easy to read, by day and by night."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import morefollows

SHEET = (Path(morefollows.__file__).parent / "static/morefollows/tokens.css").read_text()
GROUNDS = ("paper", "surface", "sunk", "hover")
PAIRS = re.findall(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", SHEET)
LIGHT = {name: light for name, light, _dark in PAIRS}
DARK = {name: dark for name, _light, dark in PAIRS}


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", [LIGHT, DARK], ids=["light", "dark"])
class TestContrast:
    def test_it_knows_black_on_white(self, mode: dict[str, str]) -> None:
        assert round(contrast("#000000", "#ffffff")) == 21
        assert len(mode) == 24

    @pytest.mark.parametrize("text", ["ink", "ink-2", "link", "send-ink", "go", "look", "plan"])
    def test_text_stands_out_on_every_ground(self, mode: dict[str, str], text: str) -> None:
        assert min(contrast(mode[text], mode[ground]) for ground in GROUNDS) >= 4.5

    @pytest.mark.parametrize("name", ["go", "look", "plan"])
    def test_states_stand_out_on_their_wash(self, mode: dict[str, str], name: str) -> None:
        assert contrast(mode[name], mode[name + "-wash"]) >= 4.5
        assert contrast(mode["ink"], mode[name + "-wash"]) >= 4.5
        assert contrast(mode["ink-2"], mode[name + "-wash"]) >= 4.5

    def test_the_red_stands_out_on_its_wash(self, mode: dict[str, str]) -> None:
        assert contrast(mode["send-ink"], mode["send-wash"]) >= 4.5

    @pytest.mark.parametrize("fill", ["send", "send-down"])
    def test_what_is_written_on_the_red_stands_out(self, mode: dict[str, str], fill: str) -> None:
        assert contrast(mode["on-send"], mode[fill]) >= 4.5

    def test_a_main_button_can_be_read(self, mode: dict[str, str]) -> None:
        assert contrast(mode["on-ink"], mode["ink"]) >= 4.5

    @pytest.mark.parametrize("edge", ["edge", "focus"])
    def test_the_edges_of_controls_can_be_seen(self, mode: dict[str, str], edge: str) -> None:
        assert min(contrast(mode[edge], mode[ground]) for ground in GROUNDS) >= 3


def test_nothing_is_hidden_to_one_side_alone() -> None:
    """Where lines run from the right, a page could be scrolled to what lies far to the left."""
    folder = Path(morefollows.__file__).parent
    sheets = [*folder.rglob("static/**/*.css"), folder / "public/static/public/box.js"]
    far = re.compile(r"(?<![-a-z])(left|right): -\d{2,}")
    assert len(sheets) > 10
    assert [sheet.name for sheet in sheets if far.search(sheet.read_text())] == []
