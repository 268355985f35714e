"""When somebody who is signed in has to prove again who it is.

A view that needs a recent sign-in is decorated with `fresh`. One that lets mail go out is decorated
with `fresh_to_send`: it needs a recent sign-in the first time on each device. `confirm_page` is
where it is proved.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _

from morefollows.accounts.models import Device
from morefollows.accounts.sign_in import devices
from morefollows.accounts.sign_in.sessions import AUTHENTICATED, DEVICE
from morefollows.desk.accounts.signing_in import SECOND_FACTOR

Rest = ParamSpec("Rest")
View = Callable[Concatenate[HttpRequest, Rest], HttpResponse]


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
            devices.note_sends_from(device)
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


def authenticated_again(request: HttpRequest, *, two_factors: bool = False) -> None:
    """Notes that the signed-in editor has proved again who it is."""
    request.session[AUTHENTICATED] = time.time()
    if two_factors:
        request.session[SECOND_FACTOR] = True
