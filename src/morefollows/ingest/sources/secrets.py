"""Seals what sources keep secret: passwords, and the secrets of WebSub subscriptions."""

from __future__ import annotations

from morefollows.helpers.encryption import decrypt, encrypt

_PURPOSE = "sources"


def seal_secret(text: str, source_uuid: object) -> bytes:
    """Returns the sealed form; empty for an empty text. It opens for no other source."""
    return encrypt(_PURPOSE, text.encode(), str(source_uuid)) if text else b""


def open_secret(sealed: bytes | memoryview, source_uuid: object) -> str:
    """Returns what was sealed; "" if there is none, or no key of this installation fits."""
    return (decrypt(_PURPOSE, bytes(sealed), str(source_uuid)) or b"").decode()
