"""Reads .docx (Office Open XML): mammoth makes HTML of it, by the styles of paragraphs."""

from __future__ import annotations

import io
import re
from dataclasses import replace

from morefollows.ingest.item import NewsItem, UnreadableItem
from morefollows.ingest.reading import bounds
from morefollows.ingest.reading.office import packed
from morefollows.ingest.reading.pages import markdown
from morefollows.ingest.reading.text import article
from morefollows.ingest.reading.text.hints import Hints

_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Titel'] => h1:fresh
p[style-name='Headline'] => h1:fresh
p[style-name='Subtitle'] => p.standfirst:fresh
p[style-name='Untertitel'] => p.standfirst:fresh
p[style-name='Quote'] => blockquote > p:fresh
p[style-name='Intense Quote'] => blockquote > p:fresh
"""


def read_docx(raw: bytes) -> NewsItem:
    """Returns the item. Raises `UnreadableItem`."""
    import mammoth

    document = packed.open_packed(raw)
    for name in document.namelist():
        if name.endswith((".xml", ".rels")):
            bounds.parse_xml(packed.part_of(document, name))  # mammoth's parser has no limits
    try:
        made = mammoth.convert_to_html(
            io.BytesIO(raw), style_map=_STYLES, convert_image=mammoth.images.img_element(_no_image)
        )
    except Exception as error:  # whatever its XML makes of it, the file is at fault
        raise UnreadableItem(
            "file", f"is no .docx that can be read ({type(error).__name__})"
        ) from None
    html, notes = _without_footnotes(re.sub(r"<img\b[^>]*>", "", made.value))
    item = read_html(html)
    if not notes:
        return item
    doubts = (*item.doubts, "Its footnotes were left out: see the notes.")
    return replace(item, notes=(*item.notes, *notes), doubts=doubts)


def _without_footnotes(html: str) -> tuple[str, list[str]]:
    """The HTML without footnotes and endnotes and what refers to them, and their texts."""
    if "note-ref-" not in html:
        return html, []
    html = re.sub(r'<sup><a href="#(?:foot|end)note-[^>]*>[^<]*</a></sup>', "", html)
    found = re.compile(r'<li id="(?:foot|end)note-[^"]*">(.*?)</li>', re.DOTALL)
    texts = [re.sub(r"<[^>]+>", " ", one).replace("↑", "") for one in found.findall(html)]
    html = re.sub(r"<ol>\s*</ol>", "", found.sub("", html))
    return html, [" ".join(one.split()) for one in texts if one.strip()]


def _no_image(_image: object) -> dict[str, str]:
    # Else mammoth would write each picture into the HTML, in base64.
    return {"src": ""}


def read_html(html: str) -> NewsItem:
    """The item of a word processor's text, as HTML. Raises `UnreadableItem` if it is empty."""
    if not html.strip():
        raise UnreadableItem("text", "is empty; write the story below its headline")
    root = bounds.parse_html(html)
    headings = [one for one in root.iter("h1") if markdown.line_of_element(one)]
    subtitle = [one for one in root.iter("p") if one.get("class") == "standfirst"]
    title = standfirst = ""
    if headings:
        title = markdown.line_of_element(headings[0])
        headings[0].drop_tree()
    if subtitle:
        standfirst = markdown.line_of_element(subtitle[0])
        subtitle[0].drop_tree()
    text = markdown.element_to_markdown(root)
    blocks = [_unbold(one) for one in text.split("\n\n") if one]
    if not blocks:
        raise UnreadableItem("text", "is empty; write the story below its headline")
    hints = Hints(headline=title, sure=0.95, standfirst=standfirst, markdown=True)
    return article.assemble(blocks, hints)


def _unbold(block: str) -> str:
    """A short paragraph that is bold as a whole is a heading, of which the text decides."""
    return re.sub(r"^\*\*([^*\n]{1,150})\*\*$", r"\1", block)
