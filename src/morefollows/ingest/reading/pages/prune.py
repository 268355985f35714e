"""Takes from a page what is not its article, by its elements' names and classes."""

from __future__ import annotations

import re
from typing import Any

from morefollows.ingest.reading.pages import markdown
from morefollows.ingest.reading.text.lines import page_lines
from morefollows.ingest.reading.words import word_set

#: Words of a class, an id or a test's name that mark what stands around an article.
_STRONG = frozenset(
    [
        "comments",
        "commentlist",
        "commentform",
        "disqus",
        "respond",
        "cookie",
        "cookies",
        "consent",
        "gdpr",
        "nav",
        "breadcrumb",
        "breadcrumbs",
        "outbrain",
        "taboola",
        "relatedposts",
        "sharedaddy",
    ]
)
_TIMES = frozenset(
    [
        "timestamp",
        "date",
        "dates",
        "datetime",
        "time",
        "updated",
        "published",
        "publication",
        "dateline_date",
    ]
)
_CAPTIONS = frozenset(
    ["caption", "captions", "credit", "credits", "figcaption", "copyright", "legend"]
)
_ALWAYS = ("nav", "aside", "footer", "button", "menu", "time", "address")
_ROLES = ("navigation", "complementary", "banner", "contentinfo", "search", "dialog", "alert",
          "menu", "toolbar", "alertdialog", "menubar", "tablist")  # fmt: skip
_HEADINGS = ("h2", "h3", "h4", "h5", "h6", "p", "strong", "b", "span")
_LONGEST_HEADING = 80  # characters
_BODY = re.compile(r"article-?_*body|story-?_*body|entry-content|post-?_*body|gh-content", re.I)


def tokens(element: Any) -> set[str]:
    """The words of the element's class, id and test names, in lower case."""
    keys = (
        "class",
        "id",
        "data-component",
        "data-testid",
        "data-gu-name",
        "data-name",
        "data-area",
    )
    names = " ".join(element.get(key) or "" for key in keys)
    names = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", names)
    found = {one for one in re.split(r"[^a-z]+", names.lower()) if one}
    for one in names.lower().replace("_", "-").split():
        found.add(re.sub(r"[^a-z]", "", one))
    return found


def weight(element: Any) -> int:
    """Characters of text that are not in links."""
    whole = len(markdown.line_of_element(element))
    links = sum(len(markdown.line_of_element(one)) for one in element.iter("a"))
    return whole - links


def prune(root: Any) -> list[str]:
    """Drops what stands around the article from the tree; returns what was there in words."""
    dropped: list[str] = []
    gone: set[Any] = set()
    total = max(weight(root), 1)
    for element in list(root.iter()):
        if element in gone or not isinstance(element.tag, str) or element.getparent() is None:
            continue
        if element.tag in ("html", "body", "main", "article", "head"):
            continue
        if _is_around(element, total):
            text = markdown.line_of_element(element)
            if len(text) > 3 and element.tag not in ("script", "style"):
                dropped.append(text)
            gone.update(element.iter())
            element.drop_tree()
    return dropped


def _is_around(element: Any, total: int) -> bool:
    if element.tag in word_set("dropped_elements"):
        return True
    if element.tag in _ALWAYS or element.get("role") in _ROLES:
        return element.tag != "address" or weight(element) < 200
    if element.tag == "header":
        return not any(True for _h in element.iter("h1", "h2")) and weight(element) < 0.2 * total
    if element.tag == "figcaption":
        return True
    words = tokens(element)
    if words & _STRONG:
        return not _holds_body(element)
    plain = element.tag in ("h1", "h2", "p") and not words & {"newsletter", "ad", "advert", "share"}
    if plain and not words & (_CAPTIONS | _TIMES):
        return False
    if words & (word_set("around") | _TIMES | _CAPTIONS) or _is_box(element):
        return weight(element) < 0.35 * total and not _holds_body(element)
    return False


def _is_box(element: Any) -> bool:
    """Whether a box's heading is the first that the element has: "Te puede interesar"."""
    if element.tag not in ("div", "section", "ul", "ol", "details"):
        return False
    first = next((one for one in element if isinstance(one.tag, str)), None)
    if first is None or first.tag not in _HEADINGS or (element.text or "").strip():
        return False
    text = markdown.line_of_element(first)
    return len(text) <= _LONGEST_HEADING and page_lines.is_box_heading(text)


def _holds_body(element: Any) -> bool:
    return any(
        one.get("itemprop") == "articleBody" or _BODY.search(one.get("class") or "")
        for one in element.iter()
        if isinstance(one.tag, str)
    )


_BODIES = (
    "//*[@itemprop='articleBody']",
    "//*[@name='articleBody']",
    "//*[@data-gu-name='body' or @data-area='body' or @data-testid='article-body']",
    "//*[contains(concat(' ', @class, ' '), ' gh-content ')]",
    "//*[contains(@class, 'entry-content') or contains(@class, 'post-content')"
    " or contains(@class, 'post-body') or contains(@class, 'article-body')"
    " or contains(@class, 'article__body') or contains(@class, 'article-content')"
    " or contains(@class, 'article__content') or contains(@class, 'story-body')"
    " or contains(@class, 'articleBody') or contains(@class, 'ArticleBody')"
    " or contains(@class, 'RichTextStoryBody') or contains(@class, 'story-content')"
    " or contains(@class, 'govspeak') or contains(@class, 'release-body')"
    " or contains(@class, 'article-text') or contains(@class, 'articulo-cuerpo')"
    " or contains(@class, 'article_body') or contains(@class, 'c-article-content')]",
    "//article",
    "//main",
    "//*[@role='main']",
)
_ENOUGH = 0.75  # of the text of the largest element that may be the article


def article_element(root: Any) -> Any | None:
    """The element that holds the article, if the page marks it."""
    found = []
    for order, path in enumerate(_BODIES):
        found += [(order, one, weight(one)) for one in root.xpath(path)[:40]]
    most = max((size for _order, _one, size in found), default=0)
    fitting = [one for one in found if one[2] >= _ENOUGH * most and one[2] > 20]
    return fitting[0][1] if fitting else None
