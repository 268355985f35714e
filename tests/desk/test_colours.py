"""The colours that every page is made of are easy to read, by day and by night."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import morefollows

SHEET = (Path(morefollows.__file__).parent / "static/morefollows/tokens.css").read_text()
SURFACES = ("paper", "paper-raised", "paper-sunk")


def colours(sheet: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", sheet))


LIGHT = colours(SHEET.partition("@media")[0])
DARK = LIGHT | colours(SHEET.partition("@media")[2])


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
        assert len(mode) == 20

    @pytest.mark.parametrize(
        "text", ["ink", "ink-soft", "link", "accent-ink", "good", "warn", "bad"]
    )
    def test_text_stands_out_on_every_surface(self, mode: dict[str, str], text: str) -> None:
        assert min(contrast(mode[text], mode[surface]) for surface in SURFACES) >= 4.5

    @pytest.mark.parametrize("name", ["good", "warn", "bad"])
    def test_verdicts_stand_out_on_their_ground(self, mode: dict[str, str], name: str) -> None:
        assert contrast(mode[name], mode[name + "-wash"]) >= 4.5
        assert contrast(mode["ink"], mode[name + "-wash"]) >= 4.5

    def test_the_red_stands_out_on_its_wash(self, mode: dict[str, str]) -> None:
        assert contrast(mode["accent-ink"], mode["accent-wash"]) >= 4.5

    @pytest.mark.parametrize("fill", ["accent", "accent-strong"])
    def test_what_is_written_on_the_red_stands_out(self, mode: dict[str, str], fill: str) -> None:
        assert contrast(mode["on-accent"], mode[fill]) >= 4.5

    @pytest.mark.parametrize("edge", ["edge", "focus"])
    def test_the_edges_of_controls_can_be_seen(self, mode: dict[str, str], edge: str) -> None:
        assert min(contrast(mode[edge], mode[surface]) for surface in SURFACES) >= 3
