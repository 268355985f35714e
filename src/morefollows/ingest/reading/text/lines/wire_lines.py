"""Lines with which agencies frame a story for machines: headers, slugs, category codes, signs."""

from __future__ import annotations

import re

from morefollows.ingest.reading.words import pattern

_URGENCY = re.compile(r"^[a-z]{2,5}/[a-z]{2,6}/\d{3,5}\s+(\d)\b|^[a-z]{2,4}\d{3,5}\s+(\d)\s")
_ENDS = re.compile(
    r"^\s*(?:\#{2,4}|\#\s\#\s\#|-+\s?(?:30|ends?|ende|fin|0)\s?-+|ENDS?\.?|ends\.?"
    r"|\(?\s?ENDE?\s?\)?"
    r"|\(FIN\)|FIN\.?|SOURCE\s[A-Z].{2,80}|NNNN)\s*$",
    re.IGNORECASE,
)


def is_header(line: str) -> bool:
    """Whether the line is for an agency's machines, as it stands above a story."""
    return len(line) <= 140 and bool(pattern("wire_headers").match(line))


def is_sign(line: str) -> bool:
    """Whether the line is what an agency puts below a story: its sign, a time, an end mark."""
    return len(line) <= 90 and bool(pattern("wire_signs").match(line))


def is_end(line: str) -> bool:
    """Whether the line says that the story ends here; what follows is for editors."""
    return len(line) <= 90 and bool(_ENDS.match(line))


def urgency_of(line: str) -> int | None:
    """The priority in a German agency's header, 1 to 9; None if it has none."""
    found = _URGENCY.match(line)
    digits = (found[1] or found[2]) if found else ""
    return int(digits) if digits and digits != "0" else None
