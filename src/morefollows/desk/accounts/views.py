"""Pages to sign in and out: password, passkey, second factor, lost password, invitation."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from morefollows.accounts import actions, attempts, people
from morefollows.accounts.models import Editor
from morefollows.accounts.sign_in import passkeys, second_factors
from morefollows.audit.actions import record
from morefollows.courier.outbox import to_editors
from morefollows.desk.accounts import signing_in
from morefollows.desk.accounts.forms import Code, Forgotten, NewPassword, OwnName, SignIn
from morefollows.helpers.client_address import client_address
from morefollows.helpers.even_time import answer_not_before


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page; redirects to `next`. A second factor is asked for on a page of its own."""
    onward = signing_in.onward(request)
    if request.method != "POST":
        if request.user.is_authenticated:
            return redirect(onward)
        return _sign_in_page(request, SignIn(request=request), onward)
    if not settings.MOREFOLLOWS.password_sign_in:
        raise PermissionDenied
    form = SignIn(request.POST, request=request)
    if not form.is_valid() or form.editor is None or form.tried is None:
        busy = form.has_error("__all__", "busy")
        return _sign_in_page(request, form, onward, status=503 if busy else 422)
    if second_factors.factors_of(form.editor):
        return signing_in.wait_for_second_factor(request, form.editor, onward)
    form.tried.succeeded()
    return signing_in.finish(request, form.editor, "password", onward, two_factors=False)


def _sign_in_page(
    request: HttpRequest, form: SignIn, onward: str, *, status: int = 200, wrong: str = ""
) -> HttpResponse:
    context = {
        "form": form,
        "next": onward,
        "wrong": wrong,
        "passkey": passkeys.options_to_sign_in(),
        "password": settings.MOREFOLLOWS.password_sign_in,
        "single_sign_on": settings.MOREFOLLOWS.oidc_name
        if settings.MOREFOLLOWS.oidc_issuer
        else "",
    }
    response = render(request, "accounts/sign_in.html", context, status=status)
    if status == 503:
        response.headers["Retry-After"] = "5"
    return response


@never_cache
@require_POST
def sign_in_by_passkey(request: HttpRequest) -> HttpResponse:
    """Signs in by the passkey that answered the page's options."""
    onward = signing_in.onward(request)
    try:
        editor = passkeys.editor_of_passkey(
            request.POST.get("answer", ""), request.POST.get("state", "")
        )
    except passkeys.PasskeyRefused as refused:
        form = SignIn(request=request)
        return _sign_in_page(request, form, onward, status=422, wrong=str(refused))
    return signing_in.finish(request, editor, "passkey", onward, two_factors=True)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Asks for a code or a passkey, after the password was right."""
    awaited = signing_in.pending(request)
    if awaited is None:
        return redirect("sign-in")
    editor, onward = awaited
    wrong, form = "", Code(request=request, editor=editor)
    if request.method == "POST" and "answer" in request.POST:
        try:
            found = passkeys.editor_of_passkey(
                request.POST["answer"], request.POST.get("state", "")
            )
        except passkeys.PasskeyRefused as refused:
            wrong = str(refused)
        else:
            if found == editor:
                _forget_tries(request, editor)
                return signing_in.finish(
                    request, editor, "password, passkey", onward, two_factors=True
                )
            wrong = str(passkeys.PasskeyRefused())
    elif request.method == "POST":
        form = Code(request.POST, request=request, editor=editor)
        if form.is_valid() and form.tried is not None:
            form.tried.succeeded()
            return signing_in.finish(request, editor, "password, code", onward, two_factors=True)
    kinds = second_factors.factors_of(editor)
    context = {
        "form": form,
        "wrong": wrong,
        "codes": True,
        "passkey": passkeys.options_to_sign_in(editor) if "webauthn" in kinds else None,
    }
    status = 422 if form.errors or wrong else 200
    return render(request, "accounts/second_factor.html", context, status=status)


def _forget_tries(request: HttpRequest, editor: Editor) -> None:
    attempts.undo_attempts(editor.email, client_address(request))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session, and has the browser forget what it kept of the desk's pages."""
    editor = request.user
    if isinstance(editor, Editor):
        record(editor, "sign out", subject=editor.email)
    logout(request)
    response = redirect("sign-in")
    # Not "cookies": the device's cookie spares its owner the waits that strangers cause.
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Mails a link for a new password. The answer is the same for unknown addresses."""
    if not settings.MOREFOLLOWS.password_sign_in:
        return redirect("sign-in")
    began = time.monotonic()
    form = Forgotten(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not attempts.count_request("new password", client_address(request)):
            to_editors.forgot_password(form.cleaned_data["email"])
        # As long for every address: how long it took must not tell who works here.
        answer_not_before(request, began + settings.MOREFOLLOWS.sign_up_seconds)
        return render(request, "accounts/link_mailed.html")
    status = 422 if form.errors else 200
    return render(request, "accounts/forgotten.html", {"form": form}, status=status)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def first_sign_in(request: HttpRequest, key: str, token: str) -> HttpResponse:
    """The page of an invitation's link. Only POST uses the link up, as mail scanners send GET."""
    response = _first_sign_in(request, key, token)
    response["Referrer-Policy"] = (
        "strict-origin"  # its form is checked for CSRF: see `processes.web.headers`
    )
    return response


def _first_sign_in(request: HttpRequest, key: str, token: str) -> HttpResponse:
    editor = actions.invited(key, token)
    if editor is None:
        return render(request, "accounts/link_used.html", status=410)
    has_second = bool(second_factors.factors_of(editor))
    form, wrong, own = NewPassword(editor=editor), "", _own_name(request, editor)
    signed: Editor | None = None
    if own.is_bound and not own.is_valid():
        pass  # the link is not used up
    elif request.method == "POST" and "answer" in request.POST:
        try:
            signed = actions.accept_with_passkey(
                key, token, request.POST["answer"], request.POST.get("state", ""), ""
            )
        except passkeys.PasskeyRefused as refused:
            wrong = str(refused)
        else:
            if signed is None:
                return render(request, "accounts/link_used.html", status=410)
            _take_name(signed, own)
            return signing_in.finish(request, signed, "passkey", "/desk/", two_factors=True)
    elif request.method == "POST":
        form = NewPassword(request.POST, editor=editor)
        if form.is_valid():
            signed = actions.set_first_password(key, token, form.cleaned_data["password"])
            if signed is None:
                return render(request, "accounts/link_used.html", status=410)
            _take_name(signed, own)
            if has_second:  # a link by mail does not get round it
                return signing_in.wait_for_second_factor(request, signed, "/desk/")
            return signing_in.finish(request, signed, "link", "/desk/", two_factors=False)
    context: dict[str, Any] = {
        "form": form,
        "own": own,
        "editor": editor,
        "unnamed": editor.name == actions.UNNAMED,
        "wrong": wrong,
        "ask_name": editor.last_login is None,
        "again": editor.last_login is not None,
        "passkey": None if has_second else passkeys.options_to_add(editor),
        "password": settings.MOREFOLLOWS.password_sign_in,
    }
    status = 422 if form.errors or own.errors or wrong else 200
    return render(request, "accounts/first_sign_in.html", context, status=status)


def _own_name(request: HttpRequest, editor: Editor) -> OwnName:
    """The form with the name; bound if one was sent at the very first sign-in."""
    if "own_name" in request.POST and editor.last_login is None:
        return OwnName(request.POST)
    return OwnName(initial={"own_name": "" if editor.name == actions.UNNAMED else editor.name})


def _take_name(editor: Editor, own: OwnName) -> None:
    if own.is_bound:
        people.rename(editor, own.cleaned_data["own_name"], editor.language)
        editor.refresh_from_db(fields=["name"])


@require_safe
def change_password(request: HttpRequest) -> HttpResponse:
    """/.well-known/change-password, where password managers look (W3C, change-password-url)."""
    return redirect("account")
