"""Lines of the evidence of consent: who agreed to what, and in which words. Written within an action's transaction."""

from __future__ import annotations

from datetime import datetime

from morefollows.audience import wordings
from morefollows.audience.models import Consent, Purpose, Reader, Topic
from morefollows.audience.wordings import InForce


def note_given(
    reader: Reader,
    purpose: str,
    topic: Topic | None,
    shown: InForce,
    now: datetime,
    place: dict[str, str],
    how: str = Consent.How.FORM,
) -> Consent:
    """Only a consent to offers needs no `topic`. `place`: where the form stood, its version, the client's address."""
    line_ = given_line(reader, purpose, topic, shown, now, place, how)
    line_.save()
    return line_


def given_line(
    reader: Reader,
    purpose: str,
    topic: Topic | None,
    shown: InForce,
    now: datetime,
    place: dict[str, str],
    how: str = Consent.How.FORM,
) -> Consent:
    """What `note_given` writes, not yet saved."""
    words = shown.offers if purpose == Purpose.OFFERS else shown.alerts
    return Consent(
        reader=reader,
        purpose=purpose,
        topic=topic if purpose == Purpose.ALERTS else None,
        event=Consent.Event.GIVEN,
        how=how,
        at=now,
        words=wordings.shown(words, topic) if topic else words.text,
        version=words.version,
        privacy_version=shown.privacy.version,
        language=words.language,
        **place,
    )


def note_again(given: Consent, event: str, how: str, now: datetime, client_address: str = "") -> None:
    """A line about the same words as an earlier one."""
    Consent.objects.create(
        reader_id=given.reader_id,
        purpose=given.purpose,
        topic_id=given.topic_id,
        event=event,
        how=how,
        at=now,
        words=given.words,
        version=given.version,
        privacy_version=given.privacy_version,
        language=given.language,
        client_address=client_address,
    )


def note_withdrawn(reader: Reader, purpose: str, topic: Topic | None, how: str, now: datetime) -> None:
    Consent.objects.create(reader=reader, purpose=purpose, topic=topic, event=Consent.Event.WITHDRAWN, how=how, at=now)
