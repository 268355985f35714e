"""Proof of work as ALTCHA has it (https://altcha.org/docs/v1/): a number to be found by trying, cheap to check.

The challenge is SHA-256 over salt and number, signed with HMAC-SHA256. The salt says until when it is good, and ends
with "&", so that no digit of the number can be passed off as part of the time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from typing import NamedTuple

LIFETIME = 600  #: seconds for which a challenge may be answered

_SALT = re.compile(r"[0-9a-f]{24}\?expires=([0-9]{1,12})&")
_LONGEST = 1_000  # characters of an answer


class Done(NamedTuple):
    """Work that was done. It is good once, and until `expires` (seconds since 1970)."""

    challenge: str
    expires: int


def challenge(key: bytes, most: int, now: float) -> dict[str, str | int]:
    """A challenge that takes about `most` / 2 hashes. `now`: seconds since 1970."""
    salt = f"{secrets.token_hex(12)}?expires={int(now) + LIFETIME}&"
    asked = _asked(salt, secrets.randbelow(most + 1))
    return {
        "algorithm": "SHA-256",
        "challenge": asked,
        "maxnumber": most,
        "salt": salt,
        "signature": _signature(key, asked),
    }


def done(key: bytes, answer: str, now: float) -> Done | None:
    """Reads an answer: base64 of JSON. None if it is wrong, too late, or to no challenge of ours."""
    if len(answer) > _LONGEST:
        return None
    try:
        given = json.loads(base64.b64decode(answer, validate=True))
        salt, number, asked, signature = (given[name] for name in ("salt", "number", "challenge", "signature"))
    except (binascii.Error, ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(number, int) or not all(isinstance(text, str) for text in (salt, asked, signature)):
        return None
    read = _SALT.fullmatch(salt)
    if read is None or given.get("algorithm") != "SHA-256" or int(read[1]) < now or not 0 <= number < 10**9:
        return None
    ours = hmac.compare_digest(_signature(key, asked).encode(), signature.encode())
    right = hmac.compare_digest(_asked(salt, number).encode(), asked.encode())
    return Done(asked, int(read[1])) if ours and right else None


def _asked(salt: str, number: int) -> str:
    return hashlib.sha256(f"{salt}{number}".encode()).hexdigest()


def _signature(key: bytes, asked: str) -> str:
    return hmac.new(key, asked.encode(), hashlib.sha256).hexdigest()
