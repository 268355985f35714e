"""The XML of feeds, before and beside feedparser: made harmless, and cut into its entries."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from morefollows.ingest.sources.feeds.pace import Pace

_DEEPEST = 200
_MOST_RAW = 256 * 1024  # octets that are kept of one entry
_TAG = re.compile(rb"<(/?)[A-Za-z][^<>]*?(/?)>")
_DOCTYPE = re.compile(rb"<!DOCTYPE[^\[>]*(\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_DECLARED = re.compile(r"""(<\?xml[^>]*?)\sencoding\s*=\s*["'][^"']*["']""")
_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass
class FeedXml:
    """What of a feed's XML feedparser does not tell."""

    entries: list[bytes] = field(default_factory=list)  #: each entry's XML, in order
    deleted: list[tuple[str, bytes]] = field(default_factory=list)  #: ids and XML (RFC 6721)
    pace: Pace = field(default_factory=Pace)


def defused(raw: bytes) -> bytes:
    """Returns the feed without entities of its own and without endless nesting.

    Encodings in which an octet may be half a character become UTF-8.
    """
    for mark, encoding in _WIDE:
        if raw.startswith(mark):
            raw = _DECLARED.sub(r"\1", raw.decode(encoding, "replace"), count=1).encode()
            break
    if b"<!" in raw[:4096] or b"<!ENTITY" in raw:
        raw = _DOCTYPE.sub(b"", raw, count=1)
    return _flattened(raw) if _depth(raw) > _DEEPEST else raw


def _depth(raw: bytes) -> int:
    """How deep elements are nested at most, as their tags say. Too many if some are left open."""
    depth = deepest = 0
    for closing, empty in _TAG.findall(raw):
        if closing:
            depth = max(0, depth - 1)
        elif not empty:
            depth += 1
            deepest = max(deepest, depth)
    return deepest


def _flattened(raw: bytes) -> bytes:
    """Without elements that are nested too deeply, by a parser that has a limit."""
    root = _parse(raw)
    return b"" if root is None else etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _parse(raw: bytes) -> Any:
    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_pis=True,
    )
    try:
        return etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def take_apart(raw: bytes) -> FeedXml:
    """Cuts a harmless feed into its entries. What can't be parsed is empty."""
    found, root = FeedXml(), _parse(raw)
    if root is None:
        return found
    hours: list[int] = []
    days: list[int] = []
    ttl = 0.0
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        name = etree.QName(element).localname.lower() if "}" in element.tag else element.tag.lower()
        text = (element.text or "").strip()[:20]
        if name in ("item", "entry"):
            found.entries.append(etree.tostring(element, with_tail=False)[:_MOST_RAW])
        elif name == "deleted-entry" and (ref := element.get("ref")):
            octets = etree.tostring(element, with_tail=False)[:_MOST_RAW]
            found.deleted.append((str(ref), octets))
        elif name == "ttl" and text.isdigit():
            ttl = int(text[:9]) * 60.0
        elif name == "hour" and text.isdigit():
            hours.append(int(text[:3]) % 24)
        elif name == "day" and text.lower() in _DAYS:
            days.append(_DAYS.index(text.lower()))
    found.pace = Pace(ttl, tuple(sorted(set(hours))), tuple(sorted(set(days))))
    return found
