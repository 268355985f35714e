"""What all ways to sign in share: the session, the device, and what the session has proved.

A session says when its editor was last authenticated, and whether with a second factor. What needs
this to be recent: `fresh_sign_in`.
"""

from __future__ import annotations

import time

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from morefollows.accounts.models import Editor
from morefollows.accounts.sign_in import devices, second_factors
from morefollows.accounts.sign_in.sessions import DEVICE, PLACE
from morefollows.audit.actions import record
from morefollows.helpers.client_address import client_address
from morefollows.helpers.networks import shortened

_BACKEND = "django.contrib.auth.backends.ModelBackend"
#: Name in a session: the sign-in had two factors, or one that stands for two.
SECOND_FACTOR = "second factor"
#: Name in a session: the password was right, and the second factor is still to come.
_PENDING = "second factor of"
_PENDING_SECONDS = 600


def finish(
    request: HttpRequest, editor: Editor, how: str, onward: str, *, two_factors: bool
) -> HttpResponse:
    """Signs the editor in, notes the device, and redirects. `how`: for the log."""
    device, cookie = devices.note(request, editor)
    login(request, editor, backend=_BACKEND)
    request.session.pop(_PENDING, None)
    request.session.set_expiry(None)  # a session of before the sign-in is short
    request.session[DEVICE] = device.pk
    request.session[PLACE] = shortened(client_address(request))
    request.session[SECOND_FACTOR] = two_factors
    record(editor, "sign in", subject=editor.email, kind=how)
    response = redirect(onward)
    if cookie:
        devices.set_cookie(response, cookie)
    return response


def wait_for_second_factor(request: HttpRequest, editor: Editor, onward: str) -> HttpResponse:
    """Redirects to the page that asks for the second factor, after the password was right."""
    request.session.flush()
    request.session.set_expiry(_PENDING_SECONDS)
    request.session[_PENDING] = [editor.pk, time.time(), onward]
    return redirect("second-factor")


def pending(request: HttpRequest) -> tuple[Editor, str] | None:
    """The editor whose second factor is awaited in this session, and where to go on to."""
    pk, at, onward = request.session.get(_PENDING, (0, 0, ""))
    if time.time() - at > _PENDING_SECONDS:
        return None
    editor = Editor.objects.filter(pk=pk, is_active=True).first()
    return (editor, onward) if editor else None


def lacks_second_factor(request: HttpRequest, editor: Editor) -> bool:
    """Whether this session may do nothing but add a second factor, as one is demanded."""
    if settings.MOREFOLLOWS.second_factor == "optional" or request.session.get(SECOND_FACTOR):
        return False
    return second_factors.demanded_of(editor)


def onward(request: HttpRequest) -> str:
    """The path to redirect to after signing in, by `next`; never to another site."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours and wanted.startswith("/") else reverse("desk")
