"""The forms to sign in, and to choose a password."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.http import HttpRequest
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from morefollows.accounts import attempts, people
from morefollows.accounts.models import Editor
from morefollows.accounts.sign_in import devices, passwords, second_factors
from morefollows.audit.actions import record
from morefollows.config.languages import DESK, LANGUAGES
from morefollows.helpers import plain_text
from morefollows.helpers.client_address import client_address


def _email_field() -> forms.EmailField:
    return forms.EmailField(
        label=_("Email"),
        max_length=254,
        error_messages={
            "required": _("Enter your email address."),
            "invalid": _("Enter a valid email address."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "username webauthn"}),
    )


def _password_field() -> forms.CharField:
    return forms.CharField(
        label=_("Password"),
        max_length=1000,
        strip=False,
        error_messages={"required": _("Enter your password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class Try:
    """One try to sign in: counted before it is judged. See `accounts.attempts`."""

    def __init__(self, request: HttpRequest, email: str) -> None:
        """Counts the try. Raises `ValidationError` if it is too early for another."""
        self.email = email
        self.address = client_address(request)
        self.device = devices.known(request, email)
        if wait := attempts.count_attempt(email, self.address, self.device):
            raise forms.ValidationError(
                ngettext(
                    "Too many failed tries. Wait %(wait)d second, then try again.",
                    "Too many failed tries. Wait %(wait)d seconds, then try again.",
                    wait,
                )
                % {"wait": wait},
                code="wait",
            )

    def failed(self, editor: Editor | None, how: str) -> None:
        """Logs it. What was typed is not logged: it may be a password in the wrong field."""
        record(None, "sign in failed", subject=editor.email if editor else "", kind=how)

    def not_judged(self) -> None:
        """There was no room to look at it."""
        attempts.undo_attempts(self.email, self.address, self.device, signed_in=False)

    def succeeded(self) -> None:
        attempts.undo_attempts(self.email, self.address, self.device)


class SignIn(forms.Form):
    """The sign-in form. The error is the same for a wrong address and a wrong password."""

    email = _email_field()
    password = _password_field()

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.editor: Editor | None = None
        self.tried: Try | None = None

    def clean(self) -> dict[str, Any]:
        email, password = self.cleaned_data.get("email"), self.cleaned_data.get("password")
        if email and password:
            self._sign_in(email.lower(), password)
        return self.cleaned_data

    def _sign_in(self, email: str, password: str) -> None:
        self.tried = Try(self.request, email)
        editor = people.find_editor(email)
        if not _is_password(password, editor, self.tried):
            self.tried.failed(editor, "password")
            raise forms.ValidationError(
                _now("This email address and this password don’t go together.")
            )
        self.editor = editor


def _is_password(password: str, editor: Editor | None, tried: Try) -> bool:
    try:
        return passwords.is_password_of(password, editor)
    except passwords.TooManySignIns:
        tried.not_judged()
        raise forms.ValidationError(
            _now("Many people are signing in just now. Try again in a few seconds."), code="busy"
        ) from None


class Code(forms.Form):
    """A code of the editor's app, or a recovery code."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        help_text=_("The six digits that your app shows, or one of your recovery codes."),
        error_messages={"required": _("Enter the code.")},
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, request: HttpRequest, editor: Editor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request, self.editor = request, editor
        self.tried: Try | None = None

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        self.tried = Try(self.request, self.editor.email)
        if not second_factors.is_code(self.editor, code):
            self.tried.failed(self.editor, "code")
            raise forms.ValidationError(_now("This code is wrong, or it was used already."))
        return code


class OwnPassword(forms.Form):
    """The password of the editor who is signed in, to prove who it is."""

    password = _password_field()

    def __init__(self, *args: Any, request: HttpRequest, editor: Editor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request, self.editor = request, editor

    def clean_password(self) -> str:
        tried = Try(self.request, self.editor.email)
        password = str(self.cleaned_data["password"])
        if not _is_password(password, self.editor, tried):
            tried.failed(self.editor, "password")
            raise forms.ValidationError(_now("This is not your password."))
        tried.succeeded()
        return password


class Forgotten(forms.Form):
    """Where to mail a link for a new password."""

    email = _email_field()


class NewPassword(forms.Form):
    """A new password. One field is enough, because the password can be displayed."""

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


class OwnName(forms.Form):
    """The name that is asked for at the first sign-in.

    Its field stands outside the forms of both ways to sign in: `form` and a script bring it along.
    """

    own_name = forms.CharField(
        label=_("Your name, as colleagues and readers see it"),
        max_length=100,
        error_messages={"required": _("Enter your name.")},
        widget=forms.TextInput(attrs={"form": "first", "autocomplete": "name"}),
    )

    def clean_own_name(self) -> str:
        name = str(self.cleaned_data["own_name"])
        try:
            plain_text.check_names(name=name)
        except forms.ValidationError as error:
            raise forms.ValidationError(error.messages) from None
        return name


class OwnData(forms.Form):
    """Name and language of one's own account."""

    name = forms.CharField(
        label=_("Name"), max_length=100, error_messages={"required": _("Enter your name.")}
    )
    language = forms.ChoiceField(label=_("Language"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = [  # type: ignore[attr-defined]
            ("", _now("As my browser asks")),
            *((code, LANGUAGES[code]) for code in DESK),
        ]
