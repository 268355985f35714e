"""Erases what an erased reader wrote, and what came back of mail to them."""

from __future__ import annotations

from typing import Any

from morefollows.audience.models import Reader
from morefollows.audience.signals import reader_erased
from morefollows.feedback.models import IncomingMail


def erase_with_readers() -> None:
    """Called once, when Django starts."""
    reader_erased.connect(_erase_mails, dispatch_uid="incoming mails")


def _erase_mails(sender: Any, reader: Reader, **_more: Any) -> None:
    """Deletes the octets and words of mails about this reader. That one came is still counted."""
    IncomingMail.objects.filter(reader=reader.pk).update(sealed=b"", text="", domain="")
