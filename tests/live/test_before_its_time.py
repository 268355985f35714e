"""Embargo and schedule: a story or update is visible nowhere early, and everywhere after."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.link_tokens import links
from morefollows.audience.models import Reader, Topic
from morefollows.audience.topics import actions as topics
from morefollows.courier.ledger import claims
from morefollows.courier.message.alert import content
from morefollows.courier.message.content import Letterhead
from morefollows.courier.recipients.selection import load_recipients
from morefollows.live.feeds import ping_queue
from morefollows.live.models import Ping
from morefollows.live.stream.journal import EventJournal
from morefollows.stories import actions as story_actions
from morefollows.stories.actions import now_ms
from morefollows.stories.alerts import alert_audience, publication
from morefollows.stories.drafts import actions as stories
from morefollows.stories.models import Alert, Story, StoryPreference
from tests.courier.support import cut_all

pytestmark = pytest.mark.django_db

SECRET = "Minister to resign at noon"
FEEDS = ("atom", "rss", "json")


def told_on(story: Story, cy: Reader) -> set[str]:
    """Which channels show the secret: public pages, APIs, readers' links and the mail."""
    own, visitor = f"/story/{story.uuid}", Client()
    newest = story.updates.order_by("pk").last()
    places = {
        "front page": "/",
        "page": f"{own}/",
        "element": f"{own}/live.json",
        "sitemap": "/sitemap-news.xml",
    }
    places |= {
        "sign-up": "/sign-up/breaking/",
        "ninjs": f"{own}/{newest.number if newest else 1}.ninjs.json",
    }
    places |= {f"story {name}": f"{own}/feed.{name}" for name in FEEDS}
    places |= {f"topic {name}": f"/topic/breaking/feed.{name}" for name in FEEDS}
    token = links.link_tokens().preferences(links.row(cy), cy.links_version).decode()
    places |= {"own page": f"/preferences/{token}/", "own data": f"/preferences/{token}/data/"}
    found = {
        name for name, place in places.items() if SECRET in visitor.get(place).content.decode()
    }
    told = EventJournal().read({story.uuid: ""})[story.uuid]
    if told is not None and any(SECRET in frame.bodies["en"].decode() for frame in told.frames):
        found.add("event stream")
    ping_queue.enqueue_pings()
    if Ping.objects.filter(update__headline=SECRET).exists():
        found.add("WebSub")
    return found | ({"mail"} if mailed(cy) else set())


def mailed(cy: Reader) -> bool:
    """What a sender makes of it that looks now: it cuts what is near, and tries to release it."""
    for one in claims.active_alerts():
        cut_all(Alert.objects.get(pk=one.id))
        publication.release(one.id)
        publication.release(one.id, early=True)
    secret = Alert.objects.filter(update__headline=SECRET, state="sending").values_list(
        "pk", flat=True
    )
    return any(
        one.id in secret and cy.pk in load_recipients(one, [cy.pk])
        for one in claims.active_alerts()
    )


def time_passes() -> None:
    Story.objects.update(embargo_until=timezone.now())
    Alert.objects.filter(state="held").update(not_before_ms=now_ms(), held_until_ms=now_ms())
    for one in claims.active_alerts():
        publication.release(one.id)


EVERYWHERE = {
    *("front page", "page", "element", "sitemap", "ninjs", "event stream", "WebSub", "mail"),
    *(f"{of} {name}" for of in ("story", "topic") for name in FEEDS),
}
OWN = {"mail", "own data"}  # what only the reader sees


@pytest.mark.parametrize("how", ["embargo", "schedule", "both"])
def test_a_story(how: str, story: Story, ada: Editor, cy: Reader) -> None:
    at = timezone.now() + timedelta(hours=1)
    Story.objects.update(headline=SECRET, embargo_until=None if how == "schedule" else at)
    story.refresh_from_db()
    assert told_on(story, cy) == set(), "a draft"
    story_actions.send(
        story, ada, hold=0, at=None if how == "embargo" else at - timedelta(minutes=how == "both")
    )
    for _twice in range(2):
        assert told_on(story, cy) == set()
    Alert.objects.update(
        not_before_ms=now_ms() + 30_000, held_until_ms=now_ms() + 30_000
    )  # so near that it is prepared
    assert told_on(story, cy) == set()
    assert Alert.objects.get().batches.exists(), "cut, and waiting"
    time_passes()
    assert told_on(story, cy) >= EVERYWHERE


def test_an_update(story: Story, ada: Editor, cy: Reader) -> None:
    publication.release(story_actions.send(story, ada, hold=0).pk)
    stories.set_story_preference(cy, story, StoryPreference.Choice.FOLLOW)
    story.refresh_from_db()
    wording = {"headline": SECRET, "standfirst": SECRET, "text": SECRET}
    story = stories.save_update(story, ada, revision=story.revision, kind="update", **wording)
    assert told_on(story, cy) == set(), "a draft"
    story_actions.send(story, ada, hold=0, at=timezone.now() + timedelta(hours=1))
    assert told_on(story, cy) == set()
    page = Client().get(f"/story/{story.uuid}/").content.decode()
    assert "ferry collision" in page and "More follows" in page, "what was told before stays"
    time_passes()
    assert told_on(story, cy) >= EVERYWHERE


def test_a_withdrawal_waits_for_nothing(story: Story, ada: Editor, cy: Reader) -> None:
    """What is held goes with it, and is never told."""
    publication.release(story_actions.send(story, ada, hold=0).pk)
    story.refresh_from_db()
    wording = {"headline": SECRET, "standfirst": "", "text": SECRET}
    story = stories.save_update(story, ada, revision=story.revision, kind="update", **wording)
    story_actions.send(story, ada, hold=0, at=timezone.now() + timedelta(hours=1))
    withdrawal = story_actions.withdraw(
        story, ada, reason="It was another bridge.", text="Gone.", hold=0
    )
    assert publication.release(withdrawal.pk)
    time_passes()
    assert (
        told_on(story, cy) == set()
        and "another bridge" in Client().get(f"/story/{story.uuid}/").content.decode()
    )


def test_a_story_of_a_topic_by_invitation_is_in_its_mail_alone(
    story: Story, ada: Editor, cy: Reader
) -> None:
    Story.objects.update(headline=SECRET)
    story.refresh_from_db()
    topic = topics.change_topic(None, story.topic or Topic(), invited=True)
    story = Story.objects.select_related("topic").get(pk=story.pk)
    assert Alert.Audience.PAGE not in alert_audience.offered(story)
    sent = story_actions.send(story, ada, hold=0)
    assert told_on(story, cy) == {"mail"}
    assert Client().get("/stories/?q=resign").content.decode().count(SECRET) == 0
    for visitor in (f"/story/{story.uuid}/", "/topic/breaking/feed.atom"):
        assert Client().get(visitor).status_code == 404
    head = Letterhead.new()
    composed = content(head, Alert.objects.get(pk=sent.pk).update, story.topic, 0, "alert")
    assert composed.context["story_link"] == "", "no link to a page that is not there"
    topics.create_topic(None, "Sport")
    topics.retire_topic(None, topic)
    assert told_on(story, cy) <= OWN, "not when it is retired either"
    topics.bring_topic_back(None, topic)
    assert told_on(story, cy) <= OWN
    topics.change_topic(None, topic, invited=False)
    assert told_on(story, cy) >= EVERYWHERE
