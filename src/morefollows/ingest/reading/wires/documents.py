"""Reads an XML document: NewsML-G2, NITF, or parts of them; an XHTML page, too."""

from __future__ import annotations

import re
from typing import Any

from morefollows.ingest.item import NewsItem, UnreadableItem
from morefollows.ingest.reading import bounds, decode
from morefollows.ingest.reading.wires import newsml_g2, nitf

_G2 = ("newsItem", "newsMessage", "packageItem", "conceptItem", "knowledgeItem", "planningItem",
       "catalogItem")  # fmt: skip


def read_xml(raw: bytes) -> list[NewsItem]:
    """Returns the items. Raises `UnreadableItem` if the document has none."""
    root = _parsed(raw)
    name = nitf.local_name(root)
    if name in _G2:
        return newsml_g2.read_newsml_g2(root)
    if name == "nitf":
        return [nitf.read_nitf(root)]
    if name == "html":
        from morefollows.ingest.reading.pages import article

        return [article.read_page(decode.decode(raw, decode.declared_in(raw))[0])]
    if name in ("rss", "feed", "RDF"):
        raise UnreadableItem("XML", "is a feed; add it as a source, and its entries come in")
    if nitf.all_named(root, "newsItem"):
        return newsml_g2.read_newsml_g2(root)
    if found := nitf.all_named(root, "nitf"):
        return [nitf.read_nitf(one) for one in found[: bounds.MOST_ITEMS]]
    raise UnreadableItem("XML", f"begins with <{name[:40]}>, which is neither NewsML-G2 nor NITF")


def _parsed(raw: bytes) -> Any:
    try:
        return bounds.parse_xml(raw.lstrip())
    except UnreadableItem as error:
        # A declaration may name an encoding that the bytes do not have.
        if "ncod" not in error.reason and "nput is not proper" not in error.reason:
            raise
        text, _doubt = decode.decode(raw)
        text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text.lstrip("\ufeff"))
        return bounds.parse_xml(text.encode())
