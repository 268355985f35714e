"""Setting up who publishes, and what readers can sign up to; each action is one transaction."""

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
    """Sets up the newsroom, or changes it. The first topic comes along.

    Raises `ValidationError` with the errors by field, and `addresses.BadAddress` for the sender's address.

    The standard privacy notice then gets a new version; one in the newsroom's own words is left to whoever wrote it.
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
        # What `addresses` takes may be more than the field's own check knows.
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
    """A topic more that readers can sign up to, after those there are. Raises `ValidationError`."""
    with transaction.atomic():
        last = Topic.objects.aggregate(last=Max("position", default=-1))["last"]
        topic = Topic(slug=slug, name=name, description=description, position=last + 1)
        topic.full_clean()
        topic.save()
    return topic


def ensure_sample() -> Newsroom:
    """The Harbour Herald, a newsroom that does not exist, unless there is a newsroom already."""
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
