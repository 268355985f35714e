"""What a page says about its article: JSON-LD, Open Graph and other metadata, and its heading."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from morefollows.ingest.reading.pages import markdown
from morefollows.ingest.reading.wires import values

_ARTICLES = frozenset(
    [
        "newsarticle",
        "article",
        "reportagenewsarticle",
        "analysisnewsarticle",
        "backgroundnewsarticle",
        "opinionnewsarticle",
        "reviewnewsarticle",
        "advertisercontentarticle",
        "blogposting",
        "liveblogposting",
        "report",
        "techarticle",
        "socialmediaposting",
    ]
)
_MOST_JSON = 500_000  # characters of one script
_SITE = re.compile(r"\s+[|–—·•-]\s+[^|–—·•]{2,60}$")


@dataclass
class Facts:
    """What is known of the article. What the page does not say is empty."""

    headline: str = ""
    sure: float = 0.0
    titles: list[str] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    description: str = ""
    published_at: datetime | None = None
    updated_at: datetime | None = None
    language: str = ""
    url: str = ""
    site: str = ""
    section: str = ""
    topics: list[str] = field(default_factory=list)
    rights: str = ""
    live: bool = False
    paid: bool = False
    article: bool = False  #: the page calls itself one
    correction: str = ""


def facts_of(root: Any, url: str = "") -> Facts:
    """Returns what the page says."""
    facts = Facts(language=values.text_of(root.get("lang") or root.get("xml:lang")))
    _metadata(root, facts)
    ld = ""
    for one in _json_ld(root):
        ld = ld or _plain(one.get("headline") or one.get("name"))
        _linked_data(one, facts)
    if url and not facts.url:
        facts.url = url
    _headline(root, facts, ld)
    return facts


def _plain(value: Any) -> str:
    text = values.text_of(value)
    return markdown_entities(text) if "&" in text or "<" in text else text


def markdown_entities(text: str) -> str:
    """A text whose entities a CMS escaped twice."""
    import html

    return " ".join(re.sub(r"<[^>]{0,200}>", "", html.unescape(text)).split())


def _metadata(root: Any, facts: Facts) -> None:
    found: dict[str, str] = {}
    topics = []
    for meta in root.iter("meta"):
        name = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").lower()
        content = _plain(meta.get("content"))
        if name == "article:tag":
            topics.append(content)
        if content:
            found.setdefault(name, content)
    facts.site = found.get("og:site_name", "")
    facts.description = found.get("og:description", "") or found.get("description", "")
    facts.article = found.get("og:type", "") == "article"
    facts.section = found.get("article:section", "")
    facts.topics = topics[:20]
    for key in (
        "author",
        "article:author",
        "byl",
        "dc.creator",
        "sailthru.author",
        "parsely-author",
    ):
        name = re.sub(r"^by\s+", "", found.get(key, ""), flags=re.IGNORECASE)
        if name and "/" not in name and "@" not in name:
            facts.authors = [name]
            break
    for key in ("article:published_time", "datepublished", "date", "dc.date.issued", "pubdate"):
        facts.published_at = facts.published_at or values.read_moment(found.get(key), [], "")
    for key in ("article:modified_time", "datemodified", "last-modified"):
        facts.updated_at = facts.updated_at or values.read_moment(found.get(key), [], "")
    facts.language = facts.language or found.get("og:locale", "")
    facts.titles = [
        one for key in ("og:title", "twitter:title", "title") if (one := found.get(key))
    ]
    for link in root.iter("link"):
        if (link.get("rel") or "").lower() == "canonical":
            facts.url = markdown.safe_address(link.get("href") or "")
    facts.url = facts.url or markdown.safe_address(found.get("og:url", ""))


def _json_ld(root: Any) -> list[dict[str, Any]]:
    """The page's articles in JSON-LD, with their types; the page's own first."""
    found: list[dict[str, Any]] = []
    for script in root.iter("script"):
        kind = (script.get("type") or "").partition(";")[0].strip().lower()
        text = script.text or ""
        if kind != "application/ld+json" or len(text) > _MOST_JSON:
            continue
        try:
            given = json.loads(
                re.sub(r"^\s*(?://)?<!\[CDATA\[|(?://)?\]\]>\s*$", "", text), strict=False
            )
        except (ValueError, RecursionError):
            continue
        for one in values.list_of(given):
            if not isinstance(one, dict):
                continue
            found += [
                part
                for part in [one, *values.list_of(one.get("@graph")), one.get("mainEntity")]
                if isinstance(part, dict) and _types(part) & _ARTICLES
            ]
    return found[:3]


def _types(one: dict[str, Any]) -> set[str]:
    return {values.text_of(kind).lower() for kind in values.list_of(one.get("@type"))}


def _linked_data(one: dict[str, Any], facts: Facts) -> None:
    facts.article = True
    facts.live |= "liveblogposting" in _types(one)
    names = []
    for author in values.list_of(one.get("author")):
        if isinstance(author, dict):
            author = author.get("name")
        names += [_plain(name) for name in values.list_of(author)]
    names = [name for name in names if name and "/" not in name and "@" not in name]
    if names:
        facts.authors = list(dict.fromkeys(names))[:6]
    facts.published_at = values.read_moment(one.get("datePublished"), [], "") or facts.published_at
    facts.updated_at = values.read_moment(one.get("dateModified"), [], "") or facts.updated_at
    facts.description = facts.description or _plain(one.get("description"))
    facts.language = values.text_of(one.get("inLanguage")) or facts.language
    facts.correction = facts.correction or _correction(one)
    publisher = one.get("publisher")
    if isinstance(publisher, dict):
        facts.site = facts.site or _plain(publisher.get("name"))
    facts.rights = facts.rights or _plain(one.get("copyrightNotice"))
    free = one.get("isAccessibleForFree")
    facts.paid |= free is False or values.text_of(free).lower() == "false"
    keywords = one.get("keywords")
    words = keywords.split(",") if isinstance(keywords, str) else values.list_of(keywords)
    facts.topics = facts.topics or [text for word in words if (text := values.text_of(word))][:20]


def _correction(one: dict[str, Any]) -> str:
    given = one.get("correction")
    first = next(iter(values.list_of(given)), "")
    return _plain(first.get("text") if isinstance(first, dict) else first)


def _headline(root: Any, facts: Facts, ld: str) -> None:
    """The heading of the page, held against what its metadata say."""
    from rapidfuzz import fuzz

    title = next((one for one in root.iter("title")), None)
    named = " ".join((title.text_content() if title is not None else "").split())
    known = [one for one in (ld, *facts.titles) if one and one.lower() != facts.site.lower()]
    headings = [text for one in headings_of(root) if (text := markdown.line_of_element(one))]
    headings = [one for one in headings if one.lower() != facts.site.lower()]
    compared = [*known, named] if named else known
    best, score = "", -1.0
    for one in headings:
        found = max((fuzz.token_set_ratio(one.lower(), k.lower()) for k in compared), default=50.0)
        if len(one.split()) >= 2 and found > score:
            best, score = one, found
    plain_title = without_site(named, facts.site)
    if best and score >= 65:
        facts.headline, facts.sure = best, 0.95
    elif best and not known and len(headings) == 1:
        # The title of some sites names the site alone.
        facts.headline, facts.sure = best, 0.85
    elif best:
        # A heading for readers and another for machines: that of the page is the newspaper's.
        facts.headline, facts.sure = best, 0.75 if len(headings) == 1 else 0.6
    elif known:
        facts.headline, facts.sure = without_site(known[0], facts.site), 0.8
    elif plain_title and plain_title.lower() != facts.site.lower():
        facts.headline, facts.sure = plain_title, 0.6
    facts.titles = list(
        dict.fromkeys(
            one
            for one in [*headings, *[without_site(k, facts.site) for k in known], plain_title]
            if one and one != facts.headline
        )
    )[:5]


def headings_of(root: Any) -> list[Any]:
    """The headings that may be the headline: those marked so, or the first level's."""
    marked = [
        one
        for one in root.iter("h1", "h2", "h3", "p", "div", "span")
        if one.get("itemprop") == "headline"
        or (
            one.tag == "h3" and re.search(r"\b(?:post-title|entry-title)\b", one.get("class") or "")
        )
        or (
            one.tag == "h2"
            and re.search(r"\b(?:entry-title|post-title|headline)\b", one.get("class") or "")
        )
    ]
    return [*root.iter("h1"), *[one for one in marked if one.tag != "h1"]][:6]


def without_site(title: str, site: str) -> str:
    """A window's title without the site's name behind it."""
    for _twice in range(2):
        found = _SITE.search(title)
        if not found or len(title[: found.start()].split()) < 3:
            break
        end = found[0].strip(" |–—·•-")
        if found[0].strip()[0] in "|·•" or len(end.split()) <= 4 or end.lower() == site.lower():
            title = title[: found.start()]
        else:
            break
    return title.strip()
