"""What is left of a story after all that is known was taken out, and may be none of it.

Nothing is removed here: an editor is asked, and nothing is sent without one.
"""

from __future__ import annotations

import re

from morefollows.ingest.reading import boilerplate
from morefollows.ingest.reading.text import layout
from morefollows.ingest.reading.text.lines import bylines

_SENTENCE_END = re.compile(r"[.!?…:;][\"'”’“»›)\]*_]*$")
_ENDED = re.compile(r"[.!…][\"'”’“»›)\]*_]*$")
_QUOTED = re.compile(r"[“„«\"»][^”“»«\"]{0,600}[”“»«\"]")
#: A page speaks to its reader: somebody who is addressed, and what pages want of them.
_ADDRESS = re.compile(
    r"\b(?:you|your|yours|us|our|we|sie|ihre?[nrms]?|dein[ers]?|dich|uns|unser[ens]?|vous|votre|vos"
    r"|nous|nos|notre|tu|tus|su|sus|te|nuestr[ao]s?|nos)\b",
    re.IGNORECASE,
)
_WANTS = re.compile(
    r"\b(?:subscri(?:be|bers?|ption)|newsletters?|sign(?:ing)? (?:up|in)|log ?in|whats?app|click"
    r"|follow us|download|apps?\b|free articles?|free trial|cookies?|inbox|favou?r to ask"
    r"|support us|donat(?:e|ions?)"
    r"|advert\w*|ads\b|javascript|browser|register(?:ed)?|account|comment(?:s|ing)?|homepage"
    r"|website"
    r"|abonn\w+|newsletter|registrier\w+|anmeld\w+|kostenlos\w*|testen|werbung|inscri\w+|courriel"
    r"|s['’]inscrire|publicité|suscri\w+|regístr\w+|publicidad|boletín|gratuit\w+|gratis"
    r"|our (?:journalism|reporters|journalists|channel|coverage|site)|this (?:page|site|video"
    r"|content"
    r"|article|story|material)|read (?:more|our)|share (?:this|your)|get in touch|contact us"
    r"|(?:send|write to|tell) us|schreiben sie (?:uns|an)|écrivez-nous|escríbenos|envíanos"
    r"|e-?mail us|let us know|thanks? (?:you )?for reading)\b",
    re.IGNORECASE,
)
#: What no story says, to whomever it speaks.
_NEVER = re.compile(
    r"\b(?:all rights reserved|alle rechte vorbehalten|tous droits réservés|todos los derechos"
    r"|may not be (?:published|reproduced|republished)|©|copyright \d{4}|\(c\) \d{4}"
    r"|click (?:here|image|on)|image caption|read time|skip to|scroll (?:down|to)"
    r"|rückfragen|pressekontakt|ansprechpartner|original-content"
    r"|most of our readers|\bis an? (?:[\w-]+ ){0,3}(?:reporter|correspondent|columnist)\b"
    r"|(?:the )?trust project|trust principles|edited by|reporting by|editing by"
    r"|archived (?:news )?story|aus dem archiv|signalez|zeichen inkl|more content)\b"
    r"|^\W*(?:foto|photo|bild|image|imagen)s?\s?:",
    re.IGNORECASE,
)
_CONTACT = re.compile(
    r"[\w.+-]+@[\w-]+\.\w{2,}|\b(?:tel|telefon|phone|mobile|mobil|fax|téléphone|teléfono|móvil)\b"
    r"[.:\s]{0,3}\+?[\d(]",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"^\W*(?:\d{1,2}[:.h]\d\d)\s*(?:uhr|gmt|bst|[ap]\.?m\.?)?\W*$", re.IGNORECASE)
#: A page's call to its reader, by its first word.
_CALLS = re.compile(
    r"[\W_]*(?:follow|download|watch|subscribe|sign up|support us|donate|read (?:more|also|next)"
    r"|listen"
    r"|suggest|report (?:a|an)|submit|join|get (?:the|our|more)|see also|click|tap|swipe|register"
    r"|folgen sie|laden sie|abonnieren sie|hören sie|sehen sie|lesen sie|melden sie"
    r"|unterstützen sie"
    r"|suivez|téléchargez|abonnez|écoutez|lisez|retrouvez|soutenez|sigue|descarga|suscríbete"
    r"|escucha"
    r"|lee (?:también|más)|únete|apoya)\b",
    re.IGNORECASE,
)
#: The text speaks of itself, as only its page does.
_ITSELF = re.compile(
    r"\b(?:this (?:article|story|report)"
    r" (?:was|is|has been|will be|appear\w*|originally|first)"
    r"|(?:version|edition) of this (?:article|story|report)"
    r"|dieser (?:artikel|beitrag|text) (?:wurde|ist|wird|erschien|stammt)"
    r"|diese (?:meldung|nachricht) (?:wurde|ist|wird|stammt)"
    r"|cet(?:te)? (?:article|dépêche|information) (?:a été|est|sera)"
    r"|est[ea] (?:noticia|artículo|información) (?:se ha|ha sido|fue|está|será))\b",
    re.IGNORECASE,
)
#: Words of short lines that are no sentence, between paragraphs of a story.
_PAGE_WORDS = re.compile(
    r"\b(?:videos?|vidéos?|vídeos?|podcasts?|newsletters?|newsroom|sponsored|unlimited access"
    r"|trust us|editor.?s picks|(?:more|related) (?:stories|news|articles)|readers also"
    r"|have your say"
    r"|comments?|artikel|kommentare?|redaktion|weiterlesen|diskutieren|startseite|zum thema|themen"
    r"|commentaires?|réagir|une erreur|abonnés?|favoris|aller plus loin|à venir|à voir|votre avis"
    r"|articles?|noticias?|comentarios?|publicidad|nuestro canal|carta del director|temas"
    r"|en ampliación|en breve|un error|lectores)\b",
    re.IGNORECASE,
)
_AND = re.compile(r"\s*,\s*|\s+(?:and|und|et|y)\s+")
_SHORT_LINE = 80  # characters
_SHORT_CALL = 140  # characters
_SHORT = 320  # characters of a paragraph in which a page speaks


def of_body(
    body: list[str], late: list[str], byline: str = "", *, page: bool, given: bool
) -> list[str]:
    """Doubts about lines of the body, and about lines that were left out above it.

    `page`: something of a page was taken out, so that more may be left. `given`: the text is its
    writer's own. `byline`: whose names begin what a page says of its authors.
    """
    found = [f"Left out above the story: “{one}”" for one in late if len(one) > 40]
    if given:
        return found
    authors = tuple(one for one in _AND.split(byline) if " " in one.strip())
    for number, block in enumerate(body):
        last = number == len(body) - 1
        about = number >= len(body) - 3 and len(block) <= _SHORT and block.startswith(authors)
        if _is_odd(block, page=page, last=last) or speaks_to_readers(block) or (authors and about):
            text = re.sub(r"^#{1,6}\s+", "", block)
            found.append(f"Is this part of the story? “{boilerplate.shown(text)}”")
    return found


def of_wire(body: list[str]) -> list[str]:
    """Doubts about a wire's text: paragraphs that speak to readers or editors."""
    odd = [boilerplate.shown(block) for block in body if speaks_to_readers(block)]
    return [f"Is this part of the story? “{one}”" for one in odd]


def speaks_to_readers(block: str) -> bool:
    """Whether a page speaks in a paragraph, or somebody who wants to be called by editors."""
    text = " ".join(block.split())
    if not text or len(text) > _SHORT or block.startswith("|"):
        return False
    plain = _QUOTED.sub("", text)
    if _NEVER.search(plain) or _CONTACT.search(plain) or _ITSELF.search(plain):
        return True
    if len(text) <= _SHORT_LINE and not _ENDED.search(text) and _PAGE_WORDS.search(plain):
        return True
    if len(plain) <= _SHORT_CALL and _CALLS.match(plain):
        return True
    return wants_something(plain)


def wants_something(text: str) -> bool:
    """Whether a page wants something of its readers in this line, such as that they subscribe."""
    return bool(_WANTS.search(text) and _ADDRESS.search(text))


def of_entries(blocks: list[str]) -> list[str]:
    """A doubt if the text is told in entries, each with its time, and not as one story."""
    lines = [line for block in blocks for line in block.split("\n")]
    if sum(bool(_CLOCK.match(line)) for line in lines) < 2:
        return []
    return ["It is told in entries, as a live blog is: see whether they make one story."]


def _is_odd(block: str, *, page: bool, last: bool) -> bool:
    text = re.sub(r"^#{1,6}\s+", "", block)
    if layout.is_marked(text) or block.startswith("!["):
        return False
    if bylines.is_credit(text):
        return True
    if last and len(text) > 3 and not block.startswith("#") and len(block.split()) < 30:
        final = block.split("\n")[-1]
        return (
            not _SENTENCE_END.search(final)
            or final.rstrip().endswith(":")
            or bylines.is_credit(final)
        )
    if not page or (block.startswith("#") and not last) or len(text) > 140:
        return False
    return any(not _SENTENCE_END.search(line) for line in text.split("\n"))
