"""Tells the WebSub hub which feeds have changed, so that it fetches them and tells their subscribers.

The hub's address is the administrator's. It is asked by POST with a time-out; a redirect is not followed, and of its
answer nothing but the status is believed.
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

from morefollows.helpers.supervise import supervised
from morefollows.live import actions
from morefollows.live.feeds import entries
from morefollows.stories.models import Story

log = logging.getLogger(__name__)

_TIMEOUT = 10.0  # seconds for the hub to take the connection, and to answer
_EVERY = 1.0  # seconds between two looks at what is owed


async def run() -> None:
    """Until it is cancelled, whatever fails. Returns at once where no hub is set."""
    await supervised("telling the WebSub hub", _run)


async def _run() -> None:
    while settings.MOREFOLLOWS.websub_hub:
        await asyncio.to_thread(_look)
        await asyncio.sleep(_EVERY)


def _look() -> None:
    close_old_connections()
    tell_all()


def tell_all() -> None:
    """Tells the hub all that is due now."""
    with contextlib.suppress(
        AnyDatabaseError
    ):  # the senders say what is wrong with it; it is tried again in a second
        actions.owe()
        while (ping := actions.claim()) is not None:
            try:
                trouble = post(settings.MOREFOLLOWS.websub_hub, _changed(ping.update.story))
            except AnyDatabaseError:
                raise
            except Exception as error:  # of one update: the hub is told of the others all the same
                log.exception("the WebSub hub could not be told of update %d", ping.update_id)
                trouble = type(error).__name__
            actions.note(ping, done=not trouble)
            if trouble:
                log.warning("the WebSub hub was told in vain (try %d): %s", ping.tries, trouble)


def post(hub: str, addresses: list[str]) -> str:
    """Names feeds that have changed to a hub (PubSubHubbub 0.4 §7.1; WebSub leaves it open). "" when it took them."""
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
    """The feeds that a new update of this story has changed."""
    addresses = [reverse("story-feed", args=[story.uuid, name]) for name in entries.FORMATS]
    if story.topic is not None:
        addresses += [
            reverse("topic-feed", args=[story.topic.slug, name]) for name in entries.FORMATS
        ]
    return [entries.absolute(address) for address in addresses]
