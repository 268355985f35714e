"""The one form in which all news that comes in is handled, whatever it came as.

Every reader in `ingest.reading` returns it; matching, rules and drafts know nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ItemStatus(StrEnum):
    """Publication status, by the words of ninjs and NewsML-G2 (IPTC pubstatus)."""

    USABLE = "usable"
    WITHHELD = "withheld"  # until further notice
    CANCELED = "canceled"  # must not be used, and is withdrawn where it was


@dataclass(frozen=True)
class ItemImage:
    """A picture that belongs to an item."""

    url: str
    alt: str = ""
    caption: str = ""
    rights: str = ""  #: credit and copyright, as its source has them


@dataclass(frozen=True)
class NewsItem:
    """One item, read. Texts are without markup, but for `text`; what is unknown is empty."""

    headline: str
    text: str  #: Markdown: paragraphs, quotes, links, lists and tables
    id: str = ""  #: as its source names it, the same for all versions
    version: int | None = None
    status: ItemStatus = ItemStatus.USABLE
    urgency: int | None = None  #: 1 (most urgent) to 9 (IPTC urgency)
    embargo: datetime | None = None  #: not to be published before
    published_at: datetime | None = None
    updated_at: datetime | None = None
    standfirst: str = ""
    byline: str = ""
    dateline: str = ""
    language: str = ""  #: BCP 47, as given or recognised
    topics: tuple[str, ...] = ()  #: names or codes of subjects
    topic: str = ""  #: slug of one of our topics, if the item names one
    notes: tuple[str, ...] = ()  #: for editors; readers never see them
    correction: str = ""  #: what was wrong, if this version corrects an earlier one
    replaces: tuple[str, ...] = ()  #: ids of items of which this one takes the place
    images: tuple[ItemImage, ...] = ()
    url: str = ""  #: of the page at its publisher
    source: str = ""  #: who publishes it, in words
    rights: str = ""
    #: How sure it is that `headline` is the headline, 0 to 1. Below `SURE` an editor chooses.
    confidence: float = 1.0
    candidates: tuple[str, ...] = ()  #: other lines that could be the headline
    dropped: tuple[str, ...] = field(default=())  #: the start of each piece that was left out
    doubts: tuple[str, ...] = ()  #: what an editor should look at, in words


#: Headlines that are less sure are asked about.
SURE = 0.7


class UnreadableItem(ValueError):
    """Bytes that are no news item: what is wrong with which part, and what would be right."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part}: {reason}")
        self.part = part
        self.reason = reason
