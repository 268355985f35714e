"""What allauth's second factors take from us: names, and how their secrets are stored."""

from __future__ import annotations

import base64
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """`MFA_ADAPTER`. Secrets of codes are encrypted with a key that is not in the database."""

    def encrypt(self, text: str) -> str:
        return str(_cipher().encrypt(text.encode()).decode())

    def decrypt(self, encrypted_text: str) -> str:
        return str(_cipher().decrypt(encrypted_text.encode()).decode())

    def get_totp_issuer(self) -> str:
        return "More Follows"

    def _get_site_name(self) -> str:
        return "More Follows"


def _cipher() -> Any:
    from cryptography.fernet import Fernet, MultiFernet

    keys = settings.MOREFOLLOWS.derived_keys("second-factors")
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
