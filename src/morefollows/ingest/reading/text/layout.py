"""The lines of a text file as Markdown blocks: paragraphs, headings, lists, quotes and tables.

Files come with an empty line between paragraphs, with one paragraph a line, or hard-wrapped at 60
to 80 columns with paragraphs told by an indent or by a short last line.
"""

from __future__ import annotations

import re
from itertools import pairwise

from morefollows.ingest.reading.text.lines import wire_lines
from morefollows.ingest.reading.words import word_set

_LIST = re.compile(r"\s{0,3}(?:[-*+•–—▪◦]|\d{1,3}[.)])\s+\S")
_MARKUP = re.compile(r"\s{0,3}(?:#{1,6}\s|>|\||!\[)")
#: Bullets as word processors paste them; "o" is one of the second level.
_BULLET = re.compile(
    r"^\s{0,3}(?:[\u00b7\u2022\u25aa\u25cf\u25a0\u2023\u25e6\uf0b7\u00a7]\s*|o\s{3,})(?=\S)"
)
_TABLE = re.compile(r"\s*\|.*\|\s*$")
_RULE = re.compile(
    r"\s{0,3}(?:_{3,}|-{3,}|\*{3,}|(?:[-_*]\s){2,}[-_*]|[=~]{3,}|[•·*]\s*[•·*]\s*[•·*])\s*$"
)
_SETEXT = re.compile(r"\s{0,3}(=+|-+)\s*$")
_PROSE_END = re.compile(r"[.!?…:][\"'”’“»)\]]*\s*$")
_WRAPPED = (45, 100)  # columns at which files are wrapped
_LEAST_BROKEN = 50  # characters of a line that is broken within a sentence
#: Words after which no line ends on purpose.
_OPEN_END = re.compile(
    r"\b(?:a|an|the|of|on|in|at|to|for|from|by|with|and|or|that|der|die|das|den|dem|des|ein|eine"
    r"|einen"
    r"|und|oder|von|vom|zu|zum|zur|im|am|auf|mit|für|le|la|les|un|une|de|du|des|et|ou|à|au|aux"
    r"|en|pour"
    r"|el|los|las|una|del|al|y|o|por|con|para|que)$|,$",
    re.IGNORECASE,
)
_LONG = 100  # characters; a line of a wrapped file has fewer


def blocks_of(text: str, *, markdown: bool = False) -> list[str]:
    """Returns the blocks. `markdown`: line feeds in a paragraph are kept as they are."""
    lines = _setext([_BULLET.sub("- ", line) for line in text.expandtabs(4).split("\n")])
    groups = _groups(lines)
    if markdown:
        return ["\n".join(group) for group in groups if not _is_rule(group)]
    width = _wrap_width(lines)
    found: list[str] = []
    for group in groups:
        if not _is_rule(group):
            found += _split(group, width, alone=len(groups) < 3 or _unspaced(groups))
    return found


def is_prose(block: str) -> bool:
    """Whether a block is a paragraph of the story by its look: a sentence, or long."""
    text = " ".join(block.split())
    if _MARKUP.match(text) or _LIST.match(text):
        return False
    return len(text) > 160 or (len(text) >= 40 and bool(_PROSE_END.search(text)))


def is_marked(line: str) -> bool:
    """Whether a line has Markdown of its own: a list's item, a quote, a heading, a table's row."""
    return bool(_MARKUP.match(line) or _LIST.match(line))


def _is_rule(group: list[str]) -> bool:
    return len(group) == 1 and bool(_RULE.match(group[0]))


def _setext(lines: list[str]) -> list[str]:
    """Underlined headings become headings with number signs, which `stories.markdown` knows."""
    found: list[str] = []
    for line in lines:
        mark = _SETEXT.match(line)
        last = found[-1] if found else ""
        above = found[-2] if len(found) > 1 else ""
        alone = last.strip() and not above.strip() and not _PROSE_END.search(last)
        if mark and alone and len(mark[1]) > 2 and not is_marked(last) and len(last) <= 150:
            level = "#" if mark[1][0] == "=" else "##"
            found[-1] = f"{level} {last.strip()}"
            found.append("")
            continue
        found.append(line.rstrip())
    return found


def _groups(lines: list[str]) -> list[list[str]]:
    groups: list[list[str]] = [[]]
    for line in lines:
        if not line.strip():
            groups.append([])
        elif _RULE.match(line):
            groups += [[line], []]
        elif (wire_lines.is_sign(line) and not is_marked(line)) or (
            line.lstrip().startswith("#") and _MARKUP.match(line)
        ):
            groups += [[line.strip()], []]
        else:
            groups[-1].append(line)
    return [group for group in groups if group]


def _unspaced(groups: list[list[str]]) -> bool:
    """Whether most lines stand in blocks of several: empty lines do not part the paragraphs."""
    together = sum(len(group) for group in groups if len(group) > 3)
    return together > 0.6 * sum(len(group) for group in groups)


def _wrap_width(lines: list[str]) -> int:
    """The column at which the file is wrapped; 0 if it is not."""
    lengths = sorted(len(line) for line in lines if line.strip() and not is_marked(line))
    if len(lengths) < 4 or not _WRAPPED[0] <= lengths[-1] <= _WRAPPED[1]:
        return 0
    near = [length for length in lengths if length >= 0.8 * lengths[-1]]
    broken = sum(
        1
        for line, below in pairwise(lines)
        if len(line) >= 0.75 * lengths[-1]
        and below.strip()
        and not _PROSE_END.search(line)
        and not is_marked(below)
    )
    return lengths[-1] if len(near) >= 3 and broken >= 2 else 0


def _split(group: list[str], width: int, *, alone: bool) -> list[str]:
    """The blocks of lines that stand together."""
    group = group if width else _without_breaks(group)
    if len(group) == 1 or _TABLE.match(group[0]):
        return ["\n".join(line.strip() for line in group)]
    if width:
        return _unwrapped(group, width)
    prose = [line for line in group if is_prose(line)]
    if not (alone or len(prose) > 1 or any(len(line) > _LONG for line in group)):
        return ["\n".join(line.strip() for line in group)]
    found: list[str] = []
    for line in group:
        listed = is_marked(line) and found and is_marked(found[-1].split("\n")[-1])
        if listed:
            found[-1] += f"\n{line.rstrip()}"
        else:
            found.append(line.strip())
    return found


_BYLINE = re.compile(r"\s*(?:by|von|par|por)\b", re.IGNORECASE)
#: A dateline in a line of its own.
_DATELINE = re.compile(r"^[A-ZÀ-Þ].{2,60}\([A-Za-z/ ]{2,20}\)\s*(?:-{1,2}|[–—])\s*$")


def _without_breaks(group: list[str]) -> list[str]:
    """Joins lines that were broken within a sentence, in a file with too few of them to tell."""
    found = group[:1]
    for line in group[1:]:
        above = found[-1].strip()
        broken = len(above.split("\n")[-1]) >= _LEAST_BROKEN and not _PROSE_END.search(above)
        goes_on = (line.lstrip()[:1].islower() and not _BYLINE.match(line)) or _OPEN_END.search(
            above
        )
        if (
            (_DATELINE.search(above) or (broken and goes_on))
            and not is_marked(line)
            and not is_marked(above)
        ):
            found[-1] = _joined([above, line.strip()])
        else:
            found.append(line)
    return found


def _unwrapped(group: list[str], width: int) -> list[str]:
    """Joins the lines of paragraphs of a hard-wrapped file."""
    found: list[list[str]] = []
    margin = min(len(line) - len(line.lstrip()) for line in group)
    for number, line in enumerate(group):
        last = group[number - 1].rstrip() if number else ""
        indented = len(line) - len(line.lstrip()) >= margin + 2
        ended = not found or (
            bool(_PROSE_END.search(last)) and len(last) + len(line.split()[0]) < width
        )
        short = number > 0 and len(last) < 0.6 * width and not indented
        if is_marked(line) or ended or short or (indented and _PROSE_END.search(last)):
            found.append([line.strip()])
        else:
            found[-1].append(line.strip())
    joined = [_joined(lines) for lines in found]
    blocks: list[str] = []
    for one in joined:
        if blocks and is_marked(one) and is_marked(blocks[-1].split("\n")[-1]):
            blocks[-1] += f"\n{one}"
        else:
            blocks.append(one)
    return blocks


def _joined(lines: list[str]) -> str:
    text = lines[0]
    for line in lines[1:]:
        # A word that was parted at the line's end; after it no capital follows in any language.
        parted = re.search(r"[a-zäöüß]-$", text) and line[:1].islower()
        parted = parted and not re.match(r"(?:und|oder|and|or|et|ou|y|o)\b", line)
        if parted:
            text = (text[:-1] if _is_word_part(text) else text) + line
        else:
            text = f"{text} {line}"
    return text


def _is_word_part(text: str) -> bool:
    """Whether the part before the hyphen is no word that keeps its hyphen ("well-known")."""
    return re.split(r"[\s-]", text[:-1])[-1].lower() not in word_set("hyphened")
