"""Reads news items from bytes, whatever they are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from morefollows.ingest.item import NewsItem, UnreadableItem
from morefollows.ingest.reading import bounds, decode, profiles, recognise
from morefollows.ingest.reading.recognise import FileForm
from morefollows.ingest.reading.text import plain

_LONGEST = {"headline": 500, "standfirst": 2_000, "byline": 300, "dateline": 200}
_MOST_LISTED = 200  # dropped pieces that are named
# Halves of UTF-16 pairs: UTF-8 can't hold them (RFC 3629 §3), and so no database can.
_SURROGATES = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def read_items(
    raw: bytes,
    *,
    media_type: str = "",
    file_name: str = "",
    profile: str = "",
    url: str = "",
) -> list[NewsItem]:
    """Returns the news items in a file or a message, at least one.

    `media_type` and `file_name` count where the bytes do not tell what they are. `profile`: the
    agency by whose conventions a wire is read (`profiles`); "" for those that all have. `url`: of
    a page.

    Pure: no database, no network. Raises `UnreadableItem`, which names the part and the remedy.
    """
    bounds.check_size(raw)
    try:
        items = _read(raw, media_type, file_name, url)
    except RecursionError:
        raise UnreadableItem("file", "has too many parts inside one another") from None
    return [_tidy(profiles.by_convention(item, profile)) for item in items]


def _read(raw: bytes, media_type: str, file_name: str, url: str) -> list[NewsItem]:
    form = recognise.form_of_bytes(raw)
    if form is not None:
        return _of_bytes(form, raw)
    declared = _charset(media_type)
    if not raw.startswith(b"\xef\xbb\xbf"):
        declared = declared or decode.declared_in(raw)
    text, doubt = decode.decode(raw, declared, pages=True)
    form = recognise.form_of_text(text, media_type, file_name)
    items = _of_text(form, text, raw, url)
    if doubt:
        items = [replace(item, doubts=(*item.doubts, doubt)) for item in items]
    return items


def _charset(media_type: str) -> str:
    found = re.search(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", media_type, re.IGNORECASE)
    return found[1] if found else ""


def _of_bytes(form: FileForm, raw: bytes) -> list[NewsItem]:
    if form == FileForm.MAIL:
        from morefollows.ingest.reading.mails import message

        return message.read_message(raw)
    from morefollows.ingest.reading.office import docx, odt, rtf

    readers: dict[FileForm, Callable[[bytes], NewsItem]] = {
        FileForm.DOCX: docx.read_docx,
        FileForm.ODT: odt.read_odt,
        FileForm.RTF: rtf.read_rtf,
    }
    return [readers[form](raw)]


def _of_text(form: FileForm, text: str, raw: bytes, url: str) -> list[NewsItem]:
    if form == FileForm.JSON:
        from morefollows.ingest.reading.wires import ninjs

        return ninjs.read_ninjs(text)
    if form == FileForm.XML:
        from morefollows.ingest.reading.wires import documents

        return documents.read_xml(raw)
    if form == FileForm.HTML:
        from morefollows.ingest.reading.pages import article

        return [article.read_page(text, url)]
    bounds.check_size(raw, bounds.MOST_TEXT_BYTES)
    return [plain.read_text(text, markdown=form == FileForm.MARKDOWN)]


def _tidy(item: NewsItem) -> NewsItem:
    """The item with clean lines: no control characters, nothing absurdly long."""
    fields: dict[str, Any] = {
        name: _line(getattr(item, name))[:most] for name, most in _LONGEST.items()
    }
    return replace(
        item,
        **fields,
        text=unicodedata.normalize("NFC", _CONTROLS.sub("", _SURROGATES.sub("", item.text))),
        id=_line(item.id)[:500],
        language=_line(item.language).replace("_", "-")[:35],
        source=_line(item.source)[:200],
        rights=_line(item.rights)[:1000],
        correction=_line(item.correction)[:1000],
        notes=tuple(_line(note)[:2000] for note in item.notes[:_MOST_LISTED]),
        candidates=tuple(_line(one)[:300] for one in item.candidates),
        dropped=tuple(_line(one) for one in item.dropped[:_MOST_LISTED]),
        doubts=tuple(_line(one) for one in item.doubts[:_MOST_LISTED]),
    )


def _line(text: str) -> str:
    text = _SURROGATES.sub("", re.sub("[\u00ad\u200b\u2060\ufeff]", "", text))
    return unicodedata.normalize("NFC", " ".join(_CONTROLS.sub(" ", text).split()))
