"""What came back, in figures: by kind, reason and domain, by alert, and how each receiver is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Count, QuerySet
from django.utils import timezone

from morefollows.feedback.intake.reading.returned_mail import Kind
from morefollows.feedback.models import BounceFlood, IncomingMail, Receiver

_STALE = timedelta(minutes=5)  # a receiver not seen to work for so long counts as silent
_MOST_DOMAINS = 30


class ReceiverRow(NamedTuple):
    """One receiver. `state`: well, trouble, silent, or "" if its state can't be known."""

    name: str
    mails: int
    ok_at: datetime | None
    mail_at: datetime | None
    trouble: str
    trouble_since: datetime | None
    state: str


class CameBack(NamedTuple):
    """How many mails of one kind and reason came back."""

    kind: str
    reason: str
    number: int


class DomainRow(NamedTuple):
    """What came back from one domain."""

    domain: str
    hard: int
    soft: int
    refused: int  #: spam and policy
    complaints: int
    text: str  #: the latest words


def receiver_rows() -> list[ReceiverRow]:
    """The receivers of the settings, and others that took mail in before."""
    known = {receiver.name: receiver for receiver in Receiver.objects.all()}
    rows = []
    for address in settings.MOREFOLLOWS.intake:
        receiver = known.pop(address.name, None) or Receiver(name=address.name)
        rows.append(_row(receiver, silent=address.scheme == "webhook"))
    return rows + [_row(receiver, silent=True) for _name, receiver in sorted(known.items())]


def _row(receiver: Receiver, *, silent: bool) -> ReceiverRow:
    if receiver.trouble:
        state = "trouble"
    elif silent:
        state = ""
    else:
        late = receiver.ok_at is None or receiver.ok_at < timezone.now() - _STALE
        state = "silent" if late else "well"
    return ReceiverRow(
        receiver.name,
        receiver.mails,
        receiver.ok_at,
        receiver.mail_at,
        receiver.trouble,
        receiver.trouble_since,
        state,
    )


def counts(since: datetime) -> list[CameBack]:
    """What came back since then, the most frequent first."""
    found = _judged(since).values_list("kind", "reason").order_by().annotate(n=Count("pk"))
    return sorted((CameBack(*row) for row in found), key=lambda row: -row.number)


def domain_rows(since: datetime) -> list[DomainRow]:
    """What came back by the readers' domain, the most first."""
    sums: dict[str, dict[str, int]] = {}
    found = _judged(since).filter(kind__in=(Kind.BOUNCE, Kind.COMPLAINT)).exclude(domain="")
    for domain, kind, reason, number in (
        found.values_list("domain", "kind", "reason").order_by().annotate(n=Count("pk"))
    ):
        row = sums.setdefault(domain, {"hard": 0, "soft": 0, "refused": 0, "complaints": 0})
        row[_COLUMN.get(reason, "refused") if kind == Kind.BOUNCE else "complaints"] += number
    most = sorted(sums.items(), key=lambda pair: -sum(pair[1].values()))[:_MOST_DOMAINS]
    return [DomainRow(domain, **row, text=_last_words(found, domain)) for domain, row in most]


_COLUMN = {"hard": "hard", "soft": "soft", "full": "soft"}


def _last_words(found: QuerySet[IncomingMail], domain: str) -> str:
    last = found.filter(domain=domain).exclude(text="").order_by("-pk")
    return last.values_list("text", flat=True).first() or ""


def of_alert(alert: int) -> list[CameBack]:
    """What came back of one alert."""
    rows = IncomingMail.objects.filter(alert=alert, state=IncomingMail.State.JUDGED)
    found = rows.values_list("kind", "reason").order_by().annotate(n=Count("pk"))
    return sorted((CameBack(*row) for row in found), key=lambda row: -row.number)


def open_floods() -> QuerySet[BounceFlood]:
    """The floods that nobody has decided about."""
    return BounceFlood.objects.filter(decided_at=None).order_by("since")


def open_replies() -> QuerySet[IncomingMail]:
    """Replies, challenges and requests to leave that no editor has dealt with, oldest first."""
    kinds = (Kind.REPLY, Kind.CHALLENGE)
    asking = IncomingMail.objects.filter(asks_to_leave=True, done="")
    received = IncomingMail.objects.filter(kind__in=kinds)
    waiting = (received | asking).filter(answered_at=None, done__in=("", "forwarded"))
    return waiting.order_by("-pk")


def _judged(since: datetime) -> QuerySet[IncomingMail]:
    return IncomingMail.objects.filter(state=IncomingMail.State.JUDGED, arrived_at__gte=since)


def intake_state() -> dict[str, object]:
    """All of it for a command's JSON."""
    return {
        "receivers": [
            {
                "name": row.name,
                "mails": row.mails,
                "ok_at": row.ok_at.isoformat() if row.ok_at else None,
                "mail_at": row.mail_at.isoformat() if row.mail_at else None,
                "trouble": row.trouble,
                "state": row.state,
            }
            for row in receiver_rows()
        ],
        "waiting": IncomingMail.objects.filter(state=IncomingMail.State.WAITING).count(),
        "held": IncomingMail.objects.filter(counting=IncomingMail.Counting.HELD).count(),
        "day": {
            f"{row.kind} {row.reason}".strip(): row.number
            for row in counts(timezone.now() - timedelta(days=1))
        },
    }
