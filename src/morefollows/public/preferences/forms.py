"""The forms of the preference page that have input fields."""

from __future__ import annotations

from datetime import time
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from morefollows.audience.models import Reader
from morefollows.audience.preferences.actions import PreferenceChoice
from morefollows.audience.signup.forms import AddressField, without_controls
from morefollows.config.languages import LANGUAGES

_A_DAY = (1, 2, 3, 5, 10, 20)
_WIDEST = {"Etc", "SystemV", "posix", "right"}  # prefixes of zones that are not places


class PreferencesForm(forms.Form):
    """The delivery preferences: how many alerts, and when."""

    frequency = forms.ChoiceField(choices=Reader.Frequency.choices)
    most_a_day = forms.TypedChoiceField(choices=(), coerce=int, empty_value=None, required=False)
    quiet_from = forms.TimeField(label=_("From"), required=False)
    quiet_to = forms.TimeField(label=_("Until"), required=False)
    time_zone = forms.ChoiceField(choices=(), required=False)
    flash_passes = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        numbers = [(str(n), ngettext("%d a day", "%d a day", n) % n) for n in _A_DAY]
        self.fields["most_a_day"].choices = [("", _("No limit")), *numbers]  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = [("", ""), *((name, city(name)) for name in places())]  # type: ignore[attr-defined]
        self.fields["quiet_from"].error_messages["invalid"] = _("Give a time such as 22:00.")
        self.fields["quiet_to"].error_messages["invalid"] = _("Give a time such as 07:00.")

    @classmethod
    def of(cls, reader: Reader) -> PreferencesForm:
        """Returns the form with the reader's current preferences."""
        names = ("frequency", "most_a_day", "time_zone", "flash_passes")
        return cls(
            initial={
                **{name: getattr(reader, name) for name in names},
                "quiet_from": _clock(reader.quiet_from),
                "quiet_to": _clock(reader.quiet_to),
            }
        )

    def clean(self) -> None:
        if self.errors:
            return
        start, end = self.cleaned_data["quiet_from"], self.cleaned_data["quiet_to"]
        if (start is None) != (end is None):
            missing = "quiet_from" if start is None else "quiet_to"
            self.add_error(
                missing, _("Quiet hours need both times. Leave both empty to have none.")
            )
        elif start is not None and _minute(start) == _minute(end):
            self.add_error("quiet_to", _("Quiet hours need an end that is not their beginning."))

    def choice(self) -> PreferenceChoice:
        """Returns the preferences of a valid form."""
        given = self.cleaned_data
        return PreferenceChoice(
            frequency=given["frequency"],
            quiet_from=_minute(given["quiet_from"]),
            quiet_to=_minute(given["quiet_to"]),
            time_zone=given["time_zone"],
            flash_passes=given["flash_passes"] and given["quiet_from"] is not None,
            most_a_day=given["most_a_day"],
        )


class LanguageForm(forms.Form):
    language = forms.ChoiceField(choices=lambda: list(LANGUAGES.items()))


class NewAddressForm(forms.Form):
    email = AddressField()

    def typed(self) -> str:
        """Returns the address as typed, without control characters, to show it again."""
        return without_controls(self["email"].value())


@cache
def places() -> list[str]:
    """Returns the IANA time zones that are named after places, by their cities' names."""
    found = (
        name
        for name in available_timezones()
        if "/" in name and name.partition("/")[0] not in _WIDEST
    )
    return sorted(found, key=city)


def city(zone: str) -> str:
    """Europe/Isle_of_Man → "Isle of Man (Europe)"."""
    region, _slash, place = zone.partition("/")
    *state, name = place.split("/")
    return f"{name} ({', '.join([*reversed(state), region])})".replace("_", " ")


def _clock(minute: int | None) -> str:
    return "" if minute is None else f"{minute // 60:02}:{minute % 60:02}"


def _minute(clock: time | None) -> int | None:
    return None if clock is None else 60 * clock.hour + clock.minute
