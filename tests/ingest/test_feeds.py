"""Feeds of every kind, well formed or not, become items with stable identities."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from morefollows.ingest.item import ItemStatus, UnreadableItem
from morefollows.ingest.pipeline import content_digest, identity_of
from morefollows.ingest.sources.feeds.feed_parser import FeedDocument, note_link_header, read_feed

URL = "https://post.example/news/feed"
#: feedparser's own tests, from its source package, where somebody has unpacked it.
SUITE = os.environ.get("FEEDPARSER_TESTS", "")

RSS = b"""<?xml version="1.0"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom">
<channel><title>The Post</title><language>en-gb</language><ttl>15</ttl>
<skipHours><hour>2</hour><hour>3</hour></skipHours><skipDays><day>Sunday</day></skipDays>
<atom:link rel="self" href="/news/feed"/><atom:link rel="hub" href="https://hub.example/"/>
<item><title>Quay &amp;amp; &lt;b&gt;dock&lt;/b&gt; closed</title><link>/news/2</link>
<guid isPermaLink="false">post-2</guid><dc:creator>Jo Marr</dc:creator>
<pubDate>Sun, 29 Nov 2026 10:00:00 GMT</pubDate><category>Harbour</category>
<description>&lt;p&gt;First.&lt;/p&gt;&lt;p&gt;A &lt;a href="/map"&gt;map&lt;/a&gt;.&lt;/p&gt;
&lt;script&gt;alert(1)&lt;/script&gt;</description>
<media:content url="https://post.example/a.jpg" medium="image" width="800">
<media:credit>Harbour Pictures</media:credit></media:content></item>
<item><title>Older</title><link>https://post.example/news/1</link><description>Text</description>
<author>jo@post.example (Jo Marr)</author></item>
</channel></rss>"""

ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"
 xmlns:at="http://purl.org/atompub/tombstones/1.0"><title>Post</title><id>urn:f</id>
<link rel="self" href="https://post.example/atom"/><rights>CC BY</rights>
<entry><id>urn:1</id><title type="html">Ein &lt;i&gt;Titel&lt;/i&gt;</title>
<updated>2026-11-29T11:00:00+01:00</updated><summary>Kurz gesagt.</summary>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Lang.</p></div></content></entry>
<at:deleted-entry ref="urn:0" when="2026-11-29T10:00:00Z"/></feed>"""

JSON = b"""{"version": "https://jsonfeed.org/version/1.1", "title": "Post", "language": "en",
"feed_url": "https://post.example/json", "hubs": [{"type": "WebSub", "url": "https://hub.example/"}],
"items": [{"id": 7, "url": "https://post.example/7", "title": "Seven",
"content_html": "<p>Text.</p>", "date_published": "2026-11-29T10:00:00Z",
"authors": [{"name": "Jo"}], "image": "https://post.example/7.jpg"},
{"id": "8", "content_text": "A note without a title. It goes on."}, "broken"]}"""

RDF = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/"><channel rdf:about="https://post.example/"><title>Post</title>
</channel><item rdf:about="https://post.example/9"><title>Nine</title>
<link>https://post.example/9</link></item></rdf:RDF>"""


def identities(document: FeedDocument) -> list[tuple[str, str]]:
    return [(identity_of(one.item), content_digest(one.item)) for one in document.items]


def test_a_page_whose_feed_is_at_no_address_is_no_feed() -> None:
    page = b'<html><link rel="alternate" type="application/rss+xml" href="http://[">'
    with pytest.raises(UnreadableItem, match="neither RSS nor Atom"):
        read_feed(page, url=URL)


def test_an_rss_feed_is_read_oldest_first() -> None:
    document = read_feed(RSS, url=URL)
    older, item = (one.item for one in document.items)
    assert older.byline == "Jo Marr" and "@" not in older.byline
    assert identity_of(older) == "https://post.example/news/1"
    assert (item.headline, item.id, item.byline) == ("Quay & dock closed", "post-2", "Jo Marr")
    assert item.url == "https://post.example/news/2"
    assert "First." in item.text and "https://post.example/map" in item.text
    assert "alert" not in item.text
    assert (item.language, item.source, item.topics) == ("en-gb", "The Post", ("Harbour",))
    assert item.published_at is not None and item.published_at.hour == 10
    [image] = item.images
    assert (image.url, image.rights) == ("https://post.example/a.jpg", "Harbour Pictures")
    assert (document.hub, document.self_url) == ("https://hub.example/", URL)
    assert document.pace.ttl_seconds == 900
    assert (document.pace.skip_hours, document.pace.skip_days) == ((2, 3), (6,))
    assert b"post-2" in document.items[1].raw and b"Older" not in document.items[1].raw


def test_an_atom_feed_is_read_with_what_it_deletes() -> None:
    item, gone = (one.item for one in read_feed(ATOM, url=URL).items)
    assert (item.headline, item.standfirst, item.language) == ("Ein Titel", "Kurz gesagt.", "de")
    assert item.text == "Lang." and item.rights == "CC BY"
    assert item.updated_at is not None and item.updated_at.hour == 10
    assert (gone.id, gone.status) == ("urn:0", ItemStatus.CANCELED)


def test_a_json_feed_is_read_and_a_note_without_title_is_asked_about() -> None:
    document = read_feed(JSON, url=URL)
    note, item = (one.item for one in document.items)
    assert (item.id, item.headline, item.text, item.byline) == ("7", "Seven", "Text.", "Jo")
    assert note.headline == "A note without a title." and note.confidence < 0.7
    assert document.hub == "https://hub.example/" and document.trouble


def test_rss_1_has_its_identity_from_rdf() -> None:
    [one] = read_feed(RDF, url=URL).items
    assert identity_of(one.item) == "https://post.example/9"


@pytest.mark.parametrize(
    "raw",
    [
        RSS[:700],
        RSS.replace(b"</item>", b"", 1),
        RSS.replace(b"First", b"First & \x00\xff last <"),
        RSS.decode().encode("utf-16"),
        b"\n\n \xef\xbb\xbf" + ATOM,
    ],
)
def test_bad_xml_is_survived(raw: bytes) -> None:
    assert read_feed(raw, url=URL).items
    assert identities(read_feed(raw, url=URL)) == identities(read_feed(raw, url=URL))


def bomb() -> bytes:
    entities = b'<!ENTITY a0 "ha">' + b"".join(
        b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12)
    )
    return b"<!DOCTYPE rss [" + entities + b"]>" + RSS[21:].replace(b"Older", b"&a11;")


@pytest.mark.parametrize(
    "raw",
    [
        bomb(),
        b'<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        + RSS[21:].replace(b"Older", b"x&x;y"),
        RSS.replace(b"First.", b"<a>" * 10_000),
        b'{"items": ' + b"[" * 50_000,
    ],
    ids=["laughs", "external", "deep", "deep json"],
)
def test_bombs_are_harmless(raw: bytes) -> None:
    begun = time.process_time()
    try:
        document = read_feed(raw, url=URL)
    except UnreadableItem:
        document = FeedDocument()
    assert time.process_time() - begun < 1
    text = " ".join(one.item.headline + one.item.text for one in document.items)
    assert len(text) < 100_000 and "root:" not in text


def test_a_page_is_no_feed_but_names_its_own() -> None:
    page = b'<html><link rel="alternate" type="application/rss+xml" href="/rss.xml"></html>'
    with pytest.raises(UnreadableItem, match=r"Its feed is at https://post\.example/rss"):
        read_feed(page, url=URL)
    with pytest.raises(UnreadableItem, match="neither RSS nor Atom"):
        read_feed(b"Hello", url=URL)


def test_links_in_headers_count_first() -> None:
    document = FeedDocument(hub="https://old.example/", self_url="https://old.example/self")
    header = '</x>; title="a, b"; rel=next, <https://hub.example/a>; rel="hub", </self>; rel=self'
    note_link_header(document, header, URL)
    assert document.hub == "https://hub.example/a"
    assert document.self_url == "https://post.example/self"


@pytest.mark.skipif(not SUITE, reason="FEEDPARSER_TESTS names no folder")
def test_feedparsers_own_suite_is_read_twice_alike() -> None:
    read = 0
    for path in sorted(Path(SUITE).rglob("*.xml")):
        raw = path.read_bytes()
        try:
            first = identities(read_feed(raw, url=URL))
        except UnreadableItem:
            continue
        assert identities(read_feed(raw, url=URL)) == first, path
        read += 1
    assert read > 2000
