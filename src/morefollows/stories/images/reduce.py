"""Makes of a stranger's image file the pictures that are kept, in a process of its own.

Usage: python -m morefollows.stories.images.reduce FOLDER MOST_PIXELS < FILE

Decoders are where image files attack. So this process knows no secret and no database, has little memory and time, and
all that comes out of it is what an encoder made of the bare pixels: no EXIF, no place, no profile, no comment.
It prints one JSON object: ``width``, ``height`` and ``extension`` of the widest, or ``refused`` and figures to that.
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import sys
import warnings
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from morefollows.stories.images.address import LEAST_WIDTH, TALLEST, WIDTHS, Picture, scaled

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_MEMORY = 2 << 30  # octets of address space
_TIME = 20  # seconds of a core
_QUALITY = 82  # of JPEG: where photographs begin to lose for the eye is below


class Refused(Exception):
    """It won't do. The first argument is a word that `images.files` knows, the others its figures."""


def reduce(file: bytes, folder: Path, most_pixels: int) -> Picture:
    """Writes the sizes into `folder`, under a name of zeros. Returns the widest. Raises `Refused`."""
    # Pillow guards against what unfolds to more than this; we refuse a half of what it would let through.
    Image.MAX_IMAGE_PIXELS = most_pixels
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.filterwarnings("ignore", module="PIL")
        try:
            with Image.open(io.BytesIO(file), formats=FORMATS) as opened:
                _judge(*opened.size, most_pixels)
                drawn = opened.format in ("PNG", "GIF")
                picture = _upright(opened)
        except Refused:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise Refused("pixels") from None
        except UnidentifiedImageError:
            raise Refused("format") from None
        except MemoryError:
            raise Refused("memory") from None
        except Exception:  # whatever a decoder says to broken or malicious bytes
            raise Refused("broken") from None
    _judge(*picture.size, most_pixels)
    try:
        return _write(picture, folder, drawn=drawn)
    except MemoryError:
        raise Refused("memory") from None


def _judge(width: int, height: int, most_pixels: int) -> None:
    if width * height > most_pixels:
        raise Refused("pixels", width, height)
    if min(width, height) * TALLEST < max(width, height) or width < LEAST_WIDTH:
        raise Refused("shape", width, height)


def _upright(opened: Image.Image) -> Image.Image:
    """The first frame as it is meant to be seen, as bare pixels in sRGB: RGB, or RGBA if something shines through."""
    opened.draft(
        "RGB", (2 * WIDTHS[-1], 2 * WIDTHS[-1])
    )  # a large JPEG is decoded no larger than we need it
    opened.seek(0)
    opened.load()
    picture = opened
    with contextlib.suppress(
        Exception
    ):  # a camera that writes broken EXIF has taken a picture nevertheless
        picture = ImageOps.exif_transpose(opened)
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        if picture.getchannel("A").getextrema() != (255, 255):
            return _bare(picture)
    return _bare(_as_srgb(picture))


def _as_srgb(picture: Image.Image) -> Image.Image:
    """Phones take pictures in wider colours, and say so in a profile that does not go along."""
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in ("RGB", "CMYK", "L"):
        with contextlib.suppress(ImageCms.PyCMSError, OSError):
            source, srgb = (
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
            )
            changed = ImageCms.profileToProfile(picture, source, srgb, outputMode="RGB")
            if changed is not None:
                return changed
    return picture.convert("RGB")


def _bare(picture: Image.Image) -> Image.Image:
    picture.info.clear()
    return picture


def _write(picture: Image.Image, folder: Path, *, drawn: bool) -> Picture:
    """As PNG what shines through, and what is `drawn` if that is smaller; else as JPEG."""
    width = min(picture.width, WIDTHS[-1])
    widest = Picture("0" * 32, width, scaled(picture.width, picture.height, width), "jpg")
    if picture.mode == "RGBA" or (
        drawn
        and len(_encoded(picture, widest._replace(extension="png")))
        < len(_encoded(picture, widest))
    ):
        widest = widest._replace(extension="png")
    for size in widest.sizes():
        (folder / size.file).write_bytes(_encoded(picture, size))
    return widest


def _encoded(picture: Image.Image, size: Picture) -> bytes:
    made = picture.resize((size.width, size.height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    out = io.BytesIO()
    if size.extension == "png":
        made.save(out, "PNG", optimize=True)
    else:
        made.save(out, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    return out.getvalue()


def _bound() -> None:
    """What no file may cost us more than."""
    for what, most in (
        (resource.RLIMIT_CPU, _TIME),
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        with contextlib.suppress(ValueError, OSError):  # macOS knows no limit of the address space
            resource.setrlimit(
                what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard)
            )


def main() -> None:
    _bound()
    folder, most_pixels = Path(sys.argv[1]), int(sys.argv[2])
    try:
        widest = reduce(sys.stdin.buffer.read(), folder, most_pixels)
        answer: dict[str, Any] = {
            "width": widest.width,
            "height": widest.height,
            "extension": widest.extension,
        }
    except Refused as refused:
        answer = {"refused": refused.args[0], "figures": refused.args[1:]}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
