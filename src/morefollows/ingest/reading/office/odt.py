"""Reads .odt (OpenDocument Text): paragraphs, headings, lists, links, tables, bold and italics."""

from __future__ import annotations

from typing import Any

from lxml import etree
from lxml import html as lxml_html

from morefollows.ingest.item import NewsItem, UnreadableItem
from morefollows.ingest.reading import bounds
from morefollows.ingest.reading.office import docx, packed

_TAGS = {
    "list": "ul", "list-item": "li", "list-header": "li", "table": "table", "table-row": "tr",
    "table-cell": "td", "section": "div", "a": "a", "line-break": "br",
    "table-header-rows": "thead",
}  # fmt: skip
_LEFT_OUT = frozenset(
    [
        "annotation",
        "annotation-end",
        "note",
        "tracked-changes",
        "frame",
        "sequence-decls",
        "forms",
        "bookmark",
        "scripts",
        "variable-decls",
        "user-field-decls",
        "soft-page-break",
        "table-of-content",
    ]
)


def read_odt(raw: bytes) -> NewsItem:
    """Returns the item. Raises `UnreadableItem`."""
    content = packed.part_of(packed.open_packed(raw), "content.xml")
    if not content:
        raise UnreadableItem("file", "is no .odt: it has no content.xml")
    root = bounds.parse_xml(content)
    body = next((one for one in root.iter() if _local(one) == "text" and _is_office(one)), None)
    if body is None:
        raise UnreadableItem("file", "is no text document; save it as .odt or .docx")
    styles = _styles(root)
    made = lxml_html.Element("div")
    _copy(body, made, styles)
    return docx.read_html(lxml_html.tostring(made, encoding="unicode"))


def _local(element: Any) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _is_office(element: Any) -> bool:
    return "office" in (etree.QName(element).namespace or "")


def _attribute(element: Any, name: str) -> str:
    return next((value for key, value in element.items() if key.endswith("}" + name)), "")


def _styles(root: Any) -> dict[str, str]:
    """Style → the tag that it means: "b", "i", "h1", "blockquote"."""
    found: dict[str, str] = {}
    for style in root.iter():
        if _local(style) != "style":
            continue
        name, parent = _attribute(style, "name"), _attribute(style, "parent-style-name")
        for child in style:
            if _attribute(child, "font-weight") == "bold":
                found[name] = "b"
            elif _attribute(child, "font-style") == "italic":
                found[name] = "i"
        if parent in ("Title", "Quotations", "Subtitle"):
            found[name] = parent
    return found


def _copy(element: Any, into: Any, styles: dict[str, str]) -> None:
    _text(into, element.text)
    for child in element:
        if not isinstance(child.tag, str) or _local(child) in _LEFT_OUT:
            _text(into, child.tail)
            continue
        name = _local(child)
        # Tabs, and spaces after the first, are elements (ODF 1.3 part 3 §6.1).
        if name in ("s", "tab"):
            _text(into, " ")
        elif made := _made(child, name, styles):
            into.append(made[0])
            _copy(child, made[-1], styles)
        else:
            _copy(child, into, styles)
        _text(into, child.tail)


def _made(element: Any, name: str, styles: dict[str, str]) -> list[Any] | None:
    """The HTML element for one of OpenDocument: the outer one, and the one that gets the text."""
    style = _attribute(element, "style-name")
    meant = styles.get(style, style)
    if name == "h":
        level = _attribute(element, "outline-level") or "2"
        return [lxml_html.Element(f"h{level}" if level in "1234" else "h4")]
    if name == "p":
        if meant in ("Title", "Headline"):
            return [lxml_html.Element("h1")]
        if meant == "Subtitle":
            made = lxml_html.Element("p")
            made.set("class", "standfirst")
            return [made]
        if meant == "Quotations":
            outer = lxml_html.Element("blockquote")
            outer.append(lxml_html.Element("p"))
            return [outer, outer[0]]
        return [lxml_html.Element("p")]
    if name == "span":
        return [lxml_html.Element(meant if meant in ("b", "i") else "span")]
    tag = _TAGS.get(name)
    if tag is None:
        return None
    made = lxml_html.Element(tag)
    if tag == "a":
        made.set("href", _attribute(element, "href"))
    return [made]


def _text(into: Any, text: str | None) -> None:
    if not text:
        return
    if len(into):
        into[-1].tail = (into[-1].tail or "") + text
    else:
        into.text = (into.text or "") + text
