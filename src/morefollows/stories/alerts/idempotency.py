"""Idempotency of sending: a command that is run twice must not mail the same alert twice.

Invariant: callers hold the lock of `one_at_a_time` while they check and send.
"""

from __future__ import annotations

import re
import unicodedata

from django.utils import timezone

from morefollows.audience.models import Newsroom, Topic
from morefollows.stories.drafts.similar_alerts import WITHIN
from morefollows.stories.models import Alert

KEY_LIMIT = 200  #: characters of an idempotency key

_LETTERS = re.compile(r"[^\W_]+")


def one_at_a_time() -> None:
    """Locks out other callers until the end of this transaction, by the newsroom's row.

    Without it, two callers could both find no earlier alert, and both send.
    """
    Newsroom.objects.select_for_update(no_key=True).filter(pk=1).first()


def sent_with(key: str) -> Alert | None:
    """The alert that was sent with this idempotency key, at any time."""
    return Alert.objects.select_related("update", "topic").filter(idempotency_key=key).first()


def sent_before(headline: str, topic: Topic) -> Alert | None:
    """The newest alert of the last 24 hours to this topic whose headline has the same words.

    Leaves out drills, and alerts that were taken back, because nobody was mailed.
    """
    recent = (
        Alert.objects.filter(
            frozen_at__gte=timezone.now() - WITHIN, topic=topic, update__story__drill=False
        )
        .exclude(state=Alert.State.TAKEN_BACK)
        .select_related("update", "topic")
        .order_by("-pk")
    )
    wanted = comparable_words(headline)
    return next(
        (alert for alert in recent if comparable_words(alert.update.headline) == wanted), None
    )


def comparable_words(text: str) -> list[str]:
    """The words of `text`, casefolded, without accents and punctuation.

    The stripped text itself if it has no words.
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    return _LETTERS.findall("".join(c for c in plain if not unicodedata.combining(c))) or [
        text.strip()
    ]
