"""The page where somebody who is signed in proves again who it is; see `fresh_sign_in.fresh`."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from morefollows.accounts.sign_in import passkeys, second_factors
from morefollows.desk.accounts import fresh_sign_in, signing_in
from morefollows.desk.accounts.forms import OwnPassword
from morefollows.desk.common import editor_of, signed_in


@signed_in
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_identity(request: HttpRequest) -> HttpResponse:
    """Asks for the password, a passkey or the provider, then goes back to `next`."""
    editor = editor_of(request)
    form, wrong = OwnPassword(request=request, editor=editor), ""
    has_password = settings.MOREFOLLOWS.password_sign_in and editor.has_usable_password()
    if request.method == "POST" and "answer" in request.POST:
        try:
            found = passkeys.editor_of_passkey(
                request.POST["answer"], request.POST.get("state", "")
            )
        except passkeys.PasskeyRefused as refused:
            wrong = str(refused)
        else:
            if found == editor:
                fresh_sign_in.authenticated_again(request, two_factors=True)
                return redirect(signing_in.onward(request))
            wrong = str(passkeys.PasskeyRefused())
    elif request.method == "POST" and has_password:
        form = OwnPassword(request.POST, request=request, editor=editor)
        if form.is_valid():
            fresh_sign_in.authenticated_again(request)
            return redirect(signing_in.onward(request))
    context = {
        "form": form,
        "wrong": wrong,
        "next": signing_in.onward(request),
        "password": has_password,
        "passkey": passkeys.options_to_sign_in(editor)
        if "webauthn" in second_factors.factors_of(editor)
        else None,
        "single_sign_on": settings.MOREFOLLOWS.oidc_name
        if settings.MOREFOLLOWS.oidc_issuer
        else "",
    }
    status = 422 if form.errors or wrong else 200
    return render(request, "accounts/confirm.html", context, status=status)
