"""What is for editors and never for readers: advisories, contacts, corrections, embargoes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from morefollows.ingest.reading.text import layout
from morefollows.ingest.reading.text.lines import wire_lines
from morefollows.ingest.reading.words import pattern

#: With its text behind it in the same line, such a heading begins the notes, too.
_TO_THE_END = re.compile(
    r"[\s#*_(\[-]*(?:notes? to editors?|media contacts?|press contacts?|pressekontakt"
    r"|redaktionelle hinweise|contact presse|contacto de prensa|media enquiries|press office)"
    r"\s*:\s*\S",
    re.IGNORECASE,
)
_CORRECTS = re.compile(
    r"[\s(\[*_]*(?:eds?\s?[:.]\s*)?((?:this version )?correct(?:s|ing|ion)\b|corrige\b|rectifi\w+"
    r"|berichtig\w+|korrig\w+|korrektur\b|in (?:item|story) .{0,40}please read|corrected\b)",
    re.IGNORECASE,
)
_KILLS = re.compile(
    r"[\s(\[*_#]*(?:(?:editors|eds|achtung|attention)\W.{0,40})?"
    r"(?:(?:bulletin|mandatory|urgent)\s)?(?:\bkill\b.{0,80}(?:story|item"
    r"|alert"
    r"|headline|not be used|do not use|nicht)|(?:please )?(?:do not use|disregard) (?:the|this|our)"
    r"|(?:the|this) (?:story|item|report) (?:is|has been) withdrawn|.{0,60}\bbitte nicht verwenden"
    r"|.{0,40}zieht .{0,60}zurück\b.{0,40}meldung|meldung .{0,60}zurückgezogen"
    r"|.{0,60}\bveuillez (?:ne pas (?:utiliser|tenir compte)|annuler|supprimer)\b"
    r"|(?:annulez|annuler|annulation de) (?:la|cette|notre|notre dernière) (?:dépêche|alerte|info)"
    r"|.{0,60}\b(?:queda anulad[ao]|anúlese|anulen|rogamos (?:anul|no us|no utili)\w+)"
    r"|.{0,60}\b(?:annullare|si prega di annullare|non utilizzare)\b.{0,60}"
    r"|.{0,80}\b(?:meldung|eilmeldung|bericht|text|beitrag)\b.{0,60}\b(?:ist|wird)\b.{0,30}"
    r"(?:hinfällig|zurückgezogen|gestrichen|gesperrt und)"
    r"|bitte (?:die|unsere|diese) .{0,60}(?:nicht (?:mehr )?verwenden|löschen|streichen)"
    r"|(?:we|reuters|ap|afp|pa|dpa) (?:is |are |has |have )?(?:withdraw(?:s|n|ing)?|retract\w*"
    r"|kill(?:s|ed"
    r"|ing)?)\b.{0,60}(?:story|item|report|alert|version)"
    r"|(?:there will be no|no) substitute (?:story|item)|mandatory kill)",
    re.IGNORECASE,
)
_EMBARGO = re.compile(
    r"(?:strictly\s+)?(?:embargo(?:ed)?|sperrfrist|gesperrt bis|sous embargo|embargado|not for"
    r" (?:publication|release|broadcast) (?:before|until)|frei (?:für|ab))\b"
    r"\W*(?:until|till|bis|jusqu['’]\s?(?:à|au|en)|hasta(?: el| las)?|for|to|für|ab)?\W*(.{0,80})",
    re.IGNORECASE,
)
_PUBLIC_NOTE = re.compile(
    r"[\s(\[*_#]*(?:editor(?:[’']?s[’']?|ial)?\s+note\b|(?:note de la rédaction|ndlr"
    r"|nota (?:del editor"
    r"|de la redacción)|anm(?:erkung|\.) der redaktion|hinweis der redaktion|in eigener sache"
    r"|transparenzhinweis|nota editoriale)\b"
    r"|(?:(?:update|correction|clarification|korrektur|richtigstellung|berichtigung|aktualisierung"
    r"|rectificatif|mise à jour|corrección|rectificación|actualización|fe de errores)\s?"
    r"(?:[(,]?\s?\d[\w.:,/ ]{0,30}\)?)?\s?[:–—-]\s.{15,}[.!?]\W*$)"
    r"|(?:an earlier|a previous|the original) version of this|(?:in einer (?:früheren|ersten"
    r"|vorherigen)"
    r" (?:version|fassung))|(?:une (?:première|précédente) version de cet)"
    r"|(?:una versión anterior de)"
    r"|this (?:article|story|report) (?:was|has been) (?:updated|amended|corrected) "
    r"|(?:dieser|der) (?:artikel|text|beitrag) wurde (?:korrigiert|aktualisiert|berichtigt"
    r"|geändert)"
    r"|cet article a été (?:corrigé|modifié|mis à jour))",
    re.IGNORECASE,
)
#: In brackets above a story agencies say what is new or was wrong.
_IN_BRACKETS = re.compile(
    r"\s*[(\[]\s*(?:korrektur|berichtigung|berichtigt|correct\w*|substitut\w*|rectifi\w+"
    r"|corrige\w*|corrección"
    r"|neu|ergänzt|aktualisiert|präzisiert|wiederholung|update[sd]?|adds?|recasts?|actualiza|amplía"
    r"|ajoute|précise|actualise|mit (?:foto|video|bild|neu)|achtung|attention|atención|rpt"
    r"|repeats)\b"
    r".{0,400}[)\]]\s*\.?\s*$",
    re.IGNORECASE,
)


@dataclass
class Apart:
    """Blocks of a story, and what was taken from among them."""

    blocks: list[str]
    notes: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    correction: str = ""
    killed: bool = False
    embargoed: bool = False
    embargo: datetime | None = None


def without_notes(blocks: list[str]) -> Apart:
    """Separates notes for editors from the story."""
    apart = Apart([])
    begun = False  # the story; a page's menu above it may have the same words
    for number, block in enumerate(blocks):
        first = block.split("\n")[0]
        if begun and wire_lines.is_end(first):
            _to_the_end(apart, blocks[number + 1 :], first)
            break
        if begun and _begins_notes(first):
            below = blocks[number + 1 :]
            apart.notes += [_one(block), *map(_one, below)]
            if sum(map(layout.is_prose, below)) > 2:
                apart.doubts.append(f"All below “{_one(first)}” was taken for notes to editors.")
            break
        _take(apart, block)
        begun = begun or number > 4 or bool(re.search(r"\w{3}.{12,}[.!?…][\"”’»)]*$", block))
    apart.notes = [note for note in apart.notes if not _is_empty_note(note)]
    for note in apart.notes:
        _understand(apart, note)
    return apart


def understood(notes: list[str]) -> Apart:
    """What notes that came apart from the story say about it."""
    apart = Apart([], notes=[_one(note) for note in notes if note.strip()])
    for note in apart.notes:
        _understand(apart, note)
    return apart


def is_kill(block: str) -> bool:
    """Whether a paragraph tells editors not to use a story."""
    return len(block) < 300 and bool(_KILLS.match(block))


def is_note(line: str) -> bool:
    """Whether the line is for editors."""
    return bool(
        pattern("advisories").match(line)
        or _begins_notes(line)
        or _PUBLIC_NOTE.match(line)
        or _IN_BRACKETS.match(line)
    ) or is_kill(line)


def _begins_notes(line: str) -> bool:
    return bool(pattern("note_sections").match(line) or _TO_THE_END.match(line))


def _to_the_end(apart: Apart, rest: list[str], mark: str) -> None:
    apart.dropped.append(mark.strip())
    apart.notes += [_one(block) for block in rest if not wire_lines.is_sign(block)]


def _take(apart: Apart, block: str) -> None:
    lines = block.split("\n")
    whole = not any(layout.is_prose(one) or _is_title(one, lines[0]) for one in lines[1:])
    if is_note(lines[0]) and (len(lines) == 1 or whole):
        if _PUBLIC_NOTE.match(lines[0]):
            apart.doubts.append("An editor's note was taken from the text: is it for readers?")
        apart.notes.append(_one(block))
        return
    kept = []
    for line in lines:
        if is_note(line):
            apart.notes.append(_one(line))
        else:
            kept.append(line)
    if kept:
        apart.blocks.append("\n".join(kept))


def _is_title(line: str, above: str) -> bool:
    """Whether a headline stands below an advisory that has come to its end."""
    text = line.strip()
    ended = bool(re.search(r"[.!?)\]]\s*$", above))
    words = 4 <= len(text.split()) <= 20 and not re.search(r"[.:;,]$|@|\d{3}[ -]?\d{3}", text)
    return ended and words and text[:1].isupper() and not is_note(text)


def _understand(apart: Apart, note: str) -> None:
    if _CORRECTS.match(note):
        apart.correction = apart.correction or note.strip("()[] ")
    if _KILLS.match(note):
        apart.killed = True
    found = _EMBARGO.search(note)
    if found and not re.search(r"\b(?:lifted|aufgehoben|levé)\b", note, re.IGNORECASE):
        apart.embargoed = True
        apart.embargo = apart.embargo or parsed_time(found[1])


def parsed_time(stamp: str) -> datetime | None:
    """The moment that words in one of the five languages name; None if it is not certain.

    Without a zone, a day or a time it is not certain.
    """
    import dateparser

    stamp = re.sub(r"\b(?:Uhr|hrs|hours)\b", "", stamp).strip(" .,;:()[]")
    stamp = re.sub(r"\b(\d{2})(\d{2})\s*(?=GMT|UTC|BST|CET)", r"\1:\2 ", stamp)
    stamp = re.sub(r"\bnoon\b", "12:00", stamp, flags=re.IGNORECASE)
    zoned = re.search(r"\b(?:GMT|UTC|BST|CES?T|MES?Z|E[SD]?T|P[SD]T)\b|[+-]\d\d:?\d\d|\dZ", stamp)
    if not zoned or not re.search(r"\d{1,2}[:.h]\d\d|\d\s?[ap]m", stamp, re.IGNORECASE):
        return None
    if not re.search(r"\d{4}", re.sub(r"[+-]\d{4}", "", stamp)):
        return None
    stamp = stamp.replace("MESZ", "CEST").replace("MEZ", "CET")
    try:
        found = dateparser.parse(stamp, languages=["en", "de", "fr", "es", "it"])
    except (ValueError, OverflowError, TypeError, RecursionError):
        return None
    return found if isinstance(found, datetime) and found.tzinfo else None


def _one(block: str) -> str:
    return " ".join(re.sub(r"^\s*#{1,6}\s+", "", block).split())


def _is_empty_note(note: str) -> bool:
    return not re.search(r"\w", note) or wire_lines.is_sign(note)
