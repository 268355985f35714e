"""Image files for tests: drawn here, and as broken, large or talkative as a test needs them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageDraw


def photo(
    width: int = 1600, height: int = 1000, kind: str = "JPEG", mode: str = "RGB", **options: Any
) -> bytes:
    """A photo with gradients: red top, blue bottom, a white square in the top left corner."""
    shades = Image.linear_gradient("L").resize((width, height))
    picture = Image.merge(
        "RGB", (shades.point(lambda one: 255 - one), shades.point(lambda one: 40), shades)
    )
    ImageDraw.Draw(picture).rectangle((0, 0, width // 10, height // 10), fill="white")
    out = io.BytesIO()
    picture.convert(mode).save(out, kind, **options)
    return out.getvalue()


def sideways() -> bytes:
    """As a phone stores it: rotated, with EXIF orientation, place and photographer."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise
    exif[0x013B] = "Secret Source"
    exif.get_ifd(0x8825).update({1: "N", 2: (53.0, 33.0, 1.0), 3: "E", 4: (9.0, 59.0, 33.0)})
    return photo(1600, 1000, exif=exif, comment=b"Secret comment")


def bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG of a few kilobytes that unfolds to gigabytes."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 10_000_000, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def moving() -> bytes:
    """A GIF of two frames: the first red, the second blue."""
    frames = [Image.new("RGB", (700, 400), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()
