"""The mails that letters become: composed once for many, and filled for one reader each."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from django.conf import settings

from morefollows.audience import links
from morefollows.audience.models import Letter, Topic
from morefollows.audience.tokens import ALL_TOPICS, Row
from morefollows.courier import addressees, dkim, mails, summaries
from morefollows.courier.boundary import Mail, Reply
from morefollows.courier.compose import Composed, Fill, date, press
from morefollows.courier.letters import Job


class _Sheet(NamedTuple):
    """What the mails of many readers have in common."""

    fill: Fill
    return_path: Callable[[bytes], bytes]


class Stationery:
    """One sender's. What was composed is kept for a minute: the newsroom may have changed its name."""

    def __init__(self) -> None:
        self._kept: dict[tuple[object, ...], _Sheet] = {}

    def mail(self, job: Job) -> Mail:
        """The letter as a mail. Its `settle` and `ticket` are its Post's to fill in."""
        recipient, utf8 = addressees.recipient(job.address, job.domain)
        tokens = links.tokens()
        letter, reader = Row(job.letter, job.uid), Row(job.reader, job.reader_uid)
        receipt = tokens.letter_receipt(letter)
        leave = tokens.leave(reader, ALL_TOPICS if job.topic is None else Row(job.topic, job.topic_uid))
        asks = {Letter.Kind.NEW_ADDRESS: tokens.new_address, Letter.Kind.INVITATION: tokens.invitation}
        confirm = asks.get(job.kind, tokens.confirm)(letter)  # type: ignore[call-overload]
        preferences = tokens.preferences(reader, job.links_version)
        sheet = self._sheet(job)
        content = sheet.fill((recipient, leave, receipt, confirm, date(time.time()), preferences, b"", b"", b""))
        return Mail(sheet.return_path(receipt), recipient, content, _unsettled, utf8=utf8)

    def _sheet(self, job: Job) -> _Sheet:
        minute = int(time.monotonic() / 60)
        key = (job.kind, job.topic, job.language, job.offers, job.updates, minute)
        sheet = self._kept.get(key)
        if sheet is None:
            sheet = _Sheet(press(compose(job), dkim.signers(settings.MOREFOLLOWS)), mails.return_paths())
            self._kept = {old: kept for old, kept in self._kept.items() if old[-1] == minute}
            self._kept[key] = sheet
        return sheet


def compose(job: Job) -> Composed:
    """The letter, with holes for what is its reader's."""
    kind, topic, language = job.kind, job.topic, job.language
    if job.updates:
        return summaries.compose(kind, job.updates, language)
    if kind == Letter.Kind.NEW_ADDRESS:
        return mails.new_address(language)
    if kind == Letter.Kind.MOVED:
        return mails.moved(language)
    if kind == Letter.Kind.INVITATION:
        return mails.invitation(language)
    signed_up_to = Topic.objects.get(pk=topic or 0)
    if kind == Letter.Kind.CONFIRMATION:
        return mails.confirmation(signed_up_to, language, job.offers)
    return mails.thanks(signed_up_to, language)


def _unsettled(mail: Mail, reply: Reply) -> None:
    raise AssertionError("a letter's mail is settled by its Post")
