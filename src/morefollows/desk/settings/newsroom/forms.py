"""The form of the newsroom."""

from __future__ import annotations

import zoneinfo
from functools import cache

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from morefollows.accounts.models import Editor
from morefollows.audience.addresses import BadAddress
from morefollows.audience.models import Newsroom
from morefollows.audience.newsroom import set_up_newsroom
from morefollows.config.languages import COMPLETE, LANGUAGES
from morefollows.desk.settings.common import add_errors
from morefollows.desk.widgets import LongSelect
from morefollows.setup.actions import change_settings
from morefollows.setup.in_force import given_by_environment


@cache
@cache
def zones() -> list[tuple[str, str]]:
    """Time zones by city, for a choice."""
    named = sorted(name for name in zoneinfo.available_timezones() if name.count("/") >= 1)
    left_out = ("Etc/", "SystemV/", "US/", "posix/", "right/")
    found = [name for name in named if not name.startswith(left_out)]
    return [("UTC", "UTC"), *((name, _city(name)) for name in found)]


def _city(name: str) -> str:
    region, _slash, city = name.partition("/")
    return f"{city.replace('_', ' ').replace('/', ', ')} ({region})"


class NewsroomForm(forms.Form):
    """Who publishes: what readers see of the newsroom in every mail."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("As readers know you."))
    sender_name = forms.CharField(
        label=_("Sender’s name"),
        max_length=100,
        required=False,
        help_text=_("Stands in the inbox. Empty: the newsroom’s name."),
    )
    sender_address = forms.CharField(
        label=_("Sender’s address"),
        max_length=254,
        help_text=_("Readers see it as the sender. Its domain has to be yours."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    reply_to = forms.CharField(
        label=_("Replies go to"),
        max_length=254,
        required=False,
        help_text=_("Somebody should read this inbox. Empty: the sender’s address."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    postal_address = forms.CharField(
        label=_("Postal address"),
        max_length=300,
        help_text=_("At the foot of every email, after the name. Most countries ask for it."),
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zones, widget=LongSelect)
    language = forms.ChoiceField(
        label=_("Main language"),
        choices=lambda: list(LANGUAGES.items()),
        help_text=_("For readers whose own language is not offered."),
    )
    languages = forms.MultipleChoiceField(
        label=_("Languages"),
        choices=lambda: list(LANGUAGES.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose one at the least.")},
    )

    @classmethod
    def of(cls, newsroom: Newsroom | None) -> NewsroomForm:
        """The form with what is in force."""
        names = [name for name in cls.base_fields if name != "languages"]
        begun = {name: getattr(newsroom, name) for name in names} if newsroom else {}
        if newsroom is not None and newsroom.sender_name == newsroom.name:
            begun["sender_name"] = ""
        return cls(initial={**begun, "languages": list(settings.MOREFOLLOWS.languages)})

    @property
    def languages_locked(self) -> bool:
        """Whether the environment gives the languages."""
        return given_by_environment("languages")

    @property
    def incomplete(self) -> list[str]:
        """Languages in which readers’ pages are not complete."""
        return [LANGUAGES[code] for code in LANGUAGES if code not in COMPLETE]

    def clean(self) -> dict[str, object]:
        """The main language has to be one of those offered."""
        found = super().clean() or {}
        if self.languages_locked:
            self.errors.pop("languages", None)
            return found
        if found.get("languages") and found.get("language") not in found["languages"]:
            self.add_error("language", gettext("Tick this language below, or choose another."))
        return found

    def apply(self, by: Editor) -> bool:
        """Saves it all, or puts the errors at the fields. Call it if the form is valid."""
        chosen = dict(self.cleaned_data)
        languages = chosen.pop("languages", None)
        try:
            with transaction.atomic():
                set_up_newsroom(**chosen, by=by)
                if languages and not self.languages_locked:
                    change_settings(by, {"languages": " ".join(languages)})
        except BadAddress as reason:
            field = "reply_to" if _is_bad(chosen["reply_to"]) else "sender_address"
            self.add_error(field, str(reason))
            return False
        except ValidationError as error:
            add_errors(self, error)
            return False
        return True


def _is_bad(address: str) -> bool:
    from morefollows.audience.addresses import parse_sender

    try:
        parse_sender(address) if address.strip() else None
    except BadAddress:
        return True
    return False
