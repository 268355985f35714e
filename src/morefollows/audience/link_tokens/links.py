"""Resolves the tokens in mailed links to the rows that they name.

Invariant: reading a link changes nothing, as link scanners follow links, too.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from morefollows.audience.link_tokens.tokens import (
    ALL_TOPICS,
    DRILLS,
    OFFERS,
    ReadToken,
    TokenRow,
    Tokens,
)
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
from morefollows.audience.suppression.may_sign_up_again import may_sign_up_again


class ConfirmationSubject(NamedTuple):
    """The subject of a confirmation link."""

    letter: Letter
    topic: Topic
    offers: bool  #: the link also confirms the consent to offers
    unconfirmed: tuple[Consent, ...]  #: the GIVEN lines to confirm; empty if already confirmed


class UnsubscribeSubject(NamedTuple):
    """The subject of an unsubscribe link. `reader` or `topic` is None if it was deleted since."""

    reader: Reader | None
    topic: Topic | None
    offers: bool = False  #: from offers; `topic` is None
    drills: bool = False  #: from drills; `topic` is None
    everything: bool = False  #: from all topics, as in a digest; `topic` is None


def link_tokens() -> Tokens:
    """Returns the `Tokens` of this installation's keys."""
    return Tokens.of(settings.MOREFOLLOWS)


def row(of: Topic | Reader | Letter) -> TokenRow:
    """Returns the row as tokens name it."""
    return TokenRow(of.pk, of.uid)


def confirmation(token: str) -> ConfirmationSubject | None:
    """Resolves a confirmation link. Returns None if the link is invalid or expired.

    Also None if the reader has since unsubscribed or been suppressed.
    """
    letter = _letter(link_tokens().read_confirm(token), Letter.Kind.CONFIRMATION)
    if letter is None or letter.topic is None:
        return None
    # A suppression that is younger than the letter ends the link, and one that is no bounce always
    # does. Signing up again makes a new letter.
    suppression = Suppression.objects.filter(key=letter.reader.key).first()
    if suppression is not None and not (
        may_sign_up_again(suppression) and letter.created_at > suppression.at
    ):
        return None
    asked = [_Part.read(letter, purpose) for purpose in (Purpose.ALERTS, Purpose.OFFERS)]
    alerts, offers = asked
    if not alerts.stands:
        return None
    return ConfirmationSubject(
        letter,
        letter.topic,
        offers.stands,
        tuple(part.given for part in asked if part.given and not part.confirmed),
    )


def leaving(token: str) -> UnsubscribeSubject | None:
    """Resolves an unsubscribe link. Returns None if it is invalid. Such links never expire."""
    read = link_tokens().read_leave(token)
    if read is None:
        return None
    reader = Reader.objects.filter(pk=read.row).first()
    topic = None if read.about else Topic.objects.filter(pk=read.other).first()
    # The link of an erased reader is proved, too: it must answer that there is nothing more to
    # leave.
    known = reader or ErasedReader.objects.filter(pk=read.row).first()
    if not read.proves(known.uid if known else None, topic.uid if topic else None):
        return None
    about = {
        "offers": read.about == OFFERS,
        "drills": read.about == DRILLS,
        "everything": read.about == ALL_TOPICS,
    }
    return UnsubscribeSubject(reader, topic, **about)


def preferences(token: str) -> Reader | None:
    """Returns the reader of a preference link. Returns None if the link is invalid.

    Also None if the reader has changed the address or been erased since.
    """
    read = link_tokens().read_preferences(token)
    if read is None:
        return None
    # A change of address raises the version, and so ends the links in mail to the old address.
    reader = Reader.objects.filter(pk=read.row, links_version=read.other).first()
    return reader if read.proves(reader.uid if reader else None) else None


def new_address(token: str) -> Letter | None:
    """Returns the letter that contains this link to confirm a new address.

    Returns None if the link is invalid or expired, or if there is a newer letter of this kind.
    """
    letter = _letter(link_tokens().read_new_address(token), Letter.Kind.NEW_ADDRESS)
    if letter is None:
        return None
    newer = Letter.objects.filter(
        kind=Letter.Kind.NEW_ADDRESS, reader=letter.reader, pk__gt=letter.pk
    )
    return None if newer.exists() else letter


def invitation(token: str) -> Letter | None:
    """Returns the invitation to drills that contains this link.

    Returns None if the link is invalid or expired, or if the invitation was withdrawn.
    """
    letter = _letter(link_tokens().read_invitation(token), Letter.Kind.INVITATION)
    return (
        letter if letter and DrillReader.objects.filter(reader=letter.reader_id).exists() else None
    )


def _letter(read: ReadToken | None, kind: str) -> Letter | None:
    """Returns the letter of this kind that the token was made for. None if invalid or expired."""
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
    """One purpose of a letter: the line to confirm, None if it was withdrawn since."""

    given: Consent | None
    confirmed: bool

    @property
    def stands(self) -> bool:
        return self.given is not None

    @classmethod
    def read(cls, letter: Letter, purpose: str) -> _Part:
        topic = letter.topic_id if purpose == Purpose.ALERTS else None
        lines = Consent.objects.filter(reader=letter.reader_id, purpose=purpose, topic=topic)
        # Letter and line are written in one transaction, with one time. That ties them to each
        # other.
        given = lines.filter(event=Consent.Event.GIVEN, at=letter.created_at).last()
        if given is None:
            return cls(None, False)
        since = set(lines.filter(pk__gt=given.pk).values_list("event", flat=True))
        return cls(
            None if Consent.Event.WITHDRAWN in since else given, Consent.Event.CONFIRMED in since
        )
