"""The two signed values in a sign-up form: the statement and the ticket.

Neither is stored on the server. A statement says which wordings the form shows. It is the same
for the same wordings, so pages can be cached. It is valid while these wordings are in the database.
A ticket says when the form was loaded; it is valid on one site only.

Both are made by `django.core.signing` with different salts, so that one can't be used as the other.
`TimestampSigner` is not used: it counts whole seconds, and `sign_up_seconds` may be less.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import NamedTuple

from django.core.signing import BadSignature, Signer

_LONGEST = 300  # characters of a token, and of an origin (a host name has 253 at most)
_DIGEST = 9  # bytes of SHA-256


class FormStatement(NamedTuple):
    """What a form shows: primary keys of its topic and three `Wording`s, and its language."""

    topic: int
    alerts: int
    offers: int
    privacy: int
    language: str
    #: See `digest_of`: after a backup was restored, other wordings may have these keys.
    digest: bytes = bytes(_DIGEST)

    @property
    def wordings(self) -> tuple[int, int, int]:
        """The primary keys of the wordings: consent to alerts, consent to offers, privacy."""
        return self.alerts, self.offers, self.privacy


def digest_of(topic: bytes, name: str, *digests: str) -> bytes:
    """A hash of what a form shows. `topic`: its `uid`; `digests`: those of the wordings.

    `name`: the topic's, as shown. After the topic was renamed, forms that show the old name are
    answered with the new form.
    """
    return hashlib.sha256(topic + "".join((name, "\0", *digests)).encode()).digest()[:_DIGEST]


class FormTokens:
    """Signs with `key`; also accepts signatures made with `older` keys.

    Keys have 32 bytes and come from `Settings.derived_keys("forms")`.
    """

    def __init__(self, key: bytes, *older: bytes) -> None:
        self._keys = key, *older

    def sign_statement(self, statement: FormStatement) -> str:
        """The signed token for what a form shows."""
        fields = [*statement[:5], statement.digest.hex()]
        return _statements(self._keys).sign_object(fields)

    def read_statement(self, token: str) -> FormStatement | None:
        """What the form shows; None if the signature is not valid."""
        return _read_statement(self._keys, token) if _may_be_ours(token) else None

    def ticket(self, origin: str, now: float) -> str:
        """A signed token with the time `now` (seconds since 1970).

        `origin`: of the page that shows the form (RFC 6454 §6.1).
        """
        return _tickets(self._keys, origin).sign(str(int(now * 1000)))

    def age(self, ticket: str, origin: str, now: float) -> float | None:
        """Seconds since the ticket was made for this origin; None if it is not valid."""
        if not _may_be_ours(ticket) or len(origin) > _LONGEST:
            return None
        made_at_ms = _read_ticket(self._keys, ticket, origin)
        return None if made_at_ms is None else now - made_at_ms / 1000


def _may_be_ours(token: str) -> bool:
    """A cheap check before the signature is computed."""
    return len(token) <= _LONGEST and token.isascii()


@lru_cache(16)
def _statements(keys: tuple[bytes, ...]) -> Signer:
    return Signer(key=keys[0], fallback_keys=[*keys[1:]], salt="morefollows.form.statement")


@lru_cache(256)  # one entry per site
def _tickets(keys: tuple[bytes, ...], origin: str) -> Signer:
    return Signer(key=keys[0], fallback_keys=[*keys[1:]], salt=f"morefollows.form.ticket {origin}")


@lru_cache(256)  # the same form may be sent several times until it is accepted
def _read_ticket(keys: tuple[bytes, ...], ticket: str, origin: str) -> int | None:
    try:
        return int(_tickets(keys, origin).unsign(ticket))
    except BadSignature:
        return None


@lru_cache(256)  # at peak times all forms have one of a few statements
def _read_statement(keys: tuple[bytes, ...], token: str) -> FormStatement | None:
    try:
        topic, alerts, offers, privacy, language, digest = _statements(keys).unsign_object(token)
    except BadSignature:
        return None
    return FormStatement(topic, alerts, offers, privacy, language, bytes.fromhex(digest))
