"""Encrypts what is secret in the database: passwords of relays, private keys of DKIM.

The key is derived from this installation's keys, which are not in the database. A copy of the
database alone gives nothing away. Values of earlier key generations can still be read.
"""

from __future__ import annotations

import base64

from django.conf import settings


def encrypted(text: str) -> str:
    """Returns the encrypted form (Fernet: AES-128-CBC with HMAC-SHA-256)."""
    from cryptography.fernet import Fernet  # loaded when needed: most processes have no secrets

    return Fernet(_keys()[0]).encrypt(text.encode()).decode()


def decrypted(value: str) -> str:
    """Returns the text. Raises `ValueError` if it was encrypted with other keys."""
    from cryptography.fernet import Fernet, InvalidToken, MultiFernet

    try:
        return MultiFernet([Fernet(key) for key in _keys()]).decrypt(value.encode()).decode()
    except InvalidToken:
        raise ValueError("it was encrypted with keys that are not here; enter it again") from None


def _keys() -> list[bytes]:
    keys: list[bytes] = settings.MOREFOLLOWS.derived_keys("settings")
    return [base64.urlsafe_b64encode(key) for key in keys]
