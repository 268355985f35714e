"""The forms to write a story or an offer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from morefollows.audience.models import Purpose, Topic
from morefollows.stories import checks
from morefollows.stories.models import Story


class WordingField(forms.Field):
    """A text field whose check gets the text before it is stripped."""

    def __init__(self, *, check: Callable[[str], None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check = check

    def clean(self, value: Any) -> str:
        text = str(value or "").replace("\r\n", "\n")
        self.check(text)
        return text.strip()


def standfirst_field() -> WordingField:
    """The standfirst's field, for the forms of stories and updates."""
    return WordingField(
        label=_("Standfirst"),
        required=False,
        help_text=_("One or two sentences: what phones show beside the subject. May stay empty."),
        check=checks.standfirst,
        widget=forms.Textarea(
            attrs={"rows": 2, "data-limit": checks.STANDFIRST_LIMIT, "data-one-line": ""}
        ),
    )


class StoryForm(forms.Form):
    """A story and the draft of its first update."""

    headline = WordingField(
        label=_("Headline"),
        help_text=_("Also the subject of the mail, and of every later one of this story."),
        check=checks.headline,
        widget=forms.Textarea(
            attrs={
                "rows": 2,
                "data-limit": checks.HEADLINE_LIMIT,
                "data-one-line": "",
                "autocomplete": "off",
            }
        ),
    )
    standfirst = standfirst_field()
    text = WordingField(
        label=_("Text"),
        help_text=_(
            "Markdown: a blank line between paragraphs, **bold**, [words](https://link.example)."
        ),
        check=checks.story_text,
        widget=forms.Textarea(attrs={"rows": 16, "data-limit": checks.TEXT_LIMIT}),
    )
    topic = forms.ModelChoiceField(
        label=_("Topic"),
        queryset=Topic.objects.all(),
        empty_label=None,
        help_text=_("Its readers get the alert."),
        error_messages={
            "required": _("Choose a topic."),
            "invalid_choice": _("This topic is gone. Choose another."),
        },
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        help_text=_("That the story is written in."),
        error_messages={
            "required": _("Choose a language."),
            "invalid_choice": _("Choose a language of the list."),
        },
    )
    embargo_until = forms.DateTimeField(
        label=_("Embargo until"),
        required=False,
        help_text=_("Nothing of it is told anywhere before. May stay empty."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": _("This is not a date and time.")},
    )
    uuid = forms.UUIDField(widget=forms.HiddenInput)
    revision = forms.IntegerField(min_value=0, max_value=2_000_000_000, widget=forms.HiddenInput)

    @classmethod
    def of(cls, story: Story) -> StoryForm:
        """The form with the values of the stored story."""
        return cls(initial={name: getattr(story, name) for name in cls.base_fields})

    def wording(self) -> dict[str, Any]:
        """The arguments for `stories.drafts.actions.save_story`. The form must be valid."""
        names = ("headline", "standfirst", "text", "topic", "language", "embargo_until")
        return {name: self.cleaned_data.get(name) for name in names}


class OfferForm(StoryForm):
    """The form of an offer: no topic, because it goes to all readers with consent to offers."""

    topic = None  # type: ignore[assignment]  # removes the inherited field
    embargo_until = None  # type: ignore[assignment]


def form_for(purpose: str) -> type[StoryForm]:
    return OfferForm if purpose == Purpose.OFFERS else StoryForm
