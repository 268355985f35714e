"""Forwards what readers wrote to the newsroom's own mailbox, if `Settings.forward_replies` is set.

Invariant: a forwarded mail starts no loop. It has an empty return path and `Auto-Submitted`
(RFC 3834 §5), only people's replies are forwarded, never our own forwards, and so many an hour.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from django.conf import settings
from django.utils import timezone

from morefollows.audience.models import Newsroom
from morefollows.courier.single_mail import send_single
from morefollows.feedback.intake import actions
from morefollows.feedback.intake.reading import returned_mail
from morefollows.feedback.intake.reading.mime import parts_of
from morefollows.feedback.intake.reading.returned_mail import Kind
from morefollows.feedback.models import IncomingMail

log = logging.getLogger(__name__)

FORWARDED = "forwarded"  #: `IncomingMail.done` of what was forwarded
_MARK = "X-More-Follows-Forwarded"
_AN_HOUR = 100  # mails
_AT_ONCE = 10


def forward_replies() -> int:
    """Forwards replies that wait, some at once. Returns how many.

    A reply is marked before it is sent: after a crash it is at the desk alone, and not sent twice.
    Raises `single_mail.MailNotTaken` if the relay does not take it.
    """
    to = settings.MOREFOLLOWS.forward_replies
    if not to:
        return 0
    since = timezone.now() - timedelta(hours=1)
    recent = IncomingMail.objects.filter(kind=Kind.REPLY, arrived_at__gte=since)
    room = _AN_HOUR - recent.filter(done=FORWARDED).count()
    rows = recent.filter(done="", answered_at=None).order_by("pk")[: max(0, min(room, _AT_ONCE))]
    number = 0
    for row in rows:
        mail = _forward(row, to)
        actions.note_forwarded(row)
        if mail is not None:
            _send(mail, to)
            number += 1
    return number


def _forward(row: IncomingMail, to: str) -> EmailMessage | None:
    """Returns the mail to send; None for one that must not be forwarded."""
    content = actions.opened(row)
    sender = Newsroom.objects.filter(pk=1).values_list("sender_address", flat=True).first()
    if content is None or content.event is not None or not sender:
        return None
    received = returned_mail.read(content.raw)
    if received.sender.lower() in (to.lower(), sender.lower(), ""):
        return None
    if parts_of(content.raw)[0].headers.get(_MARK.lower()):
        return None
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = to
    if received.sender.isascii():
        mail["Reply-To"] = received.sender
    mail["Subject"] = " ".join(received.subject.split())[:200]
    mail["Date"] = formatdate()
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"
    mail[_MARK] = "1"
    mail.set_content(f"{received.sender}:\n\n{received.words}\n", cte="base64")
    return mail


def _send(mail: EmailMessage, to: str) -> None:
    """Hands a mail to the first relay that takes alerts, with an empty return path."""
    relays_or_inbox = settings.MOREFOLLOWS.relays_or_inbox
    relay = next((one for one in relays_or_inbox if one.alerts), relays_or_inbox[0])
    send_single(relay, mail, to)
