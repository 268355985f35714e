"""Where image files are kept: in the data folder, or in a bucket of an S3-compatible store.

With several machines it is a bucket, so that each of them has every image. MOREFOLLOWS_STORAGE
names it. Keys come from AWS's usual variables, or from what the machine is allowed to.

Invariant: a file under its name is complete. Its name is a hash of its content, so two writers of
one name write the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from django.conf import settings

_MOST_SIZES = 10_000
_CONNECT_SECONDS, _READ_SECONDS, _TRIES = 3, 10, 3


class PictureStore(Protocol):
    """Keeps files under names such as ``ab/abc….jpg``. Each call raises `OSError` if it fails."""

    def read(self, name: str) -> bytes | None:
        """Returns a file's content; None if there is no such file."""

    def size(self, name: str) -> int | None:
        """Returns a file's octets; None if there is no such file."""

    def write(self, name: str, file: Path) -> None:
        """Keeps the content of `file`, which may be moved."""

    def delete(self, name: str) -> None:
        """Deletes a file, if there is one."""

    def names(self) -> Iterator[tuple[str, int]]:
        """Yields the name and the octets of all that lies there, in any order."""


class FolderStore(PictureStore):
    """In a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> bytes | None:
        """See `PictureStore`."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def size(self, name: str) -> int | None:
        """See `PictureStore`."""
        try:
            return (self._folder / name).stat().st_size
        except FileNotFoundError:
            return None

    def write(self, name: str, file: Path) -> None:
        """See `PictureStore`. `file` is on the same disk, and is moved."""
        path = self._folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # On one disk a rename is atomic: nobody reads half a file.
        file.replace(path)

    def delete(self, name: str) -> None:
        """See `PictureStore`."""
        (self._folder / name).unlink(missing_ok=True)

    def names(self) -> Iterator[tuple[str, int]]:
        """See `PictureStore`."""
        for path in self._folder.glob("??/*"):
            name = f"{path.parent.name}/{path.name}"
            if (size := self.size(name)) is not None:  # deleted meanwhile
                yield name, size


class BucketStore(PictureStore):
    """In a bucket. `address`: as MOREFOLLOWS_STORAGE has it."""

    def __init__(self, address: str) -> None:
        from botocore.config import Config
        from storages.backends.s3 import S3Storage

        parts = urlsplit(address)
        self._sizes: dict[str, int] = {}  # known ones: feeds ask for them at each request
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self._storage: Any = S3Storage(
            bucket_name=parts.hostname,
            location=parts.path.strip("/"),
            endpoint_url=options.get("endpoint"),
            region_name=options.get("region"),
            # Newer buckets refuse a request with an ACL (the default of S3 since 2023).
            default_acl=None,
            # One name has one content; else the library would invent a second name.
            file_overwrite=True,
            querystring_auth=False,
            client_config=Config(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                retries={"max_attempts": _TRIES},
                # Stores other than AWS seldom have a host name for each bucket.
                s3={"addressing_style": "path" if "endpoint" in options else "auto"},
            ),
        )

    def read(self, name: str) -> bytes | None:
        """See `PictureStore`."""
        with _as_os_error():
            try:
                with self._storage.open(name) as file:
                    return bytes(file.read())
            except FileNotFoundError:
                return None

    def size(self, name: str) -> int | None:
        """See `PictureStore`."""
        with _as_os_error():
            if name not in self._sizes:
                if not self._storage.exists(name):
                    return None
                if len(self._sizes) >= _MOST_SIZES:
                    self._sizes.clear()
                self._sizes[name] = int(self._storage.size(name))
            return self._sizes[name]

    def write(self, name: str, file: Path) -> None:
        """See `PictureStore`."""
        from django.core.files import File

        with _as_os_error(), file.open("rb") as opened:
            self._storage.save(name, File(opened))

    def delete(self, name: str) -> None:
        """See `PictureStore`."""
        self._sizes.pop(name, None)
        with _as_os_error():
            self._storage.delete(name)

    def names(self) -> Iterator[tuple[str, int]]:
        """See `PictureStore`. One request for a thousand files."""
        folder = f"{self._storage.location}/".lstrip("/")
        with _as_os_error():
            for found in self._storage.bucket.objects.filter(Prefix=folder):
                yield found.key.removeprefix(folder), int(found.size)


class _as_os_error:  # noqa: N801 - a context manager, used like a function
    """Turns errors of the S3 client into `OSError`, without addresses and keys."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is not None and kind.__module__.startswith(("botocore", "boto3", "s3transfer")):
            raise OSError(0, f"the image storage failed: {kind.__name__}") from None


def picture_store() -> PictureStore:
    """The store that the settings name."""
    config = settings.MOREFOLLOWS
    if config.storage:
        return _bucket(config.storage)
    return FolderStore(Path(config.data) / "images")


@lru_cache(4)
def _bucket(address: str) -> BucketStore:
    return BucketStore(address)
