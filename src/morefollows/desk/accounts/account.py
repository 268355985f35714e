"""Everybody's own page: name, password, language, second factors, recovery codes, sessions.

It needs a sign-in, and no right. What changes how one signs in needs a recent one (`fresh`).
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from morefollows.accounts import actions, people
from morefollows.accounts.models import Editor
from morefollows.accounts.sign_in import passkeys, second_factors, sessions
from morefollows.desk.accounts import fresh_sign_in, signing_in
from morefollows.desk.accounts.forms import NewPassword, OwnData
from morefollows.desk.common import editor_of, signed_in

#: Name in a session: the secret of an app that is being added.
_APP_SECRET = "app secret"  # noqa: S105 - a name


@signed_in
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The page."""
    return _page(request)


def _page(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    editor = editor_of(request)
    kinds = second_factors.factors_of(editor)
    context = {
        "editor": editor,
        "own": OwnData(initial={"name": editor.name, "language": editor.language}),
        "password_form": NewPassword(editor=editor),
        "password": settings.MOREFOLLOWS.password_sign_in,
        "has_password": editor.has_usable_password(),
        "kinds": kinds,
        "factors": second_factors.listed(editor),
        "codes_left": len(second_factors.recovery_codes(editor)),
        "lacking": signing_in.lacks_second_factor(request, editor),
        "passkey": passkeys.options_to_add(editor),
        "sessions": sessions.of_editor(editor),
        "this_session": request.session.session_key,
        "here": "account",
        **more,
    }
    return render(request, "accounts/account.html", context, status=status)


@signed_in
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Changes name and language."""
    editor, form = editor_of(request), OwnData(request.POST)
    if not form.is_valid():
        return _page(request, status=422, own=form)
    try:
        people.rename(editor, form.cleaned_data["name"], form.cleaned_data["language"])
    except ValidationError as error:
        form.add_error(None, error)
        return _page(request, status=422, own=form)
    messages.success(request, _("Saved."))
    return redirect("account")


@signed_in
@sensitive_post_parameters("password")
@require_POST
@fresh_sign_in.fresh
def set_password(request: HttpRequest) -> HttpResponse:
    """Changes the password, and ends the editor's other sessions."""
    editor = editor_of(request)
    form = NewPassword(request.POST, editor=editor)
    if not settings.MOREFOLLOWS.password_sign_in or not form.is_valid():
        return _page(request, status=422, password_form=form)
    actions.change_password(editor, form.cleaned_data["password"])
    people.end_sessions(editor, editor, but=request.session.session_key)
    # Django ties sessions to the password's hash: without this, this one would end, too.
    update_session_auth_hash(request, editor)
    messages.success(request, _("Your password is changed. You are signed out everywhere else."))
    return redirect("account")


@signed_in
@require_POST
@fresh_sign_in.fresh
def add_passkey(request: HttpRequest) -> HttpResponse:
    """Stores the passkey that the browser made."""
    editor, given = editor_of(request), request.POST
    try:
        passkeys.add_passkey(
            editor, given.get("answer", ""), given.get("state", ""), given.get("name", "")
        )
    except passkeys.PasskeyRefused as refused:
        messages.error(request, str(refused))
        return redirect("account")
    return _added(request, editor, _("The passkey is added."))


@signed_in
@fresh_sign_in.fresh
def add_app(request: HttpRequest) -> HttpResponse:
    """Shows the secret for an app, and adds the app that makes the right code from it."""
    editor, wrong = editor_of(request), False
    # The same after a wrong code or a reload, as the app may have scanned it already.
    secret = str(request.session.get(_APP_SECRET) or second_factors.new_secret())
    request.session[_APP_SECRET] = secret
    if request.method == "POST":
        if second_factors.add_app(editor, secret, request.POST.get("code", "")):
            del request.session[_APP_SECRET]
            return _added(request, editor, _("The app is added."))
        wrong = True
    context = {
        # In groups of four, to type where no camera can scan the picture.
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "picture": second_factors.picture(editor, secret),
        "wrong": wrong,
        "here": "account",
    }
    return render(request, "accounts/add_app.html", context, status=422 if wrong else 200)


def _added(request: HttpRequest, editor: Editor, message: str) -> HttpResponse:
    """Notes that the session has two factors. An editor without recovery codes gets them now."""
    fresh_sign_in.authenticated_again(request, two_factors=True)
    messages.success(request, message)
    if second_factors.recovery_codes(editor):
        return redirect("account")
    return _codes_page(request, editor)


def _codes_page(request: HttpRequest, editor: Editor) -> HttpResponse:
    codes = second_factors.new_recovery_codes(editor)
    return render(request, "accounts/codes.html", {"codes": codes, "here": "account"})


@signed_in
@require_POST
@fresh_sign_in.fresh
def make_codes(request: HttpRequest) -> HttpResponse:
    """Makes new recovery codes, and shows them once."""
    editor = editor_of(request)
    if not second_factors.factors_of(editor):
        messages.error(request, _("Add a passkey or an app first."))
        return redirect("account")
    return _codes_page(request, editor)


@signed_in
@require_POST
@fresh_sign_in.fresh
def remove_factor(request: HttpRequest) -> HttpResponse:
    """Removes a passkey or the app."""
    key = request.POST.get("factor", "")
    # isdigit() alone is true of “²”, which int() refuses. 18 digits fit a 64-bit key; 0 is none.
    number = int(key) if key.isascii() and key.isdigit() and len(key) < 19 else 0
    if second_factors.remove(editor_of(request), number):
        messages.success(request, _("Removed."))
    return redirect("account")


@signed_in
@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """Ends one session, or all but this one."""
    editor, mark = editor_of(request), request.POST.get("session", "")
    if mark:
        if people.end_session(editor, mark, editor):
            messages.success(request, _("That session is ended."))
    else:
        people.end_sessions(editor, editor, but=request.session.session_key)
        messages.success(request, _("You are signed out everywhere else."))
    return redirect("account")
