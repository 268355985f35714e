"""Pages to sign in, sign out and set the first password."""

from __future__ import annotations

from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from morefollows.accounts import actions
from morefollows.desk.accounts.forms import FirstPassword, SignIn

_BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page; redirects to `next`. `SignIn` throttles failures."""
    if request.user.is_authenticated and request.method != "POST":
        return redirect(_onward(request))
    form = SignIn(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid() and form.editor is not None:
        login(request, form.editor, backend=_BACKEND)
        return redirect(_onward(request))
    status = 422 if form.errors else 200
    return render(
        request, "accounts/sign_in.html", {"form": form, "next": _onward(request)}, status=status
    )


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session."""
    logout(request)
    return redirect("sign-in")


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
    form = FirstPassword(request.POST or None, editor=editor)
    if request.method == "POST" and form.is_valid():
        signed = actions.set_first_password(key, token, form.cleaned_data["password"])
        if signed is None:
            return render(request, "accounts/link_used.html", status=410)
        login(request, signed, backend=_BACKEND)
        return redirect("desk")
    status = 422 if form.errors else 200
    context = {"form": form, "editor": editor}
    return render(request, "accounts/first_sign_in.html", context, status=status)


def _onward(request: HttpRequest) -> str:
    """The path to redirect to after signing in; never to another site."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours and wanted.startswith("/") else reverse("desk")
