"""The signature of what a WebSub hub pushes (W3C Recommendation of 23 January 2018, §8)."""

from __future__ import annotations

import hashlib
import hmac

from morefollows.ingest.models import Source
from morefollows.ingest.sources.secrets import open_secret

_METHODS = {
    "sha1": hashlib.sha1,
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
}


def is_signed(source: Source, body: bytes, header: str) -> bool:
    """Whether the hub has signed the body, as it came, with our secret."""
    method, _, signature = header.strip().partition("=")
    digest = _METHODS.get(method.strip().lower())
    secret = open_secret(source.websub_secret, source.uuid)
    if digest is None or not secret:
        return False
    expected = hmac.new(secret.encode(), body, digest).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.strip().lower().encode())
