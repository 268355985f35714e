"""Image files: in the data folder below ``images/`` or in a bucket, see `folder_or_bucket`.

Invariant: no process sees a partly written file. Each file is written under a temporary name and
then moved. The name is a hash of the content, so two writers of one picture write the same file.

Who may see an image: `live.public_images`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from morefollows.stories.images import address
from morefollows.stories.images.address import LEAST_WIDTH, TALLEST, Picture
from morefollows.stories.images.folder_or_bucket import picture_store

log = logging.getLogger(__name__)

_REDUCE = "morefollows.stories.images.reduce"
_PATIENCE = 60  # seconds; timeout of the process that reduces an image
#: Signals that end the process when the file crashes a decoder or exceeds a resource limit.
_FILE_KILLS = (
    signal.SIGXCPU,
    signal.SIGSEGV,
    signal.SIGBUS,
    signal.SIGABRT,
    signal.SIGILL,
    signal.SIGFPE,
)


class StoredImage(NamedTuple):
    """A stored picture."""

    picture: Picture  #: the widest
    size: int  #: octets of that file


def picture_path(picture: Picture) -> Path:
    """The path of one size of a picture."""
    return image_folder() / picture.name[:2] / picture.file


def read_picture(picture: Picture) -> bytes | None:
    """Returns the file of one size of a picture; None if it is not kept. Raises `OSError`."""
    return picture_store().read(_name(picture))


def picture_size(picture: Picture) -> int | None:
    """Returns the octets of that file; None if it is not kept. Raises `OSError`."""
    return picture_store().size(_name(picture))


def _name(picture: Picture) -> str:
    return f"{picture.name[:2]}/{picture.file}"


def store_image(file: bytes) -> StoredImage:
    """Stores an image file at all its sizes. Raises `ValidationError` with a text for editors.

    The type is detected from the content; the file's name and the browser's Content-Type are not
    used.
    """
    try:
        return _keep(file)
    except OSError as error:
        raise _our_fault(
            f"{error.filename or image_folder()}: {error.strerror or error}"
        ) from error


def _keep(file: bytes) -> StoredImage:
    image_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="new-", dir=image_folder()) as new:
        widest = _reduced(file, Path(new))
        # The name is a hash of what is stored, so the same picture is stored once. It is keyed, so
        # nobody can find out by a name whether a picture is here.
        content = (Path(new) / widest.file).read_bytes()
        name = hmac.digest(
            settings.MOREFOLLOWS.derived_key("images"), content, hashlib.sha256
        ).hex()[:32]
        named = widest._replace(name=name)
        store = picture_store()
        for unnamed, size in zip(widest.sizes(), named.sizes(), strict=True):
            store.write(_name(size), Path(new) / unnamed.file)
    return StoredImage(named, len(content))


def with_images(html: str) -> str:
    """Returns `html` with stored images embedded as data URLs.

    For previews: the images' addresses are not public before the story is.
    """

    def inside(found: re.Match[str]) -> str:
        picture = address.parse_picture(found[1])
        content = read_picture(picture) if picture else None
        if picture is None or content is None:
            return found[0]
        return f'src="data:{picture.content_type};base64,{base64.b64encode(content).decode()}"'

    return re.sub(rf'src="{re.escape(settings.MOREFOLLOWS.url)}(/images/[^"]+)"', inside, html)


def delete_files(picture: Picture) -> None:
    """Deletes the files of all sizes. `picture`: the widest."""
    store = picture_store()
    for size in picture.sizes():
        store.delete(_name(size))


def image_folder() -> Path:
    """The folder of all image files."""
    return Path(settings.MOREFOLLOWS.data) / "images"


def _reduced(file: bytes, folder: Path) -> Picture:
    """Runs `images.reduce` in a subprocess with an empty environment, so that it has no secrets.

    Returns the widest size, with zeros for a name. Raises `ValidationError`. It names the file as
    the cause if the process reports so, or ends with one of `_FILE_KILLS`. Any other failure is a
    server error, and is logged.
    """
    most = settings.MOREFOLLOWS.image_pixels
    try:
        # -I ignores the environment and the current folder, which is one that the file's data is
        # written to.
        done = subprocess.run(  # noqa: S603 - our own code
            [sys.executable, "-I", "-m", _REDUCE, str(folder), str(most)],
            input=file,
            capture_output=True,
            env={},
            cwd=folder,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        log.warning("an image took more than %d s, and was given up", _PATIENCE)
        raise ValidationError(_why("late", []), code="late") from None
    # A negative code is the number of the signal that ended the process.
    if -done.returncode in _FILE_KILLS:
        raise ValidationError(_why("broken", []), code="broken")
    try:
        result = json.loads(done.stdout)
    except ValueError:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise _our_fault(
            f"the process that reduces images ended with {done.returncode}: {last}"
        ) from None
    if "refused" in result:
        raise ValidationError(_why(result["refused"], result["figures"]), code=result["refused"])
    return Picture("0" * 32, result["width"], result["height"], result["extension"])


def _our_fault(reason: str) -> ValidationError:
    """Logs `reason` for the operator. Returns the error for the editor, which refers to the log."""
    log.error("an image could not be kept: %s", reason)
    return ValidationError(
        _(
            "The image can’t be kept at the moment. That is not the file’s fault: "
            "tell whoever runs More Follows here; its log says why."
        ),
        code="ours",
    )


def _why(word: str, figures: list[int]) -> str:
    """The text for editors. `word` and `figures`: the arguments of `reduce.UnusableImage`."""
    match word:
        case "format":
            return _("This is no image that we know. Take a JPEG, PNG, WebP or GIF file.")
        case "pixels":
            most = number_format(settings.MOREFOLLOWS.image_pixels / 1e6, 0)
            return _(
                "This picture has more than %(most)s million pixels. "
                "Make it smaller, and add it again."
            ) % {"most": most}
        case "shape":
            return _(
                "This picture is %(width)d × %(height)d pixels. "
                "It has to be %(least)d wide at the least, and no side "
                "may be more than %(times)d times the other."
            ) % {"width": figures[0], "height": figures[1], "least": LEAST_WIDTH, "times": TALLEST}
        case "memory":
            return _(
                "This picture needs more memory than it may have. "
                "Make it smaller, and add it again."
            )
        case "late":
            return _(
                "Making this picture smaller took too long. "
                "Add it again in a moment, or make it smaller first."
            )
        case _:
            return _(
                "This image file is broken: it can’t be read to its end. "
                "Export it once more, and add it again."
            )
