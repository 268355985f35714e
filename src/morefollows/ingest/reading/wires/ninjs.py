"""Reads ninjs, the IPTC's JSON for news, of the generations 1, 2 and 3.

Names differ between them only in case and in what is a list: `versioncreated`, `versionCreated`.
So every name is compared without case. Readers are lenient: only `uri` is required by the schemas.
"""

from __future__ import annotations

import re
from typing import Any

from morefollows.ingest.item import ItemImage, NewsItem, UnreadableItem
from morefollows.ingest.reading import bounds
from morefollows.ingest.reading.pages import markdown
from morefollows.ingest.reading.text import layout
from morefollows.ingest.reading.wires import finish, values

_LISTS = ("items", "_items", "newsitems")
# Types that are read as a story; "" stands for an item that names none.
_TEXTS = ("text", "composite", "")
_KNOWN = frozenset(
    [
        "headline",
        "headlines",
        "body_text",
        "body_html",
        "body_xhtml",
        "bodies",
        "pubstatus",
        "versioncreated",
        "renditions",
        "description_text",
        "descriptions",
        "associations",
    ]
)
_Fields = dict[str, Any]


def read_ninjs(text: str) -> list[NewsItem]:
    """Returns the items of a document. Raises `UnreadableItem` if it is not ninjs."""
    try:
        found = bounds.parse_json(text)
    except UnreadableItem:
        # It may be JSON Lines: one document a line.
        found = _lines(text)
    items: list[NewsItem] = []
    for one in _documents(found):
        fields = _lower(one)
        # Lists may hold other objects beside the items, such as links to further pages.
        if not fields.get("uri") and not _KNOWN & fields.keys():
            continue
        items += _read_item(fields)
        if len(items) > bounds.MOST_ITEMS:
            raise UnreadableItem("ninjs", f"has more than {bounds.MOST_ITEMS} items")
    if not items:
        raise UnreadableItem("JSON", "is not ninjs: it has neither uri nor headlines nor bodies")
    return items


def _lines(text: str) -> list[Any]:
    """One JSON document a line. Raises `UnreadableItem` as the whole would."""
    lines = [line for line in text.split("\n") if line.strip()]
    # Parsed once more, for an error that speaks of the whole document.
    if len(lines) < 2 or not all(line.lstrip().startswith("{") for line in lines):
        bounds.parse_json(text)
    return [bounds.parse_json(line) for line in lines[: bounds.MOST_ITEMS + 1]]


def _documents(found: Any) -> list[_Fields]:
    if isinstance(found, dict):
        for name, value in found.items():
            if str(name).lower() in _LISTS and isinstance(value, list) and "uri" not in found:
                return [one for one in value if isinstance(one, dict)]
        return [found]
    return [one for one in values.list_of(found) if isinstance(one, dict)]


def _lower(fields: _Fields) -> _Fields:
    return {str(name).lower(): value for name, value in fields.items()}


def _read_item(fields: _Fields) -> list[NewsItem]:
    """The item, or the texts of a package that has none of its own."""
    blocks, has_body = _body(fields)
    parts = [_lower(one) for one in _associated(fields)]
    kind = values.text_of(fields.get("type")).lower()
    inner = [
        one for one in parts if values.text_of(one.get("type")).lower() in ("text", "composite")
    ]
    if kind == "composite" and not has_body and inner:
        return [item for one in inner[: bounds.MOST_ITEMS] for item in _read_item(one)]
    return [_item(fields, blocks, parts, kind)]


def _item(fields: _Fields, blocks: list[str], parts: list[_Fields], kind: str) -> NewsItem:
    doubts: list[str] = []
    title = _by_role(fields, "headline")
    if kind not in _TEXTS:
        doubts.append(f"It is a {kind[:20]}, not a text.")
    notices = (fields.get("copyrightnotice"), fields.get("usageterms"))
    embargo_given = fields.get("embargoeduntil", fields.get("embargoed"))
    embargo = values.read_moment(embargo_given, doubts, "Its embargo")
    status = values.read_status(fields.get("pubstatus"), doubts)
    if embargo_given and embargo is None:
        # An embargo whose end can't be read holds until an editor decides.
        status = values.read_status("withheld", doubts)
    item = NewsItem(
        headline=title,
        text="",
        id=values.text_of(fields.get("uri")),
        version=_version(fields, doubts),
        status=status,
        urgency=values.urgency(fields.get("urgency"), doubts),
        embargo=embargo,
        published_at=values.read_moment(fields.get("firstcreated"), doubts, "firstCreated")
        or values.read_moment(fields.get("versioncreated"), [], ""),
        updated_at=values.read_moment(fields.get("versioncreated"), doubts, "versionCreated"),
        standfirst=_standfirst(fields, blocks),
        byline=finish.byline_without_by(values.text_of(fields.get("by") or fields.get("byline"))),
        dateline=values.text_of(fields.get("located")),
        language=values.text_of(fields.get("language")),
        topics=_topics(fields),
        replaces=tuple(
            one for one in map(values.text_of, values.list_of(fields.get("evolvedfrom"))) if one
        ),
        images=tuple(_images(fields, parts, kind)),
        url=_page(fields),
        source=values.text_of(fields.get("copyrightholder")) or _source(fields),
        rights=" ".join(one for one in map(values.text_of, notices) if one),
        doubts=tuple(doubts),
    )
    return finish.finished(item, blocks, [values.text_of(fields.get("ednote"))])


def _version(fields: _Fields, doubts: list[str]) -> int | None:
    given = fields.get("version")
    found = values.read_number(given)
    if given is not None and found is None:
        doubts.append(f"Its version “{values.text_of(given)[:40]}” is not a number.")
    return found


def _roles(fields: _Fields, name: str) -> list[tuple[str, str, str]]:
    """(role, content type, value) of generation 2 and 3's lists."""
    found = []
    for one in values.list_of(fields.get(name)):
        if isinstance(one, dict):
            one = _lower(one)
            value = one.get("value")
            if isinstance(value, str) and value.strip():
                kind = values.text_of(one.get("contenttype")).lower()
                found.append((values.text_of(one.get("role")).lower(), kind, value))
    return found


def _by_role(fields: _Fields, name: str) -> str:
    """The main one of headlines or descriptions, without markup."""
    found = _roles(fields, f"{name}s")
    if found:
        found.sort(key=lambda one: one[0] not in ("main", "medium", "text", ""))
        _role, kind, value = found[0]
        return _plain(value, kind)
    for key in (name, f"{name}_text", f"{name}_html", f"{name}_xhtml"):
        if isinstance(fields.get(key), str) and fields[key].strip():
            return _plain(fields[key], "html" if "html" in key else "")
    others = sorted(key for key in fields if key.startswith(f"{name}_"))
    return next((_plain(fields[key], "") for key in others if isinstance(fields[key], str)), "")


def _plain(value: str, kind: str) -> str:
    if "html" in kind or re.search(r"<(?:p|b|i|em|strong|span|br|a|div)\b[^>]*>|&\w{2,8};", value):
        try:
            return markdown.line_of_element(bounds.parse_html(value))
        except UnreadableItem:
            return ""
    return " ".join(value.split())


def _body(fields: _Fields) -> tuple[list[str], bool]:
    """The text as Markdown blocks, and whether there is one."""
    found = [(kind or role, value) for role, kind, value in _roles(fields, "bodies")]
    found += [
        (key, value)
        for key, value in fields.items()
        if key.startswith("body_") and isinstance(value, str) and value.strip()
    ]
    # HTML knows paragraphs, links and lists.
    found.sort(key=lambda one: ("html" not in one[0], "nitf" not in one[0]))
    for kind, value in found:
        blocks = _blocks(kind, value)
        if blocks:
            return blocks, True
    return [], False


def _blocks(kind: str, value: str) -> list[str]:
    if "html" in kind or "xml" in kind or re.match(r"\s*<(?:p|div|section|article|h\d)\b", value):
        return [one for one in markdown.html_to_markdown(value).split("\n\n") if one]
    return layout.blocks_of(value)


def _standfirst(fields: _Fields, blocks: list[str]) -> str:
    """The description, unless the text begins with it."""
    text = _by_role(fields, "description")
    start = " ".join(" ".join(blocks).split())[: len(text)]
    return "" if not text or text[:100] == start[:100] else text


def _topics(fields: _Fields) -> tuple[str, ...]:
    found: list[str] = []
    for name in ("subjects", "subject"):
        for one in values.list_of(fields.get(name)):
            if isinstance(one, dict):
                one = _lower(one)
                keys = ("name", "literal", "uri", "code")
                found.append(next((t for key in keys if (t := values.text_of(one.get(key)))), ""))
    return tuple(dict.fromkeys(one for one in found if one))[:50]


def _source(fields: _Fields) -> str:
    for name in ("infosources", "infosource"):
        for one in values.list_of(fields.get(name)):
            if isinstance(one, dict) and (text := values.text_of(_lower(one).get("name"))):
                return text
    return ""


def _page(fields: _Fields) -> str:
    for one in values.list_of(fields.get("altids")):
        if isinstance(one, dict) and (
            url := markdown.safe_address(values.text_of(one.get("value")))
        ):
            return url
    uri = values.text_of(fields.get("uri"))
    return uri if uri.startswith(("https://", "http://")) else ""


def _associated(fields: _Fields) -> list[_Fields]:
    given = fields.get("associations")
    found = list(given.values()) if isinstance(given, dict) else values.list_of(given)
    flat = [inner for one in found for inner in values.list_of(one)]
    return [one for one in flat if isinstance(one, dict)]


def _images(fields: _Fields, parts: list[_Fields], kind: str) -> list[ItemImage]:
    found = []
    for one in [*([fields] if kind == "picture" else []), *parts]:
        if values.text_of(one.get("type")).lower() not in ("picture", "graphic", ""):
            continue
        if url := _largest(one):
            rights = [one.get(key) for key in ("creditline", "by", "byline", "copyrightnotice")]
            caption = _by_role(one, "description")
            texts = [text for value in rights if (text := values.text_of(value))]
            found.append(
                ItemImage(url, _by_role(one, "headline"), caption, " / ".join(dict.fromkeys(texts)))
            )
    return found


def _largest(fields: _Fields) -> str:
    given = fields.get("renditions")
    found = list(given.values()) if isinstance(given, dict) else values.list_of(given)
    best, most = "", -1
    for one in found:
        if isinstance(one, dict):
            url = markdown.safe_address(values.text_of(_lower(one).get("href")))
            width = values.read_number(_lower(one).get("width")) or 0
            if url and width > most:
                best, most = url, width
    return best
