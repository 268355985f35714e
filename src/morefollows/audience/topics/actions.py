"""Changes the topics that readers can sign up to. Each action is one audited transaction."""

from __future__ import annotations

import hashlib
import hmac
import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, Model, QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext as _

from morefollows.audience.models import Subscription, Topic
from morefollows.audit.actions import changes, record

_TOKEN = 32  # hexadecimal digits of an invitation link's token


def offered_topics() -> QuerySet[Topic]:
    """Topics that anyone can sign up to, in the newsroom's order."""
    return Topic.objects.filter(access=Topic.Access.OPEN)


def in_use() -> QuerySet[Topic]:
    """Topics that stories can be about: all but retired ones."""
    return Topic.objects.exclude(access=Topic.Access.RETIRED)


def shown_to(reader_id: int) -> QuerySet[Topic]:
    """Topics on a reader's preference page: those offered, and those that the reader has."""
    theirs = Subscription.objects.filter(
        reader=reader_id, state=Subscription.State.ACTIVE
    ).values_list("topic_id", flat=True)
    return Topic.objects.filter(pk__in=theirs) | offered_topics()


def successor(topic: Topic) -> Topic:
    """Returns the topic that this one was merged into, or the topic itself."""
    while topic.merged_into is not None:
        topic = topic.merged_into
    return topic


# -- by invitation -----------------------------------------------------------------------------


def invitation_token(topic: Topic) -> str:
    """Returns the token of the topic's invitation link. It ends with `renew_invitation`."""
    key = settings.MOREFOLLOWS.derived_key("topic-invitations")
    return _mac(key, topic)


def topic_invitation(topic: Topic) -> str:
    """Returns the address to give to those who may sign up."""
    return f"{settings.MOREFOLLOWS.url}/sign-up/{topic.slug}/?invitation={invitation_token(topic)}"


def is_invited(topic: Topic, token: str) -> bool:
    """Whether the token is that of the topic's invitation link."""
    # Links from before a rotation of the secret stay good.
    keys = settings.MOREFOLLOWS.derived_keys("topic-invitations")
    # compare_digest raises for text that is not ASCII, and anybody can make up a token.
    given = token.encode("ascii", "replace")
    return any(hmac.compare_digest(_mac(key, topic).encode(), given) for key in keys)


def _mac(key: bytes, topic: Topic) -> str:
    about = bytes(topic.uid) + topic.invitation_version.to_bytes(4, "big")
    return hmac.digest(key, about, hashlib.sha256).hex()[:_TOKEN]


def renew_invitation(by: Model | None, topic: Topic) -> None:
    """Ends the topic's invitation link, and makes another."""
    with transaction.atomic():
        topic = Topic.objects.select_for_update().get(pk=topic.pk)
        topic.invitation_version += 1
        topic.save(update_fields=["invitation_version"])
        record(by, "make topic link", subject=topic.slug)


# -- changing ----------------------------------------------------------------------------------


def create_topic(
    by: Model | None,
    name: str,
    description: str = "",
    *,
    slug: str = "",
    translations: Mapping[str, tuple[str, str]] | None = None,
    invited: bool = False,
) -> Topic:
    """Adds a topic after the existing ones. Raises `ValidationError`.

    `slug`: its name in web addresses; empty: made of the name. `invited`: only those who have the
    invitation link can sign up.
    """
    with transaction.atomic():
        topic = write_topic(
            slug or free_slug(name),
            name,
            description,
            translations=_as_json(translations or {}),
            **_who_signs_up(invited),
        )
        record(by, "add topic", subject=topic.slug, name=topic.name)
    return topic


def _who_signs_up(invited: bool) -> dict[str, Any]:
    access = Topic.Access.INVITED if invited else Topic.Access.OPEN
    # `private` stays when the topic is retired: its stories stay private, and it can be brought
    # back as it was.
    return {"access": access, "private": invited}


def write_topic(slug: str, name: str, description: str, **fields: Any) -> Topic:
    """Writes a topic after the existing ones, without an entry in the activity log."""
    last = Topic.objects.aggregate(last=Max("position", default=-1))["last"]
    topic = Topic(
        slug=slug,
        name=name.strip(),
        description=description.strip(),
        position=last + 1,
        **fields,
    )
    topic.full_clean()
    topic.save()
    return topic


def change_topic(
    by: Model | None,
    topic: Topic,
    *,
    name: str | None = None,
    description: str | None = None,
    translations: Mapping[str, tuple[str, str]] | None = None,
    invited: bool | None = None,
) -> Topic:
    """Changes what is given. Raises `ValidationError`. The name in web addresses stays."""
    with transaction.atomic():
        topic = Topic.objects.select_for_update().get(pk=topic.pk)
        before = _facts(topic)
        if name is not None:
            topic.name = name.strip()
        if description is not None:
            topic.description = description.strip()
        if translations is not None:
            topic.translations = _as_json({**topic.translated(), **translations})
        if invited is not None and topic.access != Topic.Access.RETIRED:
            vars(topic).update(_who_signs_up(invited))
        topic.full_clean()
        topic.save()
        if changed := changes(before, _facts(topic)):
            record(by, "change topic", subject=topic.slug, changed=changed)
    return topic


def order_topics(by: Model | None, slugs: Sequence[str]) -> None:
    """Puts these topics first, in this order; the others follow as they were."""
    with transaction.atomic():
        topics = list(Topic.objects.select_for_update())
        before = [topic.slug for topic in topics]
        place = {slug: number for number, slug in enumerate(slugs)}
        topics.sort(key=lambda topic: place.get(topic.slug, len(place)))
        for number, topic in enumerate(topics):
            Topic.objects.filter(pk=topic.pk).update(position=number)
        after = [topic.slug for topic in topics]
        if before != after:
            changed = changes({"order": ", ".join(before)}, {"order": ", ".join(after)})
            record(by, "order topics", changed=changed)


def move_topic(by: Model | None, topic: Topic, places: int) -> None:
    """Moves a topic up (-1) or down (1) by one place."""
    with transaction.atomic():
        slugs = list(Topic.objects.select_for_update().values_list("slug", flat=True))
        at = slugs.index(topic.slug)
        to = min(max(at + places, 0), len(slugs) - 1)
        slugs.insert(to, slugs.pop(at))
        order_topics(by, slugs)


def retire_topic(by: Model | None, topic: Topic) -> None:
    """Ends sign-ups and new stories. The readers' consents and subscriptions stay as they are.

    Raises `ValidationError` for the last topic in use.
    """
    with transaction.atomic():
        topic = Topic.objects.select_for_update().get(pk=topic.pk)
        if topic.access == Topic.Access.RETIRED:
            return
        # Without a topic in use no story could be written.
        refuse_last(topic)
        topic.access = Topic.Access.RETIRED
        topic.save(update_fields=["access"])
        record(by, "retire topic", subject=topic.slug, readers=active_readers(topic))


def bring_topic_back(by: Model | None, topic: Topic) -> None:
    """Ends `retire_topic`: who can sign up is as before.

    Raises `ValidationError` for a topic that was merged into another.
    """
    with transaction.atomic():
        topic = Topic.objects.select_for_update().get(pk=topic.pk)
        if topic.access != Topic.Access.RETIRED:
            return
        if topic.merged_into_id is not None:
            raise ValidationError(_("This topic was merged into another; it stays retired."))
        topic.access = Topic.Access.INVITED if topic.private else Topic.Access.OPEN
        topic.save(update_fields=["access"])
        record(by, "bring topic back", subject=topic.slug)


def refuse_last(topic: Topic) -> None:
    """Raises `ValidationError` if no other topic is in use."""
    if not in_use().exclude(pk=topic.pk).exists():
        raise ValidationError(_("This is the only topic in use. Add another one first."))


def active_readers(topic: Topic) -> int:
    """How many readers are signed up to it."""
    return Subscription.objects.filter(topic=topic, state=Subscription.State.ACTIVE).count()


def plain_slug(name: str) -> str:
    """Returns the name that a topic has in web addresses unless another has it already."""
    # NFKD parts accents from their letters, and encode() drops them. It leaves ß as it is.
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    return slugify(plain.encode("ascii", "ignore").decode())[:40] or "topic"


def free_slug(name: str) -> str:
    """Returns a name for web addresses that no topic has: `plain_slug`, or with a number."""
    base = plain_slug(name)
    taken = set(Topic.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(
        one
        for one in (base, *(f"{base}-{number}" for number in range(2, 1000)))
        if one not in taken
    )


def _as_json(translations: Mapping[str, tuple[str, str]]) -> str:
    kept = {
        language: {"name": name.strip(), "description": description.strip()}
        for language, (name, description) in translations.items()
        if name.strip() or description.strip()
    }
    return json.dumps(kept, ensure_ascii=False, sort_keys=True)


def _facts(topic: Topic) -> dict[str, str]:
    facts = {"name": topic.name, "description": topic.description, "access": topic.access}
    for language, (name, description) in topic.translated().items():
        facts |= {f"name {language}": name, f"description {language}": description}
    return facts
