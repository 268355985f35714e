"""What a scraper leaves above a story: a date of its own, and lines that stand there twice."""

from __future__ import annotations

import re

from morefollows.ingest.reading import boilerplate
from morefollows.ingest.reading.text import layout
from morefollows.ingest.reading.text.lines import labels, times

_DATE = re.compile(r"\s*date:?\s+\d{4}(?:-\d\d){0,2}(?:[T ]\d\d:\d\d\S*)?(?:\s+|$)")
_AGENCIES = (
    r"(?:AFP|AP|EPA|dpa|PA|Reuters|REUTERS|Getty Images|Getty|EFE|ANSA|Shutterstock|Alamy|Keystone"
    r"|Belga|Imago|imago images|picture alliance|APA|NTB|TT|Bloomberg|NurPhoto|Anadolu"
    r"|Europa Press)"
)
#: The same, but so that no sentence of a story ends in it.
_SURE_CREDIT = re.compile(
    rf"[A-ZÀ-Þ][\w.'’-]+\s?(?:/|via\s|[—–|©]\s?)\s?{_AGENCIES}(?:\s?/\s?[\w ]{{2,30}})?\s*$"
    rf"|(?:REUTERS|AP Photo|AFP|Getty Images)/[A-ZÀ-Þ][\w.'’ -]{{3,50}}\)?\s*$"
    rf"|\((?:AP|AFP|Reuters|REUTERS|PA|Getty|EPA|EFE|dpa|File)\b[^()]{{0,60}}\)\s*$"
    rf"|[.!?\s]\s?(?:Image|Foto|Photo|Bild|Picture|Photograph|Credit|Crédit(?: photo)?|Imagen"
    rf"|Symbolfoto|Symbolbild|Archivfoto|Archivbild)\s?:\s?\S[^.!?]{{1,60}}\.?$"
    rf"|[a-zà-ÿ]\.(?:EFE|AFP|AP|Reuters|dpa|EP|Getty)$"
)
_CARETS = re.compile(r"^\^+|<$")
_LOOKED_AT = 24  # lines above which a headline stands twice
_SHORTEST = 20  # characters of a headline
#: A picture's credit behind its caption.
_CREDIT = re.compile(
    r"(?:[.\s](?:image|foto|photo|bild|picture|photograph|credit|crédit|imagen)\s?:\s?\S.{0,60}"
    r"|\s(?:/|—|–|\||©)\s?[^.!?]{2,50}"
    r"|\bREUTERS/\S.{0,60}|/(?:AFP|AP|EPA|dpa|PA|Reuters|Getty Images|EFE|ANSA)\b[^.!?]{0,40}"
    r"|\((?:AP|AFP|Reuters|PA|Getty|EPA|EFE|dpa)\b[^()]{0,60}\))[.)]?\s*$",
    re.IGNORECASE,
)


def without_scraped_date(blocks: list[str], dropped: list[str]) -> list[str]:
    """Takes the date off that a scraper wrote before the first line, such as "date 2026-03-14"."""
    if not blocks or not (found := _DATE.match(blocks[0])):
        return blocks
    dropped.append(found[0].strip())
    rest = blocks[0][found.end() :]
    return [rest, *blocks[1:]] if rest.strip() else blocks[1:]


def without_carets(blocks: list[str]) -> list[str]:
    """Takes the marks off with which AP's machines begin and end a line: "^Headline<"."""
    if not any(line.startswith("^") for block in blocks[:6] for line in block.split("\n")):
        return blocks
    rows = [
        "\n".join(_CARETS.sub("", line) for line in block.split("\n") if line.strip(" <^"))
        for block in blocks
    ]
    return [row for row in rows if row.strip()]


def without_repeats(blocks: list[str], dropped: list[str]) -> tuple[list[str], str]:
    """Takes the second of two lines that are the same; also a caption above the same with credit.

    Returns the blocks that are left and the headline, if it is one that stands there twice.
    """
    lines = [
        (number, index, labels.without_labels(_plain(line)).headline)
        for number, block in enumerate(blocks[:_LOOKED_AT])
        for index, line in enumerate(block.split("\n"))
    ][:_LOOKED_AT]
    gone: set[tuple[int, int]] = set()
    repeated = ""
    for at, (number, index, text) in enumerate(lines):
        if len(text) < _SHORTEST or (number, index) in gone or times.is_timestamp(text):
            continue
        for other_number, other_index, other in lines[at + 1 :]:
            if other == text:
                gone.add((other_number, other_index))
                if not layout.is_prose(text) and not _CREDIT.search(text):
                    repeated = repeated or text
            elif is_caption_of(other, text):
                gone |= {(number, index), (other_number, other_index)}
    if not gone:
        return blocks, ""
    left = []
    for number, block in enumerate(blocks):
        rows = block.split("\n")
        kept = [row for index, row in enumerate(rows) if (number, index) not in gone]
        dropped += [
            boilerplate.shown(row) for index, row in enumerate(rows) if (number, index) in gone
        ]
        if kept:
            left.append("\n".join(kept))
    return left, repeated


def is_credited(line: str) -> bool:
    """Whether the line is a picture's caption, with its credit behind it."""
    return len(line) <= 320 and line[:1] not in "|>#" and bool(_SURE_CREDIT.search(line))


def is_caption_of(line: str, above: str) -> bool:
    """Whether the line is the one above with a picture's credit behind it."""
    credit = _CREDIT.search(line)
    if credit is None or len(line) > 400:
        return False
    caption = line[: credit.start()].strip(" .")
    return len(caption) >= _SHORTEST and above.startswith(caption[:_SHORTEST])


def _plain(line: str) -> str:
    return " ".join(re.sub(r"^\s*#{1,6}\s+", "", line).split())
