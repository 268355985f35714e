"""The form of a topic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.utils.translation import gettext_lazy as _

from morefollows.accounts.models import Editor
from morefollows.audience.models import Newsroom, Topic
from morefollows.audience.topics import actions
from morefollows.config.languages import LANGUAGES
from morefollows.desk.settings.common import add_errors


class TopicForm(forms.Form):
    """A topic: its texts in each language offered, and who can sign up."""

    name = forms.CharField(label=_("Name"), max_length=100)
    description = forms.CharField(
        label=_("Description"),
        max_length=300,
        required=False,
        help_text=_("What it brings, in a sentence."),
    )
    access = forms.ChoiceField(
        label=_("Who can sign up"),
        choices=(
            ("open", _("Anyone")),
            (
                "invited",
                _(
                    "By invitation (private): anyone with the link. "
                    "Stories go out by email, not on the web."
                ),
            ),
        ),
        widget=forms.RadioSelect,
        initial="open",
    )

    def __init__(self, data: Any = None, *, topic: Topic | None = None) -> None:
        super().__init__(data)
        self.topic = topic
        newsroom = Newsroom.objects.filter(pk=1).first()
        main = newsroom.language if newsroom else "en"
        known = topic.translated() if topic else {}
        self._others = [one for one in settings.MOREFOLLOWS.languages if one != main]
        self.main_language = LANGUAGES.get(main, main)
        for code in self._others:
            name, description = known.get(code, ("", ""))
            attrs = {"lang": code, "dir": "auto"}
            self.fields[f"name_{code}"] = forms.CharField(
                label=_("Name"),
                max_length=100,
                required=False,
                initial=name,
                widget=forms.TextInput(attrs=attrs),
            )
            self.fields[f"description_{code}"] = forms.CharField(
                label=_("Description"),
                max_length=300,
                required=False,
                initial=description,
                widget=forms.TextInput(attrs=attrs),
            )
        if topic is not None:
            self.initial = {
                **self.initial,
                "name": topic.name,
                "description": topic.description,
                "access": topic.access if topic.access != Topic.Access.RETIRED else "open",
            }

    def translations(self) -> Iterator[tuple[str, BoundField, BoundField]]:
        """Yields each other language's name, and its two fields."""
        for code in self._others:
            yield LANGUAGES[code], self[f"name_{code}"], self[f"description_{code}"]

    def apply(self, by: Editor) -> Topic | None:
        """Adds or changes the topic. Returns None if it put errors at the fields."""
        chosen = self.cleaned_data
        texts = {
            code: (chosen[f"name_{code}"], chosen[f"description_{code}"]) for code in self._others
        }
        invited = chosen["access"] == "invited"
        try:
            if self.topic is None:
                return actions.create_topic(
                    by,
                    chosen["name"],
                    chosen["description"],
                    translations=texts,
                    invited=invited,
                )
            return actions.change_topic(
                by,
                self.topic,
                name=chosen["name"],
                description=chosen["description"],
                translations=texts,
                invited=invited,
            )
        except ValidationError as error:
            add_errors(self, error)
            return None
