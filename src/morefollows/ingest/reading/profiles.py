"""How agencies mark corrections, kills and advisories, where their words would mislead elsewhere.

What all agencies have in common is read without a profile. A source's profile adds what only its
agency means by a word: a *refile* of Reuters corrects, and *annulla e sostituisce* of ANSA takes
back one text and gives another, while *annulla* alone kills.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from morefollows.ingest.item import ItemStatus, NewsItem

#: What `text.article` writes if an item calls itself a correction without saying of what.
UNSAID = "correction"


def _lines(*words: str) -> re.Pattern[str]:
    """A label, or a note's beginning, that is one of the patterns."""
    return re.compile(rf"^\W*(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)


_NEVER = re.compile(r"(?!)")


@dataclass(frozen=True)
class Profile:
    """An agency's conventions. Patterns are for labels, notes and the headline."""

    name: str
    corrects: re.Pattern[str] = _NEVER  #: this version puts an earlier one right
    kills: re.Pattern[str] = _NEVER  #: an earlier one must not be used
    substitutes: re.Pattern[str] = _NEVER  #: this version takes the place of one that is killed
    advises: re.Pattern[str] = _NEVER  #: it is for editors only, and no news
    explains: re.Pattern[str] = _NEVER  #: in the paragraph that says what was wrong


PROFILES = {
    "afp": Profile(
        "AFP",
        corrects=_lines(r"=?\(?corrige\w*", "rectifi[ée]\\w*", r"version corrigée", "correction"),
        kills=_lines("annulation", "annule", r"kill\b", "mandatory kill", "retirée?"),
        substitutes=_lines(r"annule et remplace", r"kill and replace"),
        advises=_lines("avis", "agenda", "prévisions", "advisory", "attention clients"),
    ),
    "ansa": Profile(
        "ANSA",
        corrects=_lines("rettifica", "correzione", "errata corrige", "corregge"),
        kills=_lines("annulla(?:re|to|ta)?", "annullamento"),
        substitutes=_lines(r"annulla e sostituisce", r"sostituisce"),
        advises=_lines("agenda", "prima pagina", "il punto alle", "avviso"),
    ),
    "ap": Profile(
        "AP",
        corrects=_lines(r"(?:eds?: ?)?corrects?\b", "correction", "corrective"),
        kills=_lines(r"(?:bulletin|mandatory) kill", r"kill\b", r"withhold\b"),
        advises=_lines("ap news digest", "digest", "advisory", "news guide", "ap newsguide"),
        explains=re.compile(r"\berroneously reported\b|\bAP reported erroneously\b", re.IGNORECASE),
    ),
    "dpa": Profile(
        "dpa",
        corrects=_lines(r"\(?berichtig\w+", r"\(?korrektur\w*", r"\(?korrigiert\w*", "korr-"),
        kills=_lines("zurückgezogen", "rückzug", r"meldung (?:wird )?zurückgezogen", "kill"),
        advises=_lines(
            "tagesvorschau", "vorschau", r"themenübersicht", "terminhinweis", "dpa-kundeninfo"
        ),
    ),
    "efe": Profile(
        "EFE",
        corrects=_lines(r"\(?corrige\w*", r"\(?rectifi\w+", "corrección", "fe de errores"),
        kills=_lines("anulación", "anulada", r"anula\b", "queda anulad[ao]"),
        substitutes=_lines(r"anula y sustituye", r"sustituye"),
        advises=_lines("previsiones", "agenda informativa", "aviso", "sumario"),
    ),
    "pa": Profile(
        "PA",
        corrects=_lines("correction", "substitute", r"in .{0,60}please read", "corrects?"),
        kills=_lines(r"kill\b", "delete", r"please (?:delete|disregard)", "withdrawn"),
        advises=_lines("advisory", "schedule", "diary", "newslist", "prospects"),
    ),
    "reuters": Profile(
        "Reuters",
        corrects=_lines("corrected", "corrects", "refile", "refiles", "correction"),
        kills=_lines("withdrawn", "kill", r"deleted?", "retraction"),
        advises=_lines("advisory", "diary", "schedule", "reuters news schedule", "press digest"),
    ),
}
#: Agencies that follow the conventions of another.
_LIKE = {"apa": "dpa", "sda": "dpa", "keystone-sda": "dpa", "rtr": "reuters", "ats": "afp"}
NAMES = tuple(sorted((*PROFILES, *_LIKE)))


def profile_of(name: str) -> Profile | None:
    """The profile with this name, without case; None if there is none."""
    name = name.strip().lower()
    return PROFILES.get(_LIKE.get(name, name))


def by_convention(item: NewsItem, name: str) -> NewsItem:
    """The item as its agency means it. Without a profile it stays as it is."""
    profile = profile_of(name)
    if profile is None:
        return item
    remarks = [*item.dropped[:20], *item.notes]
    if _found(profile.substitutes, [*remarks, item.headline]) and len(item.text.split()) > 12:
        left = [one for one in item.doubts if not one.startswith("It tells editors not to use")]
        item = replace(item, status=ItemStatus.USABLE, doubts=tuple(left))
        return _corrected(item, profile, _found(profile.substitutes, remarks))
    if _found(profile.kills, [*remarks, item.headline]):
        doubts = (*item.doubts, f"{profile.name} kills an item by this: look which one is meant.")
        return replace(item, status=ItemStatus.CANCELED, doubts=doubts)
    if _found(profile.advises, [*remarks, item.headline]):
        doubts = (*item.doubts, f"It is an advisory of {profile.name}, for editors only.")
        status = item.status if item.status == ItemStatus.CANCELED else ItemStatus.WITHHELD
        return replace(item, status=status, doubts=doubts)
    if item.correction and item.correction != UNSAID:
        return item
    if found := _found(profile.corrects, [*item.notes, *remarks]):
        return _corrected(item, profile, found)
    return _corrected(item, profile, item.correction) if item.correction else item


def _found(pattern: re.Pattern[str], lines: list[str]) -> str:
    return next((one for one in lines if pattern.match(one)), "")


def _corrected(item: NewsItem, profile: Profile, remarks: str) -> NewsItem:
    """The item with what was wrong: as a note says it, or a paragraph of the text."""
    reason = remarks.strip("()[]=+ ") if len(remarks.split()) > 3 else ""
    paragraphs = item.text.split("\n\n")
    reason = reason or next((one for one in paragraphs if profile.explains.search(one)), "")
    if not reason:
        return replace(item, correction=item.correction or UNSAID)
    left = [one for one in item.doubts if not one.startswith("It calls itself a correction")]
    return replace(item, correction=reason, doubts=tuple(left))
