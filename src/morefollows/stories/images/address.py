"""Image addresses, in a story's text and on the web: ``/images/NAME-1200x800.jpg``.

NAME is a keyed hash of the picture, so nobody can guess it, even with the same picture. The address
contains the size in pixels, so pages and mails can be rendered from the text alone. This module
does not import Django: the process that decodes images uses it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

WIDTHS = (
    600,
    1200,
)  #: stored widths in pixels; 1200 is about twice the column of a mail or page
LEAST_WIDTH = 100  #: pixels; smaller images are decoration or tracking pixels
TALLEST = 10  #: the longer side is at most this many times the shorter one
CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png"}

_ADDRESS = re.compile(r"/images/([0-9a-f]{32})-([1-9][0-9]{0,3})x([1-9][0-9]{0,4})\.(jpg|png)")


class Picture(NamedTuple):
    """One picture at one size, in pixels."""

    name: str
    width: int
    height: int
    extension: str

    @property
    def path(self) -> str:
        return f"/images/{self.file}"

    @property
    def file(self) -> str:
        return f"{self.name}-{self.width}x{self.height}.{self.extension}"

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[self.extension]

    def sizes(self) -> list[Picture]:
        """All stored sizes, the narrowest first. `self` must be the widest."""
        return [
            self._replace(width=width, height=scaled(self.width, self.height, width))
            for width in kept_widths(self.width)
        ]


def parse_picture(address: str) -> Picture | None:
    """Parses an address. None if it is not of this form. Does not check that the image exists."""
    found = _ADDRESS.fullmatch(address)
    return Picture(found[1], int(found[2]), int(found[3]), found[4]) if found else None


def kept_widths(width: int) -> list[int]:
    """The widths in pixels at which a picture of this width is stored; never wider than it is."""
    return [*(one for one in WIDTHS if one < width), *([width] if width <= WIDTHS[-1] else [])]


def scaled(width: int, height: int, to: int) -> int:
    """The height in pixels when the picture is scaled to the width `to`."""
    return max(1, round(height * to / width))
