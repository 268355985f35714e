"""The sign-up box."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from morefollows.audience import addresses


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
    page = forms.RegexField(r"/[A-Za-z0-9/_.~-]{0,400}", required=False)
    website = forms.CharField(required=False, max_length=1000)
