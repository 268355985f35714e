"""How an image of ours is named, in a story's text and on the web: ``/images/NAME-1200x800.jpg``. No Django here.

NAME is a keyed hash of the picture: nobody can guess it, not even who has the same picture. The address tells the
size, so that a page or mail can be made of the text alone, and is the same as long as the text is.
"""

from __future__ import annotations

import re
from typing import NamedTuple

WIDTHS = (
    600,
    1200,
)  #: pixels that a picture is kept at, if it has as many; 1200 is a mail's or page's column twice
LEAST_WIDTH = 100  #: pixels; what is smaller shows nothing, or counts who looks
TALLEST = 10  #: times its other side
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
        """All that are kept of the picture whose widest this is, the narrowest first."""
        return [
            self._replace(width=width, height=scaled(self.width, self.height, width))
            for width in kept_widths(self.width)
        ]


def read(address: str) -> Picture | None:
    """None if this is no image of ours. Whether it is there, the database knows."""
    found = _ADDRESS.fullmatch(address)
    return Picture(found[1], int(found[2]), int(found[3]), found[4]) if found else None


def kept_widths(width: int) -> list[int]:
    """Of a picture as wide as this: it is made narrower, never wider."""
    return [*(one for one in WIDTHS if one < width), *([width] if width <= WIDTHS[-1] else [])]


def scaled(width: int, height: int, to: int) -> int:
    """The height at the width `to`."""
    return max(1, round(height * to / width))
