"""Renders claimed letters as mails.

A letter is composed once for each occasion, then filled for each reader.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from django.conf import settings

from morefollows.audience.link_tokens import links
from morefollows.audience.link_tokens.tokens import ALL_TOPICS, TokenRow
from morefollows.courier.channels import MAIL
from morefollows.courier.message import dkim
from morefollows.courier.message.content import return_paths
from morefollows.courier.message.encoding.header_fields import date
from morefollows.courier.message.letters import KINDS, Occasion, letter
from morefollows.courier.message.template import LENGTHS, Fill, Slot, renderer
from morefollows.courier.outbox.letter_claims import ClaimedLetter
from morefollows.courier.relays.interface import Mail, Reply


class _Rendered(NamedTuple):
    """A composed letter, shared by many readers."""

    fill: Fill
    return_path: Callable[[bytes], bytes]


class LetterMails:
    """Renders one sender's letters. Compositions are cached for a minute.

    They are not kept longer, because the newsroom's name and other settings may change.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[Occasion, int], _Rendered] = {}

    def mail(self, job: ClaimedLetter) -> Mail:
        """The letter as a mail. The caller (`queue.LetterQueue`) sets its `settle` and `ticket`."""
        recipient, utf8 = MAIL.envelope(job.address, job.domain)
        tokens = links.link_tokens()
        row, reader = TokenRow(job.letter, job.uid), TokenRow(job.reader, job.reader_uid)
        receipt = tokens.letter_receipt(row)
        leave = tokens.leave(
            reader, ALL_TOPICS if job.topic is None else TokenRow(job.topic, job.topic_uid)
        )
        confirm = KINDS[job.kind].token(tokens, row)
        preferences = tokens.preferences(reader, job.links_version)
        pressed = self._pressed(
            Occasion(
                job.kind, job.language, job.topic, job.offers, job.updates, job.editor, job.about
            )
        )
        # Of an alert that is tested: a link for one reader, which leads nowhere.
        story = b"-" * LENGTHS[Slot.STORY]
        now = date(time.time())
        values = recipient, leave, receipt, confirm, now, preferences, story, b"", b""
        return Mail(
            pressed.return_path(receipt), recipient, pressed.fill(values), _unsettled, utf8=utf8
        )

    def _pressed(self, occasion: Occasion) -> _Rendered:
        """The composition for this occasion, from the cache if it is there."""
        minute = int(time.monotonic() / 60)
        pressed = self._kept.get((occasion, minute))
        if pressed is None:
            pressed = _Rendered(
                renderer(letter(occasion), dkim.signers(settings.MOREFOLLOWS)), return_paths()
            )
            self._kept = {key: kept for key, kept in self._kept.items() if key[1] == minute}
            self._kept[occasion, minute] = pressed
        return pressed


def _unsettled(mail: Mail, reply: Reply) -> None:
    """Stands in `Mail.settle` until the caller sets it."""
    raise AssertionError("a letter's mail is settled by its Post")
