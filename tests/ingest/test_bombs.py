"""Files that are made to cost more than their size: refused by name, before they cost anything."""

from __future__ import annotations

import io
import time
import tracemalloc
import zipfile

import pytest

from morefollows.ingest.item import UnreadableItem
from morefollows.ingest.reading import read_items

LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE newsItem [<!ENTITY a "ha">
%s]><newsItem xmlns="http://iptc.org/std/nar/2006-10-01/"><edNote>&b9;</edNote></newsItem>""" % (
    b"".join(b'<!ENTITY b%d "%s">' % (n, b"&b%d;" % (n - 1) * 10) for n in range(1, 10))
)
OUTSIDE = (
    b'<!DOCTYPE nitf [<!ENTITY x SYSTEM "file:///etc/passwd">]><nitf><body><body.content><p>&x;</p>'
    b"</body.content></body></nitf>"
)
PARAMETER = b'<!DOCTYPE nitf [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x.dtd"> %x;]><nitf/>'


def packed(name: str, inner: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        if name == "content.xml":
            file.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr(name, inner)
    return made.getvalue()


def nested_mail(depth: int) -> bytes:
    made = b"From: a@b.example\r\nSubject: x\r\nDate: Sat, 28 Nov 2026 20:06:54 +0000\r\n"
    for number in range(depth):
        made += b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (number, number)
    return made + b"\r\ntext\r\n"


@pytest.mark.parametrize(
    ("name", "raw", "part"),
    [
        ("laughs.xml", LAUGHS, "XML"),
        ("laughs16.xml", LAUGHS.decode().encode("utf-16"), "XML"),
        ("outside.xml", OUTSIDE, "XML"),
        ("parameter.xml", PARAMETER, "XML"),
        ("deep.xml", b"<newsItem>" + b"<a>" * 10_000 + b"</a>" * 10_000 + b"</newsItem>", "XML"),
        ("deep.html", b"<html><body>" + b"<div>" * 10_000 + b"x", "HTML"),
        ("deep.json", b'{"uri": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "JSON"),
        ("open.json", b'{"uri": ' + b'{"a":' * 100_000, "JSON"),
        ("deep.rtf", b"{\\rtf1 " + b"{" * 10_000, "RTF"),
        ("deep.eml", nested_mail(10_000), "mail"),
        ("large.xml", ("", b"<newsItem>", 100_000_000), "file"),
        ("large.docx", ("word/document.xml", b"<a>", 100_000_000), "file"),
        ("large.odt", ("content.xml", b"<a>", 100_000_000), "file"),
        ("laughs.docx", packed("word/document.xml", LAUGHS), "XML"),
        ("laughs.odt", packed("content.xml", LAUGHS), "XML"),
        ("deep.docx", packed("word/document.xml", b"<a>" * 10_000 + b"</a>" * 10_000), "XML"),
        ("alias.md", b"---\na: &a [1,1]\nb: [*a,*a]\ntitle: x\n---\nText.", "front matter"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_a_bomb_is_refused_by_name_at_no_cost(
    name: str, raw: bytes | tuple[str, bytes, int], part: str
) -> None:
    """`raw`: the file; a large one by its place in an archive, how it begins, and its blanks."""
    if isinstance(raw, tuple):  # made here, and not whenever tests are collected
        place, begin, blanks = raw
        whole = begin + b" " * blanks
        raw = packed(place, whole) if place else whole
    tracemalloc.start()
    begun = time.process_time()
    try:
        with pytest.raises(UnreadableItem) as caught:
            read_items(raw, file_name=name)
        assert caught.value.part == part and caught.value.reason
        assert time.process_time() - begun < 1.0  # of this process' own time
        assert tracemalloc.get_traced_memory()[1] < 200_000_000
    finally:
        tracemalloc.stop()


def test_a_document_type_without_entities_is_read() -> None:
    """Agencies name the DTD of NITF, which is not fetched."""
    [item] = read_items(
        b'<?xml version="1.0" encoding="ISO-8859-1"?><!DOCTYPE nitf SYSTEM "nitf-3-4.dtd"><nitf>'
        b"<body><body.head><hedline><hl1>Br\xfccke gesperrt</hl1></hedline></body.head>"
        b"<body.content><p>Sechs Menschen werden vermisst.</p></body.content></body></nitf>"
    )
    assert (item.headline, item.text) == ("Brücke gesperrt", "Sechs Menschen werden vermisst.")
