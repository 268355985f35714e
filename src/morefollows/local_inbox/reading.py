"""Parses a mail for the page that shows it. Malformed mail is shown as far as possible."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import NamedTuple

_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)


class ReadableMail(NamedTuple):
    html: str | None  #: unchanged; None if there is none
    text: str | None
    head: str  #: the raw header block


def read_mail(content: bytes) -> ReadableMail:
    """Parses a mail. Never raises."""
    message = message_from_bytes(content, policy=policy.default)
    head = content.partition(b"\r\n\r\n")[0]
    return ReadableMail(
        _part(message, "html"), _part(message, "plain"), head.decode("utf-8", "replace")
    )


def for_frame(html: str) -> str:
    """Returns the HTML with a `<base>` that opens links in a new tab."""
    base = '<base target="_blank">'
    found = _HEAD.search(html)
    return html[: found.end()] + base + html[found.end() :] if found else base + html


def _part(message: EmailMessage, kind: str) -> str | None:
    try:
        part = message.get_body((kind,))
        if part is None:
            return None
        raw = part.get_payload(decode=True)
        charset = part.get_content_charset("utf-8")
    except (ValueError, LookupError, AttributeError, TypeError, IndexError):  # malformed mail
        return None
    if not isinstance(raw, bytes):
        return None
    try:
        text = raw.decode(charset, "replace")
    except (LookupError, ValueError):  # an unknown charset, or one without "replace"
        text = raw.decode("utf-8", "replace")
    return text.encode("utf-8", "replace").decode()  # some charsets decode to lone surrogates
