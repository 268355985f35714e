"""The consent history of one reader: all evidence, by purpose (GDPR Art. 7(1))."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import NamedTuple

from django.utils.translation import gettext as _

from morefollows.audience import addresses
from morefollows.audience.models import Consent, Reader, Subscription, Suppression, Topic, Wording


class EvidenceLine(NamedTuple):
    """One line of evidence. Unknown texts are empty, unknown numbers None."""

    event: str  #: `Consent.Event`
    how: str  #: `Consent.How`
    at: datetime
    words: str  #: the exact words shown, or the source of an import
    language: str
    version: int | None
    #: SHA-256 of the wording, in hexadecimal; {topic} in it is not replaced.
    digest: str
    privacy_version: int | None
    privacy_digest: str
    page: str
    form_version: str
    client_address: str

    @property
    def event_name(self) -> str:
        return str(Consent.Event(self.event).label)

    @property
    def how_name(self) -> str:
        return str(Consent.How(self.how).label)


class Part(NamedTuple):
    """The evidence for one purpose. Alerts have one part for each topic."""

    purpose: str  #: `models.Purpose`
    topic: Topic | None  #: None for offers
    in_force: bool  #: whether mail for this purpose may be sent now
    lines: tuple[EvidenceLine, ...]  #: oldest first

    @property
    def title(self) -> str:
        return _("Offers") if self.topic is None else _("Alerts: %(topic)s") % {"topic": self.topic}


class Declaration(NamedTuple):
    """The result of `declaration`."""

    reader: Reader
    suppression: Suppression | None
    parts: tuple[Part, ...]
    notices: tuple[Wording, ...]  #: the privacy notices that these lines refer to


class AddressMatch(NamedTuple):
    """The result of a search for an address: a reader, a suppression, both or neither."""

    reader: Reader | None
    suppression: Suppression | None


def find(address: str) -> AddressMatch:
    """Finds the reader and the suppression of this address. Raises `addresses.BadAddress`."""
    key = addresses.parse(address).key
    return AddressMatch(
        Reader.objects.filter(key=key).first(), Suppression.objects.filter(key=key).first()
    )


def declaration(reader: Reader) -> Declaration:
    """Returns all evidence of a reader, in the order of the topics, offers last."""
    suppression = Suppression.objects.filter(key=reader.key).first()
    active = set(
        Subscription.objects.filter(reader=reader, state=Subscription.State.ACTIVE).values_list(
            "topic_id", flat=True
        )
    )
    may_be_mailed = suppression is None and reader.state == Reader.State.CONFIRMED
    found: dict[tuple[str, Topic | None], list[EvidenceLine]] = {}
    notices: dict[int, Wording] = {}
    wording = cache(_wording)
    for consent in Consent.objects.filter(reader=reader).select_related("topic").order_by("pk"):
        words = wording(consent.purpose, consent.language, consent.version)
        notice = wording(Wording.Kind.PRIVACY, consent.language, consent.privacy_version)
        if notice is not None:
            notices[notice.pk] = notice
        found.setdefault((consent.purpose, consent.topic), []).append(_line(consent, words, notice))
    parts = [
        Part(
            purpose,
            topic,
            may_be_mailed and (topic.pk in active if topic is not None else reader.offers),
            tuple(lines),
        )
        for (purpose, topic), lines in sorted(found.items(), key=lambda item: _order(item[0][1]))
    ]
    return Declaration(reader, suppression, tuple(parts), tuple(notices.values()))


def _order(topic: Topic | None) -> tuple[bool, int, str]:
    return (topic is None, topic.position if topic else 0, topic.name if topic else "")


def _wording(kind: str, language: str, version: int | None) -> Wording | None:
    """Returns this version of a wording, in `language` if there is one, else in another."""
    versions = (
        list(Wording.objects.filter(kind=kind, version=version).order_by("pk"))
        if version is not None
        else []
    )
    return next(
        (one for one in versions if one.language == language), versions[0] if versions else None
    )


def _line(consent: Consent, words: Wording | None, notice: Wording | None) -> EvidenceLine:
    return EvidenceLine(
        consent.event,
        consent.how,
        consent.at,
        consent.words,
        consent.language,
        consent.version,
        words.digest if words else "",
        consent.privacy_version,
        notice.digest if notice else "",
        consent.page,
        consent.form_version,
        consent.client_address,
    )
