"""Duplicate detection: finds an alert of the last 24 hours that a draft resembles.

Two editors may write the same news at once; the desk warns before it is sent twice, and a rule that
sends alone leaves the draft to an editor. Commands and the API are refused for the same words only:
see `alerts.same_headline`.

Headline and standfirst are casefolded, and accents and stop words (English and German) removed.
Each word, with a space on either side, is split into trigrams. So "resigns" and "resigned" share
most of them. The resemblance is the Jaccard index of the two sets of trigrams, from 0 to 1. It is
computed for the headlines alone and with the standfirsts; the higher value counts.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from django.utils import timezone

from morefollows.stories.alerts.same_headline import WITHIN
from morefollows.stories.models import Alert, Story

#: The desk warns from this score. tests/desk/test_similar_alerts.py counts misses and false alarms.
THRESHOLD = 0.3

_WORDS = re.compile(r"[^\W_]+")
_STOP_WORDS = frozenset(
    _WORDS.findall(
        "a after again and are as at be been before but by for from had has have he her his in into"
        " is it its more new no not of off on or out over says she that the their they this to up"
        " was were will with aber als am an auch auf aus bei beim das dem den der des die ein eine"
        " einem einen einer es fur hat haben ihr im in ist kein keine mehr mit nach nicht noch oder"
        " sein sich sie sind uber um und vom von vor war weiter werden wie wird zu zum zur"
    )
)


class Resembling(NamedTuple):
    """An alert and how much the draft resembles it."""

    alert: Alert  #: with what the desk shows of it; the rest is read when it is asked for
    score: float  #: 0 to 1


def resemblance(
    headline: str, standfirst: str, other_headline: str, other_standfirst: str
) -> float:
    """Returns 0 (nothing in common) to 1 (the same words); 0 if a text has no words."""
    one, other = _pieces(headline), _pieces(other_headline)
    both = _share(one | _pieces(standfirst), other | _pieces(other_standfirst))
    return max(_share(one, other), both)


def _share(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0


def _pieces(text: str) -> set[str]:
    plain = "".join(
        c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c)
    )
    pieces: set[str] = set()
    for word in _WORDS.findall(plain):
        if word not in _STOP_WORDS:
            edged = f" {word} "
            pieces.update(edged[at : at + 3] for at in range(len(edged) - 2))
    return pieces


def most_resembling(story: Story) -> Resembling | None:
    """Returns the alert of another story in the last 24 hours that the draft resembles most.

    None if no score reaches `THRESHOLD`. Drills are compared with drills, offers with offers.
    Alerts that were taken back and updates for the page only are left out: neither was mailed.
    """
    alerts = (
        Alert.objects.filter(
            frozen_at__gte=timezone.now() - WITHIN,
            update__story__drill=story.drill,
            update__story__purpose=story.purpose,
        )
        .exclude(update__story=story.pk)
        .exclude(state=Alert.State.TAKEN_BACK)
        .exclude(audience=Alert.Audience.PAGE)
        .select_related("update")
        .only("uuid", "frozen_at", "update__headline", "update__standfirst")
    )
    found = (
        Resembling(
            alert,
            resemblance(
                story.headline, story.standfirst, alert.update.headline, alert.update.standfirst
            ),
        )
        for alert in alerts
    )
    return max(
        (one for one in found if one.score >= THRESHOLD), key=lambda one: one.score, default=None
    )
