"""Contrast of a mail's text against its background, in its real colours, light and dark.

By the formula of WCAG 2.2 (1.4.3). Read from the composed HTML: the colours of the elements' own
styles, and in dark mode the rules of the mail's style sheet over them. What these mails have is
known: hexadecimal colours, and selectors of elements and classes. A colour that is not understood
raises `ValueError`: it must not pass unseen.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import NamedTuple

ENOUGH = 4.5  #: to 1, for text of any size (AA)

_VOID = frozenset(("br", "col", "hr", "img", "input", "link", "meta", "wbr"))
_COLOUR = re.compile(r"#(?:[0-9a-f]{6}|[0-9a-f]{3})", re.IGNORECASE)
_DARK = re.compile(r"@media\s*\(prefers-color-scheme:\s*dark\)\s*\{(.*?)\}\s*\}", re.DOTALL)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}?")
_UNSET = {"inherit", "currentcolor", "transparent", "none", "initial", ""}


class Weakest(NamedTuple):
    """Of all words of a mail those that stand out least."""

    ratio: float  #: to 1, from 1 to 21
    words: str


class _Element(NamedTuple):
    tag: str
    classes: frozenset[str]
    ink: str
    ground: str
    hidden: bool


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1, of "#rrggbb"."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: str, other: str) -> float:
    """Contrast ratio, 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def weakest(html: str, *, dark: bool) -> Weakest:
    """Raises `ValueError` for a colour that it can't parse and for a mail without text."""
    reading = _Reading(_rules(html) if dark else [], dark=dark)
    reading.feed(html)
    if not reading.found:
        raise ValueError("the mail has no words")
    return min(reading.found)


class _Reading(HTMLParser):
    """Walks through the mail with the colours in force. The browser's default is black on white."""

    def __init__(self, rules: list[tuple[list[str], dict[str, str]]], *, dark: bool) -> None:
        super().__init__()
        self._rules = rules
        ink, ground = ("#ffffff", "#121212") if dark else ("#000000", "#ffffff")
        self._open = [_Element("", frozenset(), ink, ground, hidden=False)]
        self.found: list[Weakest] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            return
        given = {name: value or "" for name, value in attrs}
        above = self._open[-1]
        element = _Element(
            tag, frozenset(given.get("class", "").split()), above.ink, above.ground, above.hidden
        )
        path = [*self._open, element]
        style = {"background": given.get("bgcolor", ""), **_declarations(given.get("style", ""))}
        for selector, declared in self._rules:
            if _matches(selector, path):
                style |= declared
        ground = _colour(style.get("background", ""))
        self._open.append(
            element._replace(
                ink=_colour(style.get("color", "")) or above.ink,
                ground=ground or above.ground,
                hidden=above.hidden
                or style.get("display") == "none"
                or tag in ("head", "style", "title"),
            )
        )

    def handle_endtag(self, tag: str) -> None:
        for at in range(len(self._open) - 1, 0, -1):
            if self._open[at].tag == tag:
                del self._open[at:]
                return

    def handle_data(self, data: str) -> None:
        here = self._open[-1]
        if data.strip() and not here.hidden:
            self.found.append(Weakest(ratio(here.ink, here.ground), " ".join(data.split())[:60]))


def _rules(html: str) -> list[tuple[list[str], dict[str, str]]]:
    """The rules for dark mode. All are `!important` and override an element's own style."""
    rules = []
    for block in _DARK.findall(html):
        for selectors, body in _RULE.findall(block):
            rules += [
                (selector.replace(">", " > ").split(), _declarations(body))
                for selector in selectors.split(",")
            ]
    return rules


def _declarations(style: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in style.replace("!important", "").split(";"))
    named = ((name.strip().lower(), value.strip().lower()) for name, _, value in pairs if value)
    # The shorthand and the long name set the same: the later one of them counts.
    return {"background" if name == "background-color" else name: value for name, value in named}


def _colour(value: str) -> str:
    """As "#rrggbb"; "" when it leaves things as they are."""
    if value in _UNSET:
        return ""
    if not _COLOUR.fullmatch(value):
        raise ValueError(f"not a colour that is understood: {value}")
    return value if len(value) == 7 else "#" + "".join(2 * digit for digit in value[1:])


def _matches(selector: list[str], path: list[_Element]) -> bool:
    """Whether the selector matches the path's last element. Knows names, classes and ">"."""
    if not _is(selector[-1], path[-1]):
        return False
    if len(selector) == 1:
        return True
    if selector[-2] == ">":
        return len(path) > 1 and _matches(selector[:-2], path[:-1])
    return any(_matches(selector[:-1], path[:end]) for end in range(1, len(path)))


def _is(simple: str, element: _Element) -> bool:
    tag, *classes = simple.split(".")
    return tag in ("", element.tag) and element.classes.issuperset(classes)
