"""Exports all data stored about one reader, for the JSON file (GDPR Art. 15 and 20)."""

from __future__ import annotations

from typing import Any

from morefollows.audience.consent.declaration import declaration
from morefollows.audience.models import DrillReader, Letter, Reader, Subscription
from morefollows.audience.preferences.actions import PreferenceChoice
from morefollows.courier.ledger import history
from morefollows.stories.first_headline import first_headline
from morefollows.stories.models import StoryPreference


def own_data(reader: Reader) -> dict[str, Any]:
    """Returns the data as plain values: consent, preferences, letters, stories and alerts."""
    declared = declaration(reader)
    return {
        "address": reader.address,
        "language": reader.language,
        "state": reader.state,
        "signed_up_at": reader.created_at,
        "confirmed_at": reader.confirmed_at,
        "topics": [
            {"topic": one.topic.name, "state": one.state, "since": one.since}
            for one in Subscription.objects.filter(reader=reader)
            .select_related("topic")
            .order_by("topic__position")
        ],
        "offers": reader.offers,
        "drills": DrillReader.objects.filter(reader=reader)
        .values("added_at", "confirmed_at")
        .first(),
        "terms": {
            **{name: getattr(reader, name) for name in PreferenceChoice._fields},
            "paused_until": reader.paused_until,
        },
        "consent": [
            {
                "purpose": part.purpose,
                "topic": part.topic.name if part.topic else None,
                "in_force": part.in_force,
                "lines": [line._asdict() for line in part.lines],
            }
            for part in declared.parts
        ],
        "letters": list(
            Letter.objects.filter(reader=reader)
            .order_by("pk")
            .values("kind", "state", "created_at", "attempts")
        ),
        "stories": [
            {"story": one["headline"], "choice": one["choice"], "at": one["at"]}
            for one in story_choices(reader)
        ],
        "alerts": history.of_reader(reader.pk),
    }


def story_choices(reader: Reader) -> list[dict[str, Any]]:
    """Returns the stories that the reader follows or has muted, also for the page.

    The headline is the one that was mailed, as a newer one may be a draft or on hold.
    """
    story_preferences = (
        StoryPreference.objects.filter(reader=reader)
        .select_related("story")
        .order_by("choice", "-at")
    )
    return [
        {
            "story": one.story,
            "headline": first_headline(one.story),
            "choice": one.choice,
            "at": one.at,
        }
        for one in story_preferences
    ]
