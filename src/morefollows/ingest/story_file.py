"""Reads a story from a file or a page, and fits it to what a story's fields can hold.

    ---                                     front matter; all of it may be left out
    headline: Harbour bridge closed
    standfirst: Nobody is hurt.
    language: en
    topic: breaking
    ---
    The bridge was closed at 14:05 …        Markdown

What else can be read, and how, is in `reading`. Each dropped piece and each doubt is reported, so
that an editor can check.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from morefollows.ingest import reading
from morefollows.ingest.item import SURE, ItemStatus, NewsItem, UnreadableItem
from morefollows.ingest.reading.bounds import MOST_BYTES
from morefollows.stories.images import address

LONGEST_HEADLINE = 150  # characters; these are the limits of `Story`'s fields
LONGEST_STANDFIRST = 300
LONGEST_TEXT = 50_000
LONGEST_CREDIT = 100

_IMAGE = re.compile(r"!\[([^\[\]]*)\]\(([^()\[\]\s]*)[^()\[\]]*\)")  # matches in linear time


class StoryFileError(Exception):
    """The file is not a valid story. ``str()`` names the field and the remedy."""

    def __init__(self, field: str, remedy: str) -> None:
        super().__init__(f"{field}: {remedy}")
        self.field = field
        self.remedy = remedy


@dataclass(frozen=True)
class StoryFile:
    """A story as it was read."""

    headline: str
    standfirst: str
    text: str
    language: str | None  #: as in the file; the caller checks that the newsroom has it
    topic: str | None  #: a topic's slug; the caller checks that it exists
    dropped: tuple[str, ...]  #: the start of each piece that was dropped
    notes: tuple[str, ...]  #: doubts: what somebody should look at before it is sent
    byline: str = ""
    place: str = ""
    for_editors: tuple[str, ...] = ()  #: the file's own notes to editors
    candidates: tuple[str, ...] = ()  #: other lines that could be the headline
    sure: bool = True  #: of the headline; if not, somebody has to choose
    item: NewsItem | None = None


def read_story(path: Path, headline: str = "") -> StoryFile:
    """Reads a story from a file. Raises `StoryFileError`, also when the file can't be read."""
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StoryFileError("file", f"can't be read: {reason}") from None
    return parse_story(raw, file_name=path.name, headline=headline)


def parse_story(
    raw: bytes, *, file_name: str = "", media_type: str = "", url: str = "", headline: str = ""
) -> StoryFile:
    """Reads a story from a file's bytes. `headline`: as somebody chose it.

    Raises `StoryFileError`.
    """
    try:
        items = reading.read_items(raw, media_type=media_type, file_name=file_name, url=url)
    except UnreadableItem as error:
        raise StoryFileError(error.part, error.reason) from None
    return story_of_item(items[0], len(items), headline)


def story_of_item(item: NewsItem, items: int = 1, headline: str = "") -> StoryFile:
    """Fits an item to a story. `items`: how many there are with it. Raises `StoryFileError`."""
    text, images = without_remote_images(item.text)
    doubts = [one for one in item.doubts if not (headline and "headline of its own" in one)]
    if items > 1:
        doubts.append(f"The file has {items} items: this is the first.")
    standfirst = item.standfirst
    if len(standfirst) > LONGEST_STANDFIRST:
        text, standfirst = f"{standfirst}\n\n{text}", ""
    if not re.search(r"\w", text):
        raise StoryFileError("text", "is empty; write the story below its headline")
    if len(text) > LONGEST_TEXT:
        raise StoryFileError(
            "text",
            f"has {len(text):,} characters; {LONGEST_TEXT:,} are the most:"
            " an alert is a short text",
        )
    chosen = " ".join((headline or item.headline).split())
    if not re.search(r"\w", chosen):
        raise StoryFileError("headline", "is missing; put one on a line of its own above the text")
    if len(chosen) > LONGEST_HEADLINE:
        raise StoryFileError(
            "headline", f"has {len(chosen)} characters; shorten it to {LONGEST_HEADLINE}"
        )
    return StoryFile(
        headline=chosen,
        standfirst=standfirst,
        text=text,
        language=item.language or None,
        topic=item.topic or None,
        dropped=(*item.dropped, *images),
        notes=tuple(doubts),
        byline=item.byline[:LONGEST_CREDIT],
        place=item.dateline[:LONGEST_CREDIT],
        for_editors=item.notes,
        candidates=tuple(dict.fromkeys((chosen, *item.candidates))) if not headline else (),
        sure=bool(headline) or item.confidence >= SURE,
        item=item,
    )


def why_not_now(read: StoryFile) -> str:
    """Why the story must not be sent now: "" or an embargo, or that its source takes it back."""
    from datetime import UTC, datetime

    item = read.item
    if item is None:
        return ""
    if item.status == ItemStatus.CANCELED:
        return "its source says that it must not be used"
    if item.embargo is not None and item.embargo > datetime.now(UTC):
        return f"it is under an embargo until {item.embargo:%Y-%m-%d %H:%M} UTC"
    if item.status == ItemStatus.WITHHELD:
        return "its source withholds it, or its embargo has no end that can be read"
    return ""


def without_remote_images(text: str) -> tuple[str, list[str]]:
    """Drops images that are not stored here, which `stories.checks.images` would refuse.

    Returns the text that is left, and a line for each dropped image.
    """
    went: list[str] = []

    def judged(found: re.Match[str]) -> str:
        if address.parse_picture(found[2]):
            return found[0]
        went.append(f"image: {found[1] or found[2]}"[:80])
        return ""

    blocks = [_IMAGE.sub(judged, block) for block in text.split("\n\n")]
    return "\n\n".join(block for block in blocks if block.strip()), went


def embargo_from(moment: str) -> NewsItem | None:
    """An item that has nothing but the embargo of one that was read before; None without one."""
    from datetime import datetime

    try:
        embargo = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return NewsItem(headline="", text="", embargo=embargo) if embargo.tzinfo else None
