"""What a form of ours carries along: which words it showed, and when and for which site it was handed out.

Nothing about them is kept. A statement says what was shown and is good for as long as its words are known, so that
caches may keep it; a ticket is short-lived and good on one site only. Neither can be made by anybody else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from functools import lru_cache
from typing import NamedTuple

_STATEMENT, _TICKET = b"\x01", b"\x02"
_MAC = 16  # bytes of HMAC-SHA256, truncated as RFC 2104 §5 allows
_ORIGIN = 300  # bytes; a host name has 253 at most
_LANGUAGE = 12  # bytes, filled up with NUL
_WORDS = 9  # bytes of SHA-256


class Shown(NamedTuple):
    """What a form showed: keys of its topic and of its three `Wording`s, and the language of all around them."""

    topic: int
    alerts: int
    offers: int
    privacy: int
    language: str
    words: bytes = bytes(_WORDS)  #: see `words_of`: after a restored backup other words may have these keys


def words_of(topic: bytes, *digests: str) -> bytes:
    """What tells these words from all others. `topic`: its `uid`; `digests`: of the wordings."""
    return hashlib.sha256(topic + "".join(digests).encode()).digest()[:_WORDS]


class FormTokens:
    """Makes them with one key (32 bytes, `Settings.derived_keys("forms")`), and reads also those of `older` ones."""

    def __init__(self, key: bytes, *older: bytes) -> None:
        self._keys = key, *older

    def statement(self, shown: Shown) -> str:
        numbers = b"".join(number.to_bytes(4, "big") for number in shown[:4])
        language = shown.language.encode()[:_LANGUAGE].ljust(_LANGUAGE, b"\0")
        return self._sealed(_STATEMENT + numbers + language + shown.words)

    def read_statement(self, token: str) -> Shown | None:
        """None if it is not one of ours."""
        facts = self._opened(token, _STATEMENT, 1 + 16 + _LANGUAGE + _WORDS)
        if facts is None:
            return None
        topic, alerts, offers, privacy = (int.from_bytes(facts[at : at + 4], "big") for at in (1, 5, 9, 13))
        language = facts[17:-_WORDS].rstrip(b"\0").decode()
        return Shown(topic, alerts, offers, privacy, language, facts[-_WORDS:])

    def ticket(self, origin: str, now: float) -> str:
        """`now`: seconds since 1970. `origin`: the site whose page shows the form (RFC 6454 §6.1)."""
        return self._sealed(_TICKET + int(now * 1000).to_bytes(7, "big"), origin.encode())

    def age(self, ticket: str, origin: str, now: float) -> float | None:
        """Seconds since a ticket was handed out for this site; None if that never happened."""
        facts = self._opened(ticket, _TICKET, 8, origin.encode())
        return None if facts is None else now - int.from_bytes(facts[1:], "big") / 1000

    def _sealed(self, facts: bytes, bound_to: bytes = b"") -> str:
        return base64.urlsafe_b64encode(facts + self._mac(self._keys[0], facts, bound_to)).decode()

    def _opened(self, token: str, kind: bytes, length: int, bound_to: bytes = b"") -> bytes | None:
        if len(token) > 100 or not token.isascii() or len(bound_to) > _ORIGIN:
            return None
        return _open(self._keys, token, kind, length, bound_to)

    @staticmethod
    def _mac(key: bytes, facts: bytes, bound_to: bytes) -> bytes:
        return hmac.digest(key, facts + bound_to, "sha256")[:_MAC]


@lru_cache(256)  # in a rush all send the same few
def _open(keys: tuple[bytes, ...], token: str, kind: bytes, length: int, bound_to: bytes) -> bytes | None:
    """What a token of this kind holds; None if it is not genuine. Nothing in it depends on the time."""
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if base64.urlsafe_b64encode(raw) != token.encode():  # the decoder takes "+" for "-", too
        return None
    facts, mac = raw[:length], raw[length:]
    genuine = any(hmac.compare_digest(FormTokens._mac(key, facts, bound_to), mac) for key in keys)
    return facts if genuine and facts[:1] == kind else None
