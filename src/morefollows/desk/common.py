"""Helpers for all views of the desk."""

from __future__ import annotations

import functools
import uuid as uuids
from collections.abc import Callable
from typing import Concatenate, ParamSpec
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import get_language, override
from django.views.decorators.cache import never_cache

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Right, StoryLike, has_right
from morefollows.accounts.sign_in import sessions
from morefollows.audience.models import Newsroom, Purpose
from morefollows.desk.accounts.signing_in import lacks_second_factor
from morefollows.stories.models import Alert, Story

Rest = ParamSpec("Rest")
View = Callable[Concatenate[HttpRequest, Rest], HttpResponse]


def signed_in(view: View[Rest]) -> View[Rest]:
    """Decorates a view of everybody's own account. As `at_desk`, but also for whoever still has to
    add the second factor that is demanded.
    """

    @functools.wraps(view)
    def wrapped(request: HttpRequest, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
        sessions.seen(request.session)
        language = editor_of(request).language or get_language()
        with timezone.override(_newsroom_zone(request)), override(language):
            return view(request, *args, **kwargs)

    return never_cache(login_required(wrapped))


def at_desk(view: View[Rest]) -> View[Rest]:
    """Decorates a view of the desk.

    It needs a signed-in editor, with a second factor if one is demanded. It is never cached, and
    uses the newsroom's time zone and the editor's language.
    """

    @functools.wraps(view)
    def wrapped(request: HttpRequest, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
        if lacks_second_factor(request, editor_of(request)):
            return redirect("account")
        return view(request, *args, **kwargs)

    return signed_in(wrapped)


def editor_of(request: HttpRequest) -> Editor:
    """The signed-in editor, in a view with `at_desk`."""
    if not isinstance(request.user, Editor):
        raise TypeError("this view is not guarded by at_desk")
    return request.user


def require(request: HttpRequest, right: Right, about: StoryLike | None = None) -> Editor:
    """Returns the signed-in editor. Raises `PermissionDenied` without the right.

    `about`: see `rights.has_right`.
    """
    editor = editor_of(request)
    if not has_right(editor, right, about):
        raise PermissionDenied
    return editor


def needs(right: Right) -> Callable[[View[Rest]], View[Rest]]:
    """Decorates a view of the desk that needs a right, whatever it is about. Includes `at_desk`."""

    def decorate(view: View[Rest]) -> View[Rest]:
        @functools.wraps(view)
        def wrapped(
            request: HttpRequest, /, *args: Rest.args, **kwargs: Rest.kwargs
        ) -> HttpResponse:
            require(request, right)
            return view(request, *args, **kwargs)

        return at_desk(wrapped)

    return decorate


def story_of(
    request: HttpRequest, uuid: uuids.UUID, right: Right = Right.SEE, *, offers: bool = True
) -> Story:
    """The story with this UUID. Raises `Http404`, or `PermissionDenied` without the right to it.

    `offers`: whether it may be an offer.
    """
    found = Story.objects.select_related("topic", "author")
    story = get_object_or_404(found if offers else found.exclude(purpose=Purpose.OFFERS), uuid=uuid)
    require(request, right, story)
    return story


def alert_of(request: HttpRequest, uuid: uuids.UUID) -> Alert:
    """The alert with this UUID. Raises `Http404`, or `PermissionDenied` as for its story.

    What an editor may do with it is judged by `stories.alerts.transitions`.
    """
    alert = get_object_or_404(Alert.objects.select_related("update__story"), uuid=uuid)
    require(request, Right.SEE, alert.update.story)
    return alert


def newsroom_of(request: HttpRequest) -> Newsroom | None:
    """The newsroom, as it was when this request first asked for it; None before it is set up."""
    kept = vars(request)
    if "newsroom" not in kept:
        kept["newsroom"] = Newsroom.objects.filter(pk=1).first()
    found: Newsroom | None = kept["newsroom"]
    return found


def _newsroom_zone(request: HttpRequest) -> ZoneInfo:
    newsroom = newsroom_of(request)
    try:
        return ZoneInfo(newsroom.time_zone if newsroom else "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
