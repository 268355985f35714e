"""The colours of mails and readers' pages, derived from the few that a newsroom chooses.

Every pair in use holds 4.5 to 1 (WCAG 2.2, 1.4.3) for any choice in which `colour_problems` finds
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

ENOUGH = 4.5  #: to 1, for text of any size

#: The look of a newsroom that has chosen nothing: as in `static/morefollows/brand.css`.
LIGHT = {
    "ink": "#10222b",
    "ink-2": "#4a5a62",
    "main": "#0b5563",
    "on": "#ffffff",
    "paper": "#ffffff",
    "soft": "#eef4f4",
    "line": "#cfdcde",
    "warm": "#8a4b08",
    "warm-soft": "#fdf3e4",
    "link": "#0b5563",
}
DARK = {
    "ink": "#eef4f5",
    "ink-2": "#b4c3c9",
    "main": "#7fc7d2",
    "on": "#08242b",
    "paper": "#12191d",
    "soft": "#1b262b",
    "line": "#34444b",
    "warm": "#f2b872",
    "warm-soft": "#2d2212",
    "link": "#7fc7d2",
}
_COLOUR = re.compile(r"#[0-9a-f]{6}")


class Palette(NamedTuple):
    """All colours by their token's name, without the `--b-` before it."""

    light: Mapping[str, str]
    dark: Mapping[str, str]


class ColourProblem(NamedTuple):
    """A colour that can't be read where it is used."""

    field: str  #: of `Brand`
    ratio: float  #: to 1
    suggestion: str  #: the nearest colour that can be read


def colour(text: str) -> str:
    """Returns a colour as ``#rrggbb``. Raises `ValueError` for anything else."""
    value = text.strip().lower()
    if re.fullmatch(r"#?[0-9a-f]{3}", value):
        value = "#" + "".join(2 * digit for digit in value.lstrip("#"))
    value = value if value.startswith("#") else f"#{value}"
    if not _COLOUR.fullmatch(value):
        raise ValueError(f"{text[:20]} is no colour such as #0b5563")
    return value


def ratio(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21, by the formula of WCAG 2.2."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def mixed(one: str, other: str, share: float) -> str:
    """Returns `one` with this share of `other` in it, 0 to 1."""
    pairs = zip(_parts(one), _parts(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def made_readable(one: str, grounds: tuple[str, ...], towards: str) -> str:
    """Returns `one`, mixed with `towards` until it can be read on each of the grounds."""
    for step in range(101):
        found = mixed(one, towards, step / 100)
        if min(ratio(found, ground) for ground in grounds) >= ENOUGH:
            return found
    return towards


def palette(main: str = "", main_dark: str = "", notice: str = "", link: str = "") -> Palette:
    """Derives all colours. Each may be empty: then it follows from the others."""
    light, dark = dict(LIGHT), dict(DARK)
    if main:
        light |= {
            "main": main,
            "ink": mixed("#141414", main, 0.1),
            "ink-2": mixed("#4c4c4c", main, 0.1),
            "soft": mixed("#ffffff", main, 0.06),
            "line": mixed("#dddddd", main, 0.12),
            "link": main,
        }
        dark |= {
            "ink": mixed("#f2f2f2", main, 0.04),
            "ink-2": mixed("#c2c2c2", main, 0.06),
            "paper": mixed("#141414", main, 0.06),
            "soft": mixed("#1f1f1f", main, 0.08),
            "line": mixed("#404040", main, 0.1),
        }
        dark["main"] = made_readable(main, (dark["paper"], dark["soft"]), "#ffffff")
        dark["link"] = dark["main"]
    if main_dark:
        dark |= {"main": main_dark, "link": main_dark}
    if notice:
        light |= {"warm": notice, "warm-soft": mixed("#ffffff", notice, 0.08)}
        dark["warm-soft"] = mixed("#1a1a1a", notice, 0.14)
        dark["warm"] = made_readable(notice, (dark["warm-soft"], dark["paper"]), "#ffffff")
    if link:
        light["link"] = link
        dark["link"] = made_readable(link, (dark["paper"], dark["soft"]), "#ffffff")
    for mode in (light, dark):
        mode["on"], mode["on-warm"] = _label(mode["main"]), _label(mode["warm"])
    return Palette(light, dark)


def colour_problems(
    main: str = "", main_dark: str = "", notice: str = "", link: str = ""
) -> list[ColourProblem]:
    """Returns the chosen colours that can't be read where they are used."""
    light, dark = palette(main, main_dark, notice, link)
    checks = (
        ("main", main, light, ("paper", "soft"), "#000000"),
        ("main_dark", main_dark, dark, ("paper", "soft"), "#ffffff"),
        ("notice", notice, light, ("warm-soft", "paper"), "#000000"),
        ("link", link, light, ("paper", "soft"), "#000000"),
    )
    found = []
    for field, chosen, mode, names, towards in checks:
        grounds = tuple(mode[name] for name in names)
        if chosen and (weakest := min(ratio(chosen, ground) for ground in grounds)) < ENOUGH:
            # Grounds follow from the colour, so a darker one is tried against its own.
            found.append(ColourProblem(field, weakest, _suggested(field, chosen, towards)))
    return found


def _suggested(field: str, chosen: str, towards: str) -> str:
    names = ("warm-soft", "paper") if field == "notice" else ("paper", "soft")
    for step in range(101):
        tried = mixed(chosen, towards, step / 100)
        mode = palette(**{field: tried})[1 if field == "main_dark" else 0]
        if min(ratio(tried, mode[name]) for name in names) >= ENOUGH:
            return tried
    return towards


def _label(ground: str) -> str:
    """White, or a dark ink of the ground's own hue: whichever can be read better on it."""
    dark = mixed("#0c0c0c", ground, 0.08)
    return max(("#ffffff", dark, "#000000"), key=lambda one: (min(ratio(one, ground), 7), one))


def _parts(one: str) -> tuple[int, int, int]:
    return int(one[1:3], 16), int(one[3:5], 16), int(one[5:7], 16)


def _luminance(one: str) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in _parts(one))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
