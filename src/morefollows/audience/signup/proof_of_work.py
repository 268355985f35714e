"""Proof of work as in ALTCHA version 1 (https://altcha.org/docs/v1/), with the `altcha` library.

The client finds a number by trying: SHA-256 over salt and number. A challenge is signed with
HMAC-SHA256, so the server need not store it. Its salt holds the time when it expires.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

LIFETIME = 600  #: seconds for which a challenge may be answered

_LONGEST = 1_000  # characters of an answer


class SolvedChallenge(NamedTuple):
    """A solved challenge. It can be used once, until `expires` (seconds since 1970)."""

    challenge: str
    expires: int


def challenge(key: bytes, most: int, now: float) -> dict[str, str | int]:
    """A new challenge that takes `most` / 2 hashes on average. `now`: seconds since 1970."""
    from altcha import v1 as altcha

    expires = datetime.fromtimestamp(int(now) + LIFETIME, UTC)
    options = altcha.ChallengeOptions(hmac_key=key, max_number=most, expires=expires)
    made = altcha.create_challenge(options)
    return {
        "algorithm": made.algorithm,
        "challenge": made.challenge,
        "maxnumber": made.max_number,  # the name that ALTCHA's clients read
        "salt": made.salt,
        "signature": made.signature,
    }


def done(key: bytes, answer: str, now: float) -> SolvedChallenge | None:
    """Check an answer (base64 of JSON). None if it is wrong or late, or not signed with `key`."""
    if len(answer) > _LONGEST or not answer.isascii():
        return None
    from altcha import v1 as altcha

    try:
        given = altcha.Payload.from_base64(answer)
        right, _reason = altcha.verify_solution(given, key, check_expires=False)
        _nonce, expires, _others = given.parse_salt()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not right or expires is None or expires < now:
        return None
    return SolvedChallenge(given.challenge, int(expires))
