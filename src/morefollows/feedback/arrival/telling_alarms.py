"""Reports a missed objective: in the log, to webhooks, and by mail through a relay of its own.

Invariant: an objective has one open alarm at most. Its beginning and its end are each reported
once, and mailed until a relay takes it, for a day.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.audience.models import Newsroom
from morefollows.config.addresses.relay_address import RelayAddress
from morefollows.courier.single_mail import MailNotTaken, send_single
from morefollows.feedback.arrival import burn_rates
from morefollows.feedback.models import ObjectiveAlarm, ObjectiveKind
from morefollows.feedback.signals import objective_changed

log = logging.getLogger(__name__)

_AGAIN = timedelta(minutes=1)
_TRIED_FOR = timedelta(days=1)


def update_alarms() -> None:
    """Opens and ends alarms, as the objectives are met or not."""
    for kind in ObjectiveKind.values:
        found = burn_rates.missed(kind)
        alarm = ObjectiveAlarm.objects.filter(kind=kind, ended_at=None).first()
        if found is not None and alarm is None:
            _begin(kind, found)
        elif found is None and alarm is not None:
            _end(alarm)


def _begin(kind: str, found: burn_rates.Missed) -> None:
    now = timezone.now()
    with transaction.atomic():
        alarm = ObjectiveAlarm.objects.create(
            kind=kind,
            since=now,
            window_seconds=int(found.window.long.total_seconds()),
            burn_rate=round(found.burn_rate, 2),
            good=found.good,
            total=found.total,
            mail_due_at=now if settings.MOREFOLLOWS.alarm_mail else None,
        )
        objective_changed.send(ObjectiveAlarm, alarm=alarm)
    log.error("objective missed: %s", alarm_text(alarm))


def _end(alarm: ObjectiveAlarm) -> None:
    now = timezone.now()
    with transaction.atomic():
        alarm.ended_at = now
        alarm.mail_due_at = now if settings.MOREFOLLOWS.alarm_mail else None
        alarm.tries = 0
        alarm.save()
        objective_changed.send(ObjectiveAlarm, alarm=alarm)
    log.info("objective met again: %s", alarm.kind)


def alarm_text(alarm: ObjectiveAlarm) -> str:
    """What was missed, in one line without markup."""
    hours = alarm.window_seconds // 3600
    if alarm.kind == ObjectiveKind.CANARY:
        sentence = _(
            "In the last %(hours)d h, %(good)d of %(total)d canaries were in the inbox within "
            "%(seconds)g s."
        )
        seconds = settings.MOREFOLLOWS.canary_seconds
    else:
        sentence = _(
            "In the last %(hours)d h, %(good)d of %(total)d mails were accepted within "
            "%(seconds)g s."
        )
        seconds = settings.MOREFOLLOWS.objective_seconds
    counts = {"hours": hours, "good": alarm.good, "total": alarm.total}
    return sentence % {**counts, "seconds": seconds}


def mail_due() -> int:
    """Mails the alarms that are due. Returns how many a relay took."""
    now, number = timezone.now(), 0
    to = settings.MOREFOLLOWS.alarm_mail
    for alarm in ObjectiveAlarm.objects.filter(mail_due_at__lte=now):
        began = alarm.ended_at or alarm.since
        if not to or now - began > _TRIED_FOR:
            ObjectiveAlarm.objects.filter(pk=alarm.pk).update(mail_due_at=None)
            continue
        # Noted before it is sent: a process that dies meanwhile sends it a minute later again.
        ObjectiveAlarm.objects.filter(pk=alarm.pk).update(
            mail_due_at=now + _AGAIN, tries=alarm.tries + 1
        )
        try:
            send_single(relay_for_alarms(), _mail(alarm, to), to)
        except MailNotTaken as error:
            log.error("the alarm can't be mailed: %s", error)
            continue
        ObjectiveAlarm.objects.filter(pk=alarm.pk).update(mail_due_at=None)
        number += 1
    return number


def relay_for_alarms() -> RelayAddress:
    """The relay of the setting, or the last one that alerts use."""
    config = settings.MOREFOLLOWS
    relay: RelayAddress = (config.alarm_relay or config.relays_or_inbox)[-1]
    return relay


def _mail(alarm: ObjectiveAlarm, to: str) -> EmailMessage:
    newsroom = Newsroom.objects.filter(pk=1).first()
    sender = newsroom.sender_address if newsroom else to
    if alarm.ended_at is None:
        subject, text = _("Mail is late"), alarm_text(alarm)
    else:
        subject, text = _("Mail is in time again"), _("The objective is met again.")
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, to
    mail["Subject"] = f"{newsroom}: {subject}" if newsroom else subject
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain=sender.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"
    desk = f"{settings.MOREFOLLOWS.url}/desk/settings/arrival/"
    mail.set_content(f"{text}\n\n{desk}\n", cte="base64")
    return mail
