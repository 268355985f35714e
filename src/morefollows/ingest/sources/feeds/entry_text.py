"""The HTML of feed entries as Markdown."""

from __future__ import annotations

import html
import re

from morefollows.ingest.item import UnreadableItem
from morefollows.ingest.reading import html_to_markdown

_MARKUP = re.compile(r"<[^<>]*>")
_UNSEEN = re.compile(r"<(script|style|iframe|noscript)\b.*?</\1\s*>", re.I | re.S)
_MOST_CHARACTERS = 1_000_000


def as_markdown_text(markup: str, base: str) -> tuple[str, tuple[str, ...]]:
    """Returns the entry's text as Markdown, and what an editor should look at."""
    markup = markup[:_MOST_CHARACTERS]
    try:
        return html_to_markdown(markup, base).strip(), ()
    except UnreadableItem as error:
        return plain_words(markup), (f"Its layout could not be read: {error}.",)


def plain_words(markup: str) -> str:
    """The text without markup."""
    return html.unescape(_MARKUP.sub(" ", _UNSEEN.sub("", markup))).strip()
