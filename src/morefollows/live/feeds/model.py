"""A feed, independent of its format."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


class Attached(NamedTuple):
    """An image of an entry. `size`: octets."""

    address: str
    content_type: str
    size: int
    width: int
    height: int
    alt: str
    credit: str


@dataclass(frozen=True)
class FeedEntry:
    """`id` never changes. `updated` changes only when an update is published (RFC 4287 §4.2.15)."""

    id: str
    link: str
    title: str
    summary: str
    html: str
    published: datetime
    updated: datetime
    language: str
    images: list[Attached] = field(default_factory=list)


@dataclass(frozen=True)
class RemovedEntry:
    """A removed entry (RFC 6721). `notice`: its replacement in formats without removals."""

    id: str
    at: datetime
    notice: FeedEntry


@dataclass(frozen=True)
class Feed:
    """`address`: of this document (rel=self). `home`: of its web page. `hub`: "" if none is set."""

    id: str
    title: str
    description: str
    home: str
    address: str
    language: str
    author: str
    updated: datetime
    hub: str
    entries: list[FeedEntry] = field(default_factory=list)
    gone: list[RemovedEntry] = field(default_factory=list)
