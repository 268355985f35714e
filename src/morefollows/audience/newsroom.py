"""Sets up the newsroom and its topics. Each action is one transaction."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.db.models import Model

from morefollows.audience import addresses, placeholders
from morefollows.audience.consent import texts
from morefollows.audience.models import Newsroom, Topic, Wording
from morefollows.audience.topics.actions import create_topic, write_topic
from morefollows.audit.actions import changes, record

#: What the activity log says of a newsroom, before and after a change.
LOGGED = (
    "name",
    "sender_name",
    "sender_address",
    "reply_to",
    "postal_address",
    "language",
    "time_zone",
)


def set_up_newsroom(
    name: str = placeholders.DEFAULT_NAME,
    *,
    sender_name: str = "",
    sender_address: str = placeholders.DEFAULT_SENDER,
    postal_address: str = placeholders.DEFAULT_POSTAL,
    language: str = "en",
    time_zone: str = "Europe/London",
    reply_to: str = "",
    by: Model | None = None,
) -> Newsroom:
    """Creates or changes the newsroom. Adds a first topic if there is none. `by`: the editor.

    A default privacy notice gets a new version with the new data; a notice that the newsroom has
    edited is kept. Raises `ValidationError` with the errors by field, and `addresses.BadAddress`
    for the sender's address.
    """
    with transaction.atomic():
        before = Newsroom.objects.filter(pk=1).first()
        newsroom = _write_newsroom(
            before,
            name=name.strip(),
            sender_name=(sender_name or name).strip(),
            sender_address=addresses.parse_sender(sender_address).text,
            postal_address=postal_address.strip(),
            language=language,
            time_zone=time_zone,
            reply_to=addresses.parse_sender(reply_to).text if reply_to.strip() else "",
        )
        _log_change(before, newsroom, by)
    return newsroom


def _write_newsroom(before: Newsroom | None, **fields: str) -> Newsroom:
    """Writes the newsroom, the consent texts that are missing, the notice and a first topic."""
    newsroom = Newsroom(pk=1, **fields)
    # `addresses` has validated the address; Django's check would reject some valid ones.
    newsroom.full_clean(exclude=("id", "sender_address", "reply_to"), validate_unique=False)
    newsroom.save()
    for (kind, spoken), text in texts.CONSENTS.items():
        if not Wording.objects.filter(kind=kind, language=spoken).exists():
            texts.publish(kind, spoken, text)
    days = settings.MOREFOLLOWS.confirmation_days, settings.MOREFOLLOWS.client_address_days
    for spoken in texts.NOTICES:
        kept = (
            Wording.objects.filter(kind=Wording.Kind.PRIVACY, language=spoken)
            .order_by("-version")
            .first()
        )
        if kept and before and not texts.is_standard_notice(kept.text, before, spoken):
            continue
        notice = texts.privacy_notice(newsroom, spoken, *days)
        texts.publish(Wording.Kind.PRIVACY, spoken, notice)
    if not Topic.objects.exists():
        write_topic("breaking", "Breaking news", "The moment it happens, and what follows.")
    return newsroom


def _log_change(before: Newsroom | None, newsroom: Newsroom, by: Model | None) -> None:
    stood = {name: getattr(before, name) for name in LOGGED} if before else {}
    changed = changes(stood, {name: getattr(newsroom, name) for name in LOGGED})
    if changed:
        record(by, "change newsroom", subject=newsroom.name, changed=changed)


def add_topic(slug: str, name: str, description: str = "", by: Model | None = None) -> Topic:
    """Adds a topic after the existing ones. `by`: the editor. Raises `ValidationError`."""
    return create_topic(by, name, description, slug=slug)


def ensure_sample() -> Newsroom:
    """Creates the sample newsroom if there is no newsroom. Returns the newsroom."""
    with transaction.atomic():
        newsroom = Newsroom.objects.filter(pk=1).first()
        if newsroom is not None:
            return newsroom
        newsroom = _write_newsroom(
            None,
            name=placeholders.SAMPLE_NAME,
            sender_name=placeholders.SAMPLE_NAME,
            sender_address=placeholders.SAMPLE_SENDER,
            postal_address=placeholders.SAMPLE_POSTAL,
            language="en",
            time_zone="Europe/London",
        )
        write_topic(
            "politics", "Politics", "Decisions of the city and the country, as they are taken."
        )
        write_topic(
            "weather", "Weather warnings", "Storms and floods, in time to do something about them."
        )
    return newsroom
