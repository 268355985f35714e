"""Decodes an untrusted image file and writes it at the stored sizes, in a process of its own.

Usage: python -m morefollows.stories.images.reduce FOLDER MOST_PIXELS < FILE

A malicious file may exploit a bug in a decoder. So this process has no secrets, no database, and
limits on memory and CPU time.

Invariant: the output is encoded from bare pixels: no EXIF, location, colour profile or comment.

Prints one JSON object: ``width``, ``height`` and ``extension`` of the widest size, or ``refused``
and ``figures``.
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
_TIME = 20  # seconds of CPU time
_QUALITY = 82  # of JPEG; visible loss in photographs begins below this


class UnusableImage(Exception):
    """The image can't be used. Arguments: a reason known to `images.storing`, then its figures."""


def reduce(file: bytes, folder: Path, most_pixels: int) -> Picture:
    """Writes the sizes into `folder`, with zeros for a name.

    Returns the widest. Raises `UnusableImage`.
    """
    # Pillow warns above this number of pixels, and raises above twice as many. Both are refused.
    Image.MAX_IMAGE_PIXELS = most_pixels
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.filterwarnings("ignore", module="PIL")
        try:
            with Image.open(io.BytesIO(file), formats=FORMATS) as opened:
                _judge(*opened.size, most_pixels)
                drawn = opened.format in ("PNG", "GIF")
                picture = _upright(opened)
        except UnusableImage:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise UnusableImage("pixels") from None
        except UnidentifiedImageError:
            raise UnusableImage("format") from None
        except MemoryError:
            raise UnusableImage("memory") from None
        except Exception:  # decoders raise many types for broken or malicious files
            raise UnusableImage("broken") from None
    _judge(*picture.size, most_pixels)
    try:
        return _write(picture, folder, drawn=drawn)
    except MemoryError:
        raise UnusableImage("memory") from None


def _judge(width: int, height: int, most_pixels: int) -> None:
    if width * height > most_pixels:
        raise UnusableImage("pixels", width, height)
    if min(width, height) * TALLEST < max(width, height) or width < LEAST_WIDTH:
        raise UnusableImage("shape", width, height)


def _upright(opened: Image.Image) -> Image.Image:
    """The first frame, rotated as EXIF says, in sRGB: RGBA if it has transparency, else RGB."""
    opened.draft(
        "RGB", (2 * WIDTHS[-1], 2 * WIDTHS[-1])
    )  # a large JPEG is decoded at a reduced size
    opened.seek(0)
    opened.load()
    picture = opened
    with contextlib.suppress(Exception):  # broken EXIF does not make the picture unusable
        picture = ImageOps.exif_transpose(opened)
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        if picture.getchannel("A").getextrema() != (255, 255):
            return _bare(picture)
    return _bare(_as_srgb(picture))


def _as_srgb(picture: Image.Image) -> Image.Image:
    """Converts to sRGB, because the colour profile is not stored with the picture."""
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
    """Removes the metadata that Pillow would otherwise write again."""
    picture.info.clear()
    return picture


def _write(picture: Image.Image, folder: Path, *, drawn: bool) -> Picture:
    """Writes PNG if the picture is transparent, or `drawn` and smaller as PNG; else JPEG."""
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
    """Sets the resource limits of this process: CPU time, address space, no core dump."""
    for what, most in (
        (resource.RLIMIT_CPU, _TIME),
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        with contextlib.suppress(ValueError, OSError):  # macOS can't limit the address space
            resource.setrlimit(
                what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard)
            )


def main() -> None:
    """Entry point of the subprocess. Reads the file from stdin and prints JSON."""
    _bound()
    folder, most_pixels = Path(sys.argv[1]), int(sys.argv[2])
    try:
        widest = reduce(sys.stdin.buffer.read(), folder, most_pixels)
        answer: dict[str, Any] = {
            "width": widest.width,
            "height": widest.height,
            "extension": widest.extension,
        }
    except UnusableImage as refused:
        answer = {"refused": refused.args[0], "figures": refused.args[1:]}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
