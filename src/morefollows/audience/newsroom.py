"""Sets up the newsroom and its topics. Each action is one transaction."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from morefollows.audience import addresses, placeholders
from morefollows.audience.consent import texts
from morefollows.audience.models import Newsroom, Topic, Wording


def set_up_newsroom(
    name: str = placeholders.DEFAULT_NAME,
    *,
    sender_name: str = "",
    sender_address: str = placeholders.DEFAULT_SENDER,
    postal_address: str = placeholders.DEFAULT_POSTAL,
    language: str = "en",
    time_zone: str = "Europe/London",
) -> Newsroom:
    """Creates or changes the newsroom. Adds a first topic if there is none.

    A default privacy notice gets a new version with the new data; a notice that the newsroom has
    edited is kept. Raises `ValidationError` with the errors by field, and `addresses.BadAddress`
    for the sender's address.
    """
    with transaction.atomic():
        before = Newsroom.objects.filter(pk=1).first()
        newsroom = Newsroom(
            pk=1,
            name=name.strip(),
            sender_name=(sender_name or name).strip(),
            sender_address=addresses.parse_sender(sender_address).text,
            postal_address=postal_address.strip(),
            language=language,
            time_zone=time_zone,
        )
        # `addresses` has validated the address; Django's check would reject some valid ones.
        newsroom.full_clean(exclude=("id", "sender_address"), validate_unique=False)
        newsroom.save()
        for (kind, spoken), text in texts.CONSENTS.items():
            if not Wording.objects.filter(kind=kind, language=spoken).exists():
                texts.publish(kind, spoken, text)
        days = settings.MOREFOLLOWS.confirmation_days, settings.MOREFOLLOWS.client_address_days
        for spoken, _name in settings.LANGUAGES:
            kept = (
                Wording.objects.filter(kind=Wording.Kind.PRIVACY, language=spoken)
                .order_by("-version")
                .first()
            )
            if kept and before and not texts.is_standard_notice(kept.text, before, spoken):
                continue
            texts.publish(
                Wording.Kind.PRIVACY, spoken, texts.privacy_notice(newsroom, spoken, *days)
            )
        if not Topic.objects.exists():
            add_topic("breaking", "Breaking news", "The moment it happens, and what follows.")
    return newsroom


def add_topic(slug: str, name: str, description: str = "") -> Topic:
    """Adds a topic after the existing ones. Raises `ValidationError`."""
    with transaction.atomic():
        last = Topic.objects.aggregate(last=Max("position", default=-1))["last"]
        topic = Topic(slug=slug, name=name, description=description, position=last + 1)
        topic.full_clean()
        topic.save()
    return topic


def ensure_sample() -> Newsroom:
    """Creates the sample newsroom if there is no newsroom. Returns the newsroom."""
    with transaction.atomic():
        newsroom = Newsroom.objects.filter(pk=1).first()
        if newsroom is not None:
            return newsroom
        newsroom = set_up_newsroom(
            placeholders.SAMPLE_NAME,
            sender_address=placeholders.SAMPLE_SENDER,
            postal_address=placeholders.SAMPLE_POSTAL,
        )
        add_topic(
            "politics", "Politics", "Decisions of the city and the country, as they are taken."
        )
        add_topic(
            "weather", "Weather warnings", "Storms and floods, in time to do something about them."
        )
    return newsroom
