"""Parses times as spreadsheets and programs write them. Times without a zone are taken as UTC."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime

DAY_FIRST, MONTH_FIRST = "day-first", "month-first"

# As written by Go's `Time.String`.
_GO_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?)\d* ([+-]\d{4}) \S+")
_CLOCK = (
    r"(?:[ ,T]+(?P<hour>\d\d?)[:.h](?P<minute>\d\d)(?:[:.](?P<second>\d\d)(?:\.\d+)?)?"
    r"\s*(?P<half>[ap]\.?\s?m\.?)?\s*(?:uhr)?)?"
    r"\s*(?P<zone>utc|gmt|z|(?:utc|gmt)?[+-]\d\d:?\d\d)?\s*(?:\(.*\))?"
)
_YEAR_FIRST = re.compile(
    rf"(?P<y>\d{{4}})[/.-](?P<m>\d\d?)[/.-](?P<d>\d\d?){_CLOCK}", re.IGNORECASE
)
_NUMBERS = re.compile(
    rf"(?P<a>\d\d?)(?P<mark>[./-])(?P<b>\d\d?)(?P=mark)(?P<y>\d{{4}}|\d\d){_CLOCK}", re.IGNORECASE
)
_DAY_NAME = re.compile(
    rf"(?P<d>\d\d?)(?:st|nd|rd|th|er|\.)?[ -]+(?:de |di )?(?P<name>[a-z]{{3,10}})\.?"
    rf"[ ,-]+(?:de |del )?(?P<y>\d{{4}}|\d\d){_CLOCK}",
    re.IGNORECASE,
)
_NAME_DAY = re.compile(
    rf"(?P<name>[a-z]{{3,10}})\.? (?P<d>\d\d?)(?:st|nd|rd|th)?,? (?P<y>\d{{4}}){_CLOCK}",
    re.IGNORECASE,
)
_WEEKDAY = re.compile(r"^[a-z]{2,10}\.?,? +(?=\w)", re.IGNORECASE)
# Excel's days since 1900: five digits from 1927 to 2173.
_SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?")
_SINCE_1970 = re.compile(r"\d{10}(?:\d{3})?")
# Day 0 of Excel's serial dates. Excel counts 29 February 1900, which did not exist.
_EXCEL_DAY_0 = datetime(1899, 12, 30, tzinfo=UTC)
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan ene gen januar january",
            "feb fev feburar",
            "mar mrt maa mars marz maerz",
            "apr avr abr",
            "may mai mei mag",
            "jun juin giu",
            "jul juil lug",
            "aug aou ago",
            "sep set",
            "oct okt ott out",
            "nov",
            "dec dez dic",
        ),
        1,
    )
    for name in names.split()
}


class Unreadable(ValueError):
    """The cell holds no time, or a time that can't be one of consent."""


class Ambiguous(ValueError):
    """The order of day and month is unknown, as in 02/01/2023."""


def parse_time(cell: str, order: str = "") -> tuple[datetime, str]:
    """Parse a time. Returns it with a description of its format, "" for ISO 8601.

    `order`: `DAY_FIRST` or `MONTH_FIRST`, for numbers with slashes. Without it, the order must
    follow from the numbers.
    Raises `Ambiguous`. Raises `Unreadable`, also for times before 1990 or over a day ahead.
    """
    text = " ".join(_GO_TIME.sub(r"\1\2", cell).split())
    try:
        found, how = _iso(text) or _counted(text) or _written(text, order)
    except (OverflowError, ValueError) as error:
        if isinstance(error, Ambiguous):
            raise
        raise Unreadable from None
    if timezone.is_naive(found):
        found = found.replace(tzinfo=UTC)
    if not _EARLIEST <= found <= timezone.now() + timedelta(days=1):
        raise Unreadable
    return found, how


def plain(cell: str) -> datetime | None:
    """Parse the most common forms of ISO 8601, many times faster than `moment`; None for others."""
    if cell[4:5] != "-" or len(cell) < 10:
        return None
    try:
        found = datetime.fromisoformat(cell)
    except ValueError:
        return None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return found if _EARLIEST <= found <= datetime.now(UTC) else None


def telling_order(cell: str) -> str:
    """`DAY_FIRST` or `MONTH_FIRST` if it follows from this cell alone; else ""."""
    found = _NUMBERS.fullmatch(" ".join(cell.split()))
    if found is None or found["mark"] == ".":
        return ""
    a, b = int(found["a"]), int(found["b"])
    return DAY_FIRST if a > 12 >= b else MONTH_FIRST if b > 12 >= a else ""


def _iso(text: str) -> tuple[datetime, str] | None:
    """Parse ISO 8601, with or without a time of day."""
    if _SERIAL.fullmatch(text) or _SINCE_1970.fullmatch(text):
        return None
    try:
        found = parse_datetime(text) or parse_datetime(text + "T00:00")
    except ValueError:
        return None
    return (found, "") if found else None


def _counted(text: str) -> tuple[datetime, str] | None:
    """Parse Excel's serial dates (days) and Unix times (seconds or milliseconds)."""
    if _SERIAL.fullmatch(text):
        days = _EXCEL_DAY_0 + timedelta(days=float(text.replace(",", ".")))
        return days.replace(microsecond=0), "dates as Excel counts them, in days"
    if _SINCE_1970.fullmatch(text):
        seconds = int(text) / (1000 if len(text) == 13 else 1)
        return datetime.fromtimestamp(seconds, UTC), "times in seconds since 1970"
    return None


def _written(text: str, order: str) -> tuple[datetime, str]:
    """Parse dates with slashes or dots, with month names, and as in mail (RFC 5322 §3.3)."""
    if found := _YEAR_FIRST.fullmatch(text):
        return _made(found, int(found["m"]), int(found["d"])), "dates such as 2023/01/31"
    if found := _NUMBERS.fullmatch(text):
        a, b = int(found["a"]), int(found["b"])
        if found["mark"] == ".":
            # Countries that write dates with dots put the day first.
            return _made(found, b, a), "dates such as 31.01.2023"
        # 02/02/2023 is the same day in either order.
        order = telling_order(text) or (DAY_FIRST if a == b else order)
        if not order:
            raise Ambiguous
        day, month = (a, b) if order == DAY_FIRST else (b, a)
        return _made(found, month, day), f"dates such as 31/01/2023, {order}"
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    for candidate in (plain, _WEEKDAY.sub("", plain)):
        if found := _DAY_NAME.fullmatch(candidate) or _NAME_DAY.fullmatch(candidate):
            return _made(
                found, _month(found["name"]), int(found["d"])
            ), "dates with the name of the month"
    return parsedate_to_datetime(text), "dates as mail has them"


def _month(name: str) -> int:
    """The number of a month by the first letters of its name. Raises `Unreadable`."""
    found = _MONTHS.get(name[:4]) or _MONTHS.get(name[:3])
    if found is None:
        raise Unreadable
    return found


def _made(found: re.Match[str], month: int, day: int) -> datetime:
    """The time with this month and day, and year, clock and zone from the match.

    Two-digit years below 70 are in this century.
    """
    year = int(found["y"])
    year += 2000 if year < 70 else 1900 if year < 100 else 0
    hour, half = int(found["hour"] or 0), (found["half"] or "").lower()
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    made = datetime(
        year, month, day, hour, int(found["minute"] or 0), int(found["second"] or 0), tzinfo=UTC
    )
    zone = re.search(r"([+-])(\d\d):?(\d\d)", found["zone"] or "")
    if zone:
        away = timedelta(hours=int(zone[2]), minutes=int(zone[3]))
        # A zone ahead of UTC has the later clock, so its offset is taken off.
        made += -away if zone[1] == "+" else away
    return made
