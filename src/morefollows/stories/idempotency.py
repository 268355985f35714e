"""So that nothing is mailed twice because a command is run twice: by a person, a timer, a program that tries again."""

from __future__ import annotations

import re
import unicodedata

from django.utils import timezone

from morefollows.audience.models import Newsroom, Topic
from morefollows.stories.drafts.resemblance import WITHIN
from morefollows.stories.models import Alert

KEY_LIMIT = 200  #: characters of an idempotency key

_LETTERS = re.compile(r"[^\W_]+")


def one_at_a_time() -> None:
    """Until the end of this transaction nobody else who calls this goes on: two that look at once would see nothing."""
    Newsroom.objects.select_for_update(no_key=True).filter(pk=1).first()


def sent_with(key: str) -> Alert | None:
    """The alert that was sent with this idempotency key, however long ago."""
    return Alert.objects.select_related("update", "topic").filter(idempotency_key=key).first()


def sent_before(headline: str, topic: Topic) -> Alert | None:
    """The newest alert of the last 24 hours to this topic whose headline has the same words; drills apart.

    Not one that was taken back in its hold: nobody was mailed.
    """
    recent = (
        Alert.objects.filter(
            frozen_at__gte=timezone.now() - WITHIN, topic=topic, update__story__drill=False
        )
        .exclude(state=Alert.State.TAKEN_BACK)
        .select_related("update", "topic")
        .order_by("-pk")
    )
    wanted = words(headline)
    return next((alert for alert in recent if words(alert.update.headline) == wanted), None)


def words(text: str) -> list[str]:
    """Its words without their case, their accents and what stands between them."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return _LETTERS.findall("".join(c for c in plain if not unicodedata.combining(c))) or [
        text.strip()
    ]
