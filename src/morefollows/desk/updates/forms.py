"""The forms for a story's next update and for its withdrawal."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from morefollows.desk.stories.forms import (
    WordingField,
    credit_field,
    headline_field,
    standfirst_field,
    text_field,
)
from morefollows.stories import checks
from morefollows.stories.drafts.actions import KINDS
from morefollows.stories.models import Story, Update, UpdateKind

_NOTE = forms.Textarea(attrs={"rows": 2, "data-limit": checks.NOTE_LIMIT, "data-one-line": ""})


class UpdateForm(forms.Form):
    """The draft of a story's next update."""

    kind = forms.ChoiceField(label=_("Kind"), widget=forms.RadioSelect)
    headline = headline_field()
    standfirst = standfirst_field()
    text = text_field()
    byline = credit_field(_("Byline"))
    place = credit_field(_("Dateline"))
    own_subject = forms.TypedChoiceField(
        label=_("Subject"),
        required=False,
        coerce=lambda value: value == "own",
        empty_value=False,  # type: ignore[arg-type]  # what `coerce` returns is no text
        choices=[("own", ""), ("thread", "")],
    )
    note = WordingField(
        label=_("What was wrong"),
        required=False,
        help_text=_("Readers see this first. Don’t repeat the wrong words."),
        check=checks.note,
        widget=_NOTE,
    )
    answers = forms.TypedMultipleChoiceField(
        label=_("This corrects"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    revision = forms.IntegerField(min_value=0, max_value=2_000_000_000, widget=forms.HiddenInput)

    def __init__(self, story: Story, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = KINDS[story.state]
        published = story.updates.filter(published_at__isnull=False).order_by("-number")
        self.fields["kind"].choices = [(kind.value, kind.label) for kind in kinds]  # type: ignore[attr-defined]
        self.fields["answers"].choices = [(one.number, _name(one)) for one in published]  # type: ignore[attr-defined]

    @classmethod
    def of(cls, story: Story, kind: str = "") -> UpdateForm:
        """The form with the values of the stored draft.

        `kind`: the kind to begin, if nothing has been drafted. A correction begins with the words
        that it corrects.
        """
        names = ("headline", "standfirst", "text", "byline", "place", "note", "revision")
        initial = {name: getattr(story, name) for name in names}
        initial["own_subject"] = "own" if story.own_subject or not story.has_draft else "thread"
        last = story.updates.filter(published_at__isnull=False).order_by("-number").first()
        initial["kind"] = story.kind if story.kind in KINDS[story.state] else UpdateKind.CORRECTION
        initial["answers"] = story.answers or ([last.number] if last else [])
        if kind in KINDS[story.state] and not story.has_draft:
            initial["kind"] = kind
            if kind == UpdateKind.CORRECTION:
                initial |= wrong_words(story)
        return cls(story, initial=initial)

    def typed(self, story: Story) -> Story:
        """`story` with what was typed, valid or not, to be shown and not saved."""
        for name in ("headline", "standfirst", "byline", "place", "note"):
            setattr(story, name, " ".join(self.data.get(name, "").split()))
        story.text = self.data.get("text", "").replace("\r\n", "\n").strip()
        story.own_subject = self.data.get("own_subject") == "own"
        for name in ("kind", "answers"):
            if name not in self.errors:
                setattr(story, name, self.cleaned_data.get(name))
        return story

    def wording(self) -> dict[str, Any]:
        """The arguments for `stories.drafts.actions.save_update`. The form must be valid."""
        return {name: self.cleaned_data[name] for name in self.fields if name != "revision"}


class WithdrawalForm(forms.Form):
    """The reason and text of a withdrawal."""

    reason = WordingField(
        label=_("Why"),
        help_text=_("Readers see this first. Don’t repeat the false words."),
        check=checks.note,
        widget=_NOTE,
    )
    text = WordingField(
        label=_("Text"),
        check=checks.story_text,
        widget=forms.Textarea(attrs={"rows": 8, "class": "markdown"}),
    )


def wrong_words(story: Story) -> dict[str, str]:
    """The words that a correction begins with, by field: those that were published last."""
    last = story.updates.filter(published_at__isnull=False).order_by("-number").first()
    return {name: getattr(last, name) for name in ("headline", "standfirst", "text") if last}


def _name(update: Update) -> str:
    return f"{update.number} · {update.get_kind_display()} · {update.headline}"
