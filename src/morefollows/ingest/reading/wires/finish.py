"""What all wire formats have in common once their fields are read."""

from __future__ import annotations

import re
from dataclasses import replace

from morefollows.ingest.item import NewsItem
from morefollows.ingest.reading.text import article, doubtful, headline, language, layout, notes
from morefollows.ingest.reading.text.lines import bylines, labels

_NO_TEXT = "It has no text of its own: see whether its description is enough."


def finished(item: NewsItem, blocks: list[str], ed_notes: list[str]) -> NewsItem:
    """The item with its text: without labels, datelines, signs and notes, which tell what they say.

    `blocks`: the body's Markdown. `ed_notes`: from the format's own fields for them.
    """
    apart = notes.without_notes([one for one in blocks if one.strip()])
    ed_note = notes.understood(ed_notes)
    apart.notes[:0] = ed_note.notes
    apart.correction = ed_note.correction or apart.correction
    apart.killed |= ed_note.killed
    apart.embargoed |= ed_note.embargoed
    apart.embargo = ed_note.embargo or apart.embargo
    body = article.without_signs(apart.blocks, apart)
    labelled = labels.without_labels(headline.clean_headline(item.headline))
    body, byline, named = _own_head(body, labelled.headline)
    body, place, agency = article.without_place(body, apart)
    doubts, confidence, candidates = list(item.doubts), 1.0, item.candidates
    title = labelled.headline
    if not title:
        title, confidence = headline.first_sentence(body) or item.standfirst[:150], 0.5
        doubts.append("It has no headline: it was taken from the text.")
    standfirst = item.standfirst
    if not body:
        doubts.append(_NO_TEXT)
        body, standfirst = ([standfirst] if standfirst else []), ""
    text = "\n\n".join(body)
    item = replace(
        item,
        headline=title,
        text=text,
        standfirst=standfirst,
        byline=item.byline or byline,
        dateline=item.dateline or place,
        source=item.source or agency,
        urgency=item.urgency if item.urgency is not None else labelled.urgency,
        language=item.language or language.recognise_language(f"{title}. {text}"),
        notes=tuple(dict.fromkeys([*item.notes, *apart.notes])),
        correction=item.correction or apart.correction,
        confidence=confidence if title else 0.0,
        candidates=candidates,
        dropped=(*item.dropped, *labelled.labels, *named, *apart.dropped),
        doubts=tuple(doubts + apart.doubts + doubtful.of_wire(body)),
    )
    return article.with_advice(item, apart, corrects=labelled.corrects, killed=labelled.killed)


def byline_without_by(text: str) -> str:
    """A byline without "By"."""
    text = " ".join(text.split())
    return bylines.byline_of(text) or re.sub(
        r"^(?:by|von|par|por)\s+", "", text, flags=re.IGNORECASE
    )


def _own_head(body: list[str], title: str) -> tuple[list[str], str, list[str]]:
    """Takes a headline and a byline off the body that the format has in fields of their own."""
    from rapidfuzz import fuzz

    found, dropped = "", []
    while body:
        first = re.sub(r"^#{1,6}\s+", "", body[0]).strip()
        if "\n" in first or (layout.is_prose(body[0]) and len(first) > 150):
            break
        if title and fuzz.ratio(headline.clean_headline(first).lower(), title.lower()) > 88:
            dropped.append(first)
        elif name := bylines.byline_of(first):
            found = found or name
        elif not labels.is_label(first):
            break
        body = body[1:]
    return body, found, dropped
