"""The two signed values in a sign-up form: the statement of what was shown, and the ticket.

Nothing about them is kept. A statement says which words the form showed. It is the same for the same
words, so that caches may keep it, and good for as long as these words are known. A ticket says when
it was handed out; it is good on one site only.

Both are made by `django.core.signing`, each with a salt of its own, so that one never passes as the
other. `TimestampSigner` is not used: its times are whole seconds, and `sign_up_seconds` may be less.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import NamedTuple

from django.core.signing import BadSignature, Signer

_LONGEST = 300  # characters of a token, and of an origin (a host name has 253 at most)
_WORDS = 9  # bytes of SHA-256


class Shown(NamedTuple):
    """What a form showed: keys of its topic and of its three `Wording`s, and its language."""

    topic: int
    alerts: int
    offers: int
    privacy: int
    language: str
    #: See `words_of`: after a restored backup other words may have these keys.
    words: bytes = bytes(_WORDS)


def words_of(topic: bytes, *digests: str) -> bytes:
    """Identifies the words that were shown. `topic`: its `uid`; `digests`: of the wordings."""
    return hashlib.sha256(topic + "".join(digests).encode()).digest()[:_WORDS]


class FormTokens:
    """Signs with one key (32 bytes, `Settings.derived_keys("forms")`); reads those of `older` too."""

    def __init__(self, key: bytes, *older: bytes) -> None:
        self._keys = key, *older

    def statement(self, shown: Shown) -> str:
        facts = [*shown[:4], shown.language, shown.words.hex()]
        return _statements(self._keys).sign_object(facts)

    def read_statement(self, token: str) -> Shown | None:
        """None if it is not one of ours."""
        return _read_statement(self._keys, token) if _may_be_ours(token) else None

    def ticket(self, origin: str, now: float) -> str:
        """`now`: seconds since 1970. `origin`: the site whose page shows the form (RFC 6454 §6.1)."""
        return _tickets(self._keys, origin).sign(str(int(now * 1000)))

    def age(self, ticket: str, origin: str, now: float) -> float | None:
        """Seconds since a ticket was handed out for this site; None if that never happened."""
        if not _may_be_ours(ticket) or len(origin) > _LONGEST:
            return None
        made_at_ms = _read_ticket(self._keys, ticket, origin)
        return None if made_at_ms is None else now - made_at_ms / 1000


def _may_be_ours(token: str) -> bool:
    return len(token) <= _LONGEST and token.isascii()


@lru_cache(16)
def _statements(keys: tuple[bytes, ...]) -> Signer:
    return Signer(key=keys[0], fallback_keys=[*keys[1:]], salt="morefollows.form.statement")


@lru_cache(256)  # by the newsroom's sites
def _tickets(keys: tuple[bytes, ...], origin: str) -> Signer:
    return Signer(key=keys[0], fallback_keys=[*keys[1:]], salt=f"morefollows.form.ticket {origin}")


@lru_cache(256)  # the same form may be sent again and again, until it is taken
def _read_ticket(keys: tuple[bytes, ...], ticket: str, origin: str) -> int | None:
    try:
        return int(_tickets(keys, origin).unsign(ticket))
    except BadSignature:
        return None


@lru_cache(256)  # in a rush all forms bear the same few
def _read_statement(keys: tuple[bytes, ...], token: str) -> Shown | None:
    try:
        topic, alerts, offers, privacy, language, words = _statements(keys).unsign_object(token)
    except BadSignature:
        return None
    return Shown(topic, alerts, offers, privacy, language, bytes.fromhex(words))
