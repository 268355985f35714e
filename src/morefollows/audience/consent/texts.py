"""The wordings of consent and of the privacy notice: those in force, and publishing new ones.

Invariant: a published wording never changes. A new text is a new version.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone

from morefollows.audience.models import Newsroom, Topic, Wording
from morefollows.config.languages import LANGUAGES


class InForce(NamedTuple):
    """The wordings in a form: consent to alerts, consent to offers, and the privacy notice."""

    alerts: Wording
    offers: Wording
    privacy: Wording


def in_force(language: str) -> InForce:
    """Returns the newest wording of each kind; see `current`."""
    return InForce(
        *(
            current(kind, language)
            for kind in (Wording.Kind.ALERTS, Wording.Kind.OFFERS, Wording.Kind.PRIVACY)
        )
    )


_NUMBER = re.compile(r"\d+")


def current(kind: str, language: str) -> Wording:
    """Returns the newest version in this language, else in the newsroom's, else in any language.

    Raises `Wording.DoesNotExist` if the newsroom is not set up.
    """
    for wanted in _languages(language):
        found = Wording.objects.filter(kind=kind, language=wanted).order_by("-version").first()
        if found:
            return found
    return Wording.objects.filter(kind=kind).latest("version", "pk")


def _languages(language: str) -> Iterator[str]:
    """Yields the languages to look for. Queries the newsroom's only if the others have no text."""
    yield language
    if "-" in language:
        yield language.partition("-")[0]
    newsroom = Newsroom.objects.filter(pk=1).first()
    if newsroom:
        yield newsroom.language


def shown_text(wording: Wording, topic: Topic) -> str:
    """Returns the wording as this topic's form shows it. This text is stored as evidence."""
    return wording.text.replace("{topic}", topic.name_in(wording.language))


def publish(kind: str, language: str, text: str) -> Wording:
    """Adds a version, and returns it. If the newest version has this text, returns that one."""
    with transaction.atomic():
        newest = _newest(kind, language)
        if newest and newest.text == text:
            return newest
        return Wording.objects.create(
            kind=kind,
            language=language,
            version=newest.version + 1 if newest else 1,
            text=text,
            # Forms name the wording that they show by this digest: see
            # `audience.signup.form_tokens`.
            digest=hashlib.sha256(text.encode()).hexdigest(),
            created_at=timezone.now(),
        )


def publish_after(version: int, kind: str, language: str, text: str) -> Wording | None:
    """As `publish`, but returns None if `version` is not the newest: someone else has changed it.

    `version`: the one that the editor has seen; 0 if there was none.
    """
    try:
        with transaction.atomic():
            newest = _newest(kind, language)
            return (
                publish(kind, language, text)
                if version == (newest.version if newest else 0)
                else None
            )
    except IntegrityError:
        return None  # a concurrent transaction added this version


def _newest(kind: str, language: str) -> Wording | None:
    return Wording.objects.filter(kind=kind, language=language).order_by("-version").first()


# The consent texts of a new newsroom. ``{topic}`` stands for the topic's name.
CONSENTS = {
    (Wording.Kind.ALERTS, "en"): (
        "For free real time alerts sent straight to your inbox sign up to our {topic} emails."
    ),
    (Wording.Kind.ALERTS, "de"): (
        "Kostenlose Eilmeldungen in Echtzeit, direkt in Ihr Postfach: "
        "Melden Sie sich für unsere E-Mails „{topic}“ an."
    ),
    (Wording.Kind.ALERTS, "fr"): (
        "Gratuit et en temps réel, directement dans votre boîte de réception : "
        "abonnez-vous à nos e-mails « {topic} »."
    ),
    (Wording.Kind.ALERTS, "es"): (
        "Gratis y al instante, directamente en su buzón: suscríbase a nuestros correos «{topic}»."
    ),
    (Wording.Kind.OFFERS, "fr"): (
        "Je souhaite recevoir par e-mail des offres, des événements et des nouveautés."
    ),
    (Wording.Kind.OFFERS, "es"): (
        "Deseo recibir por correo electrónico ofertas, actos y novedades."
    ),
    (Wording.Kind.OFFERS, "en"): "I would like to be emailed about offers, events and updates.",
    (Wording.Kind.OFFERS, "de"): (
        "Ich möchte per E-Mail über Angebote, Veranstaltungen und Neuigkeiten informiert werden."
    ),
}


#: Languages that a new newsroom has a privacy notice in: those of `privacy.*.md`.
NOTICES = tuple(
    code for code in LANGUAGES if Path(__file__).with_name(f"privacy.{code}.md").exists()
)


def is_standard_notice(text: str, newsroom: Newsroom, language: str) -> bool:
    """Returns whether `text` is the default privacy notice, ignoring the numbers in it."""
    # The numbers are those of settings, which may have changed since the notice was made.
    return _NUMBER.sub("", text) == _NUMBER.sub("", privacy_notice(newsroom, language, 0, 0))


def privacy_notice(
    newsroom: Newsroom, language: str, confirmation_days: int, client_address_days: int
) -> str:
    """Returns the default privacy notice, in Markdown (GDPR Art. 13). `language`: one of
    `NOTICES`.

    `confirmation_days`: after these, unconfirmed addresses are deleted. `client_address_days`:
    after these, client addresses are shortened.
    """
    text = Path(__file__).with_name(f"privacy.{language}.md").read_text(encoding="utf-8")
    return text.format(
        name=newsroom.name,
        postal=newsroom.postal_address,
        address=newsroom.sender_address,
        days=confirmation_days,
        client_address_days=client_address_days,
    )
