"""The forms for a story's next update and for its withdrawal."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from morefollows.desk.stories.forms import WordingField, standfirst_field
from morefollows.stories import checks
from morefollows.stories.drafts.actions import KINDS
from morefollows.stories.models import Story, Update, UpdateKind

_NOTE = forms.Textarea(attrs={"rows": 2, "data-limit": checks.NOTE_LIMIT, "data-one-line": ""})


class UpdateForm(forms.Form):
    """The draft of a story's next update."""

    kind = forms.ChoiceField(label=_("Kind"), widget=forms.RadioSelect)
    headline = WordingField(
        label=_("Headline"),
        help_text=_(
            "Of this update, in the mail and on the page. The subject stays that of the first."
        ),
        check=checks.headline,
        widget=forms.Textarea(
            attrs={"rows": 2, "data-limit": checks.HEADLINE_LIMIT, "data-one-line": ""}
        ),
    )
    standfirst = standfirst_field()
    text = WordingField(
        label=_("Text"),
        help_text=_("What is new. What was told before stays on the page."),
        check=checks.story_text,
        widget=forms.Textarea(attrs={"rows": 12, "data-limit": checks.TEXT_LIMIT}),
    )
    note = WordingField(
        label=_("What was wrong"),
        required=False,
        help_text=_("Of a correction only. Readers see it first, in the mail and on the page."),
        check=checks.note,
        widget=_NOTE,
    )
    answers = forms.TypedMultipleChoiceField(
        label=_("It puts right"),
        coerce=int,
        required=False,
        help_text=_("Of a correction only. Who was sent one of these gets the correction."),
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
    def of(cls, story: Story) -> UpdateForm:
        """The form with the values of the stored draft."""
        names = ("headline", "standfirst", "text", "note", "revision")
        initial = {name: getattr(story, name) for name in names}
        last = story.updates.filter(published_at__isnull=False).order_by("-number").first()
        initial["kind"] = story.kind if story.kind in KINDS[story.state] else UpdateKind.CORRECTION
        initial["answers"] = story.answers or ([last.number] if last else [])
        return cls(story, initial=initial)

    def wording(self) -> dict[str, Any]:
        """The arguments for `stories.drafts.actions.save_update`. The form must be valid."""
        return {name: self.cleaned_data[name] for name in self.fields if name != "revision"}


class WithdrawalForm(forms.Form):
    """The reason and text of a withdrawal."""

    reason = WordingField(
        label=_("Why"),
        help_text=_("One sentence. Readers see it first, in the mail and on the page."),
        check=checks.note,
        widget=_NOTE,
    )
    text = WordingField(
        label=_("Text"), check=checks.story_text, widget=forms.Textarea(attrs={"rows": 8})
    )


def _name(update: Update) -> str:
    return f"{update.number} · {update.get_kind_display()} · {update.headline}"
