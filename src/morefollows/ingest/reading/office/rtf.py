"""Reads .rtf: its text by paragraphs. Bold, lists and tables of RTF are not kept."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from morefollows.ingest.item import NewsItem, UnreadableItem
from morefollows.ingest.reading import bounds
from morefollows.ingest.reading.text import article, layout

_MOST = 2_000_000  # bytes without pictures
_DEEPEST = 200  # groups inside one another


def read_rtf(raw: bytes) -> NewsItem:
    """Returns the item. Raises `UnreadableItem`."""
    from striprtf.striprtf import rtf_to_text

    # RTF is ASCII with escapes. Latin-1 keeps other bytes as they are, for the code page.
    text = raw.decode("latin-1")
    text = re.sub(r"\{\\\*?\\?(?:pict|objdata|themedata|datastore)\b[^{}]*\}", "", text)
    text = re.sub(r"[0-9a-fA-F\s]{2000,}", "", text)  # pictures and objects
    bounds.check_size(text.encode("latin-1"), _MOST)
    _check_depth(text)
    try:
        convert: Any = rtf_to_text
        plain = str(convert(text, encoding=_code_page(text), errors="replace"))
    except Exception as error:  # whatever it makes of it, the file is at fault
        raise UnreadableItem(
            "file", f"is no RTF that can be read ({type(error).__name__})"
        ) from None
    plain = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", plain)
    lines = [line.replace("|", " ").strip() for line in plain.split("\n")]
    blocks = layout.blocks_of("\n\n".join(line for line in lines if line))
    if not blocks:
        raise UnreadableItem("text", "is empty; write the story below its headline")
    item = article.assemble(blocks)
    if "\ufffd" in plain:
        raise UnreadableItem("file", "has characters that can't be read; save it as .docx")
    if re.search(r"\\deleted\b", text):
        doubt = "It has tracked changes: what was deleted may still be in the text."
        item = replace(item, doubts=(*item.doubts, doubt))
    return item


def _code_page(text: str) -> str:
    found = re.search(r"\\ansicpg(\d{3,5})", text[:2000])
    name = f"cp{found[1]}" if found else "cp1252"
    try:
        "".encode(name)
    except LookupError:
        return "cp1252"
    return name


def _check_depth(text: str) -> None:
    depth = 0
    for found in re.finditer(r"\\[\\{}]|[{}]", text):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if depth > _DEEPEST:
            raise UnreadableItem("RTF", f"has more than {_DEEPEST} groups inside one another")
