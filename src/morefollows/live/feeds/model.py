"""What a feed consists of, whatever its format."""

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
class Entry:
    """`id` never changes; `updated` moves when something was published, and for nothing less (RFC 4287 §4.2.15)."""

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
class Gone:
    """An entry that was taken back (RFC 6721). `notice`: what stands for it where a format can't say so."""

    id: str
    at: datetime
    notice: Entry


@dataclass(frozen=True)
class Feed:
    """`address` is that of this very document: rel=self."""

    id: str
    title: str
    description: str
    home: str
    address: str
    language: str
    author: str
    updated: datetime
    hub: str
    entries: list[Entry] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)
