"""One poll of a feed or page: the request, what its answer means, and what is written of it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from morefollows.audit.actions import record
from morefollows.ingest.item import UnreadableItem
from morefollows.ingest.models import Source
from morefollows.ingest.pipeline import receive_items
from morefollows.ingest.sources import arrivals, secrets
from morefollows.ingest.sources.addresses import shown_host
from morefollows.ingest.sources.feeds import feed_parser as feeds
from morefollows.ingest.sources.feeds import pace
from morefollows.ingest.sources.feeds.feed_parser import FeedDocument
from morefollows.ingest.sources.fetching import (
    FetchLimits,
    FetchResponse,
    NotFetched,
    fetch,
)

log = logging.getLogger(__name__)

_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, "
    "application/json;q=0.9, text/xml;q=0.9, text/html;q=0.5, */*;q=0.1"
)
_FALLS_BACK = 3  # failures after which the address before a move is tried again


@dataclass
class PollResult:
    """What came of one poll. `changed`: fields of the source to write."""

    ok: bool
    due_at: datetime
    changed: dict[str, Any] = field(default_factory=dict)
    document: FeedDocument | None = None
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)  #: for the log


async def poll(source: Source, *, inside: bool) -> PollResult:
    """Asks the source's server for what is new. Never raises: a failure is a result."""
    now = timezone.now()
    headers = {"Accept": _ACCEPT}
    if source.etag:
        headers["If-None-Match"] = source.etag
    if source.last_modified:
        headers["If-Modified-Since"] = source.last_modified
    try:
        response = await fetch(
            source.moved_to or source.address,
            FetchLimits(inside=inside),
            headers,
            password=secrets.open_secret(source.sealed_password, source.uuid),
        )
        return await _answered(source, response, now)
    except NotFetched as error:
        return _failed(source, now, str(error))
    except UnreadableItem as error:
        return _failed(source, now, str(error))
    except Exception as error:  # in one source; the others go on
        log.exception("the source %s can't be polled", source.pk)
        return _failed(source, now, type(error).__name__)


async def _answered(source: Source, response: FetchResponse, now: datetime) -> PollResult:
    if response.status == 410:
        events = [] if source.gone_at else [("source gone", {"of": shown_host(source)})]
        gone = {"gone_at": source.gone_at or now, "error": "it is gone for good (410)"}
        return PollResult(False, pace.after_gone(now), gone | _trouble(source, now), events=events)
    if response.status == 304:
        return _worked(source, now, {})
    if not 200 <= response.status < 300:
        wait = pace.retry_after_seconds(response.headers.get("retry-after", ""), now)
        return _failed(source, now, f"its server answers {response.status}", wait)
    changed: dict[str, Any] = {
        "etag": response.headers.get("etag", "")[:500],
        "last_modified": response.headers.get("last-modified", "")[:100],
    }
    events = []
    known = ("", source.moved_to, source.address)
    if response.moved_to not in known and len(response.moved_to) <= 1000:
        changed["moved_to"] = response.moved_to
        events = [("source moved", {"of": shown_host(source)})]
    digest = hashlib.sha256(response.body).hexdigest()
    if digest == source.digest:
        return _worked(source, now, changed, events=events)
    document = await asyncio.to_thread(_read, source, response)
    changed |= {"digest": digest, "pace": document.pace.as_json()}
    return _worked(source, now, changed, document, events)


def _read(source: Source, response: FetchResponse) -> FeedDocument:
    """Raises `UnreadableItem`."""
    media_type = response.headers.get("content-type", "")
    if source.kind == Source.Kind.PAGE:
        return arrivals.read_page(response.body, media_type, response.url)
    document = feeds.read_feed(response.body, media_type=media_type, url=response.url)
    feeds.note_link_header(document, response.headers.get("link", ""), response.url)
    return document


def _worked(
    source: Source,
    now: datetime,
    changed: dict[str, Any],
    document: FeedDocument | None = None,
    events: list[tuple[str, dict[str, Any]]] | None = None,
) -> PollResult:
    asked = document.pace if document is not None else pace.pace_from(source.pace)
    due_at = pace.next_poll(now, source.interval_seconds, asked)
    changed = changed | {"failures": 0, "error": "", "error_since": None, "gone_at": None}
    changed["due_at"] = None
    return PollResult(True, due_at, _different(source, changed), document, events or [])


def _failed(source: Source, now: datetime, why: str, retry_after: float = 0) -> PollResult:
    due_at = pace.after_failure(now, source.interval_seconds, source.failures + 1, retry_after)
    changed: dict[str, Any] = {"error": why[:300], "due_at": due_at} | _trouble(source, now)
    if source.moved_to and source.failures + 1 >= _FALLS_BACK:
        changed |= {"moved_to": "", "etag": "", "last_modified": ""}
    return PollResult(False, due_at, changed)


def _trouble(source: Source, now: datetime) -> dict[str, Any]:
    return {"failures": source.failures + 1, "error_since": source.error_since or now}


def _different(source: Source, changed: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in changed.items() if getattr(source, name) != value}


def store_poll(source: Source, result: PollResult) -> int:
    """Writes what came of a poll, in one transaction with its items. Returns how many are new.

    `source` gets the new values, too.
    """
    changed = dict(result.changed)
    if result.document is not None and result.ok:
        changed["ok_at"] = timezone.now()
    if not changed:
        return 0
    new = 0
    with transaction.atomic():
        if result.document is not None:
            new = receive_items(source, result.document.items, "poll")
        # Not if its address was changed meanwhile: what was learned is of the one before.
        Source.objects.filter(pk=source.pk, address=source.address).update(**changed)
        for what, details in result.events:
            record(None, what, subject=source.name, **details)
    for name, value in changed.items():
        setattr(source, name, value)
    return new


def note_working(pks: list[int]) -> None:
    """Notes that these sources were polled and work, in one statement."""
    if pks:
        Source.objects.filter(pk__in=pks).update(ok_at=timezone.now())
