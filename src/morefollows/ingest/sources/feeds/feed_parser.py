"""Reads feeds: RSS 0.9 to 2.0 and Atom by feedparser, and JSON Feed.

Pure: no database and no network. Whatever a feed holds, each entry that can be read is.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import feedparser

from morefollows.ingest.item import ItemStatus, NewsItem, UnreadableItem
from morefollows.ingest.pipeline import ArrivedItem
from morefollows.ingest.sources.feeds import entries, feed_xml
from morefollows.ingest.sources.feeds.pace import Pace

log = logging.getLogger(__name__)

_ROOT = re.compile(rb"<(?:\w+:)?(?:rss|feed|RDF|channel)\b", re.I)
_MOST_ENTRIES = 500
_MOST_JSON_DEPTH = 100
_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^,;=\s]+\s*(?:=\s*(?:\"[^\"]*\"|[^,;\s]*))?)*)")
_RELATION = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^,;\s]*))", re.I)
_ALTERNATE = re.compile(
    rb"<link\b(?=[^>]*\brel=[\"']?alternate)(?=[^>]*\btype=[\"']?application/"
    rb"(?:rss\+xml|atom\+xml|feed\+json))[^>]*\bhref=[\"']?([^\"'\s>]+)",
    re.I,
)


@dataclass
class FeedDocument:
    """A feed, read."""

    title: str = ""
    items: list[ArrivedItem] = field(default_factory=list)  #: the oldest first
    hub: str = ""  #: URL of its WebSub hub
    self_url: str = ""  #: as it names itself
    pace: Pace = field(default_factory=Pace)
    trouble: str = ""  #: what is wrong with it, though it was read


def may_be_feed(raw: bytes) -> bool:
    """Whether the octets begin as a feed does. `read_feed` tells for sure."""
    start = raw[:8192].replace(b"\x00", b"")
    return bool(_ROOT.search(start)) or b"jsonfeed.org/version" in start


def read_feed(raw: bytes, *, media_type: str = "", url: str = "") -> FeedDocument:
    """Reads a feed's octets. Raises `UnreadableItem` if it is none."""
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return _read_json(raw, url)
    clean = feed_xml.defused(raw)
    headers = {"content-location": url, "content-type": media_type or "application/xml"}
    try:
        parsed = feedparser.parse(clean, response_headers=headers, sanitize_html=False)
    except Exception as error:  # feedparser has no list of what it raises
        raise UnreadableItem("feed", f"can't be parsed: {type(error).__name__}") from error
    if not parsed.get("version") and not parsed.entries:
        raise _no_feed(raw, url)
    return _document(parsed, clean, url)


def _document(parsed: Any, clean: bytes, url: str) -> FeedDocument:
    xml = feed_xml.take_apart(clean)
    feed = parsed.feed
    document = FeedDocument(title=entries.title_line(str(feed.get("title") or "")), pace=xml.pace)
    for link in feed.get("links") or ():
        _note_link(document, str(link.get("rel") or ""), str(link.get("href") or ""), url)
    if parsed.get("bozo"):
        document.trouble = f"not well formed: {parsed.get('bozo_exception')}"[:200]
    raws = xml.entries if len(xml.entries) == len(parsed.entries) else None
    for number, entry in enumerate(parsed.entries[:_MOST_ENTRIES]):
        try:
            item = entries.from_entry(entry, feed, url)
        except Exception:  # in one entry; the others are still read
            log.exception("an entry of a feed can't be read")
            document.trouble = "an entry could not be read"
            continue
        if item.headline or item.text or item.url:
            octets = raws[number] if raws else _as_json(entry)
            kind = "application/xml" if raws else "application/json"
            document.items.append(ArrivedItem(item, octets, kind))
    document.items.reverse()
    for ref, octets in xml.deleted:
        gone = NewsItem(headline="", text="", id=ref, status=ItemStatus.CANCELED)
        document.items.append(ArrivedItem(gone, octets, "application/xml"))
    return document


def _as_json(entry: Any) -> bytes:
    return json.dumps(entry, default=str, ensure_ascii=False).encode("utf-8", "replace")


def _read_json(raw: bytes, url: str) -> FeedDocument:
    if _json_depth(raw) > _MOST_JSON_DEPTH:
        raise UnreadableItem("feed", f"is nested more than {_MOST_JSON_DEPTH} deep")
    try:
        feed = json.loads(raw.decode("utf-8-sig", "replace"))
    except ValueError as error:
        raise UnreadableItem("feed", f"is broken JSON: {error}") from None
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list):
        raise UnreadableItem("feed", "is JSON, but no JSON Feed: it has no list “items”")
    document = FeedDocument(title=entries.title_line(str(feed.get("title") or "")))
    _note_link(document, "self", str(feed.get("feed_url") or ""), url)
    for hub in feed.get("hubs") or ():
        if isinstance(hub, Mapping) and str(hub.get("type")).lower() == "websub":
            _note_link(document, "hub", str(hub.get("url") or ""), url)
    for entry in feed["items"][:_MOST_ENTRIES]:
        if not isinstance(entry, Mapping):
            document.trouble = "an item is no JSON object"
            continue
        item = entries.from_json_entry(entry, feed, url)
        if item.headline or item.text or item.url:
            document.items.append(ArrivedItem(item, _as_json(entry), "application/json"))
    document.items.reverse()
    return document


def _json_depth(raw: bytes) -> int:
    """How deep brackets are nested at most; those in texts are counted, too."""
    depth = deepest = 0
    for octet in re.findall(rb"[\[\]{}]", raw):
        depth += 1 if octet in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _note_link(document: FeedDocument, relations: str, target: str, url: str) -> None:
    """Notes a link to the hub or to the feed itself. The first of each counts."""
    try:
        whole = urljoin(url, target) if target else ""
    except ValueError:
        return
    if not whole.startswith(("http://", "https://")) or len(whole) > 1000:
        return
    names = relations.lower().split()
    if "hub" in names and not document.hub:
        document.hub = whole
    if "self" in names and not document.self_url:
        document.self_url = whole


def note_link_header(document: FeedDocument, header: str, url: str) -> None:
    """Notes hub and self of a header Link (RFC 8288). They count before those in the document."""
    links = FeedDocument()
    for target, parameters in _LINK.findall(header[:8192]):
        for quoted, bare in _RELATION.findall(parameters):
            _note_link(links, quoted or bare, target, url)
    document.hub = links.hub or document.hub
    document.self_url = links.self_url or document.self_url


def _no_feed(raw: bytes, url: str) -> UnreadableItem:
    found = _ALTERNATE.search(raw[:200_000])
    if found:
        with contextlib.suppress(ValueError):  # an address that can't be parsed is not named
            address = urljoin(url, found[1].decode("utf-8", "replace"))
            return UnreadableItem("feed", f"is a web page. Its feed is at {address[:300]}")
    return UnreadableItem("feed", "is neither RSS nor Atom nor JSON Feed")
