"""An archive that was cut off, changed or made by somebody else is refused before it is used."""

from __future__ import annotations

import gzip
import io
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from morefollows.backups.archive import ArchiveWriter, read_archive
from morefollows.backups.encryption import (
    Decryption,
    Encryption,
    decrypted_archive,
    encrypted_to,
    new_key,
)
from morefollows.backups.manifest import BackupError, Manifest

DATABASE = bytes(range(256)) * 600  # three chunks of age's stream and more


def manifest() -> Manifest:
    return Manifest(
        datetime(2026, 5, 4, 10, tzinfo=UTC), "0.1.0", "sqlite", "3", (("a", "0001"),), {"t": 1}, ()
    )


def made(how: Encryption = Encryption(), **files: bytes) -> bytes:  # noqa: B008 - frozen
    out = io.BytesIO()
    with encrypted_to(out, how) as stream:
        writer = ArchiveWriter(stream)
        for name, raw in {"database.sqlite3": DATABASE, "secret": b"{}", **files}.items():
            writer.add_bytes(name, raw)
        writer.finish(manifest())
    return out.getvalue()


def read(raw: bytes, how: Decryption = Decryption()) -> tuple[Manifest, dict[str, bytes]]:  # noqa: B008
    taken: dict[str, io.BytesIO] = {}

    class Kept(io.BytesIO):
        def close(self) -> None:
            pass

    def take(name: str) -> io.BytesIO:
        taken[name] = Kept()
        return taken[name]

    with decrypted_archive(io.BytesIO(raw), how) as clear:
        found = read_archive(clear, take)
        while clear.read(65536):
            pass
    return found, {name: file.getvalue() for name, file in taken.items()}


def test_what_is_put_in_comes_out() -> None:
    found, files = read(made())
    assert files == {"database.sqlite3": DATABASE, "secret": b"{}"}
    assert found.made_at == manifest().made_at and found.migrations == (("a", "0001"),)
    assert found.files["database.sqlite3"].size == len(DATABASE)


def test_encrypted_to_a_key(tmp_path: Path) -> None:
    ours, theirs = new_key(), new_key()
    (tmp_path / "key").write_text(f"# ours\n{ours.identity}\n")
    (tmp_path / "other").write_text(theirs.identity)
    raw = made(Encryption((ours.recipient,)))
    assert read(raw, Decryption(tmp_path / "key"))[1]["database.sqlite3"] == DATABASE
    for wrong in (tmp_path / "other", None):
        with pytest.raises(BackupError, match="key"):
            read(raw, Decryption(wrong))
    for changed in (raw[: len(raw) // 2], raw[:-1], raw[:500] + b"x" + raw[501:]):
        with pytest.raises(BackupError):
            read(changed, Decryption(tmp_path / "key"))


def test_a_recipient_that_is_none_is_named() -> None:
    with pytest.raises(BackupError, match="age1nobody: is no age recipient"):
        Encryption(("age1nobody",)).check()


@given(st.integers(0, 2**32))
def test_no_cut_and_no_change_goes_unseen(seed: int) -> None:
    raw = made()
    at = seed % len(raw)
    with pytest.raises(BackupError):
        read(raw[:at])
    changed = raw[:at] + bytes([raw[at] ^ (1 + seed % 255)]) + raw[at + 1 :]
    try:
        _found, files = read(changed)
    except BackupError:
        return
    assert files == {"database.sqlite3": DATABASE, "secret": b"{}"}, "of gzip's header, no more"


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "images/../x", "database.sqlite3-wal"]
)
def test_a_file_with_a_foreign_name_is_refused(name: str) -> None:
    with pytest.raises(BackupError, match="what no backup has"):
        read(foreign(tarfile.TarInfo(name)))


def test_a_link_is_refused() -> None:
    link = tarfile.TarInfo("secret")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with pytest.raises(BackupError, match="what no backup has"):
        read(foreign(link))


def test_a_file_that_the_manifest_does_not_name_is_refused() -> None:
    raw = gzip.decompress(made())
    extra = io.BytesIO()
    with tarfile.open(fileobj=extra, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("departures.log"), io.BytesIO())
    with pytest.raises(BackupError, match="does not name departures"):
        read(gzip.compress(extra.getvalue()[:512] + raw))


def foreign(entry: tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        tar.addfile(entry, io.BytesIO())
    return out.getvalue()
