"""Reads what came from a source, in any format, and keeps the octets with each item."""

from __future__ import annotations

from dataclasses import replace

from morefollows.ingest.item import UnreadableItem
from morefollows.ingest.pipeline import ArrivedItem
from morefollows.ingest.reading import read_items
from morefollows.ingest.sources.feeds import feed_parser as feeds
from morefollows.ingest.sources.feeds.feed_parser import FeedDocument

_MOST_RAW = 1024 * 1024  # octets that are kept of what several items came in


def read_arrived(
    raw: bytes, *, media_type: str = "", file_name: str = "", profile: str = ""
) -> list[ArrivedItem]:
    """Reads what a program, folder or mailbox brought. Raises `UnreadableItem`.

    It may be a feed, too.
    """
    try:
        if feeds.may_be_feed(raw):
            return feeds.read_feed(raw, media_type=media_type).items
    except UnreadableItem:
        pass
    items = read_items(raw, media_type=media_type, file_name=file_name, profile=profile)
    kept = raw if len(items) == 1 else raw[:_MOST_RAW]
    return [ArrivedItem(item, kept, media_type) for item in items]


def read_page(raw: bytes, media_type: str, url: str) -> FeedDocument:
    """Reads a web page that is polled: an article, whose versions are the page's.

    Raises `UnreadableItem`.
    """
    document = FeedDocument()
    for item in read_items(raw, media_type=media_type or "text/html", url=url):
        named = replace(item, id=item.id or url, url=item.url or url)
        document.items.append(ArrivedItem(named, raw[:_MOST_RAW], media_type))
    return document


def with_page(arrived: ArrivedItem, page: bytes, media_type: str, url: str) -> ArrivedItem:
    """Returns the feed's item with the text of the page that it links to.

    Identity, headline and times stay the feed's. Raises `UnreadableItem`.
    """
    [read, *_others] = read_items(page, media_type=media_type or "text/html", url=url)
    item = arrived.item
    whole = replace(
        item,
        text=read.text or item.text,
        standfirst=item.standfirst or read.standfirst,
        byline=item.byline or read.byline,
        dateline=read.dateline,
        notes=read.notes,
        images=item.images or read.images,
        dropped=read.dropped,
        doubts=(*item.doubts, *read.doubts),
    )
    return replace(arrived, item=whole)
