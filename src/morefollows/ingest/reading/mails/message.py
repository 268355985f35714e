"""Reads a mail message: its text, or a wire's item that it brings as an attachment."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

from morefollows.ingest.item import NewsItem, UnreadableItem
from morefollows.ingest.reading import bounds, decode
from morefollows.ingest.reading.pages import markdown
from morefollows.ingest.reading.text import article, layout, plain
from morefollows.ingest.reading.text.hints import Hints

_MOST_PARTS = 200
_DEEPEST = 20  # parts inside one another
_PREFIX = re.compile(
    r"^\s*(?:(?:re|aw|fwd?|wg|tr|rv|sv|vs|antw|i)\s?(?:\[\d+\])?\s?:\s*"
    r"|\[(?:ext(?:ern(?:al)?)?|spam\??"
    r"|[\w-]{2,20})\]\s*)+",
    re.IGNORECASE,
)
_ANSWERS = re.compile(r"^\s*(?:re|aw|fwd?|wg|tr|rv|sv|antw)\s?(?:\[\d+\])?\s?:", re.IGNORECASE)
_PRESS = re.compile(
    r"^(?:press release|news release|media release|pressemitteilung|pm|medienmitteilung|communiqué"
    r"(?: de presse)?|cp|nota de prensa|comunicado(?: de prensa)?)\s*[:|–—-]\s*",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"^\s*(?:-{2,}\s*(?:forwarded message|weitergeleitete nachricht|original message|ursprüngliche"
    r" nachricht|message transféré|mensaje reenviado|originalnachricht).*|begin forwarded message:"
    r"|anfang der weitergeleiteten (?:nachricht|e-mail):?)\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_FORWARDED_HEADER = re.compile(
    r"^[\s>*]*(?:from|to|subject|date|sent|cc|reply-to|von|an|betreff|datum|gesendet|de|à|a|objet"
    r"|asunto|fecha|para|enviado|envoyé)\s*:\*?\s.*$",
    re.IGNORECASE,
)
#: A forwarded mail's headers without a line that says so, as Outlook writes them.
_FORWARDED_HEADERS = re.compile(
    r"^[ \t>*_]*(?:from|von|de|da)\s?:\*?\s.+\n(?:[ \t>*]*(?:[a-zà-ÿ-]{1,12})\s?:\*?\s.*\n){1,6}"
    r"[ \t>*]*(?:subject|betreff|objet|asunto|oggetto)\s?:.*$",
    re.IGNORECASE | re.MULTILINE,
)
_MOST_FORWARDS = 6  # mails inside one another
_LEAST_FORWARDED = 8  # words of a mail that was forwarded
_QUOTED_SHARE = 0.8  # of a mail's lines, where all of it is quoted
# “-- ” alone on a line (RFC 3676 §4.3), or a line drawn below the text.
_SIGNATURE = re.compile(r"^(?:-- ?|__+)$", re.MULTILINE)
_FOOTER = re.compile(
    r"^\s*(?:(?:to )?unsubscribe\b|you (?:are )?receiv(?:e|ing) this"
    r"|this (?:e-?mail|message) (?:and any|is confidential|was sent)|diese (?:e-?mail"
    r"|nachricht) (?:enthält|ist)|confidentiality notice"
    r"|vom newsletter abmelden|abmelden\b|se désabonner|darse de baja|view (?:this )?"
    r"(?:e-?mail |in your |online)|sent from my|von meinem|envoyé de mon|enviado desde"
    r"|manage (?:your )?preferences)",
    re.IGNORECASE,
)
_BOUNDARY = re.compile(rb"boundary\s*\*?\w*\s*=", re.IGNORECASE)
_MOST_BOUNDARIES = 50
_WIRES = ("application/json", "application/xml", "text/xml", "application/vnd.iptc.g2")


def read_message(raw: bytes) -> list[NewsItem]:
    """Returns the message's item, or those of an attachment in a wire's format.

    Raises `UnreadableItem`.
    """
    # Parts inside one another cost the parser the square of their number.
    if len(_BOUNDARY.findall(raw)) > _MOST_BOUNDARIES:
        raise UnreadableItem("mail", f"has more than {_MOST_BOUNDARIES} groups of parts")
    try:
        found = email.message_from_bytes(raw, policy=email.policy.default)
    except RecursionError:
        raise UnreadableItem("mail", f"has more than {_DEEPEST} parts inside one another") from None
    assert isinstance(found, EmailMessage)
    parts = _parts(found)
    for part in parts:
        if items := _wire_items(part):
            return items
    text, doubts = _text(parts)
    names = [_name(part) for part in parts if _is_attachment(part)]
    doubts += [f"An attachment was not read: {name}" for name in names[:10]]
    item = _item(_header(found, "subject"), text, doubts)
    sent = _sent(found)
    return [
        replace(
            item,
            id=item.id or _header(found, "message-id").strip("<> "),
            published_at=sent,
            updated_at=sent,
            source=item.source or _sender(found),
            language=item.language or _header(found, "content-language"),
        )
    ]


def _parts(message: EmailMessage) -> list[EmailMessage]:
    """The parts that hold something. Raises `UnreadableItem` for too many or too deep ones."""
    found: list[EmailMessage] = []
    level: list[EmailMessage] = [message]
    for _depth in range(_DEEPEST):
        below: list[EmailMessage] = []
        for part in level:
            if part.is_multipart():
                below += [one for one in part.iter_parts() if isinstance(one, EmailMessage)]
            else:
                found.append(part)
        if len(found) + len(below) > _MOST_PARTS:
            raise UnreadableItem("mail", f"has more than {_MOST_PARTS} parts")
        if not below:
            return found
        level = below
    raise UnreadableItem("mail", f"has more than {_DEEPEST} parts inside one another")


def _content(part: EmailMessage) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        return b""
    return payload if isinstance(payload, bytes) else b""


def _wire_items(part: EmailMessage) -> list[NewsItem]:
    name = _name(part).lower()
    kind = part.get_content_type()
    if not (kind.startswith(_WIRES) or (kind.endswith(("+xml", "+json")) and "svg" not in kind)
            or name.endswith((".xml", ".json", ".nitf"))):  # fmt: skip
        return []
    from morefollows.ingest.reading.wires import documents, ninjs

    raw = _content(part)
    bounds.check_size(raw)
    try:
        text, _doubt = decode.decode(raw)
        return (
            ninjs.read_ninjs(text) if text.lstrip()[:1] in ("{", "[") else documents.read_xml(raw)
        )
    except UnreadableItem:
        return []


def _is_attachment(part: EmailMessage) -> bool:
    if part.get_content_disposition() == "attachment" or part.get_filename():
        # An image with a Content-ID is part of the HTML, which shows it by “cid:” (RFC 2392).
        return part.get_content_maintype() != "image" or part.get("content-id") is None
    return part.get_content_maintype() not in ("text", "multipart", "message", "image")


def _name(part: EmailMessage) -> str:
    try:
        return str(part.get_filename() or part.get_content_type())
    except (ValueError, LookupError, TypeError):
        return "?"


def _text(parts: list[EmailMessage]) -> tuple[list[str], list[str]]:
    """The message's text as blocks of Markdown, and doubts. HTML where the plain text says less."""
    doubts: list[str] = []
    texts: dict[str, list[str]] = {"plain": [], "html": []}
    for part in parts:
        kind = part.get_content_subtype()
        if part.get_content_maintype() != "text" or kind not in texts or _is_attachment(part):
            continue
        text, doubt = decode.decode(_content(part), _charset(part))
        doubts += [doubt] if doubt else []
        if text.strip():
            texts[kind].append(text)
    plain_text = "\n\n".join(texts["plain"])
    # Some programs' plain text only says that the mail is HTML.
    if texts["html"] and len(plain_text.split()) < 25:
        made = [markdown.html_to_markdown(one) for one in texts["html"]]
        if len(" ".join(made).split()) > len(plain_text.split()):
            return [block for one in made for block in one.split("\n\n") if block], doubts
    plain.check_characters(plain_text)
    return layout.blocks_of(_own_part(plain_text)), doubts


def _charset(part: EmailMessage) -> str:
    try:
        return str(part.get_content_charset() or "")
    except (ValueError, LookupError, TypeError):
        return ""


def _own_part(text: str) -> str:
    """The text without a forwarded mail's headers, quoted answers, signature and footer."""
    for _level in range(_MOST_FORWARDS):
        found = _FORWARDED.search(text) or _FORWARDED_HEADERS.search(text)
        if found is None or len(text[found.end() :].split()) < _LEAST_FORWARDED:
            break
        text = _without_headers(_unquoted(text[found.end() :]))
    text = _unquoted(text)
    text = _SIGNATURE.split(text)[0] if len(_SIGNATURE.split(text)[0].split()) > 8 else text
    lines = [line for line in text.split("\n") if not re.match(r"\s*>", line)]
    for number, line in enumerate(lines):
        if number > 2 and _FOOTER.match(line):
            return "\n".join(lines[:number])
    return "\n".join(lines)


def _unquoted(text: str) -> str:
    """The text of a mail that is quoted from its first line to its last."""
    lines = [line for line in text.split("\n") if line.strip()]
    quoted = sum(line.lstrip().startswith(">") for line in lines)
    if not lines or quoted < _QUOTED_SHARE * len(lines):
        return text
    return "\n".join(re.sub(r"^\s*>\s?", "", line) for line in text.split("\n"))


def _without_headers(text: str) -> str:
    lines = text.lstrip("\n").split("\n")
    while lines and (_FORWARDED_HEADER.match(lines[0]) or not lines[0].strip()):
        lines.pop(0)
        # A header's value may go on in the next line.
        while lines and re.match(r"[ \t]+\S", lines[0]) and not lines[0].startswith("    "):
            lines.pop(0)
    return "\n".join(lines)


def _item(subject: str, blocks: list[str], doubts: list[str]) -> NewsItem:
    title = _PRESS.sub("", _PREFIX.sub("", subject)).strip()
    # The subject of a reply or a forward was often written for another text.
    sure = 0.6 if _ANSWERS.match(subject) else 0.9
    hints = Hints(headline=title, sure=sure, doubts=doubts)
    if not [one for one in blocks if one.strip()]:
        raise UnreadableItem("text", "is empty: the mail has no text")
    own = article.assemble(blocks, Hints(doubts=doubts))
    if not title:
        return own
    if own.confidence >= 0.7 and not _same(own.headline, title):
        # The text has a headline of its own, beside the subject.
        offered = tuple(dict.fromkeys((title, *own.candidates)))
        return replace(own, confidence=0.65, candidates=offered)
    if own.confidence >= 0.7:
        return own
    return article.assemble(blocks, hints)


def _same(one: str, other: str) -> bool:
    from rapidfuzz import fuzz

    return fuzz.token_set_ratio(one.lower(), other.lower()) > 80


def _header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message.get(name, "")).split())
    except (ValueError, LookupError, IndexError, AttributeError, TypeError):
        return ""


def _sender(message: EmailMessage) -> str:
    """The sender's name; never the address."""
    name = _header(message, "from").partition("<")[0].strip(" \"'")
    return "" if "@" in name else name


def _sent(message: EmailMessage) -> datetime | None:
    try:
        found = parsedate_to_datetime(_header(message, "date"))
        # Python reads “-0000” as no zone; it is UTC, from a sender of unknown zone (RFC 5322 §3.3).
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
