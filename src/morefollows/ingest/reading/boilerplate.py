"""Removes boilerplate from a news page's text, in English and German.

Boilerplate is sign-up boxes, form errors, privacy and cookie notices, share links, dates, and "more
follows". The product itself adds "more follows" while a story is open.

Invariant: a line is removed only if all or nearly all of it is boilerplate. Losing a sentence of
the story is worse than keeping a button's caption.
"""

from __future__ import annotations

import re
from functools import cache

_SHOWN = 80  # characters of a dropped piece that are reported
_NEARLY_ALL = 0.8  # share of a block's characters
_LONGEST = 2_000  # characters; longer blocks are always part of the story

_MONTH = (
    r"(?:jan(?:uary|uar)?|feb(?:ruary|ruar)?|mar(?:ch)?|märz|apr(?:il)?"
    r"|may|mai|june?|juni|july?|juli"
    r"|aug(?:ust)?|sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?)\.?"
)
_WEEKDAY = (
    r"(?:mon|tues|wednes|thurs|fri|satur|sun|diens|donners|frei|sams|sonn|mitt)(?:day|tag|woch)?"
)
_DAY = (
    rf"(?:{_WEEKDAY},?\s+)?(?:\d{{4}}-\d\d-\d\d|\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}}"
    rf"|\d{{1,2}}\.?\s+{_MONTH}\s+\d{{4}}|{_MONTH}\s+\d{{1,2}},?\s+\d{{4}})"
)
_ZONE = r"(?:\s*(?:uhr|[ap]\.?m\.?|GMT|BST|UTC|CES?T|MES?Z|Z))*"
_TIME = rf"(?:[\s,T|·-]*(?:at\s+|um\s+)?\d{{1,2}}[:.]\d\d(?::\d\d)?{_ZONE})?"
_WORDS = r"[\w',& -]"
_MAILS = r"(?:e-?mails?|alerts?|newsletters?|briefings?)"
_ALONE = r"(?=\W*$)"  # nothing else follows in the line or block
_CAPTION = r"[^\n]{1,160}$"

# Sign-up boxes. When one of these begins a block, the rest of the block may still be the story.
_BOX = (
    rf"for free real[- ]time breaking news alerts[^.\n]{{0,60}}?inbox,?"
    rf" sign up to our {_WORDS}{{0,40}}?{_MAILS}",
    rf"(?:sign up|subscribe) (?:to|for) (?:our|the) {_WORDS}{{0,60}}?{_MAILS}"
    r"(?: (?:today|now|here))?",
    rf"(?:get|have|receive) {_WORDS}{{0,60}}? (?:straight |directly )?(?:to|in) your inbox"
    r"(?: (?:daily|every \w+))?",
    r"(?:please )?enter (?:a valid|your) e-?mail(?: address)?",
    r"(?:your )?e-?mail address:?(?=\W*(?:$|sign up|subscribe))",
    rf"i (?:would|'d) like to (?:be e-?mailed|receive e-?mails?) about {_WORDS}{{0,80}}"
    r"(?:offers|events|updates)(?: from [^.\n]{1,40}\.)?",
    r"(?:please )?read our (?:privacy (?:notice|policy)|terms(?: and conditions)?)",
    rf"thank(?:s| you) for (?:signing up|subscribing)"
    rf"(?: to (?:the|our)(?: {_WORDS}{{1,40}}?{_MAILS})?)?",
    r"(?:für )?kostenlose (?:eilmeldungen|nachrichten)[^.\n]{0,60}?(?:postfach|e-mail)"
    r"[^.\n]{0,60}?(?:melden sie sich[^.\n]{0,60}? an|anmelden)",
    r"melden sie sich (?:jetzt |hier )?(?:für|zu|zum|zur) [^.\n]{0,60}?"
    r"(?:newsletter|eilmeldungen|mails?)s? an",
    r"(?:bitte )?geben sie (?:bitte )?(?:eine gültige|ihre) e-?mail-?adresse ein",
    r"(?:ihre )?e-?mail-?adresse:?(?=\W*(?:$|anmelden))",
    rf"ich möchte (?:per e-?mail )?über {_WORDS}{{0,80}}(?:angebote|veranstaltungen|neuigkeiten)"
    r"[^.\n]{0,60}? (?:informiert|benachrichtigt) werden",
    r"(?:bitte )?lesen sie unsere? (?:datenschutz(?:erklärung|hinweise?)|nutzungsbedingungen)",
    r"(?:vielen )?dank,? (?:für ihre anmeldung|dass sie sich angemeldet haben)"
    rf"(?: (?:zum|zur|zu unseren?|für) {_WORDS}{{0,40}}?(?:newsletter|eilmeldungen|mails?))?",
)
_MORE_FOLLOWS = (
    rf"more (?:follows|to follow|to come|soon)(?: on this {_WORDS}{{0,30}}?story)?",
    r"this is a (?:breaking|developing)(?: news)? story[^.\n]{0,80}",
    r"this (?:breaking|developing)(?: news)? story (?:is being|will be) updated[^.\n]{0,40}",
    r"(?:please )?(?:check back|refresh(?: (?:the|this) page)?) for (?:more |the latest )?updates",
    r"mehr (?:in kürze|folgt)(?: in kürze)?",
    r"weitere (?:informationen|einzelheiten|details) folgen(?: in kürze)?",
    r"diese (?:meldung|nachricht|eilmeldung) wird (?:laufend |ständig |derzeit )?"
    r"(?:aktualisiert|ergänzt)",
)
_REST = (
    r"(?:sign up|subscribe)(?: now)?",
    r"(?:jetzt )?(?:anmelden|abonnieren)",
    r"this site is protected by recaptcha[^\n]{0,120}",
    r"(?:we|this (?:web)?site|this page) uses? cookies[^\n]{0,300}",
    r"(?:accept|manage|reject)(?: all)? cookies",
    r"(?:wir|diese (?:webseite|website|seite)) (?:verwenden|verwendet|nutzen|nutzt) cookies"
    r"[^\n]{0,300}",
    r"(?:alle )?cookies (?:akzeptieren|ablehnen|verwalten)",
    r"privacy (?:notice|policy)",
    r"datenschutz(?:erklärung|hinweise?)?",
    rf"share(?: (?:this|on|via|by)(?: {_WORDS}{{1,30}})?)?{_ALONE}",
    rf"teilen(?: (?:auf|per|über) {_WORDS}{{1,20}})?{_ALONE}",
    rf"(?:read more|see also|read also|related(?: articles?| stories)?): {_CAPTION}",
    rf"(?:lesen sie|mehr zum thema|siehe)(?: auch)?: {_CAPTION}",
    rf"(?:related|recommended|most read)(?: (?:articles?|stories|topics?))?{_ALONE}",
    rf"(?:mehr zum thema|leave a comment|join the conversation|comments?|kommentare?){_ALONE}",
    rf"(?:advertisement|anzeige|werbung){_ALONE}",
    r"(?:date|published|updated|last updated|veröffentlicht|aktualisiert|stand)?:?\s*(?:on |am )?"
    rf"{_DAY}{_TIME}",
)


def _any(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\b(?=\w)(?:{'|'.join(phrases)})(?!\w)", re.IGNORECASE)


# Compiled when first used: that takes a tenth of a second, and most processes clear no text.
@cache
def _boilerplate() -> re.Pattern[str]:
    return _any(_BOX + _MORE_FOLLOWS + _REST)


@cache
def _sign_up() -> re.Pattern[str]:
    return _any(_BOX)


@cache
def _last_words() -> re.Pattern[str]:
    return re.compile(rf"(?<=[.!?…”\"’»])\s+(?:{'|'.join(_MORE_FOLLOWS)})[\s.…!]*$", re.IGNORECASE)


_BETWEEN = re.compile(r"[\s.,;:…!|·•*\[\]()☐☑✓✔>\\_–—-]*")


def clear_blocks(blocks: list[str]) -> tuple[list[str], list[str]]:
    """Returns the story's blocks, and the start of each dropped piece, both in order."""
    kept: list[str] = []
    dropped: list[str] = []
    for block in blocks:
        if not block.strip():
            continue
        if is_boilerplate(block):
            dropped.append(shown(block))
            continue
        lines = []
        for line in block.split("\n"):
            if line.strip() and is_boilerplate(line):
                dropped.append(shown(line))
            else:
                lines.append(line.rstrip())
        left = "\n".join(lines)
        # Only above the story: further down, the same words may be a sentence of it.
        begin = 0 if kept else _leading(left)
        if begin:
            dropped.append(shown(left[:begin]))
            left = left[begin:]
        if left.strip():
            kept.append(left)
    end = _last_words().search(kept[-1]) if kept else None
    if end:
        dropped.append(shown(end[0]))
        kept[-1] = kept[-1][: end.start()]
    return kept, dropped


def is_boilerplate(piece: str) -> bool:
    """Whether all of `piece` is boilerplate, or several phrases of it make up nearly all."""
    if len(piece) > _LONGEST:
        return False
    piece = " ".join(piece.split())
    found = list(_boilerplate().finditer(piece))
    if not found or _BETWEEN.sub("", piece[found[-1].end() :]):
        return False
    covered = sum(match.end() - match.start() for match in found)
    heap = len(found) > 2 and covered >= _NEARLY_ALL * len(piece)
    return heap or not _BETWEEN.sub("", _boilerplate().sub("", piece))


def _leading(block: str) -> int:
    """Index of the story in a block that begins with a sign-up box; 0 if it does not."""
    end, box = 0, False
    while True:
        begin = _BETWEEN.match(block, end)
        start = begin.end() if begin else end
        found = _boilerplate().match(block, start)
        if not found or found.end() == start:
            return start if box else 0
        box = box or bool(_sign_up().match(block, start))
        end = found.end()


def shown(piece: str) -> str:
    """The start of a piece in one line, as it is reported."""
    piece = " ".join(piece.split())
    return piece if len(piece) <= _SHOWN else piece[: _SHOWN - 1].rstrip() + "…"
