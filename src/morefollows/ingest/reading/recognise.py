"""Tells what a file is: by its own bytes first, then by its media type and its name."""

from __future__ import annotations

import re
from enum import StrEnum

from morefollows.ingest.item import UnreadableItem


class FileForm(StrEnum):
    """What kind of file it is."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    MAIL = "mail"
    DOCX = "docx"
    ODT = "odt"
    RTF = "rtf"
    JSON = "json"
    XML = "xml"


_NAMES = {
    **dict.fromkeys(("md", "markdown", "mdown", "mkd"), FileForm.MARKDOWN),
    **dict.fromkeys(("html", "htm", "xhtml"), FileForm.HTML),
    **dict.fromkeys(("xml", "nitf"), FileForm.XML),
    "eml": FileForm.MAIL,
    "txt": FileForm.TEXT,
    "json": FileForm.JSON,
    "rtf": FileForm.RTF,
}
_TYPES = {
    "text/html": FileForm.HTML,
    "application/xhtml+xml": FileForm.HTML,
    "text/markdown": FileForm.MARKDOWN,
    "message/rfc822": FileForm.MAIL,
    "application/json": FileForm.JSON,
    "application/ld+json": FileForm.JSON,
    "application/rtf": FileForm.RTF,
    "text/rtf": FileForm.RTF,
    "application/xml": FileForm.XML,
    "text/xml": FileForm.XML,
    "text/plain": FileForm.TEXT,
}
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--.{0,2000}?-->\s*)*(?:<!doctype\s+html|<(?:html|head|body"
    r"|article|main|div|section|p|h[1-6]|meta|script|header|nav|title|style|span|table|ul|ol|figure"
    r"|blockquote|aside|footer|link|base|a|b|strong|em|img|br)\b)",
    re.IGNORECASE | re.DOTALL,
)
_XML = re.compile(
    r"\s*(?:<\?xml\b|<!DOCTYPE\s+(?!html)|<(?:\w+:)?(?:newsItem|newsMessage|packageItem|nitf"
    r"|contentSet|conceptItem|knowledgeItem|planningItem|NewsML)\b)",
    re.IGNORECASE,
)
_ROOT = re.compile(r"<(?![?!])(?:[\w.-]+:)?([\w.-]+)")
_MAIL_HEADER = re.compile(
    rb"(?:From |(?:Return-Path|Received|From|To|Subject|Date|MIME-Version|Message-ID|Delivered-To"
    rb"|X-[\w-]+|Content-Type|ARC-[\w-]+|DKIM-Signature|Reply-To|Authentication-Results):)",
    re.IGNORECASE,
)
_OTHER_FILES = (
    (b"%PDF-", "a PDF"),
    (b"\xd0\xcf\x11\xe0", "an old Word file (.doc)"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"RIFF", "a picture or a sound"),
    (b"\x1f\x8b", "a packed file"),
    (b"7z\xbc\xaf", "a packed file"),
    (b"Rar!", "a packed file"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"bplist", "a web archive"),
)


def form_of_bytes(raw: bytes) -> FileForm | None:
    """What can be told before the bytes are decoded. Raises `UnreadableItem` for other files."""
    for mark, words in _OTHER_FILES:
        if raw.startswith(mark):
            raise UnreadableItem(
                "file", f"is {words}, not plain text; save the story as text, .docx or .html"
            )
    if raw.startswith(b"PK\x03\x04"):
        return _zip_form(raw)
    if raw.lstrip()[:5] == b"{\\rtf":
        return FileForm.RTF
    if _is_mail(raw):
        return FileForm.MAIL
    return None


def form_of_text(text: str, media_type: str, file_name: str) -> FileForm:
    """What a decoded text is. What it looks like counts before what it is called."""
    start = text[:5000].lstrip("\ufeff")
    kind = media_type.partition(";")[0].strip().lower()
    named = _NAMES.get(file_name.rpartition(".")[2].lower()) or _TYPES.get(kind)
    root = _ROOT.search(start) if start.lstrip().startswith("<") else None
    if _XML.match(start) and root is not None and root[1].lower() != "html":
        return FileForm.XML
    if _HTML.match(start) or re.search(r"<!doctype html|<html[\s>]", start[:1000], re.I):
        return FileForm.HTML
    if named in (FileForm.XML, FileForm.HTML) and start.lstrip().startswith("<"):
        return named
    if kind.endswith("+xml") and start.lstrip().startswith("<"):
        return FileForm.XML
    if start.lstrip()[:1] in ("{", "[") and _is_json(start.lstrip(), named, kind):
        return FileForm.JSON
    return FileForm.MARKDOWN if named == FileForm.MARKDOWN else FileForm.TEXT


def _is_json(start: str, named: FileForm | None, kind: str) -> bool:
    if named == FileForm.JSON or kind.endswith("+json"):
        return True
    if named == FileForm.MARKDOWN:  # front matter of Hugo
        return False
    return bool(re.match(r"\{\s*(?:\"[^\"\n]{0,100}\"\s*:|\})|\[\s*(?:[\[{\]]|\")", start))


def _zip_form(raw: bytes) -> FileForm:
    # An uncompressed file “mimetype” comes first in it (ODF 1.3 part 2 §3.3).
    if b"mimetypeapplication/vnd.oasis.opendocument.text" in raw[:200]:
        return FileForm.ODT
    if b"word/" in raw:
        return FileForm.DOCX
    if b"content.xml" in raw:
        return FileForm.ODT
    raise UnreadableItem("file", "is a packed file that is neither .docx nor .odt")


def _is_mail(raw: bytes) -> bool:
    """Whether the first lines are headers of a mail (RFC 5322), at least two that mails have."""
    head = raw[:20_000].lstrip(b"\xef\xbb\xbf\r\n")
    seen: set[bytes] = set()
    for number, line in enumerate(re.split(rb"\r\n|\n|\r", head)[:200]):
        if not line:
            break
        if line[:1] in b" \t" and number:
            continue
        if _MAIL_HEADER.match(line):
            seen.add(line.partition(b":")[0].lower())
        elif not re.match(rb"[!-9;-~]+:", line) or len(seen) == 0:
            return False
    others = {b"subject", b"date", b"mime-version", b"message-id", b"received", b"return-path"}
    return (b"from" in seen and len(seen & others) >= 1) or len(seen & others) >= 3
