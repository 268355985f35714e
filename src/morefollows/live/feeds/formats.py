"""Writes feeds: Atom (RFC 4287), RSS 2.0, JSON Feed 1.1, and news sitemaps."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from morefollows.live.feeds.model import Attached, Feed, FeedEntry

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2


def atom(feed: Feed) -> bytes:
    """Atom, with deleted entries (RFC 6721) for withdrawn stories."""
    root = Element("feed", {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": feed.language})
    root.set("xmlns:at", "http://purl.org/atompub/tombstones/1.0")
    _text(root, "id", feed.id)
    _text(root, "title", feed.title)
    _text(root, "subtitle", feed.description)
    _text(root, "updated", _rfc3339(feed.updated))
    _text(SubElement(root, "author"), "name", feed.author)
    for rel, address in _links(feed):
        SubElement(root, "link", {"rel": rel, "href": address})
    for entry in feed.entries:
        _atom_entry(root, entry)
    for gone in feed.gone:
        deleted = SubElement(root, "at:deleted-entry", {"ref": gone.id, "when": _rfc3339(gone.at)})
        _text(deleted, "at:comment", gone.notice.title)
        SubElement(deleted, "link", {"rel": "alternate", "href": gone.notice.link})
    return _written(root)


def _atom_entry(root: Element, entry: FeedEntry) -> None:
    element = SubElement(root, "entry", {"xml:lang": entry.language})
    _text(element, "id", entry.id)
    _text(element, "title", entry.title)
    _text(element, "published", _rfc3339(entry.published))
    _text(element, "updated", _rfc3339(entry.updated))
    SubElement(element, "link", {"rel": "alternate", "type": "text/html", "href": entry.link})
    for image in entry.images:
        attributes = {
            "type": image.content_type,
            "length": str(image.size),
            "title": _NOT_XML.sub("", image.alt),
        }
        SubElement(element, "link", {"rel": "enclosure", "href": image.address, **attributes})
    if entry.summary:
        _text(element, "summary", entry.summary)
    _text(element, "content", entry.html, type="html")


def rss(feed: Feed) -> bytes:
    """RSS can't mark an item as removed, so a notice with the same guid replaces it."""
    root = Element("rss", {"version": "2.0", "xmlns:atom": "http://www.w3.org/2005/Atom"})
    root.set("xmlns:content", "http://purl.org/rss/1.0/modules/content/")
    root.set("xmlns:media", "http://search.yahoo.com/mrss/")
    channel = SubElement(root, "channel")
    _text(channel, "title", feed.title)
    _text(channel, "link", feed.home)
    _text(channel, "description", feed.description)
    _text(channel, "language", feed.language)
    _text(channel, "lastBuildDate", format_datetime(feed.updated))
    for rel, address in _links(feed):
        if rel != "alternate":
            kind = {"type": "application/rss+xml"} if rel == "self" else {}
            SubElement(channel, "atom:link", {"rel": rel, "href": address, **kind})
    for entry in _shown(feed):
        item = SubElement(channel, "item")
        _text(item, "title", entry.title)
        _text(item, "link", entry.link)
        # The same id through all updates, or feed readers would show each of them as a new item.
        _text(item, "guid", entry.id, isPermaLink="false")
        # RSS has one date for an item. Readers sort by it, so it is the one of the last change.
        _text(item, "pubDate", format_datetime(entry.updated))
        _text(item, "description", entry.summary or entry.title)
        _text(item, "content:encoded", entry.html)
        _rss_images(item, entry.images)
    return _written(root)


def _rss_images(item: Element, images: list[Attached]) -> None:
    """Writes one enclosure, as RSS allows, and all images as Media RSS with alternative text.

    https://www.rssboard.org/media-rss
    """
    for image in images[:1]:
        attributes = {"url": image.address, "type": image.content_type, "length": str(image.size)}
        SubElement(item, "enclosure", attributes)
    for image in images:
        attributes = {"url": image.address, "type": image.content_type, "medium": "image"}
        media = SubElement(
            item,
            "media:content",
            attributes | {"width": str(image.width), "height": str(image.height)},
        )
        _text(media, "media:description", image.alt, type="plain")
        if image.credit:
            _text(media, "media:credit", image.credit)


def json_feed(feed: Feed) -> bytes:
    """https://www.jsonfeed.org/version/1.1/"""
    document: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "description": feed.description,
        "home_page_url": feed.home,
        "feed_url": feed.address,
        "language": feed.language,
        "authors": [{"name": feed.author}],
        "items": [_json_item(entry) for entry in _shown(feed)],
    }
    if feed.hub:
        document["hubs"] = [{"type": "WebSub", "url": feed.hub}]
    return json.dumps(document, ensure_ascii=False).encode()


def _json_item(entry: FeedEntry) -> dict[str, Any]:
    item = {
        "id": entry.id,
        "url": entry.link,
        "title": entry.title,
        "content_html": entry.html,
        "date_published": _rfc3339(entry.published),
        "date_modified": _rfc3339(entry.updated),
        "language": entry.language,
    }
    if entry.images:
        item["image"] = entry.images[0].address
    return item | ({"summary": entry.summary} if entry.summary else {})


def sitemap(publication: str, found: Iterable[tuple[str, str, str, datetime]]) -> bytes:
    """A news sitemap. `found`: address, headline, language, when it began."""
    root = Element("urlset", {"xmlns": "http://www.sitemaps.org/schemas/sitemap/0.9"})
    root.set("xmlns:news", "http://www.google.com/schemas/sitemap-news/0.9")
    for address, headline, language, began in found:
        url = SubElement(root, "url")
        _text(url, "loc", address)
        news = SubElement(url, "news:news")
        by = SubElement(news, "news:publication")
        _text(by, "news:name", publication)
        _text(by, "news:language", language)
        _text(news, "news:publication_date", _rfc3339(began))
        _text(news, "news:title", headline)
    return _written(root)


def _shown(feed: Feed) -> list[FeedEntry]:
    """The entries, with notices for removed ones, the latest first."""
    entries = [*feed.entries, *(gone.notice for gone in feed.gone)]
    return sorted(entries, key=lambda entry: entry.updated, reverse=True)


def _links(feed: Feed) -> list[tuple[str, str]]:
    """The feed's links as (rel, address), with the hub if one is set (W3C WebSub §4)."""
    links = [("self", feed.address), ("alternate", feed.home)]
    return [*links, ("hub", feed.hub)] if feed.hub else links


def _text(parent: Element, name: str, text: str, **attributes: str) -> None:
    SubElement(parent, name, attributes).text = _NOT_XML.sub("", text)


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _written(root: Element) -> bytes:
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))
