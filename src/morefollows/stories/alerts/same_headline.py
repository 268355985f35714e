"""Whether a topic was sent an alert with the same headline in the last 24 hours.

Programs are refused then: a command or a request to the API that says again what was sent is most
likely a repetition, and nobody looks before it goes out. So only the same words count, and whoever
means it says so (`--again`). Editors and rules that send alone ask `drafts.similar_alerts`, which
also finds other words for the same news, in any topic: an editor is warned and decides, and the
rule leaves the draft to one.

Invariant: callers hold the lock of `idempotency.one_at_a_time` while they check and send.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta

from django.utils import timezone

from morefollows.audience.models import Topic
from morefollows.stories.models import Alert

WITHIN = timedelta(hours=24)
_LETTERS = re.compile(r"[^\W_]+")


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
