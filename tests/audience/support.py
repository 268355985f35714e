"""What the tests of the audience have in common: signing up as Cy does, and the links in the mail that comes."""

from __future__ import annotations

from datetime import timedelta

from morefollows.audience import actions, links
from morefollows.audience.models import Consent, Letter, Reader, Topic

CY = "cy@reader.example"


def sign_up(topic: Topic, address: str = CY, *, offers: bool = False, language: str = "en") -> None:
    actions.sign_up(
        address,
        topic=topic,
        offers=offers,
        language=language,
        page="https://alerts.herald.example/story/1/?utm=spy",
        client_address="192.0.2.7",
    )


def newest_link() -> str:
    """The token in the last confirmation mail."""
    letter = Letter.objects.filter(kind=Letter.Kind.CONFIRMATION).latest("pk")
    return links.link_tokens().confirm(links.row(letter)).decode()


def leave_link(reader: Reader, topic: Topic) -> str:
    return links.link_tokens().leave(links.row(reader), links.row(topic)).decode()


def history(purpose: str = "alerts") -> list[str]:
    """The events of all consent lines of one purpose, oldest first."""
    return list(
        Consent.objects.filter(purpose=purpose).order_by("pk").values_list("event", flat=True)
    )


def age_letters(days: float) -> None:
    """As if all letters had been written and mailed so long ago."""
    for letter in Letter.objects.all():
        letter.created_at -= timedelta(days=days)
        letter.due_at_ms -= int(days * 86_400_000)
        letter.save()
