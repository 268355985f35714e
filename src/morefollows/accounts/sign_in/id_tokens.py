"""Checks an ID token (OpenID Connect Core 1.0 §3.1.3.7): signature, issuer, audience, time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt

# "none" is not among them. The provider's public keys are never taken for a secret.
_BY_SECRET = frozenset(("HS256", "HS384", "HS512"))
_BY_KEY = frozenset(
    ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
)
#: Without an end a token that got lost would be good for ever (OpenID Connect Core 1.0 §2).
_REQUIRED = ["exp", "iat", "iss", "aud", "sub"]


class BadIdToken(Exception):
    """The token is not the provider's, not for us, or out of time. ``str()`` says which."""


def checked_claims(
    token: str, *, issuer: str, client: str, secret: str, key_set: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """The claims of a token. Raises `BadIdToken`.

    `key_set` returns the provider's keys (RFC 7517); it is called only for a token that names an
    algorithm with public keys. A token that names no key may be signed by any of them.
    """
    try:
        header = jwt.get_unverified_header(token)
        algorithm, name = header.get("alg"), header.get("kid")
        if algorithm in _BY_SECRET:
            keys: list[Any] = [secret]
        elif algorithm in _BY_KEY:
            known = jwt.PyJWKSet.from_dict(key_set()).keys
            keys = [one for one in known if name is None or one.key_id in (name, None)]
        else:
            raise BadIdToken(f"algorithm {str(algorithm)[:20]!r}")
    except (jwt.PyJWTError, AttributeError, TypeError) as wrong:
        raise BadIdToken(str(wrong)) from wrong
    reason = "no key of this name"
    for key in keys:
        try:
            return jwt.decode(
                token,
                key,
                [algorithm],
                issuer=issuer,
                audience=client,
                options={"require": _REQUIRED},
            )
        except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError, jwt.InvalidKeyError) as wrong:
            reason = str(wrong)
        except (jwt.PyJWTError, TypeError, ValueError) as wrong:
            raise BadIdToken(str(wrong)) from wrong
    raise BadIdToken(reason)
