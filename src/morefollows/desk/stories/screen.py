"""The screen on which a story is written and checked: preview, checklist and action bar.

One context for the whole page and for the parts that are swapped while somebody writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from morefollows.accounts.models import Editor
from morefollows.audience import placeholders
from morefollows.audience.models import Newsroom
from morefollows.courier.message.preview import Preview, preview_of
from morefollows.courier.preflight import LOOK, OK, Item
from morefollows.desk.common import editor_of
from morefollows.desk.stories import schedule, taken_back
from morefollows.desk.stories.audiences import (
    AudienceChoice,
    asked_audience,
    audience_choices,
    send_words,
    sort_of,
)
from morefollows.desk.stories.preflight import checklist
from morefollows.stories.alerts import alert_audience, transitions
from morefollows.stories.alerts.transition_table import Event
from morefollows.stories.drafts import approval
from morefollows.stories.drafts.similar_alerts import most_resembling
from morefollows.stories.false_words import repeated
from morefollows.stories.models import Alert, Story, Update, UpdateKind

_REASONS = 3  # offered as chips, beside one's own words


class ToDo(NamedTuple):
    """Something without which the story can't be sent."""

    name: str
    target: str  #: id of the element that the bar's link leads to, and that gets the focus
    words: str = ""

    @property
    def is_of_form(self) -> bool:
        """Whether the list of checks names it: other things to do have a block of their own."""
        return self.target not in ("newsroom-todo", "recipients", "approval")


def reasons() -> list[str]:
    """Reasons for sending without approval that one tap chooses."""
    return [_("Alone on shift"), _("Confirmed by phone"), _("Danger to life")]


def reason_of(data: Mapping[str, str]) -> str:
    """The chosen reason for sending without approval; "" if there is none."""
    chosen = data.get("alone", "")
    return data.get("alone_other", "").strip() if chosen == "other" else chosen.strip()


def screen(
    request: HttpRequest,
    story: Story,
    data: Mapping[str, str],
    form: forms.Form | None = None,
    kind: str = "",
) -> dict[str, Any]:
    """The context of `stories/screen` templates.

    `story`: with the draft's values, which need not be stored. `data`: the bar's fields as posted.
    `form`: the story's form, for its errors. `kind`: None: the draft's.
    """
    editor, kind = editor_of(request), kind or story.kind
    # A drill goes to those who take part in drills, whatever their topics.
    languages = {} if story.drill else alert_audience.by_language(story.topic)
    choices = audience_choices(story, kind, sum(languages.values()))
    asked = asked_audience(kind, data)
    to = next((choice for choice in choices if choice.audience == asked), choices[0])
    when = schedule.read_schedule(data)
    preview = mail_of(story, shown_language(story, data), kind, when.at)
    wait_ms = taken_back.rest_ms(story)
    four_eyes = approval.asked_for(story)
    seen = four_eyes and _is_seen(story, editor)
    approves = seen and story.approved_by_id is None
    context = {
        "story": story,
        "kind": kind,
        "choices": choices,
        "to": to,
        "audience_for": sort_of(kind),
        "when": when,
        "now_words": _hold_words(),
        "flash": "flash" in data,
        "wait_ms": wait_ms,
        # Rounded up, so that it is 0 only when the button can be pressed.
        "wait_seconds": -(-wait_ms // 1000),
        "preview": preview,
        **_languages(story, data, languages),
        **_approval(story, editor, data, four_eyes and kind != UpdateKind.WITHDRAWAL, seen),
        "may_send": transitions.may(
            editor, Event.WITHDRAW if kind == UpdateKind.WITHDRAWAL else Event.SEND, story
        ),
    }
    context |= _checks(story, preview, to, kind, when.at)
    context["todo"] = _todo(story, form, when, context)
    context["send_words"] = send_words(
        story, kind, to, approves=approves and story.pk is not None, at=when.words
    )
    return context


def _is_seen(story: Story, editor: Editor) -> bool:
    """As `approval.is_seen`, except that who opens an empty draft is the one to write it."""
    return story.has_draft and approval.is_seen(story, editor)


def _hold_words() -> str:
    seconds = round(settings.MOREFOLLOWS.hold)
    return _("with %(seconds)d seconds to take it back") % {"seconds": seconds} if seconds else ""


def shown_language(story: Story, data: Mapping[str, str]) -> str:
    """The language in which the preview shows the mail."""
    asked = data.get("shown_in", "") or data.get("language", "")
    return asked if asked in dict(settings.LANGUAGES) else story.language


def _languages(story: Story, data: Mapping[str, str], counts: dict[str, int]) -> dict[str, Any]:
    """The languages to preview the mail in. `counts`: language → readers of the topic."""
    shown = shown_language(story, data)
    codes = [code for code, _n in settings.LANGUAGES if code in {*counts, story.language, shown}]
    return {
        "shown_in": shown,
        "languages": [(code, language_name(code), counts.get(code, 0)) for code in codes],
    }


def language_name(code: str) -> str:
    """The language's name in the active language; the code if Django knows none."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


def mail_of(story: Story, language: str, kind: str, at: datetime | None = None) -> Preview | None:
    """The mail; None if it can't be composed, e.g. before the newsroom is set up.

    `at`: when it leaves; None: now.
    """
    draft = Update(
        story=story,
        kind=kind,
        headline=story.headline.strip() or _("Headline"),
        language=story.language,
        note=story.note,
        text=story.text,
        byline=story.byline,
        place=story.place,
        own_subject=story.own_subject,
        # A withdrawal has none: the story's own may say what was false.
        standfirst="" if kind == UpdateKind.WITHDRAWAL else story.standfirst,
    )
    try:
        return preview_of(draft, language, at)
    except (Newsroom.DoesNotExist, ValueError):
        return None


def _others(people: list[Editor], editor: Editor) -> list[Editor]:
    """Without `editor`: who writes an update is no writer before it is saved."""
    return [one for one in people if one != editor]


def _approval(
    story: Story, editor: Editor, data: Mapping[str, str], needed: bool, seen: bool
) -> dict[str, Any]:
    chosen = data.get("alone", "")
    known = reasons()
    return {
        "approval_needed": needed,
        "approved": needed and seen,
        "waivable": approval.may_be_waived(),
        "approvers": _others(approval.approvers(story), editor) if needed and not seen else [],
        "reasons": known,
        "alone": chosen if chosen in (*known, "other", "") else "other",
        "alone_other": data.get("alone_other", "") or (chosen if chosen not in known else "")
        if chosen != "other"
        else data.get("alone_other", ""),
        "reason": reason_of({**data, "alone": chosen}) if needed else "",
        "asked_of_me": story.approval_asked_of_id == editor.pk,
    }


def _checks(
    story: Story, preview: Preview | None, to: AudienceChoice, kind: str, at: datetime | None
) -> dict[str, Any]:
    if preview is None or kind == UpdateKind.WITHDRAWAL:
        found: dict[str, Any] = {"notable": [], "well": []}
    else:
        found = checklist(story, preview, to.audience, to.readers, at)
    if to.is_nobody and kind == UpdateKind.WITHDRAWAL:  # the page becomes a notice all the same
        nobody = Item(_("Recipients"), LOOK, _("Nobody would get this alert."))
        found["notable"] = [nobody, *found["notable"]]
    own = _answer_items(story, preview, kind) if preview and story.pk else []
    found["notable"] = [one for one in own if one.state != OK] + found["notable"]
    found["well"] = [one for one in own if one.state == OK] + found["well"]
    resembling = (
        most_resembling(story) if story.state == Story.State.DRAFT and story.headline else None
    )
    return {**found, "resembling": resembling, "looks": len(found["notable"]) + bool(resembling)}


def _answer_items(story: Story, preview: Preview, kind: str) -> list[Item]:
    """Of a correction or withdrawal: what inboxes show must not repeat the error."""
    if kind not in (UpdateKind.CORRECTION, UpdateKind.WITHDRAWAL):
        return []
    published = story.updates.filter(published_at__isnull=False)
    if kind == UpdateKind.CORRECTION:
        published = published.filter(number__in=story.answers)
    wrong = [words for one in published for words in (one.headline, one.standfirst)]
    right = [story.headline, story.standfirst, story.text]
    shown = [preview.subject, preview.preheader]
    if kind == UpdateKind.WITHDRAWAL:
        right, shown = [], [preview.subject, story.note, story.text]
    else:
        shown.append(story.standfirst)
    again = repeated(wrong, right, shown)
    items = [
        Item(_("Subject says so"), OK, f"“{preview.subject}”"),
        Item(
            _("Wrong words not repeated"),
            LOOK if again else OK,
            _("Said again: %(words)s") % {"words": ", ".join(f"“{one}”" for one in again)}
            if again
            else _("Neither in the subject nor in the preheader"),
        ),
    ]
    if kind == UpdateKind.CORRECTION:
        fields = (("headline", _("Headline")), ("standfirst", _("Standfirst")), ("text", _("Text")))
        words = _("It is that of the alert it corrects.")
        items += [
            Item(label, LOOK, words, _("Is it right as it stands?"))
            for name, label in fields
            if getattr(story, name) and any(_same(story, one, name) for one in published)
        ]
    return items


def _same(story: Story, update: Update, field: str) -> bool:
    return bool(getattr(story, field).split() == getattr(update, field).split())


def _todo(
    story: Story, form: forms.Form | None, when: schedule.Schedule, context: dict[str, Any]
) -> list[ToDo]:
    found = _wrong_fields(form) if form is not None and form.is_bound else []
    named = {one.target for one in found}
    headline = form is not None and "headline" in form.fields
    if headline and not story.headline.strip() and "id_headline" not in named:
        found.insert(0, ToDo(_("Headline"), "id_headline"))
    if (
        context["kind"] == UpdateKind.CORRECTION
        and not story.note.strip()
        and "id_note" not in named
    ):
        found.append(ToDo(_("What was wrong"), "id_note"))
    if context["kind"] == UpdateKind.WITHDRAWAL and not story.note.strip():
        found.append(ToDo(_("Why"), "id_reason"))
    if context["to"].is_nobody and context["kind"] != UpdateKind.WITHDRAWAL:
        found.append(ToDo(_("Recipients"), "recipients", _nobody(story, context["choices"])))
    if when.trouble:
        found.append(ToDo(_("Time"), "when", when.trouble))
    if context["approval_needed"] and not context["approved"] and not context["reason"]:
        found.append(ToDo(_("Approval"), "approval"))
    blocking = placeholders.blocking()
    if context["preview"] is None or blocking:
        words = " ".join(one.text for one in blocking)
        found.append(
            ToDo(_("Newsroom"), "newsroom-todo", words or _("The newsroom is not set up."))
        )
    return found


def _nobody(story: Story, choices: list[AudienceChoice]) -> str:
    """What to do where an alert would have no recipient."""
    if story.drill:
        return _(
            "Nobody takes part in drills yet. Invite people under Drills; they accept by mail."
        )
    if any(choice.readers for choice in choices):
        return _("Nobody would get this alert. Choose other recipients.")
    if any(choice.audience == Alert.Audience.PAGE for choice in choices):
        return _(
            "Nobody would get this alert. Under Recipients, choose to publish to the live page"
            " only, or wait until there are readers."
        )
    return _("Nobody would get this alert. It can be sent as soon as there are readers for it.")


def _wrong_fields(form: forms.Form) -> list[ToDo]:
    return [
        ToDo(str(form.fields[name].label), str(form[name].id_for_label), str(errors[0]))
        for name, errors in form.errors.items()
        if name in form.fields
    ]
