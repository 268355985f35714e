"""Helpers of the audience tests: sign up as Cy, and read the links in the mails."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction

from morefollows.audience.addresses import parse
from morefollows.audience.consent import texts
from morefollows.audience.link_tokens import links
from morefollows.audience.models import Consent, Letter, Reader, Topic
from morefollows.audience.signup import record, site_origins, writer
from morefollows.audience.signup.form_tokens import FormStatement, digest_of
from morefollows.audience.signup.record import SignUp

CY = "cy@reader.example"


def sign_up(
    topic: Topic,
    address: str = CY,
    *,
    offers: bool = False,
    language: str = "en",
    page: str = "https://alerts.herald.example/story/1/",
) -> None:
    """As the writer does, without its limits."""
    write_group([make_sign_up(topic, address, offers=offers, language=language, page=page)])


def make_sign_up(
    topic: Topic,
    address: str = CY,
    *,
    offers: bool = False,
    language: str = "en",
    page: str = "https://alerts.herald.example/story/1/",
) -> SignUp:
    shown = texts.in_force(language)
    digest = digest_of(
        topic.uid, topic.name_in(shown.alerts.language), *(wording.digest for wording in shown)
    )
    statement = FormStatement(topic.pk, *(wording.pk for wording in shown), language, digest)  # type: ignore[call-arg, arg-type]
    own = site_origins.own()
    return SignUp(parse(address), offers, statement, own, page, "1", "192.0.2.7", None)


def write_group(sign_ups: Sequence[SignUp]) -> None:
    """One transaction, as the writer makes it when no limit and no lock stops a sign-up."""
    _sites, forms = writer._look_up_forms(sign_ups)
    with transaction.atomic():
        writer._insert(sign_ups, forms, record.look_up(sign_ups))


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
