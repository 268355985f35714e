"""Where WebSub hubs reach us: they verify subscriptions, and push what feeds they carry."""

from __future__ import annotations

import logging

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

log = logging.getLogger(__name__)

_LONGEST_CHALLENGE = 2000


@csrf_exempt
@require_http_methods(["GET", "POST"])
def callback(request: HttpRequest, token: str) -> HttpResponse:
    """Answers one hub about one subscription, which the token names.

    GET: the hub asks whether we want what we asked for (W3C WebSub §5.3), and gets its challenge
    back if so. POST: what it pushes (§7). It is answered 200 as soon as it is stored, also if the
    signature is wrong, and then ignored (§8). 410: there is no such subscription any more.
    """
    # Not needed by other pages, and slow to load.
    from morefollows.ingest.sources.feeds import hub_signature, hub_subscription

    source = hub_subscription.find_subscription(token)
    if source is None:
        if request.method == "POST":
            return HttpResponse(status=410)
        raise Http404("there is no such subscription")
    if request.method == "GET":
        ask = request.GET
        mode, challenge = ask.get("hub.mode", ""), ask.get("hub.challenge", "")
        confirmed = hub_subscription.verify_intent(
            source, mode, ask.get("hub.topic", ""), ask.get("hub.lease_seconds", "")
        )
        if not confirmed:
            raise Http404("this was not asked for")
        return HttpResponse(challenge[:_LONGEST_CHALLENGE], content_type="text/plain")
    try:
        body = request.body
    except (RequestDataTooBig, UnreadablePostError):
        return HttpResponse(status=413)
    if not hub_signature.is_signed(source, body, request.headers.get("X-Hub-Signature", "")):
        log.warning("what a hub pushed for source %d is not signed by it: ignored", source.pk)
        return HttpResponse()
    _store(source, body, request.headers.get("Content-Type", ""))
    return HttpResponse()


def _store(source: object, body: bytes, media_type: str) -> None:
    from morefollows import notify
    from morefollows.ingest.item import UnreadableItem
    from morefollows.ingest.models import Source
    from morefollows.ingest.sources.actions import RECEIVED
    from morefollows.ingest.sources.feeds import hub_subscription

    assert isinstance(source, Source)
    try:
        if hub_subscription.receive_push(source, body, media_type):
            notify.announce(settings.MOREFOLLOWS.data, RECEIVED)
    except UnreadableItem as error:
        log.warning("what a hub pushed for source %d can't be read: %s", source.pk, error)
