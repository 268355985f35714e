"""The secrets of an installation: one permanent key for addresses, and generations of other keys.

Stored in the data folder as ``secret``, or given by the setting `MOREFOLLOWS_SECRET`. Two forms are
read: the JSON that `to_text` writes, and a single secret (text or base64). From a single secret all
keys are derived.

Invariant: only `Keys.replace`, for lost keys, changes the address key. Suppressed addresses are
stored only as hashes keyed with it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

_FORMAT = 1
_LONG_LIVED = frozenset(("address", "images", "receipts", "check", "seals"))
_MOST = 255  # generations: a token names its generation in one byte
_SESSION_DAYS = 14  # how long sessions and forms of an earlier generation stay valid
_LOOK_EVERY = 5.0  # seconds between two checks whether the file has changed

FILE = "secret"  #: in the data folder


class Generation(NamedTuple):
    """The keys of one generation. `since`: seconds since 1970, from when tokens use these keys."""

    number: int
    links: bytes
    sessions: bytes
    since: float = 0.0


@dataclass(frozen=True)
class Keyring:
    """All keys of an installation.

    `address` keys the hashes of addresses in the database. `generations` is sorted, the oldest
    first.
    """

    address: bytes = field(repr=False)
    generations: tuple[Generation, ...] = field(repr=False)

    @classmethod
    def new(cls) -> Keyring:
        return cls(_key(), (Generation(1, _key(), _key()),))

    @classmethod
    def from_text(cls, text: str) -> Keyring:
        """Reads keys from a file or setting.

        Raises `ValueError`; its message follows the setting's name.
        """
        text = text.strip()
        if text.startswith("{"):
            return _from_json(text)
        if len(text) < 32:
            raise ValueError("must have 32 characters or more; `openssl rand -base64 48` makes one")
        try:
            secret = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            secret = text.encode()
        return cls(secret, (Generation(1, secret, secret),))

    def to_text(self) -> str:
        kept = [
            {
                "generation": one.number,
                "since": one.since,
                "links": base64.b64encode(one.links).decode(),
                "sessions": base64.b64encode(one.sessions).decode(),
            }
            for one in self.generations
        ]
        address = base64.b64encode(self.address).decode()
        return (
            json.dumps({"format": _FORMAT, "address": address, "generations": kept}, indent=1)
            + "\n"
        )

    def rotated(self, since: float) -> Keyring:
        """Returns a keyring with one more generation.

        Raises `ValueError` when all numbers are used.
        """
        last = self.generations[-1]
        if last.number >= _MOST:
            raise ValueError("there is no number left for another generation")
        return replace(
            self,
            generations=(*self.generations, Generation(last.number + 1, _key(), _key(), since)),
        )

    def in_use(self, now: float) -> Generation:
        """Returns the newest generation whose `since` has passed."""
        begun = [one for one in self.generations if one.since <= now]
        return begun[-1] if begun else self.generations[0]

    def retired(self, now: float, days: int) -> frozenset[int]:
        """Returns the numbers of generations replaced by another more than `days` days ago."""
        pairs = zip(self.generations, self.generations[1:], strict=False)
        return frozenset(
            one.number for one, follower in pairs if follower.since < now - days * 86_400
        )

    def derived_keys(self, purpose: str, now: float) -> list[bytes]:
        """Returns the 32-byte keys for one purpose: the current key, then earlier ones."""
        # These keys outlive every rotation: what they prove or find again stays in the database and
        # in mail.
        if purpose in _LONG_LIVED:
            return [_derived(self.address, purpose)]
        first = self.in_use(now)
        over = self.retired(now, _SESSION_DAYS)
        # Earlier keys still read what they have signed, such as sessions. Only the first one signs.
        others = [
            one for one in reversed(self.generations) if one is not first and one.number not in over
        ]
        return [_derived(one.sessions, purpose) for one in (first, *others)]

    def link_keys(self) -> dict[int, bytes]:
        """Returns generation → the 32-byte key for tokens in links."""
        return {one.number: _derived(one.links, "links") for one in self.generations}

    def checks(self) -> dict[str, str]:
        """Returns check values that the database stores. They do not disclose the keys.

        Every process compares them with its own keys, to detect that it has different ones.
        """
        found = {"address": _check(self.address)}
        return found | {
            f"generation {one.number}": _check(one.links + one.sessions) for one in self.generations
        }

    def compared(self, kept: Mapping[str, str]) -> list[str]:
        """Returns the names of keys that differ from the stored check values, or are missing here.

        `kept`: what `checks` returned when the database was set up.
        """
        ours = self.checks()
        return [
            name
            for name, value in kept.items()
            if not hmac.compare_digest(ours.get(name, ""), value)
        ]


class LinkKeys(NamedTuple):
    """The keys that create and verify tokens in links."""

    keys: tuple[tuple[int, bytes], ...]  #: generation, 32-byte key
    newest: int  #: the generation that new tokens use
    retired: frozenset[int]  #: generations that are only valid for unsubscribing


class Keys:
    """The keys of a process. Keys from a file are read again when the file changes.

    `saved`: false for keys that were just created. They are written only when the database is known
    to have no other keys.
    """

    def __init__(self, ring: Keyring, file: Path | None, *, saved: bool = True) -> None:
        self.file = file
        self.saved = saved
        self._ring = ring
        self._looked_at = time.monotonic()
        self._stamp = _stamp(file) if file else None
        self._derived: dict[str, list[bytes]] = {}
        # By number of days: the time of creation (`time.monotonic`), and the keys.
        self._links: dict[int, tuple[float, LinkKeys]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Keys) and self.ring == other.ring

    def __hash__(self) -> int:
        return hash(self._ring)

    def __repr__(self) -> str:
        return "<keys>"  # never the keys themselves

    @property
    def ring(self) -> Keyring:
        """The current keys. Checks every few seconds whether the file has changed."""
        if self.file is None or not self.saved or time.monotonic() < self._looked_at + _LOOK_EVERY:
            return self._ring
        self._looked_at = time.monotonic()
        self._derived = {}  # also because another generation may have become current
        stamp = _stamp(self.file)
        if stamp is not None and stamp != self._stamp:
            # A file that is only half copied fails to parse; the next check reads it.
            with contextlib.suppress(OSError, ValueError):
                self._ring, self._stamp = (
                    Keyring.from_text(self.file.read_text(encoding="utf-8")),
                    stamp,
                )
        return self._ring

    def derived(self, purpose: str) -> list[bytes]:
        """See `Keyring.derived_keys`."""
        ring = self.ring
        found = self._derived.get(purpose)
        if found is None:
            found = self._derived[purpose] = ring.derived_keys(purpose, time.time())
        return found

    def links(self, days: int) -> LinkKeys:
        made_at, links = self._links.get(days, (float("-inf"), None))
        if links is None or time.monotonic() >= made_at + _LOOK_EVERY:
            ring, now = self.ring, time.time()
            links = LinkKeys(
                tuple(ring.link_keys().items()), ring.in_use(now).number, ring.retired(now, days)
            )
            self._links[days] = time.monotonic(), links
        return links

    def save(self) -> None:
        """Writes keys that were just created. If another process was faster, its keys are used."""
        assert self.file is not None
        self._ring = save_new(self.file, self._ring)
        self.saved, self._stamp, self._derived, self._links = True, _stamp(self.file), {}, {}

    def rotate(self, since: float) -> Keyring:
        """Adds one generation and writes the file. Raises `OSError`, `ValueError`."""
        assert self.file is not None
        ring = Keyring.from_text(self.file.read_text(encoding="utf-8")).rotated(since)
        replace_file(self.file, ring)
        self._ring, self._stamp, self._derived, self._links = ring, _stamp(self.file), {}, {}
        return ring

    def replace(self) -> Keyring:
        """Writes entirely new keys, for when the old ones are lost. Raises `OSError`.

        The old file is renamed, not deleted.
        """
        assert self.file is not None
        ring = Keyring.new()
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.file.exists():  # it may belong to another installation
            self.file.rename(self.file.with_name(f"{self.file.name}.replaced-{time.time_ns()}"))
        replace_file(self.file, ring)
        self.saved, self._ring, self._stamp, self._derived, self._links = (
            True,
            ring,
            _stamp(self.file),
            {},
            {},
        )
        return ring


def of_folder(data: Path) -> Keys:
    """Returns the keys in this data folder; new, unsaved ones if it has none.

    Raises `OSError`, `ValueError`.
    """
    file = data / FILE
    try:
        return Keys(Keyring.from_text(file.read_text(encoding="utf-8")), file)
    except FileNotFoundError:
        return Keys(Keyring.new(), file, saved=False)


def save_new(file: Path, ring: Keyring) -> Keyring:
    """Writes the first keys of a data folder. Returns the keys that are in the file.

    Those are another process's keys if it was faster.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = _written_beside(file, ring)
    try:
        with contextlib.suppress(FileExistsError):
            # A hard link never replaces a file. Of two processes that start together, one is the
            # first.
            os.link(written, file)
    finally:
        written.unlink()
    _sync_folder(file.parent)
    return Keyring.from_text(file.read_text(encoding="utf-8"))


def replace_file(file: Path, ring: Keyring) -> None:
    """Replaces the file atomically: a reader gets all of the old keys, or all of the new ones."""
    _written_beside(file, ring).replace(file)
    _sync_folder(file.parent)


def _stamp(file: Path) -> tuple[int, ...] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _written_beside(file: Path, ring: Keyring) -> Path:
    # mkstemp: readable by its owner only.
    handle, name = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)
    with os.fdopen(handle, "w", encoding="ascii") as new:
        new.write(ring.to_text())
        new.flush()
        os.fsync(new.fileno())
    return Path(name)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _from_json(text: str) -> Keyring:
    try:
        kept = json.loads(text)
        version = kept["format"]
        if version != _FORMAT:
            raise ValueError(
                f"has the format {version}, which this version of More Follows can't read"
            )
        generations = tuple(
            Generation(
                int(one["generation"]),
                _decoded(one["links"]),
                _decoded(one["sessions"]),
                float(one["since"]),
            )
            for one in kept["generations"]
        )
        ring = Keyring(_decoded(kept["address"]), generations)
    except (KeyError, TypeError, json.JSONDecodeError, binascii.Error):
        raise ValueError("is damaged; copy it back from a backup") from None
    numbers = [one.number for one in generations]
    if (
        not numbers
        or numbers != sorted(set(numbers))
        or not all(0 < number <= _MOST for number in numbers)
    ):
        raise ValueError("is damaged; copy it back from a backup")
    return ring


def _decoded(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) < 16:
        raise KeyError
    return key


def _key() -> bytes:
    return secrets.token_bytes(48)


def _derived(key: bytes, purpose: str) -> bytes:
    # One secret gives a key for each purpose. Knowing one of them does not help to find another.
    return hmac.digest(key, b"morefollows/" + purpose.encode(), hashlib.sha256)


def _check(key: bytes) -> str:
    return _derived(key, "check").hex()
