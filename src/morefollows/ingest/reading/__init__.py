"""Everything that comes in as bytes, read into `ingest.item.NewsItem`.

    recognise   what a file is            decode, bounds   encodings and limits
    text/       plain text, Markdown      pages/           HTML
    mails/      .eml                      office/          .docx, .odt, .rtf
    wires/      ninjs, NewsML-G2, NITF

`read_items` is the entrance. `html_to_markdown` is for those who have HTML in their hands already.
"""

from morefollows.ingest.reading.entry import read_items
from morefollows.ingest.reading.pages.markdown import html_to_markdown

__all__ = ["html_to_markdown", "read_items"]
