"""Reads NITF, the IPTC's XML for a story's text, also as it stands in NewsML-G2."""

from __future__ import annotations

from typing import Any

from lxml import etree
from lxml import html as lxml_html

from morefollows.ingest.item import ItemImage, ItemStatus, NewsItem
from morefollows.ingest.reading.pages import markdown
from morefollows.ingest.reading.wires import finish, values

_AS_HTML = {
    "hl1": "h2", "hl2": "h3", "bq": "blockquote", "block": "div", "body.content": "div",
    "nitf-table": "div", "nitf-col": "col", "lang": "span", "org": "span", "person": "span",
    "location": "span", "event": "span", "chron": "span", "money": "span", "num": "span",
    "credit": "p", "bq.source": "p", "datasource": "p", "dl": "div", "dt": "p", "dd": "p",
}  # fmt: skip
_LEFT_OUT = ("media", "note", "fn", "custom-table", "object.title", "pre.form")


def local_name(element: Any) -> str:
    """The element's name without its namespace; "" for comments."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def all_named(element: Any, *names: str) -> list[Any]:
    """The elements with these names, in order."""
    return [one for one in element.iter() if local_name(one) in names]


def one_text(element: Any, *names: str) -> str:
    """The text of the first such element in one line; "" if there is none."""
    found = next(iter(all_named(element, *names)), None)
    return " ".join("".join(found.itertext()).split()) if found is not None else ""


def read_nitf(root: Any) -> NewsItem:
    """Returns the item of an ``nitf`` element."""
    doubts: list[str] = []
    document = next(iter(all_named(root, "docdata")), None)
    fields = _document(document, doubts) if document is not None else {}
    body_head = next(iter(all_named(root, "body.head")), None)
    head = body_head if body_head is not None else etree.Element("none")
    notes = [" ".join("".join(one.itertext()).split()) for one in all_named(root, "note")]
    notes += fields.pop("notes", [])
    tagline = one_text(root, "tagline")
    lines = all_named(head, "hl2")
    item = NewsItem(
        headline=one_text(head, "hl1") or one_text(head, "hedline") or _title(root),
        text="",
        standfirst=one_text(head, "abstract") or (one_text(head, "hl2") if lines else ""),
        byline=finish.byline_without_by(one_text(head, "byline")),
        dateline=_dateline(head),
        source=one_text(head, "distributor"),
        images=tuple(_images(root)),
        doubts=tuple(doubts),
        **fields,
    )
    return finish.finished(item, body(root), [*notes, tagline])


def body(root: Any) -> list[str]:
    """The Markdown blocks of the story."""
    contents = all_named(root, "body.content")
    blocks: list[str] = []
    for content in contents:
        text = markdown.element_to_markdown(as_html(content))
        blocks += [one for one in text.split("\n\n") if one]
    return blocks


def as_html(element: Any) -> Any:
    """A copy of an XML element as HTML: without namespaces, and with HTML's names."""
    local = local_name(element)
    copy = lxml_html.Element(_html_name(local))
    for key in ("href", "src", "alt", "align", "class", "hidden", "style", "width", "height"):
        if element.get(key) is not None:
            copy.set(key, element.get(key))
    copy.text = element.text
    for child in element:
        made = None
        if isinstance(child.tag, str) and local_name(child) not in _LEFT_OUT:
            made = as_html(child)
            copy.append(made)
        # The text behind a child belongs to its parent. So it stays when the child is left out.
        tail = child.tail or ""
        if made is not None:
            made.tail = tail
        elif len(copy):
            copy[-1].tail = (copy[-1].tail or "") + tail
        else:
            copy.text = (copy.text or "") + tail
    return copy


def _html_name(local: str) -> str:
    # Names with a full stop, such as `body.end`, are no names of HTML.
    made = _AS_HTML.get(local.lower(), local.lower())
    return made if made.isalnum() else "span"


def _title(root: Any) -> str:
    found = [one for one in root.iter() if local_name(one) == "title"]
    return " ".join("".join(found[0].itertext()).split()) if found else ""


def _dateline(head: Any) -> str:
    found = next(iter(all_named(head, "dateline")), None)
    if found is None:
        return ""
    place = one_text(found, "location") or " ".join((found.text or "").split())
    return place.strip(" ,-–—")


def _document(document: Any, doubts: list[str]) -> dict[str, Any]:
    # docdata has its values in attributes. Of several elements of one name the first counts.
    def attribute(element: str, key: str) -> str:
        found = next(iter(all_named(document, element)), None)
        return values.text_of(found.get(key)) if found is not None else ""

    status = values.read_status(document.get("management-status"), doubts)
    given = attribute("date.release", "norm")
    embargo = values.read_moment(given, doubts, "Its date of release")
    # A date of release that can't be read holds the story back, as an unreadable embargo does.
    if given and embargo is None:
        status = ItemStatus.WITHHELD
    correction = attribute("correction", "info")
    topics = [one.get("key") for one in all_named(document, "keyword")]
    return {
        "id": attribute("doc-id", "id-string"),
        "version": values.read_number(attribute("du-key", "version") or None),
        "status": status,
        "urgency": values.urgency(attribute("urgency", "ed-urg") or None, doubts),
        "embargo": embargo,
        "published_at": values.read_moment(
            attribute("date.issue", "norm"), doubts, "Its date of issue"
        ),
        "topics": tuple(dict.fromkeys(one for one in map(values.text_of, topics) if one)),
        "correction": correction,
        "rights": " ".join(
            one
            for one in (attribute("doc.copyright", "holder"), attribute("doc.rights", "owner"))
            if one
        ),
        "notes": [values.text_of(one.get("info")) for one in all_named(document, "ed-msg")],
    }


def _images(root: Any) -> list[ItemImage]:
    found = []
    for media in all_named(root, "media"):
        if (media.get("media-type") or "image") != "image":
            continue
        reference = next(iter(all_named(media, "media-reference")), None)
        if reference is None:
            continue
        if url := markdown.safe_address(reference.get("source") or ""):
            alt = values.text_of(reference.get("alternate-text"))
            caption, rights = one_text(media, "media-caption"), one_text(media, "media-producer")
            found.append(ItemImage(url, alt, caption, rights))
    return found
