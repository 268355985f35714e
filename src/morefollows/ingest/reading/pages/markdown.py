"""HTML to Markdown in the dialect of `stories.markdown`, with all active content dropped.

Kept are paragraphs, headings, quotes, lists, tables, links, bold, italics and images.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

from morefollows.ingest.item import UnreadableItem
from morefollows.ingest.reading import bounds
from morefollows.ingest.reading.words import word_set

_LISTS = ("ul", "ol", "menu", "dir")
_HEADINGS = {"h1": 2, "h2": 2, "h3": 3, "h4": 3, "h5": 3, "h6": 3}
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_SPECIAL = re.compile(r"([\\`*])|(?<![^\W_])(_)|(_)(?![^\W_])|(\])(?=\()")
_AT_START = re.compile(r"^([#>+]|-(?=[\s-])|={2,}|\d{1,9}(?=[.)]\s)|~{3,}|\|)")
_LONGEST_ADDRESS = 2_000


def html_to_markdown(html: str, base_url: str = "") -> str:
    """Returns the page or fragment as Markdown; relative links are made absolute by `base_url`.

    Raises `UnreadableItem` if elements are nested too deeply.
    """
    if not html.strip():
        return ""
    try:
        root = bounds.parse_html(html)
    except UnreadableItem as error:
        if error.reason == "is empty" or "Document is empty" in error.reason:
            return ""
        raise
    return element_to_markdown(root, base_url)


def element_to_markdown(root: Any, base_url: str = "") -> str:
    """Returns what is in an lxml element as Markdown. Does not change it."""
    return "\n\n".join(_Converter(base_url).blocks(root))


def line_of_element(element: Any) -> str:
    """The element's text in one line, without what is dropped."""
    return " ".join("".join(_texts(element)).split())


def _texts(element: Any) -> list[str]:
    found: list[str] = []
    if not _is_shown(element):
        return found
    found.append(element.text or "")
    for child in element:
        if isinstance(child.tag, str):
            space = " " if child.tag in word_set("block_elements") or child.tag == "br" else ""
            found += [space, *_texts(child), space]
        found.append(child.tail or "")
    return found


def _is_shown(element: Any) -> bool:
    if not isinstance(element.tag, str) or element.tag in word_set("dropped_elements"):
        return False
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return False
    return not _HIDING.search(element.get("style") or "")


def safe_address(address: str, base_url: str = "") -> str:
    """The absolute address, if it is one of the web or of mail; else ""."""
    address = re.sub(r"[\x00-\x20\x7f]", "", address or "")
    try:
        address = urljoin(base_url, address) if base_url else address
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https", "mailto") or len(address) > _LONGEST_ADDRESS:
        return ""
    if parts.scheme != "mailto" and (not parts.hostname or parts.username):
        return ""
    return re.sub(r"[()<>\[\]\"\\]", lambda found: f"%{ord(found[0]):02X}", address)


def escape_markdown(text: str) -> str:
    """Escapes what Markdown would take for markup inside of a line."""
    return _SPECIAL.sub(r"\\\g<0>", text)


class _Converter:
    def __init__(self, base_url: str) -> None:
        self._base = base_url

    def blocks(self, element: Any) -> list[str]:
        """The Markdown blocks of an element's content."""
        found: list[str] = []
        line: list[str] = [escape_markdown(_SPACE.sub(" ", element.text or ""))]
        for child in element:
            if _is_shown(child):
                if self._is_block(child):
                    found += _paragraphs(line)
                    line = []
                    found += self._block(child)
                else:
                    line.append(self._inline(child))
            line.append(escape_markdown(_SPACE.sub(" ", child.tail or "")))
        return found + _paragraphs(line)

    def _is_block(self, element: Any) -> bool:
        if element.tag in word_set("block_elements"):
            return True
        if element.tag == "img":
            return False
        return any(
            isinstance(one.tag, str) and one.tag in word_set("block_elements")
            for one in element.iter()
        )

    def _block(self, element: Any) -> list[str]:
        tag = element.tag
        if tag in _HEADINGS:
            text = " ".join(self._content(element).split())
            text = re.sub(r"^\*\*(.+)\*\*$", r"\1", text)
            return [f"{'#' * _HEADINGS[tag]} {text}"] if text else []
        if tag == "blockquote":
            inner = self.blocks(element)
            quoted = "\n\n".join(inner)
            lines = [f"> {line}".rstrip() for line in quoted.split("\n")] if inner else []
            return ["\n".join(lines)] if lines else []
        if tag in _LISTS:
            return self._list(element)
        if tag == "table":
            return self._table(element)
        if tag == "figure":
            return self._figure(element)
        if tag == "hr":
            return ["---"]
        if tag == "pre":
            return [escape_markdown(element.text_content().strip())]
        return self.blocks(element)

    def _list(self, element: Any) -> list[str]:
        lines, number = [], 1
        for child in element:
            if not _is_shown(child):
                continue
            inner = self.blocks(child)
            if not inner:
                continue
            mark = f"{number}. " if element.tag == "ol" else "- "
            number += 1
            body = inner[0]
            for one in inner[1:]:
                body += ("\n" if re.match(r"(- |\d+\. )", one) else "\n\n") + one
            indent = " " * len(mark)
            lines.append(mark + body.replace("\n", f"\n{indent}").replace(f"\n{indent}\n", "\n\n"))
        return ["\n".join(lines)] if lines else []

    def _figure(self, element: Any) -> list[str]:
        image = next(iter(element.iter("img")), None)
        if image is None:
            return self.blocks(element)  # a quote, a table
        caption = next(iter(element.iter("figcaption")), None)
        title = line_of_element(caption) if caption is not None else ""
        written = self._image(image, title)
        return [written] if written else []

    def _image(self, element: Any, title: str = "") -> str:
        address = image_address(element, self._base)
        if not address:
            return ""
        alt = re.sub(r"[\[\]\\\s]+", " ", element.get("alt") or "").strip()
        title = re.sub(r"[\"\\\s]+", " ", title).strip()[:300]
        return f"![{alt}]({address}" + (f' "{title}")' if title else ")")

    def _table(self, element: Any) -> list[str]:
        rows = [
            cells
            for row in element.iter("tr")
            if (cells := [one for one in row if one.tag in ("td", "th") and _is_shown(one)])
        ]
        width = max((len(row) for row in rows), default=0)
        if width < 2 or any(list(cell.iter("table")) for row in rows for cell in row):
            return self._layout(rows)
        caption = next(iter(element.iter("caption")), None)
        above = _paragraphs([self._content(caption)]) if caption is not None else []
        lines = []
        for number, row in enumerate(rows):
            texts = [self._cell(cell) for cell in row]
            texts += [""] * (width - len(texts))
            lines.append(f"| {' | '.join(texts)} |")
            if number == 0:
                lines.append(f"|{'|'.join(_alignment(cell) for cell in _padded(row, width))}|")
        return [*above, "\n".join(lines)]

    def _layout(self, rows: list[list[Any]]) -> list[str]:
        """A table of one column, or with tables in it, only lays out the page."""
        return [block for row in rows for cell in row for block in self.blocks(cell)]

    def _cell(self, cell: Any) -> str:
        text = " ".join(" ".join(self.blocks(cell)).split())
        return re.sub(r"(?<!\\)\|", r"\\|", text)

    def _content(self, element: Any) -> str:
        parts = [escape_markdown(_SPACE.sub(" ", element.text or ""))]
        for child in element:
            if _is_shown(child):
                parts.append(self._inline(child))
            parts.append(escape_markdown(_SPACE.sub(" ", child.tail or "")))
        return "".join(parts)

    def _inline(self, element: Any) -> str:
        tag = element.tag
        if tag == "br":
            return "\n"
        if tag == "img":
            written = self._image(element)
            return f"\n\n{written}\n\n" if written else ""
        inner = self._content(element)
        if tag in ("b", "strong"):
            return _wrapped(inner, "**")
        if tag in ("i", "em", "cite"):
            return _wrapped(inner, "*")
        if tag == "q":
            return f"“{inner}”"
        if tag == "a":
            return self._link(element, inner)
        return inner

    def _link(self, element: Any, inner: str) -> str:
        address = safe_address(element.get("href") or "", self._base)
        text = inner.strip()
        if not address or not text or "\n\n" in inner or "](" in inner:
            return inner
        before = " " if inner[:1].isspace() else ""
        after = " " if inner[-1:].isspace() else ""
        return f"{before}[{text}]({address}){after}"


def image_address(element: Any, base_url: str) -> str:
    """Where the picture of an ``img`` is, also when it is loaded late; "" for tracking pixels."""
    for side in ("width", "height"):
        if (element.get(side) or "").strip() in ("0", "1", "2"):
            return ""
    for name in ("src", "data-src", "data-original", "data-lazy-src"):
        address = safe_address(element.get(name) or "", base_url)
        if address and not address.startswith("mailto:"):
            return address
    first = (element.get("srcset") or element.get("data-srcset") or "").split(",")[0].split()
    return safe_address(first[0], base_url) if first else ""


def _wrapped(inner: str, mark: str) -> str:
    text = inner.strip()
    if not text or "\n\n" in inner or text.startswith("*") or text.endswith("*"):
        return inner
    before = inner[: len(inner) - len(inner.lstrip())]
    return f"{before}{mark}{text}{mark}{inner[len(inner.rstrip()) :]}"


def _paragraphs(parts: list[str]) -> list[str]:
    """Paragraphs of inline content, in which line feeds are ``br``."""
    found = []
    for one in re.split(r"\n[ \t]*(?:\n[ \t]*)+", "".join(parts)):
        lines = [" ".join(line.split(" ")).strip() for line in one.split("\n")]
        lines = [_AT_START.sub(r"\\\1", re.sub(" {2,}", " ", line)) for line in lines if line]
        # A digit can't be escaped, its full stop can.
        lines = [re.sub(r"^\\(\d{1,9})([.)])", r"\1\\\2", line) for line in lines]
        if lines:
            found.append("\n".join(lines))
    return found


def _padded(row: list[Any], width: int) -> list[Any]:
    return row + [None] * (width - len(row))


def _alignment(cell: Any) -> str:
    if cell is None:
        return "---"
    how = f"{cell.get('align') or ''} {cell.get('style') or ''} {cell.get('class') or ''}"
    return "---:" if "right" in how else ":---:" if "center" in how else "---"
