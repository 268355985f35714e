"""The address that a Ghost posts its webhooks to."""

from __future__ import annotations

import logging
from typing import cast

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from morefollows.api.ghost import connections
from morefollows.api.ghost.follow import follow
from morefollows.api.ghost.posts import BadGhostHook, check_ghost_signature, read_ghost_post
from morefollows.api.http.problems import ProblemDetails
from morefollows.api.http.quotas import quota
from morefollows.api.requests import ApiRequest
from morefollows.audience.models import Newsroom
from morefollows.stories.actions import now_ms

log = logging.getLogger(__name__)

_MOST_OCTETS = 2_000_000


@csrf_exempt
@require_POST
def ghost_hook(request: HttpRequest, token: str) -> HttpResponse:
    """Does what a Ghost tells, and answers 200 once it is stored.

    The token names the connection, and the signature proves that Ghost sent it. 503 has Ghost try
    again; what can't get better by that is answered with 200 or 400.
    """
    connection = connections.connection_with(token)
    if connection is None:
        raise Http404("there is no such webhook")
    secret = connections.secret_of(connection)
    try:
        quota.spend(connection.key.uuid)
        if secret is None:
            raise BadGhostHook("its secret can’t be read any more. Connect the Ghost anew.")
        if len(request.body) > _MOST_OCTETS:
            return HttpResponse(status=413)
        header = request.headers.get("X-Ghost-Signature", "")
        check_ghost_signature(secret, header, request.body, now_ms())
        post = read_ghost_post(request.body)
        if post is None:
            return JsonResponse({"done": "nothing"})
        asking = cast(ApiRequest, request)
        asking.api_key = connection.key
        with translation.override(Newsroom.objects.get(pk=1).language):
            done = follow(asking, connection, post)
    except (RequestDataTooBig, UnreadablePostError):
        return HttpResponse(status=413)
    except ProblemDetails as problem:
        return HttpResponse(status=problem.status, headers=problem.headers)
    except BadGhostHook as error:
        log.warning("a webhook of Ghost %s was refused: %s", connection.pk, error)
        return JsonResponse({"detail": str(error)}, status=400)
    except (InterfaceError, OperationalError) as error:
        log.warning("a webhook of Ghost: the database: %s", type(error.__cause__).__name__)
        return HttpResponse(status=503, headers={"Retry-After": "2"})
    log.info("a post of Ghost %s was %s: %s", connection.pk, post.event, done)
    return JsonResponse({"done": done})
