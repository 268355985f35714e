"""Reads a plain text or a Markdown file."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from morefollows.ingest.item import NewsItem, UnreadableItem
from morefollows.ingest.reading.text import article, front_matter, layout, page_breaks
from morefollows.ingest.reading.text.hints import Hints
from morefollows.ingest.reading.wires import values

_LONGEST = 200_000  # characters with all that stands around the story
_MOST_LINES = 20_000
_LONGEST_STANDFIRST = 300  # characters, as of a story
_SHORTCODE = re.compile(r"\{\{[<%].*?[%>]\}\}|\{%.{0,200}?%\}")  # Hugo's and Jekyll's


def read_text(text: str, *, markdown: bool = False) -> NewsItem:
    """Returns the item. Raises `UnreadableItem`."""
    text, breaks = page_breaks.without_page_breaks(text, markdown=markdown)
    check_characters(text)
    if not text.strip():
        raise UnreadableItem(
            "file", "is empty; write the headline on the first line, the text below"
        )
    if len(text) > _LONGEST or text.count("\n") > _MOST_LINES:
        raise UnreadableItem("text", f"has more than {_LONGEST:,} characters; give the story alone")
    matter = front_matter.split(text)
    given = matter.given
    markdown = markdown or bool(given)
    body, codes = _SHORTCODE.subn("", matter.text) if given else (matter.text, 0)
    if len(given.get("standfirst", "")) > _LONGEST_STANDFIRST:
        found = len(given["standfirst"])
        raise UnreadableItem(
            "standfirst", f"has {found} characters; shorten it to {_LONGEST_STANDFIRST}"
        )
    hints = Hints(
        headline=given.get("headline", ""),
        sure=1.0,
        standfirst=given.get("standfirst", ""),
        byline=given.get("byline", ""),
        markdown=markdown,
        given="headline" in given,
    )
    item = article.assemble(layout.blocks_of(body, markdown=markdown), hints)
    item = replace(item, dropped=(*breaks, *item.dropped))
    if not given and not matter.topics:
        return item
    doubts = list(item.doubts)
    if matter.draft:
        doubts.append("Its front matter says that it is a draft.")
    if codes:
        doubts.append("Shortcodes were left out: see whether a picture or a quote is missing.")
    url = given.get("url", "")
    return replace(
        item,
        dateline=given.get("dateline", "") or item.dateline,
        language=given.get("language", "") or item.language,
        topic=given.get("topic", ""),
        topics=matter.topics,
        published_at=matter.published_at,
        updated_at=matter.updated_at,
        url=url if re.match(r"https?://", url) else "",
        source=values.text_of(given.get("source")) or item.source,
        rights=given.get("rights", ""),
        doubts=tuple(doubts),
    )


def check_characters(text: str) -> None:
    """Raises `UnreadableItem` for control characters.

    They are not removed: one may have replaced a character that would be missing then.
    """
    for found in re.finditer(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text):
        line = text.count("\n", 0, found.start()) + 1
        raise UnreadableItem(
            "file",
            f"has the control character U+{ord(found[0]):04X} in line {line}; remove it",
        )
    if any(unicodedata.category(one) == "Cs" for one in set(text)):
        raise UnreadableItem("file", "has half a character (a surrogate); save it as UTF-8")
