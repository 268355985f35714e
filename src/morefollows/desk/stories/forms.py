"""The forms to write a story or an offer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from morefollows.accounts.models import Editor
from morefollows.audience.models import Purpose
from morefollows.audience.topics import actions as topics
from morefollows.desk.widgets import TopicField
from morefollows.stories import checks
from morefollows.stories.models import Story

_WORDS = ("headline", "standfirst", "text", "byline", "place")


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
        check=checks.standfirst,
        widget=forms.Textarea(
            attrs={
                "rows": 1,
                "class": "p",
                "data-limit": checks.STANDFIRST_LIMIT,
                "data-one-line": "",
            }
        ),
    )


def headline_field() -> WordingField:
    """The headline's field, for the forms of stories and updates."""
    return WordingField(
        label=_("Headline"),
        check=checks.headline,
        widget=forms.Textarea(
            attrs={
                "rows": 1,
                "class": "h",
                "data-limit": checks.HEADLINE_LIMIT,
                "data-one-line": "",
                "autocomplete": "off",
            }
        ),
    )


def text_field() -> WordingField:
    """The text's field: Markdown, which the editor shows as rich text."""
    return WordingField(
        label=_("Text"),
        required=False,
        check=checks.story_text,
        widget=forms.Textarea(
            attrs={"rows": 12, "class": "markdown", "data-limit": checks.TEXT_LIMIT}
        ),
    )


def credit_field(label: Any) -> WordingField:
    """A byline's or dateline's field."""
    return WordingField(
        label=label,
        required=False,
        check=checks.byline,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


def _one_line(value: str, name: str) -> str:
    value = value.replace("\r\n", "\n").strip()
    return value[: checks.TEXT_LIMIT] if name == "text" else " ".join(value.split())


class StoryForm(forms.Form):
    """A story and the draft of its first update."""

    headline = headline_field()
    standfirst = standfirst_field()
    text = text_field()
    byline = credit_field(_("Byline"))
    place = credit_field(_("Dateline"))
    topic = TopicField(
        label=_("Topic"),
        queryset=topics.in_use(),
        empty_label=None,
        error_messages={
            "required": _("Choose a topic."),
            "invalid_choice": _("This topic is gone. Choose another."),
        },
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        error_messages={
            "required": _("Choose a language."),
            "invalid_choice": _("Choose a language of the list."),
        },
    )
    embargo_until = forms.DateTimeField(
        label=_("Embargo until"),
        required=False,
        help_text=_("Nothing of it is published before."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": _("This is not a date and time.")},
    )
    uuid = forms.UUIDField(widget=forms.HiddenInput)
    revision = forms.IntegerField(min_value=0, max_value=2_000_000_000, widget=forms.HiddenInput)

    @classmethod
    def of(cls, story: Story) -> StoryForm:
        """The form with the values of the stored story."""
        return cls(initial={name: getattr(story, name) for name in cls.base_fields})

    def typed(self, story: Story) -> Story:
        """`story` with what was typed, valid or not, to be shown and not saved."""
        for name in _WORDS:
            setattr(story, name, _one_line(self.data.get(name, ""), name))
        for name in ("topic", "language", "embargo_until"):
            if name in self.fields and name not in self.errors:
                setattr(story, name, self.cleaned_data.get(name))
        return story

    def wording(self) -> dict[str, Any]:
        """The arguments for `stories.drafts.actions.save_story`. The form must be valid."""
        names = [*_WORDS, "topic", "language", "embargo_until"]
        return {name: self.cleaned_data.get(name) for name in names}


class OfferForm(StoryForm):
    """The form of an offer: no topic, because it goes to all readers with consent to offers."""

    topic = None  # type: ignore[assignment]  # removes the inherited field
    embargo_until = None  # type: ignore[assignment]


def first_byline(editor: Editor, purpose: str) -> str:
    """The byline that a new story begins with; an offer has none."""
    return editor.name if purpose == Purpose.ALERTS else ""


def form_for(purpose: str) -> type[StoryForm]:
    return OfferForm if purpose == Purpose.OFFERS else StoryForm
