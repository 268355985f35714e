"""Images in feeds, link cards, structured data, ninjs and mail; none after withdrawal."""

from __future__ import annotations

import extruct
import feedparser
import pytest
from django.test import Client

from morefollows.accounts.models import Editor
from morefollows.courier.message import alert as alerts
from morefollows.courier.message import preview as previews
from morefollows.live.stream.journal import EventJournal
from morefollows.stories import actions
from morefollows.stories.alerts import publication
from morefollows.stories.images import figure, storing
from morefollows.stories.images.actions import add
from morefollows.stories.images.address import Picture
from morefollows.stories.models import Alert, Story
from tests.courier.message.support import parts, wire
from tests.live.test_feeds import SCHEMA, SITE, structured
from tests.stories.images.pictures import photo


@pytest.fixture
def picture(ada: Editor) -> Picture:
    return add(photo(), ada)


@pytest.fixture
def alert(story: Story, picture: Picture, ada: Editor) -> Alert:
    """Of a story with an image on top, told by now."""
    story.standfirst = ""
    story.text = (
        f"{figure.markdown(picture, 'Tugs & fog', 'The pier', 'Photo: Ben')}\n\n"
        "The bridge is closed."
    )
    story.save()
    sent = actions.send(story, ada, hold=0)
    publication.release(sent.pk)
    return sent


def test_feeds(client: Client, alert: Alert, story: Story, picture: Picture) -> None:
    size = storing.picture_path(picture).stat().st_size
    for name in ("atom", "rss"):
        read = feedparser.parse(client.get(f"/topic/breaking/feed.{name}").content)
        assert not read.bozo
        [entry] = read.entries
        [enclosure] = entry.enclosures
        told = (enclosure.href, enclosure.type, int(enclosure.length))
        assert told == (SITE + picture.path, "image/jpeg", size)
        assert f'src="{SITE}{picture.path}"' in entry.content[0].value
    [media] = entry.media_content
    assert (media["url"], media["width"], media["height"]) == (SITE + picture.path, "1200", "750")
    assert entry.media_credit[0]["content"] == "Photo: Ben"
    [item] = client.get(f"/story/{story.uuid}/feed.json").json()["items"]
    assert item["image"] == SITE + picture.path


def test_the_page_its_card_and_what_is_said_of_it(
    client: Client, alert: Alert, story: Story, picture: Picture
) -> None:
    page = client.get(f"/story/{story.uuid}/", headers={"Accept-Language": "de"}).content.decode()
    assert (
        "<figcaption>The pier" in page and 'fetchpriority="high"' in page and "loading=" not in page
    )
    [card] = extruct.extract(page, base_url=SITE, syntaxes=["opengraph"], uniform=True)["opengraph"]
    assert card["og:image"] == SITE + picture.path and card["og:image:alt"] == "Tugs & fog"
    assert (card["og:image:width"], card["og:image:height"]) == ("1200", "750"), "no German digits"
    found = structured(page)
    [image] = found["NewsArticle"]["image"]
    assert (
        image["url"] == SITE + picture.path
        and image["creditText"] == "Photo: Ben"
        and image["width"] == 1200
    )
    assert found["LiveBlogPosting"]["liveBlogUpdate"][0]["image"] == [image]
    told = EventJournal().read({story.uuid: ""})[story.uuid]
    assert (
        told
        and b"<figcaption>The pier" in told.frames[0].bodies["en"]
        and b"lazy" in told.frames[0].bodies["en"]
    )


def test_ninjs(client: Client, alert: Alert, story: Story, picture: Picture) -> None:
    item = client.get(f"/story/{story.uuid}/1.ninjs.json").json()
    import jsonschema  # loads a grammar, for two seconds

    judge = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
    assert [error.message for error in judge.iter_errors(item)] == []
    [association] = item["associations"]
    assert (
        association["by"] == "Photo: Ben"
        and association["descriptions"][0]["value"] == "Tugs & fog"
    )
    assert [one["width"] for one in association["renditions"]] == [600, 1200]


@pytest.mark.parametrize(("language", "word"), [("en", "Image"), ("de", "Bild")])
def test_mail(alert: Alert, picture: Picture, language: str, word: str) -> None:
    plain, html = parts(wire(alerts.alert(alert, language)))
    assert f"[{word}: Tugs & fog – Photo: Ben]\nThe pier\n\nThe bridge is closed." in plain
    assert f'<img src="{SITE}{picture.path}" width="540" height="338" alt="Tugs &amp; fog"' in html
    preheader = previews.preview(alert.update.story).preheader
    assert "Image" not in preheader


def test_of_a_withdrawn_story_there_is_no_image_anywhere(
    client: Client, alert: Alert, story: Story, picture: Picture, ada: Editor
) -> None:
    publication.release(
        actions.withdraw(story, ada, reason="Wrong pier.", text="We withdraw it.", hold=0).pk
    )
    for place in ("", "feed.atom", "feed.rss", "feed.json", "1.ninjs.json", "live.json"):
        assert picture.name not in client.get(f"/story/{story.uuid}/{place}").content.decode(), (
            place
        )
    assert picture.name not in client.get("/topic/breaking/feed.rss").content.decode()
    told = EventJournal().read({story.uuid: ""})[story.uuid]
    assert told and told.end and picture.name.encode() not in told.end.bodies["en"]


def test_an_image_of_a_draft_is_shown_at_the_desk_alone(
    client: Client, ada_at_desk: Client, picture: Picture
) -> None:
    assert client.get(picture.path).status_code == 404
    shown = ada_at_desk.get(picture.path)
    assert shown.status_code == 200 and shown.headers["Cache-Control"] == "private, no-store"
    assert shown.headers["Content-Type"] == picture.content_type
    missing = picture.path.replace(picture.name, "0" * len(picture.name))
    assert ada_at_desk.get(missing).status_code == 404
