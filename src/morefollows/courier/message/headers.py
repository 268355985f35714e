"""The header fields of every mail: addresses, List-Unsubscribe and feedback.

Those of a story's thread are in `thread_headers`; `encoding` folds and encodes all.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from django.conf import settings

from morefollows.courier.message.content import Content, Letterhead, MailingList
from morefollows.courier.message.encoding.header_fields import (
    date,
    mailbox,
    structured,
    unstructured,
)
from morefollows.courier.message.template import Slot


def header(content: Content, head: Letterhead, boundary: str) -> list[bytes]:
    """Returns the header fields, one each, in order. Raises `ValueError`, naming the field."""
    sender, placeholders = head.sender, head.placeholders
    sent_at = placeholders[Slot.DATE] if content.sent_at is None else date(content.sent_at).decode()
    return [
        mailbox("From", sender.newsroom.sender_name, sender.address),
        structured("To", f"<{placeholders[Slot.ADDRESS]}>"),
        *([structured("Reply-To", sender.reply_to)] if sender.reply_to else []),
        structured("Date", sent_at),
        structured("Message-ID", f"<{placeholders[Slot.RECEIPT]}@{sender.domain}>"),
        unstructured("Subject", content.subject),
        structured("Auto-Submitted", "auto-generated"),  # RFC 3834 §5
        structured("X-Auto-Response-Suppress", "All"),
        *(
            (unstructured if field.free_text else structured)(field.name, field.value)
            for field in content.thread
        ),
        structured("Content-Language", content.language),
        *([] if content.listed is None else _list_fields(content.listed, head)),
        *([] if content.listed is None else _feedback_fields(head)),
        *(_bulk_fields(content, head) if content.feedback else []),
        b"MIME-Version: 1.0\r\n",
        f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n'.encode(),
    ]


def _list_fields(listed: MailingList, head: Letterhead) -> list[bytes]:
    """RFC 2369, RFC 2919 and RFC 8058 (one click)."""
    url, sender = settings.MOREFOLLOWS.url, head.sender
    phrase = f'"{listed.name}" ' if re.fullmatch(r"[A-Za-z0-9 ,.'-]+", listed.name) else ""
    return [
        structured("List-Unsubscribe", ", ".join(_ways_to_leave(head))),
        structured("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        structured("List-Id", f"{phrase}<{listed.slug}.{sender.domain}>"),
        structured("List-Help", f"<{url}/privacy/>"),
        structured("List-Owner", f"<mailto:{quote(sender.address, safe='@')}>"),
        structured("List-Archive", f"<{url}/>"),
    ]


def _ways_to_leave(head: Letterhead) -> list[str]:
    """One click first. A mail address (RFC 2369 §3.2) only if mail to it comes in here."""
    by_link = f"<{head.link('leave', Slot.LEAVE)}>"
    if not settings.MOREFOLLOWS.listens_for_mail:
        return [by_link]
    domain = settings.MOREFOLLOWS.bounce_domain or head.sender.domain
    # Hexadecimal, as some mail systems change the case of local parts.
    address = f"leave+{head.placeholders[Slot.RECEIPT]}@{domain}"
    return [by_link, f"<mailto:{address}?subject=unsubscribe>"]


def _feedback_fields(head: Letterhead) -> list[bytes]:
    """Where mailbox providers may send complaints (CFBL, RFC 9477)."""
    if not settings.MOREFOLLOWS.listens_for_mail:
        return []
    domain = settings.MOREFOLLOWS.bounce_domain or head.sender.domain
    return [
        structured("CFBL-Address", f"fbl@{domain}; report=arf"),
        structured("CFBL-Feedback-ID", head.placeholders[Slot.RECEIPT]),
    ]


def _bulk_fields(content: Content, head: Letterhead) -> list[bytes]:
    """Gmail's Feedback Loop takes three identifiers, then the stable name of the sender."""
    return [
        structured("Precedence", "bulk"),
        structured("Feedback-ID", f"{content.feedback}:{head.sender.feedback_name}"),
    ]
