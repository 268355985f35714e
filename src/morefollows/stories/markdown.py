"""Renders a story's text, which is Markdown or pasted plain text, to safe HTML and plain text.

Invariant: both are rendered from the same tokens, so both have the same facts and links. HTML in
the text is escaped. Syntax that pasted text often has by accident stays text: indented code,
underlined headings, and references ("[1]: …").

An image is shown if it is a stored one (`images.address`) in a paragraph of its own:
``![Alternative text](/images/NAME-1200x800.jpg "Caption | Credit")``. Any other image is replaced
by its alternative text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar

from django.conf import settings
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from markdown_it import MarkdownIt
from markdown_it.token import Token

from morefollows.stories.images import address, figure
from morefollows.stories.images.figure import PlacedImage
from morefollows.stories.mail_styles import FROM_THE_RIGHT, STYLES

_SCHEMES = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)
_BARE_LINK = re.compile(r"https?://[^\s<>\"“”«»]+", re.IGNORECASE)
_SURROGATES = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")

_PARSER = MarkdownIt("commonmark", {"html": False})
_PARSER.enable("table")  # GitHub Flavored Markdown 4.10
_PARSER.disable(["code", "fence", "lheading", "reference", "html_block", "html_inline"])
#: For a text with absurdly many brackets. Each may begin a link or an image, so that its end is
#: looked for, and 50,000 take a second. No story has a tenth of these.
_MOST_BRACKETS = 2_000
_WITHOUT_LINKS = MarkdownIt("commonmark", {"html": False}).enable("table")
_WITHOUT_LINKS.disable(["code", "fence", "lheading", "reference", "html_block", "html_inline"])
_WITHOUT_LINKS.disable(["link", "image"])
# `_inline` checks the links: it removes a bad one but keeps its text.
_PARSER.validateLink = lambda url: True  # type: ignore[method-assign]

_CELLS = ("th", "td")
_LINE = 72  #: characters of a line of plain text that mail programs show whole


class Written(NamedTuple):
    """An image in a text. `shown`: None if it is not stored here. `alone`: in its own paragraph."""

    source: str
    alt: str
    shown: PlacedImage | None
    alone: bool


Options = ParamSpec("Options")
Result = TypeVar("Result")


def _once_a_text(render: Callable[Options, Result]) -> Callable[Options, Result]:
    """Decorates a function that renders a text. It keeps what was rendered last.

    One page renders a text several times. The result also depends on the active language and on the
    public web address, which begins the addresses of images.
    """

    @lru_cache(maxsize=32)
    def kept(_language: str, _site: str, *text: Any, **options: Any) -> Result:
        return render(*text, **options)

    @wraps(render)
    def rendered(*text: Options.args, **options: Options.kwargs) -> Result:
        how: dict[str, Any] = options
        return kept(get_language() or "", settings.MOREFOLLOWS.url, *text, **how)

    return rendered


@_once_a_text
def to_html(
    text: str, *, inline_styles: bool = False, rtl: bool = False, lazy: bool = True
) -> SafeString:
    """Renders safe HTML.

    Elements: p, h2, h3, ul, ol, li, blockquote, hr, br, strong, em, code, table, figure, and a with
    http, https or mailto. Cells aligned to the right or centre have the class of that name.
    `inline_styles`: for mail; `rtl`: laid out from the right. `lazy`: the first image is loaded
    lazily, too.
    """
    tokens = _parse(text)
    if inline_styles:
        styles = FROM_THE_RIGHT if rtl else STYLES
        for token in _all(tokens):
            if token.nesting >= 0 and token.tag in styles:
                token.attrSet("style", styles[token.tag] + _aligned(token))
                token.attrs.pop("class", None)
    for number, token in enumerate(token for token in tokens if token.type == "figure"):
        token.meta |= {"mail": inline_styles, "lazy": lazy or number > 0}
    return SafeString(
        _PARSER.renderer.render(tokens, _PARSER.options, {})
    )  # the renderer escapes all text


@_once_a_text
def to_text(text: str) -> str:
    """Renders plain text with an empty line between paragraphs.

    Links become "port authority (https://…)", images "[Image: tugs at the pier – credit]".
    """
    return _Plain().render(_parse(text))


@_once_a_text
def to_words(text: str) -> str:
    """Renders one line for a preview, without markup, link addresses and images."""
    texts = (_words(token.children or []) for token in _parse(text) if token.type == "inline")
    return " ".join(" ".join(texts).split())


def written_images(text: str) -> list[Written]:
    """All images in the text, in order, including those that are not shown."""
    found = []
    for token in blocks(text):
        alone = _is_figure(token)
        found += [_written(one, alone=alone) for one in token.children or [] if one.type == "image"]
    return found


def images(text: str) -> list[PlacedImage]:
    """The images that are shown, in order."""
    return [one.shown for one in written_images(text) if one.shown and one.alone]


def links(text: str) -> list[str]:
    """The addresses that the text links to, in order."""
    return [str(token.attrs["href"]) for token in _all(_parse(text)) if token.type == "link_open"]


def clean(text: str) -> str:
    """`text` with LF line ends, without control characters, and with surrogates replaced."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", _SURROGATES.sub("\ufffd", text))


def blocks(text: str) -> list[Token]:
    """The tokens of the text as it was written: `to_html` leaves out what is not allowed."""
    cleaned = clean(text)
    parser = _PARSER if cleaned.count("[") <= _MOST_BRACKETS else _WITHOUT_LINKS
    return parser.parse(cleaned)


def _parse(text: str) -> list[Token]:
    tokens: list[Token] = []
    for token in blocks(text):
        if token.type == "inline" and _is_figure(token):
            tokens.pop()  # the paragraph's opening; its end goes below
            tokens += _figures(token.children or [])
            continue
        if token.type == "paragraph_close" and tokens and tokens[-1].type == "figure":
            continue
        if token.type == "inline":
            token.children = list(_inline(token.children or []))
        elif token.tag in _CELLS and token.nesting == 1:
            side = str(token.attrs.pop("style", "")).rpartition(":")[2]
            if side in ("right", "center"):
                token.attrs["class"] = side  # pages allow no inline styles
        elif token.tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            token.tag = "h2" if token.tag in ("h1", "h2") else "h3"  # h1 is the story's headline
        tokens.append(token)
    return tokens


def _aligned(token: Token) -> str:
    side = token.attrs.get("class")
    if token.tag not in _CELLS:
        return ""
    return f";text-align:{'end' if side == 'right' else side or 'start'}"


def _is_figure(token: Token) -> bool:
    """Whether the paragraph has only images, all of them stored ones."""
    children = [
        one
        for one in token.children or []
        if one.type != "softbreak" and (one.type != "text" or one.content.strip())
    ]
    return bool(children) and all(
        one.type == "image" and _written(one, alone=True).shown for one in children
    )


def _figures(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type == "image":
            shown = _written(token, alone=True).shown
            yield Token("figure", "figure", 0, block=True, meta={"shown": shown})


def _written(token: Token, *, alone: bool) -> Written:
    """`token`: of an image. Its title is the caption; after the last bar comes the credit."""
    # The Markdown of an image: `![alt](address "caption | credit")`.
    source, alt = str(token.attrs.get("src", "")), _words(token.children or []).strip()
    title = str(token.attrs.get("title", ""))
    caption, bar, credit = title.rpartition("|")
    picture = address.parse_picture(source)
    shown = (
        PlacedImage(
            picture, alt, (caption if bar else title).strip(), credit.strip() if bar else ""
        )
        if picture
        else None
    )
    return Written(source, alt, shown, alone)


def _render_figure(renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    meta = tokens[at].meta
    return (
        figure.mail_html(meta["shown"])
        if meta["mail"]
        else figure.page_html(meta["shown"], lazy=meta["lazy"])
    )


_PARSER.add_render_rule("figure", _render_figure)


def _inline(tokens: Sequence[Token]) -> Iterator[Token]:
    """Filters inline tokens.

    Images become their alternative text. Links other than http, https and mailto become their text.
    Bare URLs become links.
    """
    open_links: list[bool] = []
    for token in tokens:
        if token.type == "link_open":
            kept = bool(_SCHEMES.match(str(token.attrs.get("href", ""))))
            open_links.append(kept)
            token.attrs = {"href": token.attrs["href"]} if kept else {}
            if kept:
                yield token
        elif token.type == "link_close":
            if open_links.pop():
                yield token
        elif token.type == "image":
            yield Token("text", "", 0, content=_words(token.children or []))
        elif token.type == "text" and not any(open_links):
            yield from _with_bare_links(token.content)
        else:
            yield token


def _with_bare_links(text: str) -> Iterator[Token]:
    at = 0
    for found in _BARE_LINK.finditer(text):
        address = found.group().rstrip(".,:;!?'’*_")
        # The bracket belongs to the sentence unless the address has its opening, as some of
        # Wikipedia's do.
        if address.endswith(")") and address.count(")") > address.count("("):
            address = address[:-1].rstrip(".,:;!?'’*_")
        href = _PARSER.normalizeLink(address)
        if not _SCHEMES.match(address):
            continue
        yield Token("text", "", 0, content=text[at : found.start()])
        yield Token("link_open", "a", 1, attrs={"href": href}, markup="autolink")
        yield Token("text", "", 0, content=address)
        yield Token("link_close", "a", -1, markup="autolink")
        at = found.start() + len(address)
    yield Token("text", "", 0, content=text[at:])


def _words(tokens: Sequence[Token]) -> str:
    breaks = ("softbreak", "hardbreak")
    return "".join(
        _words(token.children) if token.children else " " if token.type in breaks else token.content
        for token in tokens
    )


def _all(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _all(token.children or [])


class _Plain:
    """Renders blocks as plain text. Open list items and quotations add a prefix to every line."""

    def __init__(self) -> None:
        self._written: list[str] = []
        self._close = False  # the current paragraph is in a tight list (CommonMark 5.3)
        self._close_before = False  # so was the previous one
        self._before: list[str] = []  # prefixes of the open containers
        self._bullets: list[str] = []  # the current item's prefix for its first line
        self._lists: list[int | None] = []  # per open list the next number; None: bullets
        self._rows: list[list[str]] | None = None  # of the open table

    def render(self, tokens: Sequence[Token]) -> str:
        for token in tokens:
            match token.type:
                case "blockquote_open":
                    self._before.append("> ")
                case "bullet_list_open":
                    self._lists.append(None)
                case "ordered_list_open":
                    self._lists.append(int(token.attrs.get("start", 1)))
                case "list_item_open":
                    self._open_item()
                case "blockquote_close" | "list_item_close":
                    self._before.pop()
                    self._bullets.clear()
                case "bullet_list_close" | "ordered_list_close":
                    self._lists.pop()
                case "paragraph_open" | "heading_open":
                    self._close = token.hidden
                case "hr":
                    self._close = False
                    self._add("* * *")
                case "figure":
                    self._close = False
                    self._add(figure.plain_text(token.meta["shown"]))
                case "table_open":
                    self._rows = []
                case "tr_open" if self._rows is not None:
                    self._rows.append([])
                case "inline" if self._rows is not None:
                    self._rows[-1].append(self._line(token.children or []).replace("\n", " "))
                case "table_close" if self._rows is not None:
                    self._close = False
                    self._add(self._table(self._rows))
                    self._rows = None
                case "inline":
                    self._add(self._line(token.children or []))
        return "".join(self._written)

    @staticmethod
    def _table(rows: list[list[str]]) -> str:
        """The table's rows as lines, with columns of one width while they fit on a line of mail."""
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        wide = sum(widths) + 3 * (len(widths) - 1) > _LINE
        return "\n".join(
            " | ".join(
                cell if wide else cell.ljust(width) for cell, width in zip(row, widths, strict=True)
            ).rstrip()
            for row in rows
        )

    def _open_item(self) -> None:
        number = self._lists[-1]
        bullet = "- " if number is None else f"{number}. "
        if number is not None:
            self._lists[-1] = number + 1
        self._bullets = ["".join(self._before) + bullet]
        self._before.append(" " * len(bullet))

    def _add(self, text: str) -> None:
        before = "".join(self._before)
        first = self._bullets.pop() if self._bullets else before
        if self._written:
            self._written.append("\n" if self._close and self._close_before else "\n\n")
        self._close_before = self._close
        self._written.append((first + text.replace("\n", "\n" + before)).rstrip())

    @staticmethod
    def _line(tokens: Sequence[Token]) -> str:
        out: list[str] = []
        link: tuple[str, int] | None = None
        for token in tokens:
            match token.type:
                case "softbreak":
                    out.append(" ")
                case "hardbreak":
                    out.append("\n")
                case "link_open":
                    link = str(token.attrs["href"]), len(out)
                case "link_close" if link:
                    address, start = link
                    shown = address[7:] if address.lower().startswith("mailto:") else address
                    if "".join(out[start:]) not in (address, shown) and token.markup != "autolink":
                        out.append(f" ({shown})")
                    link = None
                case _:
                    out.append(token.content)
        return "".join(out).strip()
