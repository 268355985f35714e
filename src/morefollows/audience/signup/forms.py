"""The sign-up form: its fields and their validation."""

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
    """An email address, validated by `addresses.parse` alone.

    Browser validation is off: it refuses some valid addresses and accepts some invalid ones.
    """

    widget = forms.EmailInput

    def __init__(self) -> None:
        super().__init__(label=gettext_lazy("Email address"), required=False, strip=False)
        self.validators.clear()  # the messages of `addresses` are more precise

    def clean(self, value: str | None) -> Address:
        try:
            return addresses.parse(value or "")
        except addresses.BadAddress as reason:
            raise invalid(reason_with_suggestion(reason)) from None


class SignUpForm(forms.Form):
    """The fields that a sign-up form sends, on our own pages and on other sites.

    `page_path`: the path of the page with the form, for the evidence.
    `website`: hidden from readers; only robots fill it in.
    `shown`, `ticket`: see `form_tokens`.
    `sure`: the address that the reader confirmed to be right as typed.
    `instead`: the suggested address, if the reader accepted it.
    `altcha`: a proof of work.
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
        """The path, or "" if the field holds anything else."""
        return page_path(self.cleaned_data)

    @property
    def address(self) -> Address:
        """The parsed address. Only for a valid form."""
        address: Address = self.cleaned_data["email"]
        return address

    def typed(self) -> str:
        """The address as typed, to show it again, without control characters."""
        return without_controls(self["email"].value())


def without_controls(typed: str | None) -> str:
    """The text without control characters, which HTML does not allow."""
    return _CONTROL.sub("", typed or "")


def reason_with_suggestion(reason: addresses.BadAddress) -> str:
    """The message for a refused address. It may hold an address, so it must not be logged."""
    if not reason.suggestion:
        return str(reason)
    return f"{reason} " + _("Did you mean %(address)s?") % {"address": reason.suggestion}


def page_path(posted: Mapping[str, str]) -> str:
    """The path that the form names as its page; "" if it is not a path."""
    found = posted.get("page", "").strip()
    return found if _PATH.fullmatch(found) else ""


def wrong(reason: str) -> str:
    """The full error message for an invalid address."""
    return _("Please enter a valid email address: %(reason)s") % {"reason": reason}


def invalid(reason: str) -> forms.ValidationError:
    """The same message as a validation error."""
    return forms.ValidationError(wrong(reason))
