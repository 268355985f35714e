"""Proof of work as in ALTCHA version 1 (https://altcha.org/docs/v1/), with the `altcha` library.

The client finds a number by trying: SHA-256 over salt and number. A challenge is signed with
HMAC-SHA256, so the server need not store it. Its salt holds the time when it expires. Only which
solved challenges were used is stored, as each counts once.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import IntegrityError, transaction

from morefollows.audience.models import SpentWork

LIFETIME = 600  #: seconds for which a challenge may be answered

_LONGEST = 1_000  # characters of an answer
_PLACE = "place"  # the parameter of the salt that names the network


class SolvedChallenge(NamedTuple):
    """A solved challenge. It can be used once, until `expires` (seconds since 1970)."""

    challenge: str
    expires: int


def challenge(key: bytes, most: int, now: float, place: str) -> dict[str, str | int]:
    """A new challenge that takes `most` / 2 hashes on average. `now`: seconds since 1970.

    `place`: the network that may answer it. The challenge holds a keyed hash of it.
    """
    from altcha import v1 as altcha

    expires = datetime.fromtimestamp(int(now) + LIFETIME, UTC)
    options = altcha.ChallengeOptions(hmac_key=key, max_number=most, expires=expires)
    options.params = {_PLACE: _mark(key, place)}
    made = altcha.create_challenge(options)
    return {
        "algorithm": made.algorithm,
        "challenge": made.challenge,
        "maxnumber": made.max_number,  # the name that ALTCHA's clients read
        "salt": made.salt,
        "signature": made.signature,
    }


def _mark(key: bytes, place: str) -> str:
    """Returns what stands for a network in a challenge. It does not tell which network."""
    return hmac.digest(key, b"place " + place.encode(), "sha256")[:8].hex()


def done(key: bytes, answer: str, now: float, place: str) -> SolvedChallenge | None:
    """Check an answer (base64 of JSON).

    None if it is wrong or late, not signed with `key`, or was given to another network.
    """
    if len(answer) > _LONGEST or not answer.isascii():
        return None
    from altcha import v1 as altcha

    try:
        given = altcha.Payload.from_base64(answer)
        right, _reason = altcha.verify_solution(given, key, check_expires=False)
        _nonce, expires, others = given.parse_salt()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not right or expires is None or expires < now:
        return None
    if others.get(_PLACE) != [_mark(key, place)]:
        return None
    return SolvedChallenge(given.challenge, int(expires))


def spend_work(work: SolvedChallenge) -> bool:
    """Marks a solved challenge as used. Returns False if it was used before."""
    expires = datetime.fromtimestamp(work.expires, tz=UTC)
    try:
        with transaction.atomic():
            SpentWork.objects.create(challenge=work.challenge, expires_at=expires)
    except IntegrityError:
        return False
    return True
