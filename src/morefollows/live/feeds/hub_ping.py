"""Pings the WebSub hub when feeds change; the hub then fetches them and notifies subscribers.

The administrator sets the hub's address. Requests have a timeout, redirects are not followed, and
only the status of the response is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import logging
import ssl
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import close_old_connections
from django.urls import reverse

from morefollows.helpers.background_tasks import supervised
from morefollows.live.feeds import entries, ping_queue
from morefollows.stories.models import Story

log = logging.getLogger(__name__)

_TIMEOUT = 10.0  # seconds, for connecting and for each read
_EVERY = 1.0  # seconds between two queries for due pings


async def run_pings() -> None:
    """Sends pings until it is cancelled; errors do not end it. Returns at once if no hub is set."""
    await supervised("telling the WebSub hub", _run)


async def _run() -> None:
    while settings.MOREFOLLOWS.websub_hub:
        await asyncio.to_thread(_look)
        await asyncio.sleep(_EVERY)


def _look() -> None:
    close_old_connections()
    send_due_pings()


def send_due_pings() -> None:
    """Sends all pings that are due."""
    with contextlib.suppress(
        AnyDatabaseError
    ):  # the senders log database errors; the next try is in a second
        ping_queue.enqueue_pings()
        while (ping := ping_queue.claim_ping()) is not None:
            try:
                trouble = post(settings.MOREFOLLOWS.websub_hub, _changed(ping.update.story))
            except AnyDatabaseError:
                raise
            except Exception as error:  # in one update; the others must still be sent
                log.exception("the WebSub hub could not be notified of update %d", ping.update_id)
                trouble = type(error).__name__
            ping_queue.record_ping(ping, done=not trouble)
            if trouble:
                log.warning("the WebSub hub did not take a ping (try %d): %s", ping.tries, trouble)


def post(hub: str, addresses: list[str]) -> str:
    """Sends the addresses of changed feeds to the hub. Returns "" or the reason of a failure.

    The request follows PubSubHubbub 0.4 §7.1; WebSub does not define it.
    """
    parts = urlsplit(hub)
    body = urlencode([("hub.mode", "publish"), *(("hub.url", address) for address in addresses)])
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    host = str(parts.hostname)
    if secure:
        context = ssl.create_default_context()
        connection: http.client.HTTPConnection
        connection = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(
            "POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"}
        )
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()
    return "" if 200 <= status < 300 else f"status {status}"


def _changed(story: Story) -> list[str]:
    """Addresses of the feeds that a new update of this story changes."""
    addresses = [reverse("story-feed", args=[story.uuid, name]) for name in entries.FORMATS]
    if story.topic is not None:
        addresses += [
            reverse("topic-feed", args=[story.topic.slug, name]) for name in entries.FORMATS
        ]
    return [entries.absolute(address) for address in addresses]
