"""Reads NewsML-G2: news items, packages, and messages with several of them.

QCodes are resolved offline: what counts is the code, and the schemes' aliases (`stat:`, `sig:`) are
those of the IPTC's catalogue or an agency's own for the same values. No catalogue is fetched.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from morefollows.ingest.item import ItemImage, ItemStatus, NewsItem, UnreadableItem
from morefollows.ingest.reading import bounds, decode
from morefollows.ingest.reading.pages import markdown
from morefollows.ingest.reading.text import layout
from morefollows.ingest.reading.wires import finish, nitf, values

_OTHERS = ("conceptItem", "knowledgeItem", "planningItem", "catalogItem")
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
# Relations of a link whose target this item takes the place of; the schemes' aliases differ.
_BEFORE = ("previousversion", "evolvedfrom", "replaces", "supersedes")


def read_newsml_g2(root: Any) -> list[NewsItem]:
    """Returns the items. Raises `UnreadableItem` if there is no news in the document."""
    found = nitf.all_named(root, "newsItem")
    if len(found) > bounds.MOST_ITEMS:
        raise UnreadableItem("NewsML-G2", f"has more than {bounds.MOST_ITEMS} items")
    # A message may have a text with its pictures as items of their own. With one text they are its
    # pictures. With several nobody can say whose they are, and they are left out.
    pictures = [one for one in found if _class(one) in ("picture", "graphic", "still")]
    texts = [one for one in found if one not in pictures] or pictures
    images = [image for one in pictures for image in _images(one)]
    items = [_read_item(one, images if len(texts) == 1 else []) for one in texts]
    if not items:
        # A package without items lists what others have. Its own head is all that there is to read.
        packages = nitf.all_named(root, "packageItem")
        if packages:
            return [_read_item(packages[0], [])]
        other = next((one for one in _OTHERS if nitf.all_named(root, one)), nitf.local_name(root))
        raise UnreadableItem("NewsML-G2", f"has no newsItem: it is a {other}, which is no news")
    return items


def _read_item(element: Any, images: list[ItemImage]) -> NewsItem:
    doubts: list[str] = []
    meta = _first(element, "itemMeta")
    content = _first(element, "contentMeta")
    rights = _first(element, "rightsInfo")
    kind = _class(element)
    if kind not in ("text", "composite", ""):
        doubts.append(f"It is a {kind[:20]}, not a text.")
    body, inner = _body(element, doubts)
    status, embargo = _status(meta, doubts)
    signals = {_code(one) for one in nitf.all_named(meta, "signal")}
    item = NewsItem(
        headline=_in_language(content, "headline", element) or (inner.headline if inner else ""),
        text="",
        id=values.text_of(element.get("guid")),
        version=values.read_number(element.get("version")),
        status=status,
        urgency=values.urgency(_child_text(content, "urgency") or None, doubts),
        embargo=embargo,
        published_at=_time(meta, "firstCreated", doubts) or _time(meta, "versionCreated", []),
        updated_at=_time(meta, "versionCreated", doubts),
        standfirst=_in_language(content, "description", element)
        or (inner.standfirst if inner else ""),
        byline=_byline(content) or (inner.byline if inner else ""),
        dateline=_child_text(content, "dateline") or _located(content),
        language=_item_language(element, content),
        topics=_topics(content),
        notes=inner.notes if inner else (),
        correction=_correction(signals, meta, inner),
        replaces=_replaces(meta),
        images=(*_images(element), *images, *(inner.images if inner else ())),
        source=_provider(meta, content),
        rights=_rights(rights),
        doubts=tuple(doubts),
    )
    notes = [" ".join("".join(one.itertext()).split()) for one in nitf.all_named(meta, "edNote")]
    return finish.finished(item, body, notes)


def _first(element: Any, name: str) -> Any:
    """The child with this name; an element without children if there is none."""
    for child in element:
        if nitf.local_name(child) == name:
            return child
    return element.makeelement("none")


def _children(element: Any, name: str) -> list[Any]:
    return [child for child in element if nitf.local_name(child) == name]


def _child_text(element: Any, name: str) -> str:
    found = _children(element, name)
    return " ".join("".join(found[0].itertext()).split()) if found else ""


def _code(element: Any) -> str:
    """The code of a QCode, or the last part of a URI: `stat:canceled` → `canceled`."""
    given = element.get("qcode") or element.get("uri") or element.get("literal") or ""
    return re.split(r"[:/#]", values.text_of(given).rstrip("/"))[-1].lower()


def _class(element: Any) -> str:
    for one in nitf.all_named(_first(element, "itemMeta"), "itemClass"):
        return _code(one)
    return ""


def _status(meta: Any, doubts: list[str]) -> tuple[ItemStatus, Any]:
    status = ItemStatus.USABLE
    for one in _children(meta, "pubStatus"):
        status = values.read_status(_code(one), doubts)
    embargo = None
    for one in _children(meta, "embargoed"):
        given = values.text_of(one.text)
        # `embargoed` without a time means until further notice. A time that can't be read is taken
        # so, too: the opposite would publish before the embargo ends.
        embargo = values.read_moment(given, doubts, "Its embargo") if given else None
        if embargo is None:
            doubts.append("It is under an embargo without a known end.")
            status = ItemStatus.WITHHELD if status == ItemStatus.USABLE else status
    return status, embargo


def _time(meta: Any, name: str, doubts: list[str]) -> Any:
    return values.read_moment(_child_text(meta, name), doubts, name)


def _in_language(content: Any, name: str, item: Any) -> str:
    """The text in the item's language, or the first, without markup."""
    found = _children(content, name)
    wanted = values.text_of(item.get(_LANGUAGE)).lower()
    # The item's language first; within it, a headline whose role is "main", or that has none.
    found.sort(
        key=lambda one: (
            (one.get(_LANGUAGE) or wanted).lower() != wanted,
            "main" not in (one.get("role") or "main") and bool(one.get("role")),
        )
    )
    return " ".join("".join(found[0].itertext()).split()) if found else ""


def _item_language(element: Any, content: Any) -> str:
    for one in _children(content, "language"):
        if one.get("tag"):
            return values.text_of(one.get("tag"))
    return values.text_of(element.get(_LANGUAGE))


def _byline(content: Any) -> str:
    if by := _child_text(content, "by"):
        return finish.byline_without_by(by)
    names = [_name(one) for one in _children(content, "creator")]
    return ", ".join(one for one in names if one)


def _name(element: Any) -> str:
    return _child_text(element, "name") or values.text_of(element.get("literal"))


def _located(content: Any) -> str:
    found = _children(content, "located")
    return _name(found[0]) if found else ""


def _topics(content: Any) -> tuple[str, ...]:
    found = [_name(one) or _code(one) for one in _children(content, "subject")]
    return tuple(dict.fromkeys(one for one in found if one))[:50]


def _correction(signals: set[str], meta: Any, inner: NewsItem | None) -> str:
    if inner is not None and inner.correction:
        return inner.correction
    # The schemes' values differ: `correction`, `corrected`.
    if not any("correct" in one for one in signals):
        return ""
    notes = [" ".join("".join(one.itertext()).split()) for one in nitf.all_named(meta, "edNote")]
    return next((one for one in notes if one), "correction")


def _replaces(meta: Any) -> tuple[str, ...]:
    found = []
    for link in _children(meta, "link"):
        relation = re.split(r"[:/#]", (link.get("rel") or "").lower())[-1]
        if relation in _BEFORE:
            found.append(values.text_of(link.get("residref") or link.get("href")))
    return tuple(dict.fromkeys(one for one in found if one))


def _provider(meta: Any, content: Any) -> str:
    for one in [*_children(content, "infoSource"), *_children(meta, "provider")]:
        if name := _name(one) or values.text_of(one.get("qcode")).partition(":")[2]:
            return name
    return ""


def _rights(rights: Any) -> str:
    notice, terms = _child_text(rights, "copyrightNotice"), _child_text(rights, "usageTerms")
    holder = next((_name(one) for one in _children(rights, "copyrightHolder")), "")
    return " ".join(one for one in (notice or holder, terms) if one)


def _images(element: Any) -> list[ItemImage]:
    found = []
    content = _first(element, "contentMeta")
    for remote in nitf.all_named(element, "remoteContent"):
        kind = (remote.get("contenttype") or remote.get("format") or "").lower()
        url = markdown.safe_address(values.text_of(remote.get("href")))
        if url and ("image" in kind or _class(element) in ("picture", "graphic")):
            caption = _child_text(content, "description")
            credit = _child_text(content, "creditline") or _rights(_first(element, "rightsInfo"))
            found.append(ItemImage(url, _child_text(content, "headline"), caption, credit))
    return found[:20]


def _body(element: Any, doubts: list[str]) -> tuple[list[str], NewsItem | None]:
    """The Markdown blocks, and the NITF item that they came in."""
    for content in nitf.all_named(element, "inlineXML"):
        for child in content:
            if nitf.local_name(child) == "nitf":
                return nitf.body(child), nitf.read_nitf(child)
            if isinstance(child.tag, str):
                text = markdown.element_to_markdown(nitf.as_html(child))
                return [one for one in text.split("\n\n") if one], None
    for content in nitf.all_named(element, "inlineData"):
        blocks = _inline(content, doubts)
        if blocks:
            return blocks, None
    return [], None


def _inline(content: Any, doubts: list[str]) -> list[str]:
    text = "".join(content.itertext())
    kind = (content.get("contenttype") or "").lower()
    # Line breaks and indents of the XML are skipped, as in MIME (RFC 2045 §6.8).
    if "base64" in (content.get("encoding") or "").lower():
        try:
            text, doubt = decode.decode(base64.b64decode(text, validate=False))
        except (binascii.Error, ValueError):
            doubts.append("Its inlineData is not base64.")
            return []
        doubts += [doubt] if doubt else []
    # HTML may be declared as plain text.
    if "html" in kind or "xml" in kind or re.match(r"\s*<(?:p|div|html|section|article)\b", text):
        return [one for one in markdown.html_to_markdown(text).split("\n\n") if one]
    return layout.blocks_of(text)
