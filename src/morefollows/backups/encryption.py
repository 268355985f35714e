"""Encrypts an archive with age, as a stream: memory does not grow with the archive.

With a passphrase the stream is encrypted to a new key, and that key with the passphrase; it stands
before the stream, as age's own format for passphrases has to be in memory whole.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple

from morefollows.backups.manifest import BackupError

_PASSPHRASE = b"morefollows-passphrase "  # then the length of the encrypted key, and a line end
_AGE = b"age-encryption.org/v1"
_LONGEST_KEY = 10_000  # bytes


@dataclass(frozen=True)
class Encryption:
    """How an archive is encrypted: to age recipients, or with a passphrase, or not at all."""

    recipients: tuple[str, ...] = ()
    passphrase: str = ""

    def __bool__(self) -> bool:
        return bool(self.recipients or self.passphrase)

    def check(self) -> None:
        """Raises `BackupError` if a recipient is none."""
        self._recipients()

    def _recipients(self) -> list[Any]:
        from pyrage import RecipientError, x25519

        found = []
        for text in self.recipients:
            try:
                found.append(x25519.Recipient.from_str(text))
            except RecipientError:
                raise BackupError(
                    f"{text}: is no age recipient. It begins with age1; `morefollows backup "
                    f"--new-key FILE` makes one."
                ) from None
        return found


@dataclass(frozen=True)
class Decryption:
    """What an archive may be decrypted with. `ask`: called for a passphrase, if one is needed."""

    key_file: Path | None = None
    ask: Callable[[], str] = str


class NewKey(NamedTuple):
    """An age key: what archives are encrypted to, and what decrypts them."""

    recipient: str
    identity: str


def new_key() -> NewKey:
    from pyrage import x25519

    made = x25519.Identity.generate()
    return NewKey(str(made.to_public()), str(made))


@contextlib.contextmanager
def encrypted_to(out: BinaryIO, how: Encryption) -> Iterator[BinaryIO]:
    """In this context, what is written to the yielded file is written to `out`, encrypted."""
    if not how:
        yield out
        return
    import pyrage

    recipients = how._recipients()
    if not recipients:
        key = pyrage.x25519.Identity.generate()
        wrapped = pyrage.passphrase.encrypt(str(key).encode(), how.passphrase)
        out.write(_PASSPHRASE + b"%d\n" % len(wrapped) + wrapped)
        recipients = [key.to_public()]
    reading, writing = os.pipe()
    work = _Work(lambda source: pyrage.encrypt_io(source, out, recipients), reading)
    with contextlib.closing(work):
        with os.fdopen(writing, "wb") as pipe:
            yield pipe


@contextlib.contextmanager
def decrypted_archive(file: BinaryIO, how: Decryption) -> Iterator[BinaryIO]:
    """Yields the archive in the clear. Raises `BackupError` if it can't be decrypted."""
    import pyrage

    start = file.read(len(_PASSPHRASE))
    file.seek(0)
    if start.startswith(_PASSPHRASE):
        keys: list[Any] = [_key_by_passphrase(file, how.ask())]
    elif start.startswith(_AGE):
        keys = _keys_of(how.key_file)
    else:
        yield file
        return
    reading, writing = os.pipe()

    def work(sink: IO[bytes]) -> None:
        try:
            pyrage.decrypt_io(file, sink, keys)
        except BrokenPipeError:
            raise
        except (pyrage.DecryptError, OSError) as error:  # OSError: of a part that was changed
            raise BackupError(
                f"The backup can't be decrypted: it is damaged, or that is not its key ({error})."
            ) from None

    # Reading ends early if something is wrong with the archive: then the thread's pipe breaks.
    running = _Work(work, writing, "wb")
    with os.fdopen(reading, "rb") as pipe:
        try:
            yield pipe
        except Exception:
            pipe.close()
            running.close()  # the reason why the archive could not be read comes first
            raise
    running.close()


def _key_by_passphrase(file: BinaryIO, passphrase: str) -> Any:
    import pyrage

    line = file.readline(64)
    size = line.removeprefix(_PASSPHRASE).strip()
    if not size.isdigit() or int(size) > _LONGEST_KEY:
        raise BackupError("The backup is damaged at its beginning.")
    try:
        text = pyrage.passphrase.decrypt(file.read(int(size)), passphrase).decode()
        return pyrage.x25519.Identity.from_str(text)
    except (pyrage.DecryptError, pyrage.IdentityError, ValueError):
        raise BackupError("That is not the passphrase of this backup.") from None


def _keys_of(file: Path | None) -> list[Any]:
    """Returns the keys in a file as `age-keygen` writes it. Raises `BackupError`, `OSError`."""
    import pyrage

    if file is None:
        raise BackupError(
            "The backup is encrypted with age: name the file with its key, --key FILE."
        )
    lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
    found = []
    for line in (one.strip() for one in lines):
        if line and not line.startswith("#"):
            try:
                found.append(pyrage.x25519.Identity.from_str(line))
            except pyrage.IdentityError:
                raise BackupError(
                    f"{file}: a line is no age key; it begins with AGE-SECRET-KEY-1."
                ) from None
    return found


class _Work:
    """Runs `work` with one end of a pipe in a thread. `close` waits, and raises what it raised."""

    def __init__(
        self, work: Callable[[IO[bytes]], None], descriptor: int, mode: str = "rb"
    ) -> None:
        self._error: Exception | None = None

        def run() -> None:
            with contextlib.suppress(BrokenPipeError):  # on closing
                with os.fdopen(descriptor, mode) as pipe:
                    try:
                        work(pipe)
                    except BrokenPipeError:
                        pass
                    except Exception as error:
                        self._error = error

        self._thread = threading.Thread(target=run, name="age", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._thread.join()
        if self._error is not None:
            raise self._error
