"""Values of wire formats, read leniently: one that is wrong becomes a doubt, never an error."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from morefollows.ingest.item import ItemStatus

_STATUS = {
    "usable": ItemStatus.USABLE,
    "withheld": ItemStatus.WITHHELD,
    "embargoed": ItemStatus.WITHHELD,
    "canceled": ItemStatus.CANCELED,
    "cancelled": ItemStatus.CANCELED,
    "killed": ItemStatus.CANCELED,
    "withdrawn": ItemStatus.CANCELED,
}


def text_of(value: Any) -> str:
    """A string in one line; "" for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return " ".join(value.split()) if isinstance(value, str) else ""


def list_of(value: Any) -> list[Any]:
    """A list as it is, and a single value as a list of it."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def read_moment(value: Any, doubts: list[str], name: str) -> datetime | None:
    """A time of ISO 8601; without a zone it is taken as UTC, with a doubt."""
    text = text_of(value)
    if not text:
        return None
    for candidate in (text, _basic(text)):
        try:
            found = datetime.fromisoformat(candidate)
            break
        except ValueError:
            continue
    else:
        doubts.append(f"{name} “{text[:40]}” is no time that can be read.")
        return None
    if found.tzinfo is None:
        doubts.append(f"{name} has no time zone: it was taken as UTC.")
        found = found.replace(tzinfo=UTC)
    try:
        return found.astimezone(UTC)
    except (OverflowError, ValueError):
        doubts.append(f"{name} “{text[:40]}” is no time that can be read.")
        return None


def _basic(text: str) -> str:
    """Forms that Python does not read: "20261128T200600+0000", "2026-11-28T20:06:54.1234567Z"."""
    found = re.fullmatch(
        r"(\d{4})-?(\d\d)-?(\d\d)(?:T?(\d\d):?(\d\d)(?::?(\d\d))?(?:[.,]\d+)?)?"
        r"\s*(Z|[+-]\d\d(?::?\d\d)?)?",
        text,
        re.IGNORECASE,
    )
    if not found:
        return text
    year, month, day, hour, minute, second, zone = found.groups()
    date = f"{year}-{month}-{day}"
    if not hour:
        return date
    zone = "+00:00" if (zone or "").upper() == "Z" else zone or ""
    return f"{date}T{hour}:{minute}:{second or '00'}{zone}"


def read_number(value: Any) -> int | None:
    """A version's number, also as a string; None if it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        # NaN is not equal to itself.
        return int(value) if value == value and abs(value) < 1e15 else None
    if isinstance(value, int):
        return value if abs(value) < 10**15 else None
    found = (
        re.fullmatch(r"\s*[vV]?(\d{1,15})(?:\.0)?\s*", value) if isinstance(value, str) else None
    )
    return int(found[1]) if found else None


def urgency(value: Any, doubts: list[str]) -> int | None:
    """An urgency of 1 to 9."""
    found = read_number(value)
    if found is None or 1 <= found <= 9:
        return found
    doubts.append(f"Urgency {found} is not one of 1 to 9.")
    return None


def read_status(value: Any, doubts: list[str]) -> ItemStatus:
    """The status of a word, a QCode ("stat:usable") or a URI; what is unknown is withheld."""
    text = text_of(value)
    if not text:
        return ItemStatus.USABLE
    word = re.split(r"[:/#]", text.lower().rstrip("/"))[-1]
    found = _STATUS.get(word)
    if found is None:
        doubts.append(f"Its status “{text[:40]}” is not known: it is withheld.")
        return ItemStatus.WITHHELD
    return found
