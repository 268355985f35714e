"""Writes and reads the files of an archive, one after the other.

Invariant: a file whose size and hash are not those of the manifest is never handed on.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

from morefollows.backups import manifest as manifests
from morefollows.backups.checksums import HashedFile, Progress, compare_files, copy_hashed
from morefollows.backups.manifest import BackupError, FileFacts, Manifest

_CHUNK = 1 << 20  # bytes
_LEVEL = 3  # of gzip: two thirds of level 9's gain for a fifth of its time
_LONGEST_MANIFEST = 200_000_000  # bytes
#: What an archive may have; anything else in it is refused.
_NAMES = re.compile(
    r"database\.(sqlite3|dump)|secret|departures\.log|evidence-head\.json"
    r"|images/[0-9a-f]{2}/[0-9A-Za-z][\w.-]{0,120}"
)


class ArchiveWriter:
    """Writes an archive to `out`. It is complete after `finish`."""

    def __init__(self, out: BinaryIO, progress: Progress = lambda size: None) -> None:
        self._zipped = gzip.GzipFile(fileobj=out, mode="wb", compresslevel=_LEVEL, mtime=0)
        self._tar = tarfile.open(  # noqa: SIM115 - closed by `finish`
            fileobj=self._zipped, mode="w|", format=tarfile.PAX_FORMAT
        )
        self._files: dict[str, FileFacts] = {}
        self._progress = progress

    def add(self, name: str, file: BinaryIO, size: int) -> None:
        """Adds `size` bytes of a file; it may grow meanwhile. Raises `OSError`."""
        assert _NAMES.fullmatch(name), name
        reader = HashedFile(file, size, self._progress)
        self._tar.addfile(_entry(name, size), reader)
        self._files[name] = FileFacts(size, reader.digest)

    def add_bytes(self, name: str, raw: bytes) -> None:
        self.add(name, io.BytesIO(raw), len(raw))

    def finish(self, manifest: Manifest) -> Manifest:
        """Adds the manifest, and ends the archive. Returns it with the files."""
        manifest = replace(manifest, files=self._files)
        raw = manifest.to_json()
        self._tar.addfile(_entry(manifests.NAME, len(raw)), io.BytesIO(raw))
        self._tar.close()
        self._zipped.close()
        return manifest


def read_archive(
    source: BinaryIO, take: Callable[[str], BinaryIO], progress: Progress = lambda size: None
) -> Manifest:
    """Reads an archive to its end, and compares every file with the manifest.

    `take`: returns the file that this one of the archive is written to. Raises `BackupError`.
    """
    found: dict[str, FileFacts] = {}
    manifest: Manifest | None = None
    try:
        with gzip.GzipFile(fileobj=source, mode="rb") as unzipped:
            with tarfile.open(fileobj=unzipped, mode="r|") as tar:
                for entry in tar:
                    file = tar.extractfile(entry) if entry.isreg() else None
                    if file is None or manifest is not None:
                        raise BackupError(f"The backup has what no backup has: {entry.name!r}.")
                    if entry.name == manifests.NAME and entry.size <= _LONGEST_MANIFEST:
                        manifest = Manifest.from_json(file.read())
                        continue
                    if not _NAMES.fullmatch(entry.name) or entry.name in found:
                        raise BackupError(f"The backup has what no backup has: {entry.name!r}.")
                    with take(entry.name) as out:
                        found[entry.name] = copy_hashed(file, out, progress)
            while unzipped.read(_CHUNK):  # to its end, where its checksum is
                pass
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile):
        raise BackupError("The backup is damaged, cut off, or no backup of More Follows.") from None
    if manifest is None:
        raise BackupError("The backup is cut off: its manifest is missing.")
    compare_files(manifest, found)
    return manifest


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry
