"""Chooses the headline among the lines above a story, and says how sure that is."""

from __future__ import annotations

import re
from typing import NamedTuple

from morefollows.ingest.reading.text import doubtful, headline_match, layout
from morefollows.ingest.reading.text.hints import NO_HEADLINE, Hints
from morefollows.ingest.reading.text.lines import bylines, labels
from morefollows.ingest.reading.words import word_set

LONGEST = 150  # characters of a story's headline
_FOREIGN = 0.25  # a line with a smaller share of its words in the story gives way to another
_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")
# A sentence ends where a capital, a digit or a quotation mark follows, except after abbreviations.
_SENTENCE_END = re.compile(
    r"(?<!\b[A-Z])(?<!\b(?:Mr|Ms|Dr|St|vs|No|Nr|Mt))(?<!\b(?:Mrs|Gen|Sen|Rep|bzw|Sra))"
    r"[.!?][\"'”’“»)]*(?=\s+[\"'“„«(¿¡]?[A-ZÀ-Þ0-9]|\s*$)"
)
_CLAUSE = re.compile(
    r"\s*(?:;|\s[–—-](?=\s)"
    r"|,(?=\s(?:which|who|whose|where|when|while|after|as|and|but|with|because|according|causing"
    r"|leaving|der|die|das|deren|dessen|welche[rs]?|nachdem|während|weil|wo|wobei|als|und|aber|wie"
    r"|qui|dont|après|alors|selon|mais|que|según|tras|mientras|aunque|donde|cuando)\b))"
)


class Choice(NamedTuple):
    """A headline, what else could be it, and what becomes of the other lines."""

    headline: labels.Labelled
    confidence: float
    candidates: tuple[str, ...] = ()
    standfirst: str = ""
    left_out: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    body: list[str] | None = None  #: the story, if lines above it turned out to be part of it


def choose_headline(
    lines: list[str], marked: str, hints: Hints, body: list[str], repeated: str = ""
) -> Choice:
    """Chooses among `lines`, a heading of the first level, and what `hints` say.

    `repeated`: the line that stands more than once above the story, as headlines do.
    """
    lines = [clean_headline(line) for line in lines if clean_headline(line)]
    if hints.headline:
        return _hinted(lines, marked, hints, body)
    if marked:
        return _given(clean_headline(marked), 0.95, lines, hints, body)
    if not lines:
        return _from_first_sentence(body, hints)
    if repeated in lines:
        at, sure = lines.index(repeated), 0.9
    else:
        at, sure = _of_the_story(lines, *_best(lines), body)
    below = lines[at + 1 :]
    kept_body = body
    if not body and below:  # short lines are all that the text has
        kept_body, below = below, []
        sure = min(sure, 0.8)
    standfirst, left_out = _standfirst(below, kept_body)
    chosen = labels.without_labels(lines[at])
    others = [one for number, one in enumerate(lines) if number != at]
    offered = [labels.without_labels(one).headline for one in others] + list(hints.titles)
    return Choice(
        chosen,
        sure,
        _offered(chosen.headline, offered, body, sure),
        standfirst,
        (*lines[:at], *left_out, *chosen.labels),
        _doubts(left_out),
        kept_body,
    )


def clean_headline(line: str) -> str:
    """A headline in one line, without marks around it."""
    line = " ".join(_INVISIBLE.sub("", line).split())
    line = re.sub(r"^(\*\*|__)(.+)\1$", r"\2", line)
    line = re.sub(r"\[([^\]]+)\]\([^)\s]*\)", r"\1", line)
    line = re.sub(r"\\([\\`*_\[\]#>+|-])", r"\1", line)
    line = re.sub(r"\s+=$", "", line)
    line = re.sub(r"\s+https?://\S+$", "", line)  # of the page, in the same line or below it
    line = re.sub(r"^[A-Z][\w. &]{1,24}\|(?=[A-Z])", "", line)  # "U.S.|Tornado kills three"
    return re.sub(r"^[•·▶►»›|]+\s*|\s*[|•·»›]+$", "", line).strip()


def _best(lines: list[str]) -> tuple[int, float]:
    """Which line is the headline, and how sure that is."""
    if len(lines) == 1:
        return 0, _alone(lines[0])
    start = 0
    while start < len(lines) - 1 and is_section(lines[start]):
        start += 1
    first, others = lines[start], lines[start + 1 :]
    if not others:
        return start, _alone(first)
    words = len(first.split())
    if first.endswith(":") and words <= 6:
        return start + 1, 0.75 if len(others) == 1 else 0.6
    if bylines.is_names(first) and words <= 3:
        return start + 1, 0.5
    if words >= 6 or len(first) >= 40:
        return start, 0.8 if len(others) == 1 else 0.72
    if words <= 3 and len(others) == 1 and len(others[0].split()) >= 5:
        return start + 1, 0.6
    return start, 0.6


def _of_the_story(lines: list[str], at: int, sure: float, body: list[str]) -> tuple[int, float]:
    """Takes another line if the story has next to nothing of the one at `at`, but of the other."""
    story = headline_match.stems_of(body)
    if headline_match.reads_as_headline(lines[at], story):
        return at, sure
    like = [
        number
        for number, line in enumerate(lines)
        if headline_match.reads_as_headline(line, story) and len(line) <= LONGEST
    ]
    # A single word is the paper's name, which a picture's credit has, too.
    alone = len(lines[at].split()) == 1
    if like and (alone or headline_match.share_of(lines[at], story) < _FOREIGN):
        return like[0], min(sure, 0.65)
    return at, min(sure, 0.65) if headline_match.says_nothing_of(lines[at], story) else sure


def _alone(line: str) -> float:
    words = line.split()
    if labels.without_labels(line).labels and len(words) < 3:
        return 0.5
    if len(words) == 2 and bylines.is_names(line):
        return 0.6
    if len(line) > LONGEST or re.search(r"\d{5,}|https?://|@|[{}<>=]", line):
        return 0.5
    return 0.95 if len(words) > 1 else 0.75


def is_section(line: str) -> bool:
    """Whether the line is the name of a newspaper's section."""
    words = re.split(r"\s*[|/›»>&,·•]\s*|\s+(?:and|und|et|y)\s+", line.strip(" |›»>#").lower())
    named = [re.sub(r"\s+", "-", word.strip()) for word in words if word.strip()]
    return bool(named) and all(word in word_set("sections") for word in named)


def _standfirst(lines: list[str], body: list[str]) -> tuple[str, list[str]]:
    """The line that is the standfirst, and the others. It has words of the story."""
    story = headline_match.stems_of(body)
    long = [
        line
        for line in lines
        if (len(line) >= 30 or len(line.split()) >= 5)
        and not doubtful.wants_something(line)
        and not (
            headline_match.says_nothing_of(line, story) and (line != lines[0] or line.endswith("?"))
        )
    ]
    chosen = long[0] if long else ""
    return (chosen if len(chosen) <= 300 else ""), [line for line in lines if line != chosen]


def _doubts(left_out: list[str]) -> tuple[str, ...]:
    return tuple(f"Left out above the story: “{line}”" for line in left_out if len(line) > 25)


def _hinted(lines: list[str], marked: str, hints: Hints, body: list[str]) -> Choice:
    """The headline is known from the page's markup or the mail's subject."""
    from rapidfuzz import fuzz

    known = labels.without_labels(clean_headline(hints.headline))
    others = [one for one in [clean_headline(marked), *lines] if one]
    same = [one for one in others if fuzz.ratio(one.lower(), known.headline.lower()) > 75]
    rest = [one for one in others if one not in same]
    sure = hints.sure
    if marked and not same:
        sure = min(sure, 0.6)  # two headlines that differ
    if not body and rest:
        return Choice(known, sure, _offered(known.headline, [*rest, *hints.titles], body, sure),
                      body=rest, left_out=known.labels)  # fmt: skip
    standfirst, left_out = _standfirst([one for one in rest if not is_section(one)], body)
    if sure < 0.9:
        left_out = [one for one in left_out if one != standfirst]
    return Choice(
        known,
        sure,
        _offered(known.headline, [*rest, *hints.titles], body, sure),
        "" if hints.standfirst else standfirst,
        (*left_out, *known.labels),
        _doubts(left_out),
    )


def _given(text: str, sure: float, lines: list[str], hints: Hints, body: list[str]) -> Choice:
    chosen = labels.without_labels(text)
    standfirst, left_out = _standfirst([one for one in lines if not is_section(one)], body)
    kept: list[str] | None = None
    if not body and lines:
        kept, standfirst, left_out = lines, "", []
    if labels.is_label(text) or is_section(text):
        sure = 0.4
    return Choice(
        chosen,
        sure,
        _offered(chosen.headline, [*lines, *hints.titles], body, sure),
        standfirst,
        (*left_out, *chosen.labels),
        _doubts(left_out),
        kept,
    )


def _offered(chosen: str, others: list[str], body: list[str], confidence: float) -> tuple[str, ...]:
    found = [one for one in others if one and one != chosen and len(one) <= 200]
    sentence = first_sentence(body) if confidence < 0.9 else ""
    if sentence and sentence != chosen:
        found.append(sentence)
    return tuple(dict.fromkeys(found))[:6]


def _from_first_sentence(body: list[str], hints: Hints) -> Choice:
    sentence = first_sentence(body)
    whole = _sentence(body)
    story = headline_match.stems_of(body[2:])
    short = [one for one in body[:3] if not re.search(r"[.!?:]$", one) and len(one) <= LONGEST]
    lines = [clean_headline(one) for one in short if headline_match.reads_as_headline(one, story)]
    offered = [one for one in (*hints.titles, *lines, whole.rstrip(".")) if one != sentence]
    return Choice(
        labels.Labelled(sentence),
        0.5 if sentence else 0.0,
        tuple(offered)[:6],
        doubts=(NO_HEADLINE,),
    )


def _sentence(body: list[str]) -> str:
    prose = next((one for one in body if not layout.is_marked(one)), "")
    paragraph = clean_headline(bylines.split_dateline(prose).text) if prose else ""
    end = _SENTENCE_END.search(paragraph)
    return paragraph[: end.end()] if end else paragraph


def first_sentence(body: list[str]) -> str:
    """The first sentence, shortened at a clause to a headline's length; "" if it can't be."""
    sentence = _sentence(body)
    if len(sentence.rstrip(".")) <= LONGEST:
        return sentence.rstrip(".").strip()
    clauses = [sentence[: found.start()] for found in _CLAUSE.finditer(sentence)]
    fitting = [clause for clause in clauses if 20 <= len(clause) <= LONGEST]
    return fitting[-1] if fitting else ""
