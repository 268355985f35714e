"""Renders stories' updates as HTML.

Invariant: the page, the event stream and the element for other sites use the same HTML.
"""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from django.utils import translation

from morefollows.audience.models import Newsroom
from morefollows.live import published, rendering_cache
from morefollows.live.stream import missed_events
from morefollows.stories.models import Story, Update


def heading(update: Update) -> dict[str, str]:
    """The page's heading after this update."""
    return {
        "headline": update.headline,
        "standfirst": update.standfirst,
        "language": update.language,
    }


def last_heading(story: Story) -> dict[str, str]:
    """The heading of the withdrawal; empty if there is none."""
    last = published.updates(story)[0]
    return heading(last) if last.kind == Update.Kind.WITHDRAWAL else {}


def section(
    update: Update,
    before: Update | None,
    corrected: list[Update],
    on_top: str,
    *,
    first: bool = False,
) -> dict[str, Any]:
    """The context of `live/update.html`.

    `before`: the previous update; the headline is included if it differs from that one's.
    `corrected`: the corrections of this update. `on_top`: the page's headline; the update's own is
    displayed if it differs. `first`: the first one on the page, whose image is not loaded lazily.
    """
    return {
        "update": update,
        "renamed": before is None or before.headline != update.headline,
        "on_top": update.headline == on_top,
        "html": rendering_cache.cached_html(update.text, lazy=not first),
        "corrected": corrected,
    }


def sections(story: Story) -> list[dict[str, Any]]:
    """The context of each update, the newest first; empty if the story is withdrawn."""
    if published.is_withdrawn(story):
        return []
    updates = published.updates(story)
    corrections = [update for update in reversed(updates) if update.kind == Update.Kind.CORRECTION]
    return [
        section(
            update,
            before,
            [one for one in corrections if update.number in one.answers],
            updates[0].headline,
            first=update is updates[0],
        )
        for update, before in zip(updates, [*updates[1:], None], strict=True)
    ]


def update_html(update: Update, before: Update | None, language: str) -> str:
    """One new update as HTML, with the surrounding text in `language`."""
    return section_html(section(update, before, [], update.headline), language)


def corrected_html(correction: Update, language: str) -> str:
    """The notice that is shown on an update after its correction."""
    return _render("live/corrected.html", {"correction": correction}, language)


def section_html(values: dict[str, Any], language: str) -> str:
    """One of `sections` as HTML."""
    return _render("live/update.html", {"told": values}, language)


def withdrawal_html(story: Story, language: str) -> str:
    """What is shown in place of a withdrawn story."""
    return _render("live/withdrawal.html", {"notice": notice(story)}, language)


def notice(story: Story) -> dict[str, Any]:
    """The context of `live/withdrawal.html`: of what was withdrawn only the headline, struck.

    It is the one under which the story was first published, as its time is.
    """
    last = published.updates(story)[0]
    withdrawal = last if last.kind == Update.Kind.WITHDRAWAL else None
    before = [one for one in published.updates(story) if one is not withdrawal]
    return {
        "update": withdrawal,
        "headline": before[-1].headline if before else "",
        "language": before[-1].language if before else story.language,
        "since": before[-1].published_at if before else last.published_at,
        "at": last.published_at,
        "html": rendering_cache.cached_html(withdrawal.text) if withdrawal else "",
    }


def latest_event_id(story: Story) -> str:
    """The id of this story's latest event: see `live.stream.missed_events`."""
    updates = published.updates(story)
    place = missed_events.update_id(updates[0].number or 0, len(updates), updates[0].uid)
    return (
        place
        if published.is_open(story)
        else missed_events.end_id(place, withdrawn=published.is_withdrawn(story))
    )


def _render(template: str, context: dict[str, Any], language: str) -> str:
    with translation.override(language):
        newsroom = Newsroom.objects.filter(pk=1).first()
        return render_to_string(
            template, {"newsroom": newsroom, "LANGUAGE_CODE": language, **context}
        ).strip()
