"""The form to find a reader."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from morefollows.audience import addresses
from morefollows.audience.signup.forms import reason_with_suggestion


class FindReaderForm(forms.Form):
    """One exact address. Searching by a part of it is not offered, for privacy."""

    address = forms.CharField(
        label=_("Email address"),
        max_length=320,
        help_text=_("The whole address. It is kept out of web addresses and logs."),
        error_messages={"required": _("Enter an address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def clean_address(self) -> str:
        try:
            return addresses.parse(self.cleaned_data["address"]).text
        except addresses.BadAddress as reason:
            raise forms.ValidationError(reason_with_suggestion(reason)) from None
