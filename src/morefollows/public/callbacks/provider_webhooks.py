"""The webhooks by which providers report bounces and complaints: `intake.receivers.webhooks`."""

from __future__ import annotations

import logging

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from morefollows.config.addresses.intake_address import IntakeAddress

log = logging.getLogger(__name__)

_MOST_OCTETS = 2_000_000


@csrf_exempt
@require_http_methods(["HEAD", "POST"])
def hook(request: HttpRequest, provider: str, secret: str) -> HttpResponse:
    """Stores what a provider reports, and answers 200 once it is stored.

    The secret in the path proves the provider, and where it signs its events, the signature too.
    Some providers try the address by HEAD when it is entered.
    """
    receiver = _receiver(provider, secret)
    if receiver is None:
        raise Http404("there is no such webhook")
    if request.method == "HEAD":
        return HttpResponse()
    # Not needed by other pages, and slow to load.
    from morefollows.feedback.intake import actions
    from morefollows.feedback.intake.receivers.webhooks import BadWebhook, events_in

    try:
        if len(request.body) > _MOST_OCTETS:
            return HttpResponse(status=413)
        arrived = events_in(receiver, request)
    except (RequestDataTooBig, UnreadablePostError):
        return HttpResponse(status=413)
    except BadWebhook as error:
        log.warning("a webhook of %s was refused: %s", receiver.host, error)
        return HttpResponse(status=400)
    actions.take_in(receiver.name, arrived)
    return HttpResponse()


def _receiver(provider: str, secret: str) -> IntakeAddress | None:
    """The receiver with this provider and secret. Each is compared, in constant time."""
    found = None
    for receiver in settings.MOREFOLLOWS.intake:
        if receiver.scheme != "webhook" or receiver.host != provider:
            continue
        if constant_time_compare(receiver.options["secret"], secret):
            found = receiver
    return found
