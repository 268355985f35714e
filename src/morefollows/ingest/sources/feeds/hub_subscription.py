"""Subscribes to feeds at their WebSub hubs (W3C Recommendation of 23 January 2018).

What a hub pushes comes in by the web process, at an address that nobody can guess, and is signed.
Feeds are polled all the same: a hub that fails costs time, and no item.
"""

from __future__ import annotations

import secrets as random_secrets
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from morefollows.helpers import public_addresses, token_routes
from morefollows.ingest.models import Source
from morefollows.ingest.pipeline import receive_items
from morefollows.ingest.sources.feeds import feed_parser as feeds
from morefollows.ingest.sources.fetching import FetchLimits, NotFetched, fetch
from morefollows.ingest.sources.secrets import open_secret, seal_secret

LEASE_SECONDS = 7 * 24 * 3600  #: that are asked for
_RENEWED_AT = 0.75  # share of the lease
_LONGEST_LEASE = 90 * 24 * 3600
_AGAIN = timedelta(minutes=10)  # until a hub that did not verify is asked again
_DENIED = timedelta(days=1)
_SECONDS = 15.0
State = Source.WebSub


def note_hub(source: Source, hub: str, topic: str) -> None:
    """Notes hub and topic as a feed has named them. A new hub is asked with a new address."""
    if not hub or not topic:
        hub = topic = ""
    if (hub, topic) == (source.websub_hub, source.websub_topic):
        return
    source.websub_hub, source.websub_topic = hub, topic
    source.websub, source.websub_token, source.websub_secret = State.NONE, "", b""
    source.websub_until = source.websub_due_at = None
    source.save(update_fields=_FIELDS)


_FIELDS = (
    *("websub", "websub_hub", "websub_topic", "websub_token", "websub_secret"),
    *("websub_until", "websub_due_at"),
)


def hub_is_due(source: Source, *, inside: bool) -> bool:
    """Whether the hub is to be asked now, for the first time or to renew the lease.

    Not if no hub on the Internet could reach us.
    """
    if not source.websub_hub:
        return False
    if not inside and public_addresses.is_loopback(
        urlsplit(settings.MOREFOLLOWS.url).hostname or ""
    ):
        return False
    return source.websub_due_at is None or source.websub_due_at <= timezone.now()


def prepare(source: Source) -> Source:
    """Writes down that the hub is asked, before it is: it may verify at once."""
    with transaction.atomic():
        kept = Source.objects.select_for_update(of=("self",)).get(pk=source.pk)
        if not kept.websub_token:
            kept.websub_token = random_secrets.token_urlsafe(32)
            kept.websub_secret = seal_secret(random_secrets.token_urlsafe(48), kept.uuid)
        kept.websub, kept.websub_due_at = State.ASKED, timezone.now() + _AGAIN
        kept.save(update_fields=_FIELDS)
    for name in _FIELDS:
        setattr(source, name, getattr(kept, name))
    return source


async def request_subscription(source: Source, *, inside: bool) -> str:
    """Asks the hub to subscribe, or to renew (§5.1). Returns "" or what went wrong."""
    form = urlencode(
        {
            "hub.mode": "subscribe",
            "hub.topic": source.websub_topic,
            "hub.callback": callback_url(source),
            "hub.secret": open_secret(source.websub_secret, source.uuid),
            "hub.lease_seconds": str(LEASE_SECONDS),
        }
    ).encode()
    limits = FetchLimits(inside=inside, octets=64 * 1024, seconds=_SECONDS)
    hub = source.websub_hub
    try:
        response = await fetch(hub, limits, form=form)
        target = response.headers.get("location", "")
        if response.status in (307, 308) and target:
            response = await fetch(target, limits, form=form)
    except NotFetched as error:
        return str(error)
    return "" if response.status == 202 or response.status == 204 else f"status {response.status}"


def callback_url(source: Source) -> str:
    """Where the hub reaches us."""
    path = token_routes.WEBSUB.replace("<str:token>", source.websub_token)
    return f"{settings.MOREFOLLOWS.url}/{path}"


def find_subscription(token: str) -> Source | None:
    """The source that this callback is for; None if there is no such."""
    if not token:
        return None
    return Source.objects.filter(websub_token=token, removed_at=None).first()


def verify_intent(source: Source, mode: str, topic: str, lease_seconds: str) -> bool:
    """Whether we have asked for this (§5.3). A confirmed subscription runs from now on."""
    if topic != source.websub_topic:
        return False
    now = timezone.now()
    if mode == "denied":
        source.websub, source.websub_due_at = State.DENIED, now + _DENIED
        source.save(update_fields=_FIELDS)
        return True
    if mode != "subscribe" or source.websub != State.ASKED or not source.is_active:
        return False
    digits = lease_seconds.isascii() and lease_seconds.isdigit()
    lease = min(int(lease_seconds[:9]), _LONGEST_LEASE) if digits else LEASE_SECONDS
    source.websub, source.websub_until = State.ACTIVE, now + timedelta(seconds=lease)
    source.websub_due_at = now + timedelta(seconds=lease * _RENEWED_AT)
    source.save(update_fields=_FIELDS)
    return True


def receive_push(source: Source, body: bytes, media_type: str) -> int:
    """Stores the items that a hub has pushed. Returns how many are new.

    Raises `UnreadableItem` if it is no feed.
    """
    if not source.is_active or source.websub_until is None:
        return 0
    if source.websub_until < timezone.now():
        return 0
    read = feeds.read_feed(body, media_type=media_type, url=source.websub_topic)
    return receive_items(source, read.items, "websub")
