"""What the links in our mail are about. Reading one changes nothing: link scanners do it too."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from morefollows.audience.models import (
    Consent,
    DrillReader,
    ErasedReader,
    Letter,
    Purpose,
    Reader,
    Suppression,
    Topic,
)
from morefollows.audience.tokens import ALL_TOPICS, DRILLS, OFFERS, Read, Row, Tokens


class Asked(NamedTuple):
    """What a confirmation link stands for."""

    letter: Letter
    topic: Topic
    offers: bool  #: it is about offers too
    unconfirmed: tuple[
        Consent, ...
    ]  #: the GIVEN lines still to be confirmed; none when the button was pressed before


class Leaving(NamedTuple):
    """What a leave link stands for. The reader or the topic may be gone by now: then there is nothing to end."""

    reader: Reader | None
    topic: Topic | None
    offers: bool = False  #: it is about offers, and no topic
    drills: bool = False  #: it is about drills, and no topic
    everything: bool = False  #: it is about all topics, as a digest is


def tokens() -> Tokens:
    return Tokens.of(settings.MOREFOLLOWS)


def row(of: Topic | Reader | Letter) -> Row:
    """What tokens say of it."""
    return Row(of.pk, of.uid)


def confirmation(token: str) -> Asked | None:
    """None when the link is not ours, too old, or overtaken: the reader has left since, or must not be mailed."""
    letter = _letter(tokens().read_confirm(token), Letter.Kind.CONFIRMATION)
    if letter is None or letter.topic is None:
        return None
    suppression = Suppression.objects.filter(key=letter.reader.key).first()
    if suppression is not None and not (
        suppression.may_come_back and letter.created_at > suppression.at
    ):
        return None
    asked = [_Part.read(letter, purpose) for purpose in (Purpose.ALERTS, Purpose.OFFERS)]
    alerts, offers = asked
    if not alerts.stands:
        return None
    return Asked(
        letter,
        letter.topic,
        offers.stands,
        tuple(part.given for part in asked if part.given and not part.confirmed),
    )


def leaving(token: str) -> Leaving | None:
    """None when the link is not ours. Good for ever."""
    read = tokens().read_leave(token)
    if read is None:
        return None
    reader = Reader.objects.filter(pk=read.row).first()
    topic = None if read.about else Topic.objects.filter(pk=read.other).first()
    known = reader or ErasedReader.objects.filter(pk=read.row).first()
    if not read.proves(known.uid if known else None, topic.uid if topic else None):
        return None
    about = {
        "offers": read.about == OFFERS,
        "drills": read.about == DRILLS,
        "everything": read.about == ALL_TOPICS,
    }
    return Leaving(reader, topic, **about)


def preferences(token: str) -> Reader | None:
    """Whose preference page it is. None when the link is not ours, is older than the reader's address, or erased."""
    read = tokens().read_preferences(token)
    if read is None:
        return None
    reader = Reader.objects.filter(pk=read.row, links_version=read.other).first()
    return reader if read.proves(reader.uid if reader else None) else None


def new_address(token: str) -> Letter | None:
    """The letter to a new address that holds this link. None when it is not ours, too old, or there is a newer one."""
    letter = _letter(tokens().read_new_address(token), Letter.Kind.NEW_ADDRESS)
    if letter is None:
        return None
    newer = Letter.objects.filter(
        kind=Letter.Kind.NEW_ADDRESS, reader=letter.reader, pk__gt=letter.pk
    )
    return None if newer.exists() else letter


def invitation(token: str) -> Letter | None:
    """The letter that asks to take part in drills. None when the link is not ours, too old, or taken back."""
    letter = _letter(tokens().read_invitation(token), Letter.Kind.INVITATION)
    return (
        letter if letter and DrillReader.objects.filter(reader=letter.reader_id).exists() else None
    )


def _letter(read: Read | None, kind: str) -> Letter | None:
    """The letter of this kind that the token was made for, if it is young enough."""
    if read is None:
        return None
    letters = Letter.objects.select_related("reader", "topic").filter(
        kind=kind, created_at__gt=_youngest()
    )
    letter = letters.filter(pk=read.row).first()
    return letter if read.proves(letter.uid if letter else None) else None


def _youngest() -> datetime:
    return timezone.now() - timedelta(days=settings.MOREFOLLOWS.confirmation_days)


class _Part(NamedTuple):
    """One purpose of a letter: the line that it asks to confirm, unless that was withdrawn since."""

    given: Consent | None
    confirmed: bool

    @property
    def stands(self) -> bool:
        return self.given is not None

    @classmethod
    def read(cls, letter: Letter, purpose: str) -> _Part:
        topic = letter.topic_id if purpose == Purpose.ALERTS else None
        lines = Consent.objects.filter(reader=letter.reader_id, purpose=purpose, topic=topic)
        given = lines.filter(event=Consent.Event.GIVEN, at=letter.created_at).last()
        if given is None:
            return cls(None, False)
        since = set(lines.filter(pk__gt=given.pk).values_list("event", flat=True))
        return cls(
            None if Consent.Event.WITHDRAWN in since else given, Consent.Event.CONFIRMED in since
        )
