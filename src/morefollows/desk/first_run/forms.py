"""Forms of the first run: fewer fields of the forms of the settings."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from morefollows.accounts.models import Editor
from morefollows.audience.models import Newsroom, Topic
from morefollows.audience.placeholders import DEFAULT_NAME, DEFAULT_POSTAL, DEFAULT_SENDER
from morefollows.audience.topics import actions
from morefollows.desk.settings.common import add_errors
from morefollows.desk.settings.newsroom.forms import NewsroomForm

#: More topics that can be added with one tick.
_MORE = (("politics", _("Politics")), ("weather", _("Weather")), ("sport", _("Sport")))


class FirstNewsroomForm(NewsroomForm):
    """Who publishes, without what most newsrooms leave as it is."""

    def __init__(self, data: Any = None, *, newsroom: Newsroom | None = None) -> None:
        begun = {}
        if newsroom is not None:
            begun = {
                name: getattr(newsroom, name) for name in self.base_fields if name != "languages"
            }
        for name, placeholder in (
            ("name", DEFAULT_NAME),
            ("sender_address", DEFAULT_SENDER),
            ("postal_address", DEFAULT_POSTAL),
        ):
            if begun.get(name) == placeholder:
                begun[name] = ""  # nobody wants to delete it first
        super().__init__(data, initial=begun)
        for name in ("sender_name", "reply_to", "languages"):
            del self.fields[name]
        self._kept = {
            "reply_to": newsroom.reply_to if newsroom else "",
            "sender_name": newsroom.sender_name
            if newsroom and newsroom.sender_name not in (newsroom.name, DEFAULT_NAME)
            else "",
        }

    def apply(self, by: Editor) -> bool:
        """As the settings' form; what is not asked stays."""
        self.cleaned_data |= self._kept
        return super().apply(by)


class FirstTopicForm(forms.Form):
    """The first topic, and more of them with one tick each."""

    name = forms.CharField(label=_("Topic"), max_length=100)
    description = forms.CharField(label=_("What readers get"), max_length=300, required=False)
    more = forms.MultipleChoiceField(
        label=_("Add"), choices=_MORE, widget=forms.CheckboxSelectMultiple, required=False
    )

    def __init__(self, data: Any = None) -> None:
        self._first = actions.in_use().first()
        begun = (
            {"name": self._first.name, "description": self._first.description}
            if self._first
            else {}
        )
        super().__init__(data, initial=begun)

    def apply(self, by: Editor) -> bool:
        """Changes the first topic, and adds the others that are not there yet."""
        given = self.cleaned_data
        try:
            if self._first is not None:
                actions.change_topic(
                    by, self._first, name=given["name"], description=given["description"]
                )
            else:
                actions.create_topic(by, given["name"], given["description"])
            names = dict(_MORE)
            for slug in given["more"]:
                if not Topic.objects.filter(slug=slug).exists():
                    actions.create_topic(by, str(names[slug]), slug=slug)
        except ValidationError as error:
            add_errors(self, error)
            return False
        return True


class TrialMailForm(forms.Form):
    """Where the test mail goes."""

    address = forms.EmailField(label=_("Send to"), max_length=254)
