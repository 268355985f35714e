"""Encrypts what this installation has to read again, with keys derived from its secret.

AES-256-GCM (NIST SP 800-38D). What was encrypted opens for the same purpose and context only.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_NONCE = 12  # octets; random, as a repeated one would break the cipher (§8)


def encrypt(purpose: str, octets: bytes, context: str = "") -> bytes:
    """Returns the encrypted form. `context`: what it belongs to, such as the UUID of its row."""
    nonce = os.urandom(_NONCE)
    key = settings.MOREFOLLOWS.derived_key(purpose)
    return nonce + AESGCM(key).encrypt(nonce, octets, context.encode())


def decrypt(purpose: str, encrypted: bytes, context: str = "") -> bytes | None:
    """Returns what was encrypted; None if it is empty, or if no key of this installation fits.

    Keys from before a rotation of the secret are tried after the current one.
    """
    for key in settings.MOREFOLLOWS.derived_keys(purpose) if encrypted else ():
        try:
            return AESGCM(key).decrypt(encrypted[:_NONCE], encrypted[_NONCE:], context.encode())
        except InvalidTag:
            continue
    return None
