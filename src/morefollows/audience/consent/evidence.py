"""Writes the evidence of consent, and defines how the database protects it.

Invariant: each line is written in the transaction of the action that it documents. Lines are
append-only, with the exceptions in `PROTECTED`.
"""

from __future__ import annotations

from datetime import datetime

from morefollows.audience.consent import texts
from morefollows.audience.consent.seals import EvidenceTable
from morefollows.audience.consent.texts import InForce
from morefollows.audience.models import Consent, Purpose, Reader, Topic
from morefollows.database.append_only import Protected

# A client address may be shortened to its network, as `networks.shortened` does. It may be emptied
# while the reader has confirmed nothing.
_UNCONFIRMED = """
(NEW.client_address = '' AND
    EXISTS (SELECT 1 FROM audience_reader r WHERE r.id = OLD.reader_id AND r.state = 'pending'))
"""
_SHORTENED_POSTGRES = """
(OLD.client_address ~ '^[0-9a-fA-F:.]+$' AND NEW.client_address = network(set_masklen(
    OLD.client_address::inet, CASE WHEN OLD.client_address LIKE '%:%' THEN 48 ELSE 24 END))::text)
"""
# SQLite has no address functions. So the part before the zeros must be a prefix of the address.
_SHORTENED_SQLITE = """
(instr(OLD.client_address, '/') = 0 AND (
    (NEW.client_address LIKE '_%.0/24' AND instr(OLD.client_address, ':') = 0
        AND instr(NEW.client_address, ':') = 0
        AND length(NEW.client_address) - length(replace(NEW.client_address, '.', '')) = 3
        AND substr(OLD.client_address, 1, length(NEW.client_address) - 4)
            = substr(NEW.client_address, 1, length(NEW.client_address) - 4))
    OR (NEW.client_address LIKE '%::/48' AND instr(OLD.client_address, ':') > 0
        AND length(NEW.client_address) - length(replace(NEW.client_address, ':', '')) <= 4
        AND (OLD.client_address LIKE '::%'
            AND (NEW.client_address = '::/48' OR NEW.client_address LIKE '0:0:%')
            OR substr(OLD.client_address, 1, length(NEW.client_address) - 4)
            = substr(NEW.client_address, 1, length(NEW.client_address) - 4)))))
"""

#: Tables protected by database triggers; see `append_only`.
PROTECTED = (
    Protected("audience_wording"),
    Protected(
        "audience_consent",
        may_change={
            "client_address": {
                "sqlite": f"{_SHORTENED_SQLITE} OR {_UNCONFIRMED}",
                "postgresql": f"{_SHORTENED_POSTGRES} OR {_UNCONFIRMED}",
            }
        },
        deletable="EXISTS (SELECT 1 FROM audience_erasure e WHERE e.reader_id = OLD.reader_id)",
    ),
    Protected("audience_seal"),
)


_CONSENT = (
    "pk",
    "reader_id",
    "purpose",
    "topic_id",
    "event",
    "how",
    "at",
    "words",
    "version",
    "privacy_version",
    "language",
    "page",
    "form_version",
)
_WORDING = ("pk", "kind", "language", "version", "text", "digest", "created_at")
#: Tables in the hash chain; see `seals`.
SEALED = (
    EvidenceTable("audience.Wording", {1: _WORDING}),
    EvidenceTable("audience.Consent", {1: _CONSENT}, subject="reader_id"),
)


def note_given(
    reader: Reader,
    purpose: str,
    topic: Topic | None,
    shown: InForce,
    now: datetime,
    place: dict[str, str],
    how: str = Consent.How.FORM,
) -> Consent:
    """Writes a GIVEN line, and returns it.

    `topic`: optional for offers only. `place`: `page`, `form_version` and `client_address` of the
    `Consent`.
    """
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
    """Returns the line that `note_given` writes, unsaved."""
    words = shown.offers if purpose == Purpose.OFFERS else shown.alerts
    return Consent(
        reader=reader,
        purpose=purpose,
        topic=topic if purpose == Purpose.ALERTS else None,
        event=Consent.Event.GIVEN,
        how=how,
        at=now,
        words=texts.shown_text(words, topic) if topic else words.text,
        version=words.version,
        privacy_version=shown.privacy.version,
        language=words.language,
        **place,
    )


def note_again(
    given: Consent, event: str, how: str, now: datetime, client_address: str = ""
) -> None:
    """Writes a line that refers to the same wordings as `given`. `event`: a `Consent.Event`."""
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


def note_withdrawn(
    reader: Reader, purpose: str, topic: Topic | None, how: str, now: datetime
) -> None:
    """Writes a WITHDRAWN line. `topic`: None for offers. `how`: a `Consent.How`."""
    Consent.objects.create(
        reader=reader, purpose=purpose, topic=topic, event=Consent.Event.WITHDRAWN, how=how, at=now
    )
