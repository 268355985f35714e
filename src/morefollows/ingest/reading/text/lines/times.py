"""Lines that say when something was published or changed, and nothing else."""

from __future__ import annotations

import re

from morefollows.ingest.reading.words import word_set

_TOKEN = re.compile(r"[^\W\d_]+(?:[.'’][^\W\d_]+)*|\d+")
_SIGNAL = re.compile(
    r"\d{1,2}[:.h]\d\d|\d{4}|\d{1,2}[./]\d{1,2}|\b(?:ago|vor|hace|il y a|yesterday|today|now)\b"
    r"|\d+\s*(?:min|h\b|hours?|minutes?|minuten|minutos|stunden|heures|horas|am\b|pm\b)"
    r"|^(?:updated|published|aktualisiert|publié|publicado|actualizado)",
    re.IGNORECASE,
)


def is_timestamp(line: str) -> bool:
    """Whether the line is a date, a time or a reading time, in any of the five languages."""
    if len(line) > 140:
        return False
    line = re.sub(r"(?<=\d)(?=[^\W\d_])|(?<=[^\W\d_])(?=\d)", " ", line.strip())
    tokens = [token.lower().rstrip(".") for token in _TOKEN.findall(line)]
    known = word_set("times")
    if not tokens or not all(token.isdigit() or token in known for token in tokens):
        return False
    if re.fullmatch(r"\d+\.?", line):
        return False
    joined = re.sub(r"(?<=\d) (?=h\b)|(?<=\bh) (?=\d)", "", line)
    return bool(_SIGNAL.search(joined)) and len(tokens) <= 24
