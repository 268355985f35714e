"""What came back in words, for the desk."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from morefollows.audience.models import Reader
from morefollows.feedback.intake import actions, overview
from morefollows.feedback.intake.identity import KnownBy
from morefollows.feedback.intake.reading import returned_mail
from morefollows.feedback.models import IncomingMail

#: Kind, or kind and reason → what it is called.
_NAMES: dict[str, str | Promise] = {
    "bounce hard": _("hard bounce: no such mailbox"),
    "bounce full": _("bounce: the mailbox is full"),
    "bounce soft": _("bounce: may pass"),
    "bounce spam": _("bounce: taken for spam"),
    "bounce policy": _("bounce: refused by policy"),
    "bounce unknown": _("bounce for an unknown reason"),
    "delayed": _("delayed"),
    "delivered": _("delivered or read"),
    "complaint": _("complaint"),
    "automatic": _("automatic answer"),
    "challenge": _("challenge: the reader’s system wants a proof"),
    "leave": _("unsubscribed by mail"),
    "reply": _("reply"),
    "other": _("something else"),
}
_MOST_WORDS = 4000


def kind_name(kind: str, reason: str) -> str | Promise:
    """Returns what a kind and reason are called."""
    return _NAMES.get(f"{kind} {reason}".strip()) or _NAMES.get(kind) or kind


def choices() -> list[tuple[str, str | Promise]]:
    """What a mail may really be, for a form."""
    return list(_NAMES.items())


def came_back_of(alert: int) -> list[tuple[str | Promise, int]]:
    """What came back of an alert, in words, the most frequent first."""
    rows = overview.of_alert(alert)
    return [(kind_name(row.kind, row.reason), row.number) for row in rows]


class ShownReply(NamedTuple):
    """A reply as the desk shows it. `words`: "" if it is no longer kept."""

    pk: int
    at: datetime
    kind: str | Promise
    sender: str
    subject: str
    words: str
    asks_to_leave: bool
    known: bool  #: a reader of ours
    sure: bool  #: a token proves which one


def shown_reply(row: IncomingMail) -> ShownReply:
    """Opens a reply. Only for those who may see readers."""
    content = actions.opened(row)
    sender = subject = words = ""
    if content is not None and content.event is None:
        message = returned_mail.read(content.raw)
        sender, subject = message.sender, message.subject
        words = message.words or message.text
    elif content is not None and content.event is not None:
        sender = str(content.event.get("recipient", ""))
    known = row.reader is not None and Reader.objects.filter(pk=row.reader).exists()
    return ShownReply(
        row.pk,
        row.arrived_at,
        kind_name(row.kind, row.reason),
        sender,
        subject,
        words[:_MOST_WORDS],
        row.asks_to_leave,
        known,
        known and row.known_by != KnownBy.ADDRESS,
    )
