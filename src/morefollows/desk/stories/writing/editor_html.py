"""A story's Markdown as HTML with the look of the editor, until the editor is there.

The editor is a large script (`tools/editor`). It has the same elements, so that nothing moves when
it takes the place: images are not figures, and an address in the text is no link.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from morefollows.stories import markdown
from morefollows.stories.images import address

_CELLS = ("th_open", "td_open")
_OPTIONS = MarkdownIt("commonmark").options


class _Renderer(RendererHTML):
    def softbreak(self, *_where: Any) -> str:
        return " "

    def image(self, tokens: Sequence[Token], at: int, *_where: Any) -> str:
        source = str(tokens[at].attrs.get("src", ""))
        picture = address.parse_picture(source)
        if picture is None:
            return format_html('<img alt="{}">', tokens[at].content)
        return format_html(
            '<img src="{}" alt="{}" width="{}" height="{}">',
            source,
            tokens[at].content,
            picture.width,
            picture.height,
        )


def editor_html(text: str) -> SafeString:
    """Renders safe HTML. Links lead nowhere: who presses one wants to write there."""
    tokens = markdown.blocks(text)
    for before, token in zip([None, *tokens], tokens, strict=False):
        token.hidden = False  # a paragraph in a list: the editor has one in each item
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h2" if token.tag in ("h1", "h2") else "h3"
        elif token.type in _CELLS:
            side = str(token.attrs.pop("style", "")).rpartition(":")[2]
            if side in ("right", "center"):
                token.attrs["class"] = side
        elif token.type == "inline":
            token.children = list(_inline(token.children or []))
            if not token.children and before is not None and before.type in _CELLS:
                token.children = [Token("hardbreak", "br", 0)]  # the height of an empty row
    # The line ends that are left stand between elements, and the style sheet keeps white space.
    return SafeString(_Renderer().render(tokens, _OPTIONS, {}).replace("\n", ""))


def _inline(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type == "link_open":
            token.attrs = {}
        yield token
