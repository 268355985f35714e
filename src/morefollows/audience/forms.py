"""The sign-up box."""

from __future__ import annotations

import re

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from morefollows.audience import addresses

_PATH = re.compile(r"/[A-Za-z0-9/_.~-]{0,400}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class AddressField(forms.CharField):
    """Judges as mail does: the browser's own check is off, as it lets through and refuses the wrong ones."""

    widget = forms.EmailInput

    def __init__(self) -> None:
        super().__init__(label=gettext_lazy("Email address"), required=False, strip=False)
        self.validators.clear()  # `addresses` says better what is wrong

    def clean(self, value: str | None) -> str:
        try:
            return addresses.parse(value or "").text
        except addresses.BadAddress as reason:
            remedy = _("Please enter a valid email address: %(reason)s") % {"reason": reason}
            raise forms.ValidationError(remedy) from None


class SignUp(forms.Form):
    """`page` is where the box stood, for the evidence. No reader sees `website`: who fills it in is a robot."""

    email = AddressField()
    offers = forms.BooleanField(required=False)
    page = forms.CharField(required=False)
    website = forms.CharField(required=False)

    def clean_page(self) -> str:
        """A path on this site, or nothing: what else a robot may put there is no evidence."""
        page = str(self.cleaned_data["page"])
        return page if _PATH.fullmatch(page) else ""

    def typed(self) -> str:
        """The address to show again, without what no page may hold."""
        return _CONTROL.sub("", self["email"].value() or "")
