"""How stories are told: the same piece of HTML on the page, in the event stream, and in the element on other sites."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from django.utils import translation

from morefollows.audience.models import Newsroom
from morefollows.live import html_cache, published
from morefollows.live.stream import events
from morefollows.stories.models import Story, Update


def heading(update: Update) -> dict[str, str]:
    """What changes above the updates when this one comes."""
    return {
        "headline": update.headline,
        "standfirst": update.standfirst,
        "language": update.language,
    }


def last_heading(story: Story) -> dict[str, str]:
    """That of the withdrawal, if it has one."""
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
    """What `live/update.html` needs. `corrected`: the corrections that put this update right.

    Its headline is told if it differs from that of the update `before`, and shown if it differs from the one `on_top`.
    The image of the `first` one on a page is loaded at once.
    """
    return {
        "update": update,
        "renamed": before is None or before.headline != update.headline,
        "on_top": update.headline == on_top,
        "html": html_cache.html(update.text, lazy=not first),
        "corrected": corrected,
    }


def sections(story: Story) -> list[dict[str, Any]]:
    """Every update, the newest first; of a withdrawn story nothing."""
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
    """One update as HTML, as it is when it comes, with the words around it in `language`."""
    return section_html(section(update, before, [], update.headline), language)


def corrected_html(correction: Update, language: str) -> str:
    """What an update that was wrong bears from then on."""
    return _render("live/corrected.html", {"correction": correction}, language)


def section_html(told: dict[str, Any], language: str) -> str:
    """One of `sections` as HTML."""
    return _render("live/update.html", {"told": told}, language)


def withdrawal_html(story: Story, language: str) -> str:
    """What is shown in place of a withdrawn story."""
    return _render("live/withdrawal.html", {"notice": notice(story)}, language)


def notice(story: Story) -> dict[str, Any]:
    """What `live/withdrawal.html` needs. Of what was said before the withdrawal nothing."""
    last = published.updates(story)[0]
    said = last if last.kind == Update.Kind.WITHDRAWAL else None
    return {
        "update": said,
        "at": last.published_at,
        "html": html_cache.html(said.text) if said else "",
    }


def seen(story: Story) -> str:
    """The id of the last event of this story as it is now; see `events`."""
    updates = published.updates(story)
    place = events.update_id(updates[0].number or 0, len(updates), updates[0].uid)
    return (
        place
        if published.is_open(story)
        else events.end_id(place, withdrawn=published.is_withdrawn(story))
    )


def _render(template: str, context: dict[str, Any], language: str) -> str:
    with translation.override(language):
        newsroom = Newsroom.objects.filter(pk=1).first()
        return render_to_string(
            template, {"newsroom": newsroom, "LANGUAGE_CODE": language, **context}
        ).strip()
