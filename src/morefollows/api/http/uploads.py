"""Bodies that are files: read once, part by part, whatever their size.

`processes.web.django_pages` says how large they may be, and takes large ones from valid keys only.
"""

from __future__ import annotations

import hashlib
import tempfile
from typing import IO, NamedTuple, cast

from django.http import HttpRequest

_PART = 262_144  # bytes
_IN_MEMORY = 1_000_000
IMAGES, IMPORTS = "/api/v1/images", "/api/v1/imports"  #: paths to which files are sent


class Upload(NamedTuple):
    """A body. The file is at its beginning."""

    file: IO[bytes]
    size: int
    digest: str  #: SHA-256, in hexadecimal


def is_upload(request: HttpRequest) -> bool:
    return request.method == "POST" and request.path in (IMAGES, IMPORTS)


def body_of(request: HttpRequest) -> Upload:
    """The request's body. It is read the first time."""
    kept: Upload | None = getattr(request, "upload", None)
    if kept is None:
        kept = _spooled(request)
        request.upload = kept  # type: ignore[attr-defined]
    kept.file.seek(0)
    return kept


def close_upload(request: HttpRequest) -> None:
    """Lets the file go. Called when the request is answered."""
    kept: Upload | None = getattr(request, "upload", None)
    if kept is not None:
        kept.file.close()


def _spooled(request: HttpRequest) -> Upload:
    # `close_upload` closes it.
    file = cast(IO[bytes], tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115
    digest, size = hashlib.sha256(), 0
    while part := request.read(_PART):
        file.write(part)
        digest.update(part)
        size += len(part)
    return Upload(file, size, digest.hexdigest())
