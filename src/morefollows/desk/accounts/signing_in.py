"""What all ways to sign in share: the session, the device, and what the session has proved.

A session says when its editor was last authenticated, and whether with a second factor. Views that
need this to be recent are decorated with `fresh` or `fresh_to_send`.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _

from morefollows.accounts.models import Device, Editor
from morefollows.accounts.sign_in import devices, second_factors
from morefollows.accounts.sign_in.sessions import AUTHENTICATED, DEVICE, PLACE
from morefollows.audit.actions import record
from morefollows.helpers.client_address import client_address
from morefollows.helpers.networks import shortened

Rest = ParamSpec("Rest")
View = Callable[Concatenate[HttpRequest, Rest], HttpResponse]

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


def authenticated_again(request: HttpRequest, *, two_factors: bool = False) -> None:
    """Notes that the signed-in editor has proved again who it is."""
    request.session[AUTHENTICATED] = time.time()
    if two_factors:
        request.session[SECOND_FACTOR] = True


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


def is_fresh(request: HttpRequest) -> bool:
    """Whether the editor has proved lately who it is: see `MOREFOLLOWS_FRESH_MINUTES`."""
    at = request.session.get(AUTHENTICATED, 0)
    return bool(0 <= time.time() - at < 60 * settings.MOREFOLLOWS.fresh_minutes)


def fresh(view: View[Rest]) -> View[Rest]:
    """Decorates a view of the desk that needs a recent sign-in. Inside of `at_desk`."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
        return view(request, *args, **kwargs) if is_fresh(request) else confirm_first(request)

    return wrapped


def fresh_to_send(view: View[Rest]) -> View[Rest]:
    """Decorates a view of the desk that lets mail go out. Inside of `at_desk`.

    The first time on a device it needs a recent sign-in. A session that was carried off to another
    browser is on no known device.
    """

    @functools.wraps(view)
    def wrapped(request: HttpRequest, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
        if request.method in ("GET", "HEAD"):
            return view(request, *args, **kwargs)
        device = Device.objects.filter(pk=request.session.get(DEVICE) or 0).first()
        known = device is not None and devices.key_of(request) == device.key
        if device is not None and known and device.sends_since is not None:
            return view(request, *args, **kwargs)
        if not is_fresh(request):
            return confirm_first(request)
        if device is not None and known:
            devices.may_send_from(device)
        return view(request, *args, **kwargs)

    return wrapped


def confirm_first(request: HttpRequest) -> HttpResponse:
    """Redirects to the page that asks who it is, and then back to the page that was open."""
    back = request.get_full_path()
    if request.method not in ("GET", "HEAD"):
        came_from = request.headers.get("Referer", "")
        local = url_has_allowed_host_and_scheme(came_from, {request.get_host()})
        back = _path_of(came_from, request) if local else reverse("desk")
        messages.warning(
            request, _("Nothing was done yet. Confirm that it is you, then repeat it.")
        )
    return redirect(f"{reverse('confirm-identity')}?{urlencode({'next': back})}")


def _path_of(url: str, request: HttpRequest) -> str:
    return url.partition(request.get_host())[2] or reverse("desk")


def onward(request: HttpRequest) -> str:
    """The path to redirect to after signing in, by `next`; never to another site."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours and wanted.startswith("/") else reverse("desk")
