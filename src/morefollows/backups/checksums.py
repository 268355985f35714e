"""Checksums of backups: each file's SHA-256, made while copying, compared with the manifest."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from typing import IO, BinaryIO

from morefollows.backups.manifest import BackupError, FileFacts, Manifest

_CHUNK = 1 << 20  # bytes

Progress = Callable[[int], None]  #: called with the number of bytes done since the last call


class HashedFile(io.RawIOBase):
    """Reads exactly `size` bytes of a file, and hashes them."""

    def __init__(self, file: BinaryIO, size: int, progress: Progress) -> None:
        self._file, self._left, self._progress = file, size, progress
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        raw = self._file.read(wanted)
        self._left -= len(raw)
        self._hash.update(raw)
        self._progress(len(raw))
        return raw


def copy_hashed(file: IO[bytes], out: BinaryIO, progress: Progress) -> FileFacts:
    """Copies a file to its end. Returns its size and hash."""
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        out.write(chunk)
        size += len(chunk)
        progress(len(chunk))
    return FileFacts(size, digest.hexdigest())


def compare_files(manifest: Manifest, found: Mapping[str, FileFacts]) -> None:
    """Raises `BackupError` if the files of an archive are not those of its manifest."""
    for name, facts in manifest.files.items():
        if name not in found:
            raise BackupError(f"The backup is damaged: {name} is missing.")
        if found[name] != facts:
            raise BackupError(f"The backup is damaged: {name} is not what was put in.")
    if extra := found.keys() - manifest.files.keys():
        raise BackupError(f"The backup is damaged: its manifest does not name {min(extra)}.")
    for needed in (manifest.database, "secret"):
        if needed not in found:
            raise BackupError(f"The backup is damaged: {needed} is missing.")
