"""Reads a saved page, or a fragment of HTML, as an item."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from morefollows.ingest.item import ItemImage, NewsItem, UnreadableItem
from morefollows.ingest.reading import boilerplate, bounds
from morefollows.ingest.reading.pages import facts as page_facts
from morefollows.ingest.reading.pages import markdown, prune
from morefollows.ingest.reading.text import article
from morefollows.ingest.reading.text.hints import Hints
from morefollows.ingest.reading.text.lines import bylines
from morefollows.ingest.reading.words import word_set

_MOST_CHARACTERS = 6_000_000
_MOST_ELEMENTS = 60_000
_BYLINE = frozenset(
    [
        "byline",
        "author",
        "authors",
        "autor",
        "autoren",
        "autores",
        "auteur",
        "firma",
        "writer",
        "contributor",
    ]
)
_MOST_POSTS = 3  # of a live blog


def read_page(text: str, url: str = "") -> NewsItem:
    """Returns the item of a page. Raises `UnreadableItem`."""
    if len(text) > _MOST_CHARACTERS:
        raise UnreadableItem("HTML", "is longer than 6 million characters; save the article alone")
    root = bounds.parse_html(text)
    if sum(1 for _one in root.iter()) > _MOST_ELEMENTS:
        raise UnreadableItem("HTML", f"has more than {_MOST_ELEMENTS:,} elements")
    facts = page_facts.facts_of(root, url)
    base = next((one.get("href") for one in root.iter("base") if one.get("href")), "") or facts.url
    doubts = _doubts(root, facts)
    images = _images(root, base)
    byline = _byline(root, facts)
    dropped = prune.prune(root)
    scope, standfirst = prune.article_element(root), _standfirst(root)
    blocks = _blocks(root, scope, base, text, facts)
    if facts.live:
        blocks, doubts = _live(scope if scope is not None else root, base, blocks, doubts)
    blocks = _without_repeats(blocks, facts, standfirst)
    hints = Hints(
        headline=facts.headline,
        sure=facts.sure,
        titles=tuple(facts.titles),
        standfirst=standfirst,
        byline=byline,
        markdown=True,
        given=facts.live,
        doubts=doubts,
    )
    item = article.assemble(blocks, hints)
    if not item.text and not facts.article:
        raise UnreadableItem(
            "HTML", "has no article: no text is left without the page's boilerplate"
        )
    return _with_facts(item, facts, images, dropped)


def _with_facts(
    item: NewsItem, facts: page_facts.Facts, images: list[ItemImage], dropped: list[str]
) -> NewsItem:
    return replace(
        item,
        # A page is no wire: its labels do not make a flash of it.
        urgency=None,
        id=facts.url,
        published_at=facts.published_at,
        updated_at=facts.updated_at,
        language=facts.language or item.language,
        topics=tuple(dict.fromkeys([*([facts.section] if facts.section else []), *facts.topics])),
        url=facts.url,
        source=facts.site or item.source,
        rights=facts.rights,
        correction=item.correction or facts.correction,
        images=tuple(images),
        dropped=(*item.dropped, *(boilerplate.shown(one) for one in dropped)),
    )


def _doubts(root: Any, facts: page_facts.Facts) -> list[str]:
    doubts = []
    words = {word for one in root.iter("div", "section", "aside") for word in prune.tokens(one)}
    if facts.paid or "paywall" in words:
        doubts.append("The page is behind a paywall: the text may be only its beginning.")
    if not facts.article and len(list(root.iter("article"))) > 3:
        doubts.append("The page lists several articles: see whether this is the right one.")
    return doubts


def _byline(root: Any, facts: page_facts.Facts) -> str:
    """The authors: by name in the metadata, else as the page shows them."""
    site = facts.site.lower()
    names = [one for one in facts.authors if one.lower() not in (site, "admin", "redaktion")]
    if names and not any(re.match(r"https?:|www\.", one) for one in names):
        return ", ".join(bylines.byline_of(one) or one for one in names)[:300]
    for element in root.iter("p", "div", "span", "a", "address", "li", "h4", "section"):
        words = prune.tokens(element)
        marked = element.get("rel") == "author" or element.get("itemprop") == "author"
        if not (marked or words & _BYLINE) or words & {"bio", "about", "description", "box"}:
            continue
        text = markdown.line_of_element(element)
        found = bylines.byline_of(text, alone=True) if 3 < len(text) < 160 else ""
        if found and found.lower() != site:
            return found
    return ""


def _standfirst(root: Any) -> str:
    """A paragraph that is marked as the standfirst; it is taken from the tree."""
    for element in root.iter("p", "div", "h2", "h3"):
        words = prune.tokens(element)
        if not words & word_set("standfirst_classes") or words & {"body", "content"}:
            continue
        text = markdown.line_of_element(element)
        if 25 <= len(text) <= 400 and len(list(element.iter("p"))) <= 1:
            element.drop_tree()
            return text
    return ""


def _blocks(root: Any, scope: Any, base: str, text: str, facts: page_facts.Facts) -> list[str]:
    """The article's Markdown: of the element that the page marks, else as trafilatura finds it."""
    if scope is not None:
        return [one for one in markdown.element_to_markdown(scope, base).split("\n\n") if one]
    own = [one for one in markdown.element_to_markdown(root, base).split("\n\n") if one]
    if len(text) < 3_000 and not facts.article:
        return own  # a fragment
    found = _extracted(text, base)
    return found if sum(map(len, found)) > 0.3 * sum(map(len, own)) else own


def _extracted(text: str, base: str) -> list[str]:
    import trafilatura

    try:
        html = trafilatura.extract(
            text,
            output_format="html",
            include_links=True,
            include_formatting=True,
            include_tables=True,
            include_comments=False,
            url=base or None,
        )
    except (ValueError, RecursionError, AttributeError, TypeError):
        return []  # a page that it can't take is read as a whole
    return [one for one in markdown.html_to_markdown(html or "", base).split("\n\n") if one]


def _live(
    scope: Any, base: str, blocks: list[str], doubts: list[str]
) -> tuple[list[str], list[str]]:
    """Of a live blog the newest posts."""
    posts = [
        one
        for one in scope.iter("article", "section", "div", "li")
        if prune.tokens(one)
        & {"post", "liveblogpost", "blockpost", "liveblogupdate", "livepost", "liveposts"}
        or (one.get("itemprop") or "") == "liveBlogUpdate"
    ]
    posts = [
        one for one in posts if not any(inner is not one and inner in posts for inner in one.iter())
    ]
    words = "The page is a live blog: its newest posts are taken. See what belongs to the story."
    if not posts:
        return blocks, [*doubts, words]
    made = [markdown.element_to_markdown(one, base) for one in posts[:_MOST_POSTS]]
    return [block for one in made for block in one.split("\n\n") if block], [*doubts, words]


def _without_repeats(blocks: list[str], facts: page_facts.Facts, standfirst: str) -> list[str]:
    """Drops what the article repeats of its own head."""
    from rapidfuzz import fuzz

    found = []
    for number, block in enumerate(blocks):
        plain = re.sub(r"^#{1,6}\s+|[*_]", "", block).strip()
        same = plain and (
            fuzz.ratio(plain.lower(), facts.headline.lower()) > 92
            or (standfirst and fuzz.ratio(plain.lower(), standfirst.lower()) > 92)
        )
        if not (same and number < 12):
            found.append(block)
    return found


def _images(root: Any, base: str) -> list[ItemImage]:
    """The pictures of the article's figures, with captions and credits."""
    found: dict[str, ItemImage] = {}
    for figure in root.iter("figure"):
        image = next(iter(figure.iter("img")), None)
        url = markdown.image_address(image, base) if image is not None else ""
        if not url or url in found:
            continue
        caption = next(iter(figure.iter("figcaption")), None)
        words = markdown.line_of_element(caption) if caption is not None else ""
        credit = next(
            (
                markdown.line_of_element(one)
                for one in figure.iter("span", "cite", "small", "p", "div")
                if prune.tokens(one) & {"credit", "copyright", "source", "agency", "credits"}
            ),
            "",
        )
        alt = " ".join((image.get("alt") or "").split()) if image is not None else ""
        found[url] = ItemImage(
            url, alt, words.replace(credit, "").strip() if credit else words, credit
        )
    return list(found.values())[:20]
