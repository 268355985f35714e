"""Puts an item together from the blocks of a text: which line is what, and how sure that is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from morefollows.ingest.item import ItemStatus, NewsItem, UnreadableItem
from morefollows.ingest.reading import boilerplate
from morefollows.ingest.reading.text import (
    doubtful,
    headline,
    headline_match,
    language,
    layout,
    notes,
    scraped,
)
from morefollows.ingest.reading.text.hints import Hints
from morefollows.ingest.reading.text.lines import bylines, labels, page_lines, times, wire_lines
from morefollows.ingest.reading.words import agencies

#: An agency's sign behind the last sentence.
_SIGNED = re.compile(rf"[.!?”\"»]\s+(?:Enditem|\(?(?:{agencies()})\)?\.?|\([A-Z]{{2,4}}\))\s*$")
#: What is left of a dateline whose place stood in a line of its own.
_DASH = re.compile(r"\s*[—–]{1,2}\s+(?=[A-ZÀ-Þ„“\"«])")
_SHORTEST_HEADING = 2  # words of a line that becomes a heading
_MOST_HEAD_LINES = 60  # lines above the story that are looked at
_AFTER_STANDFIRST = 8  # lines below a standfirst in which a byline or a time stands


@dataclass
class _Head:
    """What stands above the story."""

    lines: list[str] = field(default_factory=list)  #: that could be the headline or a standfirst
    marked: str = ""  #: a heading of the first level
    byline: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    standfirst: str = ""
    urgency: int | None = None
    corrects: bool = False
    killed: bool = False
    source: str = ""
    timed: bool = False
    settled: bool = False  #: a byline or a time stands below the headline
    repeated: str = ""  #: the line that stands there more than once
    late: list[str] = field(default_factory=list)  #: below the byline or the time: captions
    images: list[str] = field(default_factory=list)  #: above the story's first paragraph


def assemble(blocks: Sequence[str], hints: Hints | None = None) -> NewsItem:
    """Returns the item that the blocks make up. Raises `UnreadableItem` if there is none."""
    hints = hints or Hints()
    head = _Head()
    apart = notes.without_notes(_without_marks(blocks, head, given=hints.given))
    kept = apart.blocks
    left = kept if hints.given else _read_head(kept, head, hints)
    body, went, cut = page_lines.without_page_lines(left)
    apart.doubts += cut
    body = without_signs(body, apart)
    chosen = headline.choose_headline(
        _candidates(head, body), head.marked, hints, body, head.repeated
    )
    body = body if chosen.body is None else chosen.body
    late = [boilerplate.shown(one) for one in head.late if one not in head.lines]
    dropped = [*late, *head.dropped, *map(boilerplate.shown, chosen.left_out), *went]
    body = _without_bylines(body, head, hints)
    body, place, agency = without_place(body, apart)
    if body:
        body = [*head.images, *body]
    if not hints.markdown:
        body = _with_headings(body)
    text, byline = "\n\n".join(body).strip(), hints.byline or ", ".join(head.byline)
    item = NewsItem(
        headline=chosen.headline.headline,
        text=text,
        standfirst=hints.standfirst or head.standfirst or chosen.standfirst,
        byline=byline,
        dateline=place,
        source=agency or head.source,
        urgency=_most_urgent(chosen.headline.urgency, head.urgency),
        language=language.recognise_language(f"{chosen.headline.headline}. {text}"),
        notes=tuple(apart.notes),
        correction=apart.correction,
        confidence=chosen.confidence,
        candidates=chosen.candidates,
        dropped=(*dropped, *map(boilerplate.shown, apart.dropped)),
        doubts=(
            *(*hints.doubts, *chosen.doubts, *apart.doubts),
            *doubtful.of_body(body, late, byline, page=bool(dropped), given=hints.given),
            *doubtful.of_entries(kept),
        ),
    )
    if not item.headline and not text:
        raise UnreadableItem(
            "headline", "is missing: nothing but a page's boilerplate was found in the file"
        )
    head.corrects |= chosen.headline.corrects
    head.killed |= chosen.headline.killed
    return with_advice(item, apart, corrects=head.corrects, killed=head.killed)


def _most_urgent(*found: int | None) -> int | None:
    return min((one for one in found if one), default=None)


def with_advice(
    item: NewsItem, apart: notes.Apart, *, corrects: bool = False, killed: bool = False
) -> NewsItem:
    """The item with the status, embargo and correction that its notes and labels say."""
    doubts = list(item.doubts)
    if corrects and not item.correction:
        item = replace(item, correction=item.correction or "correction")
        doubts.append("It calls itself a correction, but does not say what was wrong.")
    if killed or apart.killed:
        doubts.append("It tells editors not to use a story: look which one is meant.")
        item = replace(item, status=ItemStatus.CANCELED)
    elif apart.embargoed and item.embargo is None:
        if apart.embargo is not None:
            item = replace(item, embargo=apart.embargo)
        else:
            doubts.append("It is under an embargo whose end can't be read for certain: see notes.")
            item = replace(item, status=ItemStatus.WITHHELD)
    return replace(item, doubts=tuple(dict.fromkeys(doubts)))


def _without_marks(blocks: Sequence[str], head: _Head, *, given: bool) -> list[str]:
    """The blocks without what a scraper and an agency's machines put there."""
    left = scraped.without_scraped_date([one for one in blocks if one.strip()], head.dropped)
    left = scraped.without_carets(left)
    left = _without_wire_header(left, head)
    if not given:
        left, head.repeated = scraped.without_repeats(left, head.dropped)
    return left


def _candidates(head: _Head, body: list[str]) -> list[str]:
    """The lines that could be the headline. Those below a date only if none above is it."""
    story = headline_match.stems_of(body)
    if any(len(one.split()) > 3 and headline_match.share_of(one, story) for one in head.lines):
        return head.lines
    names = all(len(one.split()) < 4 for one in head.lines)
    if head.lines and not (names or headline_match.is_long(story)):
        return head.lines
    like = [one for one in head.late if headline_match.reads_as_headline(one, story)]
    head.lines += like[:1]
    return head.lines


def _without_wire_header(blocks: list[str], head: _Head) -> list[str]:
    """Takes the lines that an agency's machines read off the start."""
    lines = [line for block in blocks[:8] for line in block.split("\n")][:10]
    if not any(wire_lines.is_header(line) for line in lines[:6]):
        return blocks
    found: list[str] = []
    for number, block in enumerate(blocks):
        kept = []
        for line in block.split("\n"):
            if number < 8 and wire_lines.is_header(line):
                head.urgency = head.urgency or wire_lines.urgency_of(line)
                head.dropped.append(boilerplate.shown(line))
            else:
                kept.append(line)
        if kept:
            found.append("\n".join(kept))
    return found


def _read_head(blocks: list[str], head: _Head, hints: Hints) -> list[str]:
    """Reads the lines above the story into `head`; returns the story's blocks."""
    lines = [(number, line) for number, block in enumerate(blocks) for line in block.split("\n")]
    at = 0
    while at < min(len(lines), _MOST_HEAD_LINES):
        number, line = lines[at]
        around = [other for _number, other in lines[max(0, at - 1) : at + 3] if other is not line]
        if line.startswith("!["):
            head.images.append(line)
            at += 1
            continue
        if _stands_aside(lines, at):
            head.dropped.append(boilerplate.shown(line))
            at += 1
            continue
        if _take_head_line(line, around, head, hints) or _is_provider(lines, at):
            at += 1
            continue
        whole = blocks[number]
        if _is_standfirst(whole, [other for n, other in lines[at:] if n > number], head):
            head.standfirst = " ".join(whole.split())
            at = next((i for i, (n, _line) in enumerate(lines) if n > number), len(lines))
            continue
        break
    if at >= len(lines):
        return []
    number = lines[at][0]
    rest = "\n".join(line for n, line in lines[at:] if n == number)
    return [rest, *blocks[number + 1 :]]


def _stands_aside(lines: list[tuple[int, str]], at: int) -> bool:
    """Whether a line is "Storm:" above a headline, or a caption with an agency's name below."""
    text = lines[at][1].strip()
    if at + 1 >= len(lines) or layout.is_marked(text) or len(text) > 160:
        return False
    below = lines[at + 1][1].strip()
    if text.endswith(":"):
        title = not (layout.is_marked(below) or layout.is_prose(below)) and len(below.split()) > 4
        return title and at > 0 and len(text.split()) < 4
    story = any(layout.is_prose(line) for _n, line in lines[at + 2 : at + 4])
    return bool(bylines.agency_of(below)) and story and text.endswith(".")


def _is_provider(lines: list[tuple[int, str]], at: int) -> bool:
    """Whether the line names who provided a press release."""
    above = lines[at - 1][1] if at else ""
    return len(lines[at][1]) <= 80 and bool(re.match(r"news provided by\W*$", above, re.IGNORECASE))


def _take_head_line(line: str, around: list[str], head: _Head, hints: Hints) -> bool:
    """Reads one line above the story. False if the story begins with it."""
    text = line.strip()
    bare = re.sub(r"^#{1,6}\s+|\s+#+$", "", text).strip()
    beside = any(times.is_timestamp(one) or bylines.is_role(one) for one in around)
    beside = beside or any(page_lines.is_page_line(one) for one in around)
    known = bool(head.marked or head.lines or hints.headline)
    if headline.is_section(labels.without_labels(bare).headline):
        head.dropped.append(boilerplate.shown(line))
    elif labels.is_label(bare):
        meaning = labels.label_meaning(bare)
        head.urgency = _most_urgent(meaning.urgency, head.urgency)
        head.corrects |= meaning.corrects
        head.killed |= meaning.killed
        head.dropped.append(boilerplate.shown(line))
    elif byline := bylines.byline_of(
        bare, alone=known and beside and not head.byline and not page_lines.is_page_line(bare)
    ):
        head.byline.append(byline)
        head.settled |= known
    elif (head.byline and bylines.is_role(bare)) or (known and bylines.agency_of(bare)):
        agency = bylines.agency_of(bare)
        head.source = head.source or agency
        if not agency:
            head.dropped.append(boilerplate.shown(line))
    elif times.is_timestamp(bare):
        head.timed = True
        head.settled |= known
        head.dropped.append(boilerplate.shown(line))
    elif (
        page_lines.is_page_line(line) or page_lines.is_box_heading(bare) or wire_lines.is_sign(bare)
    ):
        head.dropped.append(boilerplate.shown(line))
    elif bare != text and text.startswith("# ") and not head.marked:
        head.marked = bare
    elif bare != text and text.startswith("## ") and known and not hints.markdown:
        return False
    elif bylines.is_credit(bare) and known:
        head.dropped.append(boilerplate.shown(line))
    elif _may_be_headline(line, known):
        (head.late if head.settled else head.lines).append(bare)
    else:
        return False
    return True


def _may_be_headline(line: str, known: bool) -> bool:
    text = labels.without_labels(re.sub(r"^\s*#{1,6}\s+", "", line).strip()).headline
    if layout.is_marked(text) or len(text) > 200 or not re.search(r"\w", text):
        return False
    sentence = re.search(r"(?<!\.)\.[\"'”’“»)]*$", text)
    if sentence:
        return False
    if known and (len(text) > 160 or (text.endswith(":") and line[:1] != "#")):
        return False
    return not (known and len(text) > 40 and re.search(r"[.!?]\s+[A-ZÀ-Þ„“\"]", text))


def _is_standfirst(block: str, below: list[str], head: _Head) -> bool:
    """Whether a paragraph above a byline or a time is the standfirst."""
    text = " ".join(block.split())
    if head.standfirst or head.byline or not 40 <= len(text) <= 300 or layout.is_marked(text):
        return False
    if not (head.lines or head.marked):
        return False
    for number, line in enumerate(below[:_AFTER_STANDFIRST]):
        others = below[number + 1 : number + 3]
        beside = any(times.is_timestamp(one) or page_lines.is_page_line(one) for one in others)
        if bylines.byline_of(line, alone=beside) or times.is_timestamp(line):
            return not head.timed or bool(bylines.byline_of(line))
        if layout.is_prose(line):
            return False
    return False


def _without_bylines(body: list[str], head: _Head, hints: Hints) -> list[str]:
    """Takes bylines off that stand between paragraphs, or below the last."""
    if hints.given:
        return body
    kept = []
    for block in body:
        name = bylines.byline_of(block) if "\n" not in block and len(block) <= 120 else ""
        if not name:
            kept.append(block)
            continue
        if name not in head.byline and not (head.byline or hints.byline):
            head.byline.append(name)
        head.dropped.append(boilerplate.shown(block))
    return kept


def without_signs(blocks: list[str], apart: notes.Apart) -> list[str]:
    """Takes an agency's sign and the credits of others off the end."""
    left = list(blocks)
    while left:
        *above, last = left[-1].split("\n")
        if wire_lines.is_sign(last) or bylines.agency_of(last):
            apart.dropped.append(last)
        elif bylines.is_credit(last):
            apart.notes.append(" ".join(last.split()))
        else:
            break
        left.pop()
        if above:
            left.append("\n".join(above))
    if left and (signed := _SIGNED.search(left[-1])):
        apart.dropped.append(signed[0][1:].strip())
        left[-1] = left[-1][: signed.start() + 1]
    return left


def without_place(blocks: list[str], apart: notes.Apart) -> tuple[list[str], str, str]:
    """Takes the dateline and the agency's signs off. Notes whether what is left kills an item."""
    blocks, place, agency = without_dateline(blocks)
    apart.killed |= bool(blocks) and notes.is_kill(blocks[0])
    return _without_agency_signs(blocks, agency), place, agency


def _without_agency_signs(blocks: list[str], agency: str) -> list[str]:
    """Takes "(Belga)" off the ends of paragraphs: the agency's sign, as the dateline has it."""
    if not 2 <= len(agency) <= 24:
        return blocks
    sign = re.compile(rf"(?<=[.!?…”\"»’])\s*\({re.escape(agency)}\)\.?\s*$", re.IGNORECASE)
    return [sign.sub("", one) for one in blocks]


def _is_listed(block: str) -> bool:
    return layout.is_marked(block) and not _DASH.match(block)


def without_dateline(blocks: list[str]) -> tuple[list[str], str, str]:
    """Takes the dateline off the first paragraph: the blocks, the place and the agency."""
    at = next((number for number, one in enumerate(blocks[:5]) if not _is_listed(one)), None)
    if at is None:
        return blocks, "", ""
    if at:
        left, place, agency = without_dateline(blocks[at:])
        return [*blocks[:at], *left], place, agency
    if _DASH.match(blocks[0]) and not any(_DASH.match(one) for one in blocks[1:3]):
        blocks = [_DASH.sub("", blocks[0]), *blocks[1:]]
    found = bylines.split_dateline(blocks[0])
    if not (found.place or found.agency):
        return blocks, "", ""
    return [found.text, *blocks[1:]], _place(found.place), found.agency


def _place(place: str) -> str:
    if place.isupper():
        return re.sub(r"[^\W\d_]+", lambda part: part[0].capitalize(), place)
    return re.sub(
        r"\b[A-ZÀ-Þ]{4,}\b", lambda part: part[0].capitalize(), place
    )  # "PORT ELLERY, Norland"


def _with_headings(blocks: list[str]) -> list[str]:
    """Short lines between paragraphs become headings, as they are on the page."""
    found = list(blocks)
    for number in range(1, len(blocks) - 1):
        block = blocks[number]
        short = len(block) <= 60 and "\n" not in block and len(block.split()) >= _SHORTEST_HEADING
        if not short or layout.is_marked(block) or re.search(r"[.!?…:;,\"'”’»)*_]$", block):
            continue
        if not block[0].isupper() or block.startswith("!["):
            continue
        next_one = blocks[number + 1]
        if layout.is_prose(blocks[number - 1]) and (
            layout.is_prose(next_one) or layout.is_marked(next_one)
        ):
            found[number] = f"## {block}"
    return found
