"""What the DNS record of a DKIM key says, from the private key."""

from __future__ import annotations

import base64

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa


def public_key(pem: str) -> tuple[str, str] | None:
    """Returns the type of a private key, and the value of `p=` in its DNS record."""
    try:
        public = serialization.load_pem_private_key(pem.encode(), password=None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if isinstance(public, rsa.RSAPublicKey):
        # SubjectPublicKeyInfo, as openssl writes it in RFC 6376 appendix C, and as receivers expect
        # it; §3.6.1 says RSAPublicKey.
        raw = public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return "rsa", base64.b64encode(raw).decode()
    if isinstance(public, ed25519.Ed25519PublicKey):
        return "ed25519", base64.b64encode(public.public_bytes_raw()).decode()  # RFC 8463 §4
    return None
