"""Builds the events of the streams from the database.

Invariant: this runs in the hub's thread only, never in the event loop.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db.models import Count, Max, Q

from morefollows.live import published, rendering
from morefollows.live.stream import missed_events
from morefollows.live.stream.missed_events import Frame, StoryEvents
from morefollows.stories.models import Story, Update

log = logging.getLogger(__name__)

_AT_HAND = 50  # updates of a story; a reader who missed more loads the page again
_AT_ONCE = 500  # stories in one query


class EventJournal:
    """The `read` of `hub.Hub`. Caches frames, because a published update never changes."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, str], Frame] = {}
        self._failed: dict[
            UUID, str
        ] = {}  # story → its mark at the last failure, to log each failure once

    def read(self, marks: Mapping[UUID, str]) -> dict[UUID, StoryEvents | None]:
        """See `hub.Read`."""
        found = _marks(marks)
        changed = [story for story, mark in found.items() if mark != marks[story]]
        events: dict[UUID, StoryEvents | None] = {
            story: None for story in marks if story not in found
        }
        for story in published.with_updates(drills=True).filter(uuid__in=changed):
            mark = found[story.uuid]
            try:
                events[story.uuid] = self._events_of(story, mark)
            except AnyDatabaseError:
                raise
            except Exception:  # in one story; the others must still get their events
                if self._failed.get(story.uuid) != mark:
                    log.exception("event streams: story %s can't be made into events", story.uuid)
                self._failed[story.uuid] = mark
        return events

    def _events_of(self, story: Story, mark: str) -> StoryEvents:
        updates = list(reversed(published.updates(story)))
        ids = [
            missed_events.update_id(update.number or 0, rank, update.uid)
            for rank, update in enumerate(updates, 1)
        ]
        end = None
        if not published.is_open(story):
            withdrawn = published.is_withdrawn(story)
            end = _end(
                missed_events.end_id(ids[-1], withdrawn=withdrawn), story, withdrawn=withdrawn
            )
            if withdrawn:
                return StoryEvents(mark, ids[-1], (), end)
        before = [missed_events.NOTHING, *ids][max(0, len(ids) - _AT_HAND)]
        triples = list(zip(ids, updates, [None, *updates], strict=False))[-_AT_HAND:]
        return StoryEvents(
            mark,
            before,
            [self._frame(id, update, previous) for id, update, previous in triples],
            end,
        )

    def _frame(self, id: str, update: Update, previous: Update | None) -> Frame:
        made = self._made.get((update.pk, id))
        if made is None:
            # Emptied as a whole: frames are made again from the database at the next change.
            if len(self._made) > 10 * _AT_HAND:
                self._made.clear()
            made = self._made[update.pk, id] = _frame(id, update, previous)
        return made


def _marks(stories: Iterable[UUID]) -> dict[UUID, str]:
    """A version string for each of these stories that is public."""
    wanted, marks = list(stories), {}
    for at in range(0, len(wanted), _AT_ONCE):
        rows = published.published(drills=True).filter(uuid__in=wanted[at : at + _AT_ONCE])
        events = Q(updates__published_at__isnull=False)
        counted = rows.annotate(
            number=Max("updates__number", filter=events),
            count=Count("updates", filter=events),
            latest=Max("updates__published_at"),
        )
        for uuid, state, number, count, latest in counted.values_list(
            "uuid", "state", "number", "count", "latest"
        ):
            marks[uuid] = f"{state} {number} {count} {latest.timestamp()}"
    return marks


def frame_languages() -> tuple[str, ...]:
    """The languages of events: the first is for readers in any other."""
    return tuple(dict.fromkeys((settings.LANGUAGE_CODE, *settings.MOREFOLLOWS.languages)))


def _frame(id: str, update: Update, previous: Update | None) -> Frame:
    bodies = {}
    for language in frame_languages():
        data: dict[str, Any] = {
            "number": update.number,
            "kind": update.kind,
            **rendering.heading(update),
        }
        data["html"] = rendering.update_html(update, previous, language)
        if update.kind == Update.Kind.CORRECTION:
            data |= {
                "answers": update.answers,
                "corrected": rendering.corrected_html(update, language),
            }
        bodies[language] = missed_events.frame(id, "update", json.dumps(data, ensure_ascii=False))
    return Frame(id, bodies)


def _end(id: str, story: Story, *, withdrawn: bool) -> Frame:
    event = "withdrawal" if withdrawn else "final"
    bodies = {}
    for language in frame_languages():
        data = (
            {"html": rendering.withdrawal_html(story, language), **rendering.last_heading(story)}
            if withdrawn
            else {}
        )
        bodies[language] = missed_events.frame(id, event, json.dumps(data, ensure_ascii=False))
    return Frame(id, bodies)
