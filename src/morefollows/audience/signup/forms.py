"""The sign-up box."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from morefollows.audience import addresses
from morefollows.audience.addresses import Address

_PATH = re.compile(r"/[A-Za-z0-9/_.~!$&'()*+,;=:@%-]{0,400}")  # RFC 3986 §3.3
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class AddressField(forms.CharField):
    """Judges as mail does: the browser's own check is off, as it lets through and refuses the wrong ones."""

    widget = forms.EmailInput

    def __init__(self) -> None:
        super().__init__(label=gettext_lazy("Email address"), required=False, strip=False)
        self.validators.clear()  # `addresses` says better what is wrong

    def clean(self, value: str | None) -> Address:
        try:
            return addresses.parse(value or "")
        except addresses.BadAddress as reason:
            raise invalid(reason_with_suggestion(reason)) from None


class SignUp(forms.Form):
    """What a box sends, on our own pages and elsewhere. No reader sees `website`: who fills it in is a robot.

    `page` is where the box stood, for the evidence. `shown` and `ticket` are those of `form_tokens`, `sure` is the
    address that its owner has said is right as typed, `instead` the one suggested and taken, `altcha` a proof of work.
    """

    email = AddressField()
    offers = forms.BooleanField(required=False)
    page = forms.CharField(required=False)
    website = forms.CharField(required=False)
    shown = forms.CharField(required=False)
    ticket = forms.CharField(required=False)
    sure = forms.CharField(required=False, strip=False)
    instead = forms.CharField(required=False, strip=False)
    altcha = forms.CharField(required=False)

    def __init__(self, data: dict[str, str] | None = None) -> None:
        if data and data.get("instead"):
            data = {**data, "email": data["instead"]}
        super().__init__(data)

    def clean_page(self) -> str:
        """A path, or nothing: what else a robot may put there is no evidence."""
        return page(self.cleaned_data)

    @property
    def address(self) -> Address:
        """Of a valid form."""
        address: Address = self.cleaned_data["email"]
        return address

    def typed(self) -> str:
        """The address to show again, without what no page may hold."""
        return without_controls(self["email"].value())


def without_controls(typed: str | None) -> str:
    return _CONTROL.sub("", typed or "")


def reason_with_suggestion(reason: addresses.BadAddress) -> str:
    """What a form says of an address that it refuses. Never for a log: it may hold an address."""
    if not reason.suggestion:
        return str(reason)
    return f"{reason} " + _("Did you mean %(address)s?") % {"address": reason.suggestion}


def page(posted: Mapping[str, str]) -> str:
    """The path where a box says that it stood; "" if that is none."""
    found = posted.get("page", "").strip()
    return found if _PATH.fullmatch(found) else ""


def wrong(reason: str) -> str:
    return _("Please enter a valid email address: %(reason)s") % {"reason": reason}


def invalid(reason: str) -> forms.ValidationError:
    return forms.ValidationError(wrong(reason))
