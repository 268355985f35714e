"""Works at the outbox of events: sends what is due, and tries again for three days.

The first sender process of each machine does. A claim is an UPDATE that succeeds for one of them.
Each endpoint is served by a thread, and for a while only: a slow one keeps no other waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import close_old_connections, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from morefollows.api.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from morefollows.api.webhooks import endpoints, posting
from morefollows.api.webhooks.signatures import signed_headers
from morefollows.audience.models import Letter
from morefollows.audit.actions import record
from morefollows.courier.outbox import to_editors
from morefollows.database import retry_queue
from morefollows.helpers.background_tasks import supervised

log = logging.getLogger(__name__)

State = WebhookDelivery.State
_EVERY = 1.0  # seconds between two looks
_THREADS = 16
_TURN = 20.0  # seconds after which an endpoint lets others have its thread
_AT_ONCE = 50  # events of one endpoint in one look
_WAITS = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400)  # seconds until the next try
TRIED_FOR = timedelta(days=3)
KEPT_FOR = timedelta(days=30)
_GONE = 410


async def run_webhooks() -> None:
    """Sends events until it is cancelled; errors do not end it."""
    await supervised("telling webhooks", _run)


async def _run() -> None:
    with ThreadPoolExecutor(_THREADS, "webhook") as pool:
        served: dict[int, Future[None]] = {}  # endpoint → its turn
        while True:
            await asyncio.to_thread(_look, pool, served)
            await asyncio.sleep(_EVERY)


def _look(pool: ThreadPoolExecutor, served: dict[int, Future[None]]) -> None:
    """Gives a turn to each endpoint for which something is due and that has none."""
    close_old_connections()
    for endpoint in [one for one, turn in served.items() if turn.done()]:
        del served[endpoint]
    with contextlib.suppress(AnyDatabaseError):  # the senders log these
        for endpoint in due_endpoints():
            if endpoint not in served:
                served[endpoint] = pool.submit(_serve_in_thread, endpoint)


def _serve_in_thread(endpoint: int) -> None:
    close_old_connections()
    try:
        with contextlib.suppress(AnyDatabaseError):
            serve_endpoint(endpoint)
    except Exception:  # of one endpoint; the others must still be served
        log.exception("webhook %d could not be served", endpoint)


def due_endpoints() -> list[int]:
    """Primary keys of active endpoints for which something is due."""
    due = retry_queue.due(_waiting(OuterRef("pk")))
    return list(
        WebhookEndpoint.objects.filter(Exists(due), active=True).values_list("pk", flat=True)
    )


def serve_endpoint(endpoint: int) -> None:
    """Sends what is due to this endpoint, until it does not take one, or its turn is over."""
    until = time.monotonic() + _TURN
    for key in _next(endpoint):
        if time.monotonic() > until:
            return
        if not retry_queue.claim(_waiting(endpoint), key):
            continue  # another process has it
        if not _send(WebhookDelivery.objects.select_related("endpoint", "event").get(pk=key)):
            return


def _waiting(endpoint: int | OuterRef) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(endpoint=endpoint, state=State.WAITING)


def _next(endpoint: int) -> Iterable[int]:
    """Keys of due deliveries, oldest first, whose story has no older one waiting."""
    waiting = _waiting(endpoint)
    for _ in range(_AT_ONCE):
        older = waiting.filter(story=OuterRef("story"), pk__lt=OuterRef("pk")).exclude(story="")
        due = retry_queue.due(waiting).filter(~Exists(older)).order_by("pk")
        key = due.values_list("pk", flat=True).first()
        if key is None:
            return
        yield key


def _send(delivery: WebhookDelivery) -> bool:
    """Sends one. Returns False if the endpoint does not take any now."""
    endpoint = delivery.endpoint
    wait_seconds, trouble, gone = 0.0, "", False
    try:
        result = posting.post_event(
            endpoint.url,
            delivery.event.body.encode(),
            signed_headers(endpoint, delivery.event),
            inside=settings.MOREFOLLOWS.webhooks_inside,
        )
        if 200 <= result.status < 300:
            _taken(delivery, result.status)
            return True
        trouble, wait_seconds = f"status {result.status}", result.retry_after
        gone = result.status == _GONE
    except posting.NotPosted as reason:
        trouble = str(reason)
    _not_taken(delivery, trouble, wait_seconds, gone)
    return False


def _taken(delivery: WebhookDelivery, status: int) -> None:
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        state=State.DELIVERED, last_result=f"status {status}", delivered_at=timezone.now()
    )


def _not_taken(delivery: WebhookDelivery, trouble: str, wait_seconds: float, gone: bool) -> None:
    """Puts it back, or gives up and pauses the endpoint: after three days, or at "410 Gone"."""
    log.warning("webhook %d: %s (try %d)", delivery.endpoint_id, trouble, delivery.tries)
    since = delivery.trying_since or delivery.event.at
    if gone or retry_queue.database_now() - since > TRIED_FOR:
        with transaction.atomic():
            WebhookDelivery.objects.filter(pk=delivery.pk).update(
                state=State.FAILED, last_result=trouble[:200]
            )
            paused = WebhookEndpoint.objects.filter(pk=delivery.endpoint_id, active=True)
            if paused.update(active=False, paused_because=trouble[:200]):
                host = endpoints.host_of(delivery.endpoint.url)
                entry = record(None, "pause webhook", subject=host, reason=trouble)
                to_editors.tell_administrators(Letter.Kind.WEBHOOK_PAUSED, entry.pk)
        return
    due_at = retry_queue.next_try(delivery.tries, _WAITS, at_least=wait_seconds)
    WebhookDelivery.objects.filter(pk=delivery.pk).update(due_at=due_at, last_result=trouble[:200])


def forget_events() -> int:
    """Deletes events of more than 30 days that nobody waits for. Called by housekeeping."""
    return old_events().delete()[0]


def old_events() -> QuerySet[WebhookEvent]:
    """Returns the events that `forget_events` deletes."""
    waiting = WebhookDelivery.objects.filter(event=OuterRef("pk"), state=State.WAITING)
    return WebhookEvent.objects.filter(~Exists(waiting), at__lt=timezone.now() - KEPT_FOR)
