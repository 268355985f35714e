"""Reads a story from a file: one that was written for this purpose, or a scraped page.

    ---                                     front matter; all of it may be left out
    headline: Harbour bridge closed
    standfirst: Nobody is hurt.
    language: en
    topic: breaking
    ---
    The bridge was closed at 14:05 …        Markdown

Without front matter the first line is the headline, and the text follows. Boilerplate (see
`boilerplate`) and images that are not stored here are dropped. Each dropped piece is reported, so
that an editor can check.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from morefollows.ingest import boilerplate
from morefollows.stories.images import address

MOST_BYTES = 1_000_000
LONGEST_HEADLINE = 150  # characters; these three are the limits of `Story`'s fields
LONGEST_STANDFIRST = 300
LONGEST_TEXT = 50_000

_KEYS = ("headline", "standfirst", "language", "topic")
_HTML = re.compile(
    r"\s*(<\?xml|<!doctype|<!--|<(html|head|body|article|main|div|section|p|h1|meta|script)\b)",
    re.I,
)
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_IMAGE = re.compile(r"!\[([^\[\]]*)\]\(([^()\[\]\s]*)[^()\[\]]*\)")  # matches in linear time
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u2060\ufeff]"
)  # in a subject these break threads and searches
# A sentence ends where a capital, a digit or a quotation mark follows, except after abbreviations.
_SENTENCE_END = re.compile(
    r"(?<!\b[A-Z])(?<!\b(?:Mr|Ms|Dr|St|vs|No|Nr))(?<!\b(?:Mrs|Gen|Sen|Rep|bzw))"
    r"[.!?][\"'”’“»)]*(?=\s+[\"'“„«(]?[A-ZÄÖÜ0-9]|\s*$)"
)
_CLAUSE = re.compile(
    r"\s*(?:;|\s[–—-](?=\s)"
    r"|,(?=\s(?:which|who|whose|where|when|while|after|as|and|but|with|because|according"
    r"|der|die|das|deren|dessen|welche[rs]?|nachdem|während|weil|wo|wobei|als|und|aber|wie)\b))"
)


class StoryFileError(Exception):
    """The file is not a valid story. ``str()`` names the field and the remedy."""

    def __init__(self, field: str, remedy: str) -> None:
        super().__init__(f"{field}: {remedy}")
        self.field = field
        self.remedy = remedy


@dataclass(frozen=True)
class StoryFile:
    """A parsed story file."""

    headline: str
    standfirst: str
    text: str
    language: str | None  #: as in the file; the caller checks that the newsroom has it
    topic: str | None  #: a topic's slug; the caller checks that it exists
    dropped: tuple[str, ...]  #: the start of each piece that was dropped
    notes: tuple[str, ...]  #: for the editor: other remarks on how the file was read


def read_story(path: Path) -> StoryFile:
    """Reads a story from a file. Raises `StoryFileError`, also when the file can't be read."""
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StoryFileError("file", f"can't be read: {reason}") from None
    return parse_story(raw)


def parse_story(raw: bytes) -> StoryFile:
    """Reads a story from a file's bytes, which must be UTF-8. Raises `StoryFileError`."""
    given, body = _front_matter(_decoded(raw))
    blocks, dropped = boilerplate.cleared(body)
    notes: list[str] = []
    headline = given.get("headline")
    if headline is None:
        headline, blocks, note = _headline(blocks)
        notes += note
    blocks, images = _without_images(blocks)
    dropped += images
    text = "\n\n".join(blocks)
    if not re.search(r"\w", text):
        raise StoryFileError("text", "is empty; write the story below its headline")
    if len(text) > LONGEST_TEXT:
        raise StoryFileError(
            "text",
            f"has {len(text):,} characters; {LONGEST_TEXT:,} are the most:"
            " an alert is a short text",
        )
    return StoryFile(
        headline=_one_line("headline", headline, LONGEST_HEADLINE),
        standfirst=_one_line("standfirst", given.get("standfirst", ""), LONGEST_STANDFIRST),
        text=text,
        language=given.get("language"),
        topic=given.get("topic"),
        dropped=tuple(dropped),
        notes=tuple(notes),
    )


def _decoded(raw: bytes) -> str:
    if len(raw) > MOST_BYTES:
        raise StoryFileError(
            "file", f"is larger than {MOST_BYTES // 1_000_000} MB; give the story's text alone"
        )
    if b"\0" in raw or raw.startswith((b"%PDF-", b"{\\rtf", b"PK\x03\x04")):
        raise StoryFileError("file", "is not plain text; save the story as text in UTF-8")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StoryFileError(
            "file", f"is not UTF-8: byte {error.start + 1} can't be read; save it as UTF-8"
        ) from None
    text = unicodedata.normalize("NFC", _LINE_ENDS.sub("\n", text))
    if _HTML.match(text):
        raise StoryFileError("file", "is HTML; give the story as plain text or Markdown")
    for number, line in enumerate(text.split("\n"), 1):
        for character in line:
            # Refused, not removed: it may have replaced a character that would be missing then.
            if unicodedata.category(character) == "Cc" and character != "\t":
                raise StoryFileError(
                    "file",
                    f"has the control character U+{ord(character):04X} in line {number}; remove it",
                )
    if not text.strip():
        raise StoryFileError(
            "file", "is empty; write the headline on the first line, the text below"
        )
    return text


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    """Returns the values of the front matter, and the text after it."""
    lines = text.strip("\n").split("\n")
    if lines[0].strip() != "---":
        return {}, text
    given: dict[str, str] = {}
    for number, line in enumerate(lines[1:], 2):
        if line.strip() == "---":
            return _checked(given), "\n".join(lines[number:])
        if not line.strip():
            continue
        key, colon, value = line.partition(":")
        key, value = key.strip().lower(), value.strip()
        if not colon or key not in _KEYS:
            raise StoryFileError(
                "front matter",
                f"line {number} must be one of {', '.join(_KEYS)}, a colon and a value",
            )
        if key in given:
            raise StoryFileError("front matter", f"{key} is given twice; keep one")
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1].strip()
        given[key] = value
    raise StoryFileError("front matter", "does not end; close it with a line of three hyphens: ---")


def _checked(given: dict[str, str]) -> dict[str, str]:
    for key, form, example in (
        ("language", r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", "en or de"),
        ("topic", r"[a-z0-9]+(-[a-z0-9]+)*", "breaking"),
    ):
        if key in given and not re.fullmatch(form, given[key]):
            raise StoryFileError(key, f"must look like {example}")
    return given


def _headline(blocks: list[str]) -> tuple[str, list[str], list[str]]:
    """Returns the headline, the blocks below it, and a note if it was taken from the text."""
    if not blocks:
        raise StoryFileError(
            "headline", "is missing: nothing but a page's furniture was found in the file"
        )
    first, _, rest = blocks[0].partition("\n")
    marked = re.fullmatch(r"#{1,6}\s+(.+?)\s*#*\s*", first)
    if marked:
        headline = marked[1]
    elif len(first) <= LONGEST_HEADLINE and not re.search(r"(?<!\.)\.[\"'”’“»)]*$", first.rstrip()):
        headline = first
    else:
        return _from_first_sentence(blocks)
    below = [rest.strip("\n")] if rest.strip() else []
    return re.sub(r"^(\*\*|__)(.+)\1$", r"\2", headline.strip()), below + blocks[1:], []


def _from_first_sentence(blocks: list[str]) -> tuple[str, list[str], list[str]]:
    paragraph = " ".join(blocks[0].split())
    end = _SENTENCE_END.search(paragraph)
    sentence = paragraph[: end.end()] if end else paragraph
    headline = sentence.rstrip(".").strip()
    if len(headline) > LONGEST_HEADLINE:
        clauses = [sentence[: found.start()] for found in _CLAUSE.finditer(sentence)]
        fitting = [clause for clause in clauses if 20 <= len(clause) <= LONGEST_HEADLINE]
        if not fitting:
            raise StoryFileError(
                "headline",
                f"is missing: the first line is a sentence of more than {LONGEST_HEADLINE}"
                " characters; put a headline on a line of its own above it",
            )
        headline = fitting[-1]
    return (
        headline,
        blocks,
        ["The file has no headline of its own: it was taken from the first sentence."],
    )


def _without_images(blocks: list[str]) -> tuple[list[str], list[str]]:
    """Drops images that are not stored here, which `stories.checks.images` would refuse.

    Returns the blocks that are left, and a line for each dropped image.
    """
    went: list[str] = []

    def judged(found: re.Match[str]) -> str:
        if address.parse_picture(found[2]):
            return found[0]
        went.append(f"image: {found[1] or found[2]}")
        return ""

    cleared = [_IMAGE.sub(judged, block) for block in blocks]
    return [block for block in cleared if block.strip()], went


def _one_line(field: str, value: str, longest: int) -> str:
    value = " ".join(_INVISIBLE.sub("", value).split())
    if field == "headline" and not re.search(r"\w", value):
        raise StoryFileError("headline", "is missing; write it on the first line, the text below")
    if len(value) > longest:
        raise StoryFileError(field, f"has {len(value)} characters; shorten it to {longest}")
    return value
