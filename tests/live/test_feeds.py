"""Feeds, sitemap, ninjs, structured data and caching, parsed by independent programs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import extruct
import feedparser
import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.utils import timezone

from morefollows.audience.models import Topic
from morefollows.live.stream.journal import EventJournal
from morefollows.stories.models import Story, Update
from tests.live.support import publish
from tests.support import validators

SITE = "https://alerts.herald.example"
HUB = "https://hub.example/"
ATOM = "{http://www.w3.org/2005/Atom}"
GONE = "{http://purl.org/atompub/tombstones/1.0}deleted-entry"
SCHEMA = json.loads((Path(__file__).parent / "ninjs-3.0.json").read_text())


@pytest.fixture
def told(story: Story) -> Story:
    """With a correction, and with what breaks feeds that are glued together."""
    publish(
        story,
        "first",
        standfirst="Nobody is hurt & all is <well>.",
        text="The **bridge** is closed ]]> \x0bnow.",
    )
    text = "It was 14:07, not 14:05 \ufffe."
    publish(
        story,
        "correction",
        headline="Bridge closed at 14:07",
        text=text,
        note="Wrong time: 14:05.",
        answers=[1],
    )
    return story


@pytest.fixture
def visitor() -> Client:
    return Client()


def hub() -> override_settings:
    """With a hub in the settings."""
    return override_settings(MOREFOLLOWS=replace(settings.MOREFOLLOWS, websub_hub=HUB))


def structured(page: str) -> dict[str, dict[str, Any]]:
    """What is said of the page in JSON-LD, by type."""
    [data] = extruct.extract(page, base_url=SITE, syntaxes=["json-ld"])["json-ld"]
    return {one["@type"]: one for one in data["@graph"]}


class TestFeeds:
    @pytest.mark.parametrize("name", ["atom", "rss"])
    def test_of_a_topic(self, visitor: Client, told: Story, name: str) -> None:
        with hub():
            answer = visitor.get(f"/topic/breaking/feed.{name}")
        read = feedparser.parse(answer.content)
        assert not read.bozo and read.version == {"atom": "atom10", "rss": "rss20"}[name]
        assert answer["Content-Type"].startswith(f"application/{name}+xml")
        links = {link["rel"]: link["href"] for link in read.feed.links}
        assert links["self"] == f"{SITE}/topic/breaking/feed.{name}" and links["hub"] == HUB
        assert answer["Link"] == f'<{links["self"]}>; rel="self", <{HUB}>; rel="hub"'
        [entry] = read.entries
        assert entry.id == f"urn:uuid:{told.uuid}" and entry.link == f"{SITE}/story/{told.uuid}/"
        assert entry.title == "Correction: Bridge closed at 14:07"
        assert entry.content[0].value == "<p>It was 14:07, not 14:05 .</p>"

    def test_of_a_story(self, visitor: Client, told: Story) -> None:
        before = feedparser.parse(visitor.get(f"/story/{told.uuid}/feed.atom").content)
        Story.objects.update(headline="A draft of what comes next", changed_at=timezone.now())
        again = feedparser.parse(visitor.get(f"/story/{told.uuid}/feed.atom").content)
        assert not again.bozo and [entry.title for entry in again.entries][1] == told.headline
        assert again.entries[1].summary == "Nobody is hurt & all is <well>."
        assert "<strong>bridge</strong> is closed ]]&gt;" in again.entries[1].content[0].value
        same = [(entry.id, entry.updated) for entry in before.entries]
        assert [(entry.id, entry.updated) for entry in again.entries] == same, (
            "updated moves when something is published"
        )
        publish(told)
        later = feedparser.parse(visitor.get(f"/story/{told.uuid}/feed.atom").content)
        assert [(entry.id, entry.updated) for entry in later.entries][
            1:
        ] == same and later.feed.updated > again.feed.updated

    def test_json_feed(self, visitor: Client, told: Story) -> None:
        with hub():
            answer = visitor.get(f"/story/{told.uuid}/feed.json")
        feed = answer.json()
        assert answer["Content-Type"] == "application/feed+json; charset=utf-8"
        assert feed["version"] == "https://jsonfeed.org/version/1.1" and feed["hubs"] == [
            {"type": "WebSub", "url": HUB}
        ]
        assert (
            feed["feed_url"] == f"{SITE}/story/{told.uuid}/feed.json"
            and feed["title"]
            and feed["authors"]
        )
        for item in feed["items"]:
            assert (
                item["id"]
                and item["content_html"]
                and re.fullmatch(r"\d{4}-.*T.*Z", item["date_modified"])
            )

    def test_each_is_valid(self, visitor: Client, told: Story) -> None:
        with hub():
            every = self.every(visitor, told)
            publish(told, "withdrawal", headline="WITHDRAWN", text="Another bridge was meant.")
            every |= {f"withdrawn {name}": feed for name, feed in self.every(visitor, told).items()}
        xml = {name: feed for name, feed in every.items() if not name.endswith("json")}
        assert (len(every), len(xml)) == (12, 8) and validators.feeds(xml) == []
        of_json = [json.loads(feed) for name, feed in every.items() if name.endswith("json")]
        assert [validators.json_feed(feed) for feed in of_json] == [[]] * 4
        broken = {
            "atom": xml["topic atom"].replace(b"updated>", b"late>"),
            "rss": xml["story rss"].replace(b", ", b" "),
        }
        assert len(validators.feeds(broken)) == 2 and validators.json_feed(
            {**of_json[0], "items": [{}]}
        ), "they can say no"

    def every(self, visitor: Client, told: Story) -> dict[str, bytes]:
        places = {"story": f"/story/{told.uuid}", "topic": "/topic/breaking"}
        return {
            f"{of} {name}": visitor.get(f"{place}/feed.{name}").content
            for of, place in places.items()
            for name in ("atom", "rss", "json")
        }

    def test_a_withdrawn_story_is_taken_out_of_every_feed(
        self, visitor: Client, told: Story
    ) -> None:
        publish(told, "withdrawal", headline="WITHDRAWN", text="Another bridge was meant.")
        for place in (f"story/{told.uuid}", "topic/breaking"):
            whole = visitor.get(f"/{place}/feed.atom")
            root = ElementTree.fromstring(whole.content)
            assert root.findall(f"{ATOM}entry") == []
            refs = [gone.get("ref") for gone in root.findall(GONE)]
            assert len(refs) == (1 if place.startswith("topic") else 3) and all(refs)
            for name in ("atom", "rss", "json"):
                body = visitor.get(f"/{place}/feed.{name}").content.decode()
                assert "14:0" not in body and "bridge</strong>" not in body, (
                    "nothing of what was withdrawn"
                )
            titles = {
                entry.title
                for entry in feedparser.parse(visitor.get(f"/{place}/feed.rss").content).entries
            }
            assert titles == {"This story has been withdrawn."}

    def test_what_is_not_told_is_in_none(
        self, visitor: Client, story: Story, breaking: Topic
    ) -> None:
        held = Update.objects.create(
            story=story,
            number=1,
            kind="first",
            headline=story.headline,
            text="x",
            language="en",
            author=story.author,
        )
        self.in_none(visitor, story)
        held.published_at = timezone.now()
        held.save()
        assert visitor.get(f"/story/{story.uuid}/").status_code == 404, "a draft"
        Story.objects.update(state=Story.State.LIVE)
        assert visitor.get(f"/story/{story.uuid}/").status_code == 200
        Story.objects.update(embargo_until=timezone.now() + timedelta(hours=1))
        self.in_none(visitor, story)
        assert EventJournal().read({story.uuid: ""}) == {story.uuid: None}
        drill = Story.objects.create(
            headline="Drill", text="x", topic=breaking, author=story.author, drill=True
        )
        publish(drill, "first")
        self.in_none(visitor, drill)

    def in_none(self, visitor: Client, story: Story) -> None:
        for place in (
            f"/story/{story.uuid}/feed.atom",
            f"/story/{story.uuid}/1.ninjs.json",
            "/topic/breaking/feed.xml",
        ):
            assert visitor.get(place).status_code == 404
        for place in (
            "/",
            "/topic/breaking/feed.json",
            "/topic/breaking/feed.rss",
            "/sitemap-news.xml",
        ):
            assert story.headline not in visitor.get(place).content.decode()


def test_the_news_sitemap_has_the_stories_of_two_days(visitor: Client, told: Story) -> None:
    old = Story.objects.create(
        headline="Old", text="x", topic=told.topic, author=told.author, state="developing"
    )
    for number, days in ((1, 3), (2, 1)):
        at = timezone.now() - timedelta(days=days)
        Update.objects.create(
            story=old,
            number=number,
            headline="Old",
            text="x",
            language="en",
            author=old.author,
            published_at=at,
        )
    root = ElementTree.fromstring(visitor.get("/sitemap-news.xml").content)
    space = {
        "s": "http://www.sitemaps.org/schemas/sitemap/0.9",
        "n": "http://www.google.com/schemas/sitemap-news/0.9",
    }
    assert [loc.text for loc in root.findall("s:url/s:loc", space)] == [
        f"{SITE}/story/{told.uuid}/"
    ]
    assert root.findtext("s:url/n:news/n:title", namespaces=space) == "Bridge closed at 14:07"
    assert (
        root.findtext("s:url/n:news/n:publication/n:name", namespaces=space) == "The Harbour Herald"
    )
    assert f"Sitemap: {SITE}/sitemap-news.xml" in visitor.get("/robots.txt").content.decode()
    publish(told, "withdrawal")
    assert b"<url>" not in visitor.get("/sitemap-news.xml").content


def test_ninjs_is_valid_against_the_schema(visitor: Client, told: Story) -> None:
    import jsonschema  # loads a grammar, for two seconds

    judge = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    first, correction = (
        visitor.get(f"/story/{told.uuid}/{number}.ninjs.json").json() for number in (1, 2)
    )
    for item in (first, correction):
        assert [error.message for error in judge.iter_errors(item)] == []
    assert (first["uri"], first["version"]) == (f"urn:uuid:{told.uuid}", "1") and correction[
        "version"
    ] == "2"
    assert (
        first["pubStatus"] == "usable"
        and first["descriptions"][0]["value"] == "Nobody is hurt & all is <well>."
    )
    assert [body["contentType"] for body in first["bodies"]] == ["text/html", "text/plain"]
    publish(told, "withdrawal")
    canceled = visitor.get(f"/story/{told.uuid}/1.ninjs.json").json()
    assert [error.message for error in judge.iter_errors(canceled)] == []
    assert (canceled["pubStatus"], canceled["version"]) == (
        "canceled",
        "3",
    ) and "bodies" not in canceled
    assert [error.message for error in judge.iter_errors({**first, "version": 1})], (
        "the judge can say no"
    )


class TestStructuredData:
    def test_article_and_live_blog(self, visitor: Client, told: Story) -> None:
        publish(told, text="</script><script>alert(1)</script> & more")
        page = visitor.get(f"/story/{told.uuid}/").content.decode()
        found = structured(page)
        article, blog = found["NewsArticle"], found["LiveBlogPosting"]
        assert (
            article["headline"] == told.headline
            and article["publisher"]["name"] == "The Harbour Herald"
        )
        assert article["correction"][0]["text"] == "Wrong time: 14:05."
        assert blog["coverageStartTime"] == article["datePublished"] < article["dateModified"]
        assert "coverageEndTime" not in blog and len(blog["liveBlogUpdate"]) == 3
        assert (
            blog["liveBlogUpdate"][0]["articleBody"] == "</script><script>alert(1)</script> & more"
        )
        assert "alert(1)</script>" not in page
        publish(told, "final")
        assert structured(visitor.get(f"/story/{told.uuid}/").content.decode())["LiveBlogPosting"][
            "coverageEndTime"
        ]

    def test_the_card(self, visitor: Client, told: Story) -> None:
        page = visitor.get(f"/story/{told.uuid}/").content.decode()
        [card] = extruct.extract(page, base_url=SITE, syntaxes=["opengraph"], uniform=True)[
            "opengraph"
        ]
        assert card["og:title"] == "Bridge closed at 14:07" and card["@type"] == "article"
        assert card["og:url"] == f"{SITE}/story/{told.uuid}/"
        picture = visitor.get(card["og:image"].removeprefix(SITE))
        assert (
            picture["Content-Type"] == "image/png"
            and picture.content[16:24].hex() == "000004b000000276"
        )

    def test_a_correction_says_what_was_wrong_and_where(self, visitor: Client, told: Story) -> None:
        page = visitor.get(f"/story/{told.uuid}/").content.decode()
        assert "What was wrong:</strong> Wrong time: 14:05." in page
        assert page.index('id="update-1"') < page.index('<a href="#update-2">This was wrong.')

    def test_of_a_withdrawn_story_nothing_is_said(self, visitor: Client, told: Story) -> None:
        publish(told, "withdrawal", headline="Withdrawn", text="Another bridge was meant.")
        page = visitor.get(f"/story/{told.uuid}/").content.decode()
        assert "ld+json" not in page and "noindex" in page and "Another bridge" in page
        struck = re.findall(r"<del[^>]*>([^<]*)</del>", page)
        # The headline that it was first published under, not the corrected one.
        assert struck == ["Harbour bridge closed after ferry collision"] and "14:07" not in page
        assert page.index("We have withdrawn") < page.index("<del")


class TestCaches:
    @pytest.mark.parametrize("place", ["", "feed.atom", "feed.json", "1.ninjs.json", "live.json"])
    def test_a_cache_may_keep_it_for_seconds_and_asks_again(
        self, visitor: Client, told: Story, place: str
    ) -> None:
        address = f"/story/{told.uuid}/{place}"
        first = visitor.get(address)
        assert (
            first["Cache-Control"] == "public, max-age=5, stale-while-revalidate=10"
            and not first.cookies
        )
        same = visitor.get(address, headers={"If-None-Match": first["ETag"]})
        assert same.status_code == 304 and not same.content and same["ETag"] == first["ETag"]
        assert same["Cache-Control"] == first["Cache-Control"]
        assert "Cookie" not in first.get("Vary", "")
        publish(told, "withdrawal")
        now = visitor.get(address, headers={"If-None-Match": first["ETag"]})
        assert now.status_code == 200 and now["ETag"] != first["ETag"], (
            "a withdrawal is new to every cache"
        )

    def test_the_page_varies_with_the_readers_language(self, visitor: Client, told: Story) -> None:
        english, german = (
            visitor.get(f"/story/{told.uuid}/", headers={"Accept-Language": one})
            for one in ("en", "de")
        )
        assert "Accept-Language" in english["Vary"] and english["ETag"] != german["ETag"]

    def test_any_site_may_read_what_is_for_programs(self, visitor: Client, told: Story) -> None:
        for place in ("feed.rss", "1.ninjs.json", "live.json"):
            answer = visitor.get(
                f"/story/{told.uuid}/{place}", headers={"Origin": "https://other.example"}
            )
            assert (
                answer["Access-Control-Allow-Origin"] == "*"
                and "Access-Control-Allow-Credentials" not in answer
            )
        assert "Access-Control-Allow-Origin" not in visitor.get(f"/story/{told.uuid}/")


def test_the_script_for_other_sites_is_small(visitor: Client, db: None) -> None:
    answer = visitor.get("/live.js", headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip" and len(answer.content) <= 6 * 1024
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_a_story_that_is_final_listens_for_two_days_to_be_corrected_or_withdrawn(
    visitor: Client, told: Story
) -> None:
    publish(told, "final")
    address = f"/story/{told.uuid}/"
    page = visitor.get(address).content.decode()
    assert "story.js" in page and "data-over" in page and "More follows on this" not in page
    assert visitor.get(f"{address}live.json").json()["listens"]
    seen = EventJournal().read({told.uuid: ""})[told.uuid]
    assert seen
    publish(told, "withdrawal", headline="WITHDRAWN", text="Another bridge was meant.")
    now = EventJournal().read({told.uuid: seen.mark})[told.uuid]
    assert now and now.withdrawn and now.after(seen.last) == [now.end], "open pages hear of it"
    assert not visitor.get(f"{address}live.json").json()["listens"]
    assert "story.js" not in visitor.get(address).content.decode()
    assert ElementTree.fromstring(visitor.get("/topic/breaking/feed.atom").content).findall(GONE)


def test_what_was_final_long_ago_needs_no_stream(visitor: Client, story: Story) -> None:
    at = timezone.now() - timedelta(days=3)
    Update.objects.create(
        story=story,
        number=1,
        kind="first",
        headline="Old",
        text="x",
        language="en",
        author=story.author,
        published_at=at,
    )
    Story.objects.update(state=Story.State.FINAL)
    assert "story.js" not in visitor.get(f"/story/{story.uuid}/").content.decode()
    Story.objects.update(state=Story.State.DEVELOPING)
    assert "story.js" in visitor.get(f"/story/{story.uuid}/").content.decode()
