"""Bylines, and datelines, in English, German, French and Spanish."""

from __future__ import annotations

import re
from typing import NamedTuple

from morefollows.ingest.reading.words import agencies, word_set

_PARTICLE = (
    r"(?:de|del|della|di|da|du|des|van|von|der|den|zu|zum|al|el|bin|ten|ter|la|le|y|e|d'|O')"
)
_NAME_WORD = r"(?:[A-ZÀ-ÞŠŽŁ][\w'’.-]*)"
_NAME = rf"{_NAME_WORD}(?:\s+(?:{_PARTICLE}\s+){{0,2}}{_NAME_WORD}){{1,3}}"
_AND = r"(?:\s*,\s*|\s+(?:and|und|et|y|e|&|with|mit|avec|con)\s+)"
_NAMES = re.compile(rf"{_NAME}(?:{_AND}{_NAME}){{0,5}}")
_BY = re.compile(
    r"(?:\*\*|\*)?(?:(?:story|words|text|reported|written|reporting|report|posted|published)\s+)?"
    r"(?:by|von|par|por|texto(?: de)?|text|autor(?:in)?|author|auteur|écrit par|publié par|propos"
    r" recueillis par|ein artikel von|eine analyse von|escrito por|publicado por|por|redacción)"
    r"\s*:?\s+(?=\S)",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"(?:\S+\s+){0,4}(?:correspondent|reporter|editor|staff writer|writer|columnist|journalist"
    r"|korrespondent(?:in)?|redakteur(?:in)?|reporter(?:in)?|redaktion|journaliste|rédaction"
    r"|correspondante?|envoyée? spéciale?|redacción|periodista|corresponsal|redactora?|staff"
    r"|bureau|contributor|autor(?:in)?)(?:,\s\S.{1,30})?(?:\s+(?:in|at|à|en|für|for|de"
    r"|aus)\s+\S+(?:\s+\S+){0,2})?",
    re.IGNORECASE,
)
_AGENCY = (
    rf"(?:{agencies()}|bloomberg|bbc news|agencias|agences|taz|cnn|nbc news|cbs news|abc news|npr"
    r"|ard|zdf|rnd|nyt)"
)
#: For whom a reporter works, in a line below the name: "Associated Wire", "Harbour News Service".
_EMPLOYER = re.compile(
    r"(?:[A-ZÀ-Þ][\w&.'’-]*\s){1,4}(?:Press|Wire|Newswire|News|Agency|Service|Writer|Newspapers?)"
)
_IS_AGENCY = re.compile(
    rf"(?:{_AGENCY})(?:\s*(?:[/,|&]|and|und|et|y|avec|mit|with)\s*(?:{_AGENCY}))*\.?", re.IGNORECASE
)
_CONTRIBUTED = re.compile(
    r"^[\s_*(\[]*(?:[A-Z].{3,60} reported from .{3,100}\.$"
    r"|.{0,160}\bcontributed to this (?:report|story|article)"
    r"|(?:additional )?reporting by\b|edit(?:ing|ed) by\b|(?:with )?(?:additional )?(?:reporting|"
    r"material|files) from\b|.{0,80}\bcontribuyó a (?:este|esta)\b|con información de\b"
    r"|avec (?:afp|reuters|ap)\b|mit (?:material|informationen|angaben) (?:von|der)\b|mitarbeit:)",
    re.IGNORECASE,
)
_SIGNED = re.compile(
    r"^[\s(\[−–—-]*[\w.-]{2,4}(?:\s*[/,|]\s*[\w.-]{2,6}){1,4}[\s)\]]*$"
    r"|^\((?:[a-z]{2,4}[/, ]*){1,3}\)$"
)


def byline_of(line: str, *, alone: bool = False) -> str:
    """The names of a byline without "By"; "" if the line is none.

    `alone`: names without "By" are a byline, too, since a date or the like stands beside them.
    """
    line = line.strip().strip("*_").strip()
    if not 3 < len(line) <= 200 or re.search(r"[.!?]\s+\S+\s+\S+\s+\S+\s", line.replace(". ", " ")):
        return ""
    line = re.sub(r"^#{1,6}\s+", "", line)
    found = _BY.match(line)
    if found:
        rest = re.sub(r"^[|·•-]\s*", "", line[found.end() :]).strip()
        if _begins_with_name(rest) and not rest.endswith((".", "!", "?")):
            return _tidy(rest)
        return ""
    return _tidy(line) if alone and is_names(line) else ""


def is_names(line: str) -> bool:
    """Whether the line is one or more people's names, perhaps with what they are."""
    line = line.strip().strip("*_").strip()
    head = re.split(r"\s*[|·•–—]\s*|,\s+(?=[a-zà-þ])|\s+(?:in|à|en|aus)\s+(?=[A-Z])", line)[0]
    if not head or len(line) > 120 or re.search(r"\d|[.!?]$|:", line):
        return False
    words = head.lower().split()
    if (
        word_set("not_names") & set(words[:1] + words[-1:])
        or len(word_set("not_names") & set(words)) > 0
    ):
        return False
    return bool(_NAMES.fullmatch(re.sub(r",\s+(?:The )?[A-Z][\w ]{2,30}$", "", head)))


def is_role(line: str) -> bool:
    """Whether the line says what a reporter is, or for which agency."""
    line = line.strip().strip("*_()").strip()
    return len(line) <= 80 and bool(
        _ROLE.fullmatch(line) or _IS_AGENCY.fullmatch(line) or _EMPLOYER.fullmatch(line)
    )


def agency_of(line: str) -> str:
    """The agency's name, if the line is nothing else."""
    line = line.strip().strip("*_()[]").strip()
    return line if line and _IS_AGENCY.fullmatch(line) else ""


def is_credit(line: str) -> bool:
    """Whether the line says who else worked on the story, or is its author's initials."""
    line = line.strip()
    return len(line) <= 240 and bool(_CONTRIBUTED.match(line) or _SIGNED.match(line))


def _begins_with_name(text: str) -> bool:
    if re.match(_NAME, text):
        first = text.split()[0].lower()
        return first not in word_set("not_names")
    first = re.split(r"[\s,/|]", text)[0].lower()
    return bool(agency_of(text)) or first in ("our", "unserem", "unserer", "notre", "nuestro")


def _tidy(names: str) -> str:
    names = re.split(
        r"\s*[|·•]\s*|\s{3,}|\s+[–—-]\s+(?=\d|publi|updat|aktual)|,?\s+(?:updated|published)\b",
        names,
        flags=re.IGNORECASE,
    )[0]
    names = " ".join(names.split()).strip(" ,;:*_")
    words = names.split()
    if len(words) > 1 and names.isupper() and not agency_of(names):
        names = " ".join(_capital(word) for word in words)
    else:
        # AP sets names in capitals, and what follows not.
        names = re.sub(r"(?<!, )\b[A-ZÀ-Þ]{3,}(?:-[A-ZÀ-Þ]{2,})?\b", _name_in_capitals, names)
    return names[:200]


def _name_in_capitals(found: re.Match[str]) -> str:
    return found[0] if agency_of(found[0]) else _capital(found[0])


def _capital(word: str) -> str:
    if word.lower() in ("and", "und", "et", "y", "von", "van", "de", "del", "der", "la", "by"):
        return word.lower()
    return re.sub(r"[^\W\d_]+", lambda part: part[0].capitalize(), word)


class Dateline(NamedTuple):
    """A paragraph without its dateline."""

    place: str
    agency: str
    text: str


_PLACE = (
    r"(?P<place>[A-ZÀ-Þ][\w.'’]*(?:[ /-](?:(?:de|del|la|le|les|el|am|an|der|im|bei|ob|sur|of"
    r"|and|the|upon)[ -]){0,2}[A-ZÀ-Þ][\w.'’]*){0,4}(?:\s?\([\w. ]{2,20}\))?"
    r"(?:,\s?[A-ZÀ-Þ][\w.'’]*(?: [A-ZÀ-Þ][\w.'’]*){0,2}){0,2})"
)
_DATE = (
    r"(?:,?\s+(?:le\s+|den\s+)?(?:\d{1,2}/\d{1,2}(?:/\d{2,4})?|\d{1,2}\.?(?:\s+(?:de\s+)?[^\W\d_]{3,10}\.?)?"
    r"|[^\W\d_]{3,9}\.?\s+\d{1,2})(?:,?\s+(?:de\s+)?\d{4})?)"
)
_DASH = r"\s*(?:[.:]?\s*(?:--+|_(?=\s)|[–—]|-(?=\s)|-(?=[A-ZÀ-Þ„“\"«])|:|=(?=\s))|\.-)\s*"
_WITH_AGENCY = re.compile(
    rf"{_PLACE}{_DATE}?\s*[,.]?\s*[(/]\s*(?P<agency>[\w@.:/& -]{{2,40}}?)\s*[)/]\.?(?:{_DASH})?"
)
_AGENCY_FIRST = re.compile(
    rf"\((?P<agency>[A-Z][\w/& -]{{1,20}})\)\s*[-–—]+\s*{_PLACE}{_DATE}?{_DASH}"
)
_CAPITALS = re.compile(
    r"(?P<place>[A-ZÀ-Þ][A-ZÀ-Þ.'’]+(?:[ /-][A-ZÀ-Þ.'’]+){0,4}"
    rf"(?:,\s[A-Z][\w.]+(?: [A-Z][\w.]+)?)?){_DATE}?\s*(?:--+|[–—]|-)\s+(?=\S)"
)
_DATED = re.compile(rf"{_PLACE}{_DATE}\s*(?:--+|[–—]|-)\s+(?=\S)")
_BRACKET = re.compile(r"\((?P<agency>[A-Za-z][\w/& -]{1,20})\)\s*(?:[-–—]+|\.-)\s*(?=\S)")
_INSIDE = re.compile(
    r"\(\s*(?P<place>[A-ZÀ-Þ][^()\d]{1,40}?)\s*[-–—,]\s*[^\W\d_]{3,9}\.?\s+\d{1,2}[^()]{0,12}\)\s*"
)
_MONTHS = (
    r"jan(?:uary|uar|v(?:ier)?|\.)?|feb(?:ruary|ruar|rero|braio|\.)?|fév(?:rier)?|mar(?:ch|s"
    r"|zo)?|märz"
    r"|apr(?:il|ile)?|avr(?:il)?|abr(?:il)?|may|mai|mayo|maggio|june?|juni|juin|junio|giugno|july?"
    r"|juli|juillet|julio|luglio|aug(?:ust)?|août|agosto|sept?(?:ember|embre|iembre)?|o[ck]t(?:ober"
    r"|obre|ubre)?|nov(?:ember|embre|iembre)?|de[cz](?:ember)?|déc(?:embre)?|dic(?:iembre|embre)?"
    r"|ott(?:obre)?|gen(?:naio)?|mag|ago|ene(?:ro)?"
)
_MOST = 140  # characters of a dateline
#: A dateline in bold or italics.
_MARKED = re.compile(r"^(\*\*|__|\*|_)([^*_\n]{3,140})\1(\s*[-–—:=])")


def split_dateline(paragraph: str) -> Dateline:
    """Takes a dateline from the start of a paragraph. Without one, `place` and `agency` are ""."""
    whole = _MARKED.sub(r"\2\3", paragraph).lstrip("*_ ")
    head = whole[: 2 * _MOST]
    for pattern in (_AGENCY_FIRST, _WITH_AGENCY, _CAPITALS, _DATED, _BRACKET, _INSIDE):
        found = pattern.match(head)
        if found is None or found.end() > _MOST:
            continue
        parts = found.groupdict()
        place, agency = parts.get("place") or "", (parts.get("agency") or "").strip(" .")
        if pattern in (_WITH_AGENCY, _BRACKET) and not _like_agency(agency, found[0]):
            continue
        rest = whole[found.end() :].lstrip("*_ ")
        if len(rest) < 15 or _is_label_like(place):
            continue
        place = re.sub(rf",\s*(?:{_MONTHS})\.?$", "", place.strip(" ,"), flags=re.IGNORECASE)
        return Dateline(" ".join(place.split()), agency, rest[0].upper() + rest[1:])
    return Dateline("", "", paragraph)


def _like_agency(name: str, whole: str) -> bool:
    if _IS_AGENCY.fullmatch(name) or re.search(
        r"newswire|business ?wire|\bots\b|presse", name, re.I
    ):
        return True
    dashed = bool(re.search(r"(?:--+|[–—]|-|:)\s*$", whole))
    return dashed and len(name) <= 24 and name.lower() not in ("left", "right", "pictured")


def _is_label_like(place: str) -> bool:
    return place.lower() in ("breaking", "live", "update", "exclusive", "eil", "urgent", "watch")
