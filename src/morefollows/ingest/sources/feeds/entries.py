"""Reads one entry of a feed, as feedparser or JSON Feed has it, into a `NewsItem`."""

from __future__ import annotations

import html
import re
from calendar import timegm
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

from morefollows.ingest.item import ItemImage, NewsItem
from morefollows.ingest.sources.feeds.entry_text import as_markdown_text, plain_words

_TAGS = re.compile(r"</?(?:a|b|i|u|em|strong|span|sup|sub|br|p|font|cite|q|small)\b[^<>]*>", re.I)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8});", re.I)
_MOST_TOPICS = 20
_MOST_IMAGES = 5
_STANDFIRST = 300
_NO_TITLE = 0.5  # how sure it is that a text's first words are its headline


def from_entry(entry: Mapping[str, Any], feed: Mapping[str, Any], base: str) -> NewsItem:
    """Reads an entry of RSS or Atom. `base`: the feed's URL."""
    content = _content(entry)
    summary = str(entry.get("summary") or "")
    body, standfirst = (content, summary) if content else (summary, "")
    link = str(entry.get("link") or "")
    return _item(
        title=title_line(str(entry.get("title") or "")),
        id=str(entry.get("id") or ""),
        url=_web(link, base),
        body=body,
        standfirst=standfirst,
        base=_web(link, base) or base,
        byline=_authors(entry),
        published=_time(entry.get("published_parsed")),
        # `get` would take the time of publication for it, and warn.
        updated=_time("updated_parsed" in entry and entry["updated_parsed"]),
        language=str(_language(entry) or feed.get("language") or ""),
        topics=[str(tag.get("term") or "") for tag in entry.get("tags") or ()],
        images=_images(entry, base),
        source=title_line(str(_source(entry) or feed.get("title") or "")),
        rights=title_line(str(entry.get("rights") or feed.get("rights") or "")),
    )


def from_json_entry(entry: Mapping[str, Any], feed: Mapping[str, Any], base: str) -> NewsItem:
    """Reads an item of JSON Feed 1 or 1.1."""
    text, markup = _text(entry, "content_text"), _text(entry, "content_html")
    link = _text(entry, "url") or _text(entry, "external_url")
    authors = entry.get("authors") or feed.get("authors") or [entry.get("author") or {}]
    names = [_text(one, "name") for one in _mappings(authors)]
    title = title_line(_text(entry, "title"))
    images = [_text(entry, "image") or _text(entry, "banner_image")]
    return _item(
        title=title,
        id=_text(entry, "id"),
        url=_web(link, base),
        body=markup or html.escape(text).replace("\n\n", "<p>").replace("\n", "<br>"),
        standfirst=_text(entry, "summary"),
        base=_web(link, base) or base,
        byline=", ".join(name for name in names if name),
        published=_iso(_text(entry, "date_published")),
        updated=_iso(_text(entry, "date_modified")),
        language=_text(entry, "language") or _text(feed, "language"),
        topics=[one for one in entry.get("tags") or () if isinstance(one, str)],
        images=[ItemImage(_web(url, base), alt=title) for url in images if _web(url, base)],
        source=title_line(_text(feed, "title")),
        rights="",
    )


def _item(
    *,
    title: str,
    id: str,
    url: str,
    body: str,
    standfirst: str,
    base: str,
    byline: str,
    published: datetime | None,
    updated: datetime | None,
    language: str,
    topics: Sequence[str],
    images: Sequence[ItemImage],
    source: str,
    rights: str,
) -> NewsItem:
    text, doubts = as_markdown_text(body, base)
    lead = " ".join(plain_words(standfirst).split())
    # Many feeds write the text's beginning, or all of it, as the summary.
    if len(lead) > _STANDFIRST or _same_start(lead, text):
        lead = ""
    candidates: tuple[str, ...] = ()
    sure = 1.0
    # Entries of micro-blogs have no title. An editor is asked what the headline is.
    if not title:
        words = " ".join(plain_words(body).split())
        title, sure = _first_sentence(words), _NO_TITLE
        candidates = (words[:150],)
    return NewsItem(
        headline=title,
        text=text,
        id=id.strip(),
        url=url,
        standfirst=lead,
        byline=byline[:200],
        published_at=published,
        updated_at=updated,
        language=language[:35],
        topics=tuple(topic for topic in topics if topic)[:_MOST_TOPICS],
        images=tuple(images)[:_MOST_IMAGES],
        source=source[:200],
        rights=rights[:300],
        confidence=sure,
        candidates=candidates,
        doubts=doubts,
    )


def title_line(text: str) -> str:
    """A title in one line, without the markup that some feeds have in it."""
    if _ENTITY.search(text):
        text = html.unescape(text)
    return " ".join(_TAGS.sub("", text).split())


def _first_sentence(words: str) -> str:
    # Not at a point within a number or a name, which no space follows.
    end = re.search(r"[.!?…](?=\s|$)", words)
    return words[: end.end()] if end and end.end() <= 150 else words[:150]


def _same_start(lead: str, text: str) -> bool:
    """Whether the summary is only the text's beginning, cut off."""
    plain = " ".join(text.split())
    return bool(lead) and plain.startswith(lead.rstrip(" .…")[:80])


def _content(entry: Mapping[str, Any]) -> str:
    """The entry's longest content that is text."""
    found = [
        (
            html.escape(str(one.get("value") or ""))
            if one.get("type") == "text/plain"
            else str(one.get("value") or "")
        )
        for one in entry.get("content") or ()
    ]
    return max(found, key=len, default="")


def _authors(entry: Mapping[str, Any]) -> str:
    author = title_line(str(entry.get("author") or ""))
    # RSS has "jo@paper.example (Jo Marr)". The address is nobody's business.
    if "@" in author and (inside := re.search(r"\(([^()@]+)\)", author)):
        return inside[1].strip()
    names = [title_line(str(one.get("name") or "")) for one in entry.get("authors") or ()]
    named = [name for name in dict.fromkeys(names) if name and "@" not in name]
    if named:
        return ", ".join(named)
    return "" if "@" in author else author


def _source(entry: Mapping[str, Any]) -> str:
    source = entry.get("source")
    return str(source.get("title") or "") if isinstance(source, Mapping) else ""


def _language(entry: Mapping[str, Any]) -> str:
    details = (entry.get("title_detail") or {}).get("language")
    return str(entry.get("language") or details or "")


def _images(entry: Mapping[str, Any], base: str) -> list[ItemImage]:
    """The pictures that belong to the entry, the widest first."""
    found: dict[str, int] = {}
    for one in [*(entry.get("media_content") or ()), *(entry.get("enclosures") or ())]:
        kind, medium = str(one.get("type") or ""), str(one.get("medium") or "")
        url = _web(str(one.get("url") or one.get("href") or ""), base)
        if url and (medium == "image" or kind.startswith("image/") or _is_picture(url, kind)):
            found.setdefault(url, _number(one.get("width")))
    # Thumbnails are small: taken only if there is no other picture.
    if not found:
        for one in entry.get("media_thumbnail") or ():
            if url := _web(str(one.get("url") or ""), base):
                found.setdefault(url, _number(one.get("width")))
    credits = [str(one.get("content") or "") for one in entry.get("media_credit") or ()]
    rights = ", ".join(title_line(one) for one in credits if one)
    rights = rights or title_line(str(entry.get("media_copyright") or ""))
    about = [str(one.get("content") or "") for one in entry.get("media_text") or ()]
    alt = title_line(" ".join(about)) or title_line(str(entry.get("title") or ""))
    # One alone: further ones are mostly the same picture in other sizes.
    widest = sorted(found, key=lambda url: -found[url])[:1]
    return [ItemImage(url, alt=alt[:250], rights=rights[:100]) for url in widest]


def _is_picture(url: str, kind: str) -> bool:
    path = url.partition("?")[0].lower()
    return not kind and path.endswith((".jpg", ".jpeg", ".png", ".webp", ".gif"))


def _number(value: Any) -> int:
    text = str(value or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def _time(parsed: Any) -> datetime | None:
    """feedparser's time, which is in UTC."""
    try:
        return datetime.fromtimestamp(timegm(parsed), UTC) if parsed else None
    except (ValueError, TypeError, OverflowError):
        return None


def _iso(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        # RFC 3339 wants an offset. Feeds without one mostly mean UTC.
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC) if text else None
    except (ValueError, OverflowError):
        return None


def _web(url: str, base: str) -> str:
    """The URL, absolute; "" if it is none of the web."""
    try:
        whole = urljoin(base, url.strip()) if url.strip() else ""
    except ValueError:
        return ""
    return whole if whole.lower().startswith(("http://", "https://")) else ""


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    # Identities that are numbers are taken, as JSON Feed 1.1 says.
    return str(value) if isinstance(value, str | int | float) else ""


def _mappings(values: Any) -> list[Mapping[str, Any]]:
    values = values if isinstance(values, list) else [values]
    return [one for one in values if isinstance(one, Mapping)]
