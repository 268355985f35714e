"""Takes mail in, judges it, and does what follows.

Invariant: mail is stored before it is acknowledged, and judged once: its verdict, and all that
follows from it, are written in one transaction. So a crash neither loses a mail nor counts one
twice.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from django.db import Error as AnyDatabaseError
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience import drills
from morefollows.audience.consent import withdrawal
from morefollows.audience.models import Consent, Purpose, Reader, Subscription, Suppression, Topic
from morefollows.audience.suppression import suppressing
from morefollows.audit.actions import record
from morefollows.courier.smtp.replies import without_addresses
from morefollows.feedback.intake import identity, sealed_mail
from morefollows.feedback.intake.identity import Identity, KnownBy
from morefollows.feedback.intake.reading import returned_mail
from morefollows.feedback.intake.reading.mime import MOST_OCTETS
from morefollows.feedback.intake.reading.reasons import Reason
from morefollows.feedback.intake.reading.returned_mail import Kind, Read
from morefollows.feedback.intake.redaction import without_all_addresses
from morefollows.feedback.models import IncomingMail, Receiver

log = logging.getLogger(__name__)

_OPEN = (Subscription.State.PENDING, Subscription.State.ACTIVE)
_COUNTS = (Reason.HARD, Reason.SOFT, Reason.FULL)
_VERDICT = (
    *("state", "kind", "reason", "sure", "known_by", "reader", "alert", "domain", "status"),
    *("code", "text", "reporter", "asks_to_leave", "done", "counting"),
)  # the fields that a judgement fills
LEAVE = "leave+"  #: begins the local part of the address that List-Unsubscribe names
Counting = IncomingMail.Counting


class Arrived(NamedTuple):
    """A mail that came in, or an event that a provider told."""

    raw: bytes
    envelope: str = ""  #: the address that it came in for, as far as it is known
    event: dict[str, object] | None = None  #: of a webhook: what `webhooks` made of it
    size: int = 0  #: octets, if `raw` was cut off

    @property
    def digest(self) -> str:
        message = json.dumps(self.event, sort_keys=True) if self.event else ""
        return sha256(b"\0".join((self.envelope.encode(), message.encode(), self.raw))).hexdigest()


class Opened(NamedTuple):
    """What an `IncomingMail` holds, unsealed."""

    raw: bytes
    envelope: str
    event: dict[str, object] | None


# -- taking in -------------------------------------------------------------------------------------


def take_in(
    receiver: str, arrived: Sequence[Arrived], *, uid_validity: int = 0, last_uid: int = 0
) -> int:
    """Stores what one receiver took in, in one transaction. Returns how many mails were new.

    `uid_validity`, `last_uid`: how far an IMAP folder has been read with these mails.
    """
    now = timezone.now()
    rows = []
    for one in arrived:
        digest = one.digest
        head = json.dumps({"envelope": one.envelope, "event": one.event}).encode()
        raw = one.raw[:MOST_OCTETS]
        rows.append(
            IncomingMail(
                receiver=receiver,
                digest=digest,
                arrived_at=now,
                size=one.size or len(one.raw),
                sealed=sealed_mail.seal_mail(len(head).to_bytes(4, "big") + head + raw, digest),
            )
        )
    with transaction.atomic():
        known = set(
            IncomingMail.objects.filter(digest__in=[row.digest for row in rows]).values_list(
                "digest", flat=True
            )
        )
        new = [row for row in rows if row.digest not in known]
        IncomingMail.objects.bulk_create(new, ignore_conflicts=True)
        found, _made = Receiver.objects.get_or_create(name=receiver)
        changes: dict[str, object] = {"ok_at": now, "trouble": "", "trouble_since": None}
        if new:
            changes |= {"mail_at": now, "mails": F("mails") + len(new)}
        if uid_validity:
            changes |= {"uid_validity": uid_validity, "last_uid": last_uid}
        Receiver.objects.filter(pk=found.pk).update(**changes)
    return len(new)


def note_receiver(receiver: str, trouble: str = "") -> None:
    """Notes that a receiver works, or why it does not."""
    now = timezone.now()
    with transaction.atomic():
        found, _made = Receiver.objects.get_or_create(name=receiver)
        if not trouble:
            Receiver.objects.filter(pk=found.pk).update(ok_at=now, trouble="", trouble_since=None)
        else:
            since = found.trouble_since or now
            Receiver.objects.filter(pk=found.pk).update(
                trouble=without_addresses(trouble), trouble_since=since
            )


def opened(row: IncomingMail) -> Opened | None:
    """Returns what was stored; None once it is deleted."""
    octets = sealed_mail.open_sealed(bytes(row.sealed), row.digest)
    if octets is None:
        return None
    length = int.from_bytes(octets[:4], "big")
    head = json.loads(octets[4 : 4 + length])
    return Opened(octets[4 + length :], head["envelope"], head["event"])


# -- judging ---------------------------------------------------------------------------------------


class Judgement(NamedTuple):
    """One mail, read, and whose it is. Nothing is written yet."""

    row: IncomingMail
    message: Read
    found: Identity


def judge_waiting(most: int = 50, ours: Iterable[str] = ()) -> int:
    """Judges mails that wait, oldest first. Returns how many.

    `ours`: the newsroom's addresses. Reading takes place outside of the transaction, so that it
    holds no lock. Several processes may do so at once.
    """
    waiting = IncomingMail.objects.filter(state=IncomingMail.State.WAITING)
    alerts = identity.Alerts()
    read = [_judged_safely(row, ours, alerts) for row in waiting.order_by("pk")[:most]]
    if not read:
        return 0
    with transaction.atomic():
        still = IncomingMail.objects.select_for_update(skip_locked=True).filter(
            pk__in=[one.row.pk for one in read], state=IncomingMail.State.WAITING
        )
        ours_now = set(still.values_list("pk", flat=True))
        done = [one for one in read if one.row.pk in ours_now]
        for one in done:
            _act_safely(one)
        _write_verdicts([one.row for one in done])
    return len(read)


def _write_verdicts(rows: Sequence[IncomingMail]) -> None:
    """Writes what was judged. Django's bulk_update takes ten times as long."""
    field_columns = {field.name: field.column for field in IncomingMail._meta.concrete_fields}
    columns = ", ".join(f'"{field_columns[name]}" = %s' for name in _VERDICT)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE feedback_incomingmail SET {columns} WHERE id = %s",  # noqa: S608 - constants
            [(*_plain([getattr(row, name) for name in _VERDICT]), row.pk) for row in rows],
        )


def _plain(values: list[Any]) -> list[Any]:
    """Drivers know no enumerations."""
    return [str(value) if isinstance(value, str) else value for value in values]


def _judged_safely(row: IncomingMail, ours: Iterable[str], alerts: identity.Alerts) -> Judgement:
    """Judges one mail. What can't be judged is set aside: it must not hold up those behind it."""
    try:
        return _judge(row, ours, alerts)
    except AnyDatabaseError:
        raise
    except Exception:
        log.exception("incoming mail %d can't be judged", row.pk)
        row.done = "not read"
        return Judgement(row, Read(Kind.OTHER), Identity())


def _act_safely(one: Judgement) -> None:
    one.row.state = IncomingMail.State.JUDGED
    try:
        _fill(one.row, one.message, one.found)
        with transaction.atomic():
            _act(*one)
    except AnyDatabaseError:
        raise
    except Exception:
        log.exception("what follows from incoming mail %d can't be done", one.row.pk)
        one.row.done = "not done"


def _judge(row: IncomingMail, ours: Iterable[str], alerts: identity.Alerts) -> Judgement:
    content = opened(row)
    if content is None:
        return Judgement(row, Read(Kind.OTHER), Identity())
    if content.event is not None:
        return Judgement(row, *_of_event(content.event))
    message = returned_mail.read(content.raw, {one.lower() for one in ours})
    found = identity.identify(content.envelope, content.raw, message, alerts)
    if content.envelope.lower().startswith(LEAVE) and message.kind in (Kind.REPLY, Kind.OTHER):
        message = message._replace(kind=Kind.LEAVE)
    return Judgement(row, message, found)


def _of_event(event: dict[str, object]) -> tuple[Read, Identity]:
    """What a provider's signed webhook tells. Its address is believed: we mailed by it."""
    message = Read(
        Kind(str(event["kind"])),
        Reason(str(event.get("reason", ""))),
        bool(event.get("sure")),
        recipient=str(event.get("recipient", "")),
        status=str(event.get("status", "")),
        text=str(event.get("text", "")),
        reporter=str(event.get("provider", "")),
    )
    tokens = event.get("tokens")
    for token in tokens if isinstance(tokens, list) else []:
        found = identity.of_token(str(token))
        if found is not None:
            return message, found._replace(known_by=KnownBy.PROVIDER)
    found = identity.by_address(message.recipient)
    return message, found._replace(known_by=KnownBy.PROVIDER) if found.reader else found


def _fill(row: IncomingMail, message: Read, found: Identity) -> None:
    row.kind, row.reason, row.sure = message.kind, message.reason, message.sure
    row.known_by = found.known_by
    row.reader = found.reader.pk if found.reader else None
    row.alert = found.alert.pk if found.alert else None
    row.domain = (
        found.reader.domain if found.reader else message.recipient.rpartition("@")[2].lower()
    )
    row.domain = row.domain[:255]
    row.status, row.code = message.status[:12], message.code
    row.text = without_addresses(message.text)
    row.reporter = without_addresses(message.reporter)
    row.asks_to_leave = message.asks_to_leave


def _act(row: IncomingMail, message: Read, found: Identity) -> None:
    """Does what follows from a mail. Only what is proved by a token has consequences."""
    # Anybody can write a mail that names an address. So without a token it only waits at the desk.
    if not found.proved or found.reader is None:
        row.asks_to_leave |= message.kind in (Kind.COMPLAINT, Kind.LEAVE)
        return
    if message.kind is Kind.BOUNCE and message.reason in _COUNTS and not found.elsewhere:
        row.counting = Counting.DUE
    # The type opt-out is a wish to unsubscribe, and no complaint.
    elif message.kind is Kind.COMPLAINT and message.feedback == "opt-out":
        leave_by_mail(found, Consent.How.MAIL)
        row.done = "left"
    elif message.kind is Kind.COMPLAINT:
        complain(found)
        row.done = "complained"
    elif message.kind is Kind.LEAVE:
        leave_by_mail(found, Consent.How.MAIL)
        row.done = "left"


def complain(found: Identity) -> None:
    """Unsubscribes a reader who complained from everything, and suppresses the address."""
    if found.reader is None:
        return
    leave_all(found.reader, Consent.How.COMPLAINT)
    suppressing.suppress_readers([found.reader.pk], Suppression.Reason.COMPLAINED)
    record(None, "complaint", alert=found.alert, reader=found.reader.pk)


def leave_by_mail(found: Identity, how: str) -> None:
    """Unsubscribes from what the mail was about: its topic, offers, drills; a letter: all."""
    reader, alert = found.reader, found.alert
    if reader is None:
        return
    if alert is None:
        leave_all(reader, how)
    elif alert.update.story.drill:
        drills.remove_reader(reader.pk)
    elif alert.topic is None:
        withdrawal.withdraw_consent(reader, Purpose.OFFERS, how=how)
    else:
        withdrawal.withdraw_consent(reader, Purpose.ALERTS, how=how, topic=alert.topic)


def leave_all(reader: Reader, how: str) -> None:
    """Unsubscribes from all topics and from offers."""
    topics = Topic.objects.filter(subscriptions__reader=reader, subscriptions__state__in=_OPEN)
    for topic in topics:
        withdrawal.withdraw_consent(reader, Purpose.ALERTS, how=how, topic=topic)
    withdrawal.withdraw_consent(reader, Purpose.OFFERS, how=how)


# -- at the desk -----------------------------------------------------------------------------------


def answer_reply(row: IncomingMail, editor: Editor, *, unsubscribe: bool) -> bool:
    """Marks a reply as dealt with, and unsubscribes its reader if an editor says so.

    Returns False if there is no reader to unsubscribe.
    """
    with transaction.atomic():
        reader = Reader.objects.filter(pk=row.reader or 0).first() if unsubscribe else None
        if unsubscribe and reader is None:
            return False
        if reader is not None:
            leave_all(reader, Consent.How.DESK)
            record(editor, "withdraw consent", reader=reader.pk, by="reply")
        IncomingMail.objects.filter(pk=row.pk).update(
            answered_at=timezone.now(),
            answered_by=editor,
            done="left" if reader is not None else row.done,
        )
    return True


def note_forwarded(row: IncomingMail) -> None:
    """Notes that a reply is forwarded. It stays at the desk."""
    # Not over what was done with it meanwhile.
    IncomingMail.objects.filter(pk=row.pk, done="").update(done="forwarded")


def correct(row: IncomingMail, editor: Editor, what: str) -> None:
    """Notes what a mail really is, as an administrator says. It changes no reader.

    `what`: a kind, or a kind and a reason: "bounce full". A bounce that is not counted yet no
    longer counts.
    """
    with transaction.atomic():
        IncomingMail.objects.filter(pk=row.pk).update(corrected_to=what[:20])
        IncomingMail.objects.filter(pk=row.pk, counting__in=(Counting.DUE, Counting.HELD)).update(
            counting=Counting.DISMISSED
        )
        record(editor, "correct a judgement", kind=row.kind, reason=row.reason, by=what[:20])


def exported(row: IncomingMail, editor: Editor) -> bytes | None:
    """Returns a mail without addresses, and notes who took it.

    None if it is not kept any more, or if a person wrote it.
    """
    content = opened(row)
    # What a person wrote leaves the service by nobody's hand but a reply's forwarding.
    if content is None or row.kind in (Kind.REPLY, Kind.LEAVE, Kind.AUTOMATIC):
        return None
    with transaction.atomic():
        record(editor, "export a mail that came back", kind=row.kind, reason=row.reason)
    message = json.dumps(content.event, indent=1).encode() if content.event else content.raw
    return without_all_addresses(message)
