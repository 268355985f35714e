"""The forms to sign in and to set the first password."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import authenticate, password_validation
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from morefollows.accounts import actions
from morefollows.accounts.models import Editor
from morefollows.helpers.client_address import client_address


class SignIn(forms.Form):
    """The sign-in form. The error is the same for a wrong address and a wrong password."""

    email = forms.EmailField(
        label=_("Email"),
        max_length=254,
        error_messages={
            "required": _("Enter your email address."),
            "invalid": _("Enter a valid email address."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=1000,
        strip=False,
        error_messages={"required": _("Enter your password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.editor: Editor | None = None

    def clean(self) -> dict[str, Any]:
        email, password = self.cleaned_data.get("email"), self.cleaned_data.get("password")
        if email and password:
            self._sign_in(email.lower(), password)
        return self.cleaned_data

    def _sign_in(self, email: str, password: str) -> None:
        address = client_address(self.request)
        if wait := actions.seconds_to_wait(email, address):
            raise forms.ValidationError(
                ngettext(
                    "Too many failed tries. Wait %(wait)d second, then try again.",
                    "Too many failed tries. Wait %(wait)d seconds, then try again.",
                    wait,
                )
                % {"wait": wait}
            )
        editor = authenticate(self.request, username=email, password=password)
        if not isinstance(editor, Editor):
            actions.note_failed_sign_in(email, address)
            raise forms.ValidationError(
                _("This email address and this password don’t go together.")
            )
        actions.forget_failed_sign_ins(email, address)
        self.editor = editor


class FirstPassword(forms.Form):
    """The first password. One field is enough, because the password can be displayed."""

    password = forms.CharField(
        label=_("Choose a password"),
        max_length=1000,
        strip=False,
        help_text=_(
            "10 characters or more. A few words that only you would put together are good."
        ),
        error_messages={"required": _("Choose a password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, editor: Editor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.editor = editor

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        password_validation.validate_password(password, self.editor)
        return password
