"""Labels that stand before a headline, or alone above it: "BREAKING", "EIL:", "UPDATE 2-"."""

from __future__ import annotations

import re
from typing import NamedTuple

from morefollows.ingest.reading.words import agencies

#: Urgency (IPTC) by the words of agencies: flash before bulletin before urgent.
_URGENT = {
    1: ("flash", "blitz", "newsflash", "news flash", "snap"),
    2: (
        "breaking news", "breaking", "eilmeldung", "eilmeldungen", "eil", "bulletin", "alert",
        "news alert", "newsalert", "breaking news alert", "alerte info", "alerte", "urgent",
        "urgente",
        "última hora", "ultima hora", "ultim'ora", "ultimora", "dringend", "vorrang", "just in",
        "breakingnews", "alerta", "flash info",
    ),
}  # fmt: skip
_LIVE = (
    "live", "live updates", "live update", "live blog", "liveblog", "live-blog", "liveticker",
    "live-ticker", "ticker", "newsticker", "newsblog", "en direct", "direct", "en directo",
    "directo", "en vivo", "in diretta", "diretta", "developing", "developing story", "updating",
    "minute by minute", "minuto a minuto", "as it happened", "live coverage",
)  # fmt: skip
_OTHER = (
    "exclusive", "exklusiv", "exclusif", "exclusiva", "esclusiva", "update", "updates", "updated",
    "watch", "video", "vidéo", "vídeo", "analysis", "analyse", "análisis", "explainer", "opinion",
    "kommentar", "comment", "press release", "media release", "news release",
    "media statement", "press statement", "presseinformation", "pressemeldung", "pressemitteilung",
    "medienmitteilung", "communiqué de presse", "communiqué", "nota de prensa",
    "comunicado de prensa", "for immediate release", "zusammenfassung", "meldung", "nachricht",
    "news", "lead", "1st lead", "2nd lead", "writethru", "ampliación", "ampliacion", "avance",
    "avance urgente", "synthèse", "papier général", "topgespräch", "korr-inland", "news story",
    "immediate release", "à diffuser immédiatement", "avis aux médias", "article", "reportage",
    "authored article", "government response", "wrapup", "factbox",
    "new", "nouveau", "neu", "nuevo", "plus", "spiegel+", "z+", "sz plus", "f+", "welt+", "bild+",
    "bezahlartikel", "abonnés", "premium", "abo", "noticia",
)  # fmt: skip
_CORRECTION = (
    "corrected", "correction", "corrects", "berichtigung", "berichtigt", "korrektur", "korrigiert",
    "rectificatif", "corrigé", "correction de", "corrección", "rectificación", "corrige", "errata",
    "corregido", "rettifica", "richtigstellung",
)  # fmt: skip
_KILL = (
    "kill", "withdrawn", "withdrawal", "retraction", "retracted", "zurückgezogen", "rückzug",
    "annulation", "annuler", "annulé", "anulación", "anulado", "anulada", "mandatory kill",
    "bulletin kill", "storniert", "annulla", "refile kill",
)  # fmt: skip


def _words(*groups: tuple[str, ...]) -> str:
    words = sorted({word for group in groups for word in group}, key=len, reverse=True)
    return "|".join(re.escape(word).replace(r"\ ", r"[\s-]+") for word in words)


_ALL = _words(*_URGENT.values(), _LIVE, _OTHER, _CORRECTION, _KILL)
_FRAME = r"[\s+*#!•●|►▶️\U0001f534\U0001f6a8⚡❗‼\[\](){}<>:·–—=~_-]*"
#: Agencies put their name before a label: "AFP ANNULATION", "dpa-Eilmeldung", "APNewsAlert".
_BY_AGENCY = rf"(?:(?:{agencies()}|RTRS)[\s:/-]{{0,3}})?"
_ALONE = re.compile(
    rf"{_FRAME}{_BY_AGENCY}(?:{_ALL})(?:{_FRAME}(?:{_ALL}))*{_FRAME}\.?", re.IGNORECASE
)
#: What stands before a headline and is none of it: Reuters' sign, a German police office's name.
_OFFICE = re.compile(
    r"(?:RTRS\s?-\s?|(?:POL|FW|BPOLI?|BPOLD|HZA|LKA|THW|DLRG|DRK|LPI|LPD|GdP|ZOLL|FF"
    r"|KFV)-[A-ZÄÖÜ0-9]"
    r"[A-ZÄÖÜa-zäöü0-9_ -]{0,14}:\s*(?:\d{6}(?:-\d+)?[.:]?\s+)?(?:-\d+-\s*)?)(?=\S)"
)
#: "(Berichtigung: Zahl der Toten) Schiff rammt …": what was wrong stands with the label.
_EXPLAINED = re.compile(rf"\(\s*(?:{_ALL})\s*[:–—-]\s*[^()]{{2,160}}\)\s*(?=\S)", re.IGNORECASE)
#: "UPDATE 2-", "WRAPUP 1-", "CORRECTED-(OFFICIAL)-", "REFILE-", as Reuters has them.
_WIRE_PREFIX = re.compile(
    r"(?:UPDATE|WRAPUP|RPT|REFILE|BRIEF|FACTBOX|TIMELINE|CORRECTED|CORRECTION|EXCLUSIVE|INSIGHT"
    r"|ANALYSIS|EXPLAINER|WITHDRAWN|SNAPSHOT|INSTANT VIEW|DIARY|URGENT|ALERT|KILL|BREAKINGVIEWS)"
    r"(?:[ -]?\d{1,2}|-OFFICIAL|\s?\([A-Z ]+\))?\s?[-–—]{1,2}\s?(?=\S)"
)
_PREFIX = re.compile(
    rf"{_FRAME}(?P<label>{_ALL})(?:\s*\d{{1,2}})?"
    r"(?:\s*(?:[:|•·►▶/!+*#\])]|--+|\s[–—-]+\s|[–—](?=\s))[\s+*#!•|/►▶:–—\[(-]*)(?=\S)",
    re.IGNORECASE,
)
#: "EIL Schiff rammt …", "URGENT Ship hits …": in capitals the label needs no colon.
_CAPITAL = re.compile(
    r"(?:EIL(?:MELDUNG)?|URGENTE?|BREAKING(?: NEWS)?|LIVE(?: UPDATES)?|FLASH|BLITZ|ALERTE|BULLETIN"
    r"|ÚLTIMA HORA|EN DIRECT(?:O)?|DIRECTO?|LIVEBLOG)\s+(?=[A-ZÄÖÜÀ-Þ\d„“\"«'¡¿])"
)
#: "EN IMAGES. Explosion …", as French regional papers have it.
_FRENCH = re.compile(
    r"(?:EN (?:IMAGES|DIRECT|VIDÉO|CARTE)|DIRECT|VID[ÉE]OS?|PHOTOS?|ENTRETIEN|TÉMOIGNAGES?"
    r"|REPORTAGE|INFOGRAPHIE|CARTE|RÉCIT|EXCLUSIF|INFO(?: [A-ZÀ-Ý-]{2,20}){1,2})"
    r"\.\s+(?=[A-ZÀ-Ý«\d])"
)
_SUFFIX = re.compile(
    r"(?:\s+[–—|-]\s+|\s*[|(\[+]+\s*)(?:live|live updates|liveblog|liveticker|en direct|en directo"
    r"|as it happened|breaking news|eilmeldung|update|video|con vídeo|en vivo|urgente?|flash|eil"
    r"|blitz|alerte)[\s+)\]]*$",
    re.IGNORECASE,
)
#: "– @herald" behind a headline, as in a channel of a messenger.
_HANDLE = re.compile(r"\s*[–—|-]?\s*@\w{3,30}$")
_AGENCY_END = re.compile(r"\s*[-–—]\s*(?:urgent|urgente|eil|alerte)\s*$", re.IGNORECASE)


class Labelled(NamedTuple):
    """A headline without its labels, and what these said."""

    headline: str
    labels: tuple[str, ...] = ()
    urgency: int | None = None
    corrects: bool = False
    killed: bool = False


def is_label(line: str) -> bool:
    """Whether nothing but labels stands in the line."""
    line = re.sub(r"^#{1,6}\s+", "", line.strip())
    return len(line) <= 60 and bool(_ALONE.fullmatch(line))


def without_labels(line: str) -> Labelled:
    """Takes the labels off a headline."""
    text, labels = " ".join(line.split()), []
    while True:
        found = (
            _EXPLAINED.match(text)
            or _WIRE_PREFIX.match(text)
            or _OFFICE.match(text)
            or _PREFIX.match(text)
            or _CAPITAL.match(text)
            or _FRENCH.match(text)
        )
        if found is None or not re.search(r"\w{2}", text[found.end() :]):
            break
        labels.append(text[: found.end()].strip(" :|-–—+*#!•/()[]"))
        text = text[found.end() :]
    for pattern in (_SUFFIX, _AGENCY_END, _HANDLE):
        if (found := pattern.search(text)) and found.start() > 15:
            labels.append(found[0].strip(" :|-–—+*()[]"))
            text = text[: found.start()]
    if labels:
        text = re.sub(r"\s*\+{2,}\s*$", "", text)
    text = re.sub(r"^\+{2,}\s*(.+?)\s*\+{2,}$", r"\1", text)
    return Labelled(text.strip(), tuple(labels), *_meaning(labels))


def label_meaning(line: str) -> Labelled:
    """What a line that `is_label` says; its headline is empty."""
    return Labelled("", (line.strip(),), *_meaning([line]))


def _meaning(labels: list[str]) -> tuple[int | None, bool, bool]:
    label_text = " ".join(labels).lower()

    def has(words: tuple[str, ...]) -> bool:
        return bool(re.search(rf"(?<!\w)(?:{_words(words)})(?!\w)", label_text))

    urgency = next((level for level, words in _URGENT.items() if has(words)), None)
    return urgency, has(_CORRECTION), has(_KILL)
