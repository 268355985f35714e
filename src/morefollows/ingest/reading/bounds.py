"""Limits on what is read, and parsers that keep them: no file costs more than its size allows."""

from __future__ import annotations

import json
import re
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from morefollows.ingest.item import UnreadableItem

MOST_BYTES = 10_000_000
MOST_TEXT_BYTES = 1_000_000  #: of plain text; no story has so much
DEEPEST = 200  #: elements or JSON values inside one another
MOST_ITEMS = 500  #: in one document

_PROLOG = re.compile(rb"<!DOCTYPE\b[^\[>]*\[", re.IGNORECASE)
_ENTITY = re.compile(rb"<!ENTITY\b", re.IGNORECASE)
# Entities can read files and addresses (XXE), and grow without end (“billion laughs”).
_XML_PARSER_OPTIONS: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


def check_size(raw: bytes, most: int = MOST_BYTES) -> None:
    """Raises `UnreadableItem` if there are more than `most` bytes, or none."""
    if len(raw) > most:
        size = f"{most // 1_000_000} MB"
        raise UnreadableItem("file", f"is larger than {size}; give the story alone")


def parse_xml(raw: bytes) -> Any:
    """Returns the root element.

    Entities are refused, and nothing outside of `raw` is read. Raises `UnreadableItem`.
    """
    flat = raw.replace(b"\0", b"")  # UTF-16 and UTF-32, too
    if _PROLOG.search(flat[:100_000]) and _ENTITY.search(flat):
        raise UnreadableItem("XML", "declares entities, which are not read; write the text itself")
    try:
        root = etree.fromstring(raw, etree.XMLParser(**_XML_PARSER_OPTIONS))
    except (etree.XMLSyntaxError, ValueError) as error:
        reason = str(error)
        if "depth" in reason.lower():
            raise UnreadableItem("XML", "has too many elements inside one another") from None
        raise UnreadableItem("XML", f"is not well-formed: {reason[:200]}") from None
    # The search above misses what is in another encoding, e.g. in EBCDIC.
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and next(iter(dtd.iterentities()), None) is not None:
        raise UnreadableItem("XML", "declares entities, which are not read; write the text itself")
    check_depth(root, "XML")
    return root


def parse_html(text: str) -> Any:
    """Returns the root element of a page, or of a fragment. Raises `UnreadableItem`."""
    text = text.replace("\0", "").lstrip("\ufeff")
    # lxml refuses a str that declares an encoding.
    text = re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", text)
    parser = lxml_html.HTMLParser(
        no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    if not text.strip():
        raise UnreadableItem("HTML", "is empty")
    try:
        root = lxml_html.document_fromstring(text, parser=parser, ensure_head_body=True)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, AssertionError) as error:
        raise UnreadableItem("HTML", f"can't be read: {str(error)[:200]}") from None
    if any("depth" in one.message.lower() for one in parser.error_log):
        raise UnreadableItem("HTML", "has too many elements inside one another")
    check_depth(root, "HTML")
    return root


def check_depth(root: Any, part: str) -> None:
    """Raises `UnreadableItem` if elements are more than `DEEPEST` inside one another."""
    level = [root]
    for _depth in range(DEEPEST):
        level = [child for one in level for child in one]
        if not level:
            return
    raise UnreadableItem(part, f"has more than {DEEPEST} elements inside one another")


def parse_json(text: str) -> Any:
    """Returns what the JSON text says. Raises `UnreadableItem`."""
    check_json_depth(text)
    try:
        return json.loads(text, parse_constant=_no_constant, parse_int=_integer)
    except RecursionError:
        raise UnreadableItem("JSON", "has too many values inside one another") from None
    except ValueError as error:
        raise UnreadableItem("JSON", f"is not valid: {str(error)[:200]}") from None


def check_json_depth(text: str) -> None:
    """Raises `UnreadableItem` if values are more than `DEEPEST` inside one another."""
    depth = 0
    for found in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', text, re.DOTALL):
        mark = found[0]
        if mark in "[{":
            depth += 1
            if depth > DEEPEST:
                raise UnreadableItem("JSON", f"has more than {DEEPEST} values inside one another")
        elif mark in "]}":
            depth -= 1


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 40 else float("inf")
