"""Helpers for all views of the desk."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from morefollows.accounts.models import Editor
from morefollows.audience.models import Newsroom

Rest = ParamSpec("Rest")
View = Callable[Concatenate[HttpRequest, Rest], HttpResponse]


def at_desk(view: View[Rest]) -> View[Rest]:
    """Decorates a view of the desk.

    It needs a signed-in editor, is never cached, and uses the newsroom's time zone.
    """

    @functools.wraps(view)
    def wrapped(request: HttpRequest, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
        with timezone.override(_newsroom_zone()):
            return view(request, *args, **kwargs)

    return never_cache(login_required(wrapped))


def editor_of(request: HttpRequest) -> Editor:
    """The signed-in editor, in a view with `at_desk`."""
    if not isinstance(request.user, Editor):
        raise TypeError("this view is not guarded by at_desk")
    return request.user


def _newsroom_zone() -> ZoneInfo:
    name = Newsroom.objects.filter(pk=1).values_list("time_zone", flat=True).first()
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
