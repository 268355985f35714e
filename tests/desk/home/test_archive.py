"""The archive of Home: search, filters, pages by key, and how many queries it all takes."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.models import Topic
from morefollows.courier.models import Batch
from morefollows.stories.drafts import presence
from morefollows.stories.models import Alert, Story, Update

pytestmark = pytest.mark.usefixtures("newsroom")
STORIES = 2_000


def told(author: Editor, topic: Topic, count: int, **values: object) -> None:
    """As many stories that were sent, with an update, an alert and a batch each."""
    now = timezone.now()
    at = [now - timedelta(hours=n) for n in range(count)]
    state = {"state": "final", "author": author, "topic": topic, "text": "lorem ipsum " * 80}
    stories = Story.objects.bulk_create(
        Story(**{"headline": f"Story number {n}.", **state, **values}) for n in range(count)
    )
    for one, moment in zip(stories, at, strict=True):
        one.changed_at = moment
    Story.objects.bulk_update(stories, ["changed_at"], batch_size=500)
    updates = Update.objects.bulk_create(
        Update(story=one, number=1, headline=one.headline, text=one.text, language="en",
               author=author, published_at=moment)
        for one, moment in zip(stories, at, strict=True)
    )  # fmt: skip
    alerts = Alert.objects.bulk_create(
        Alert(update=one, topic=topic, state="sent", sent_by=author, frozen_at=now,
              held_until_ms=1, expires_at_ms=2, cut_done=True)
        for one in updates
    )  # fmt: skip
    Batch.objects.bulk_create(
        Batch(alert=one, number=1, size=100, accepted=99, readers=b"", first=1, last=9,
              outcomes=b"", times=b"")
        for one in alerts
    )  # fmt: skip


def shown(client: Client, query: str = "") -> list[str]:
    page = client.get(f"/desk/?{query}").content.decode()
    archive = page[page.index('id="archive"') :]
    return re.findall(r'href="/desk/story/[^"]+">([^<]+)</a>', archive)


def test_pages_follow_each_other_without_a_gap(
    ada_at_desk: Client, ada: Editor, breaking: Topic
) -> None:
    told(ada, breaking, 70)
    Story.objects.update(changed_at=timezone.now())  # all at one moment
    query, seen = "", list[str]()
    while True:
        page = ada_at_desk.get(f"/desk/?{query}").content.decode()
        seen += shown(ada_at_desk, query)
        older = re.search(r'href="/desk/\?([^"]*before=[^"]*)#archive"', page)
        if not older:
            break
        query = older[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 70
    for nonsense in ("before=x", "before=99999999999999999999-1", "topic=x", "state=x", "q=%00"):
        assert ada_at_desk.get(f"/desk/?{nonsense}").status_code == 200


def test_filters(ada_at_desk: Client, ada: Editor, ben: Editor, story: Story) -> None:
    politics = Topic.objects.get(slug="politics")
    told(ben, politics, 1, headline="Über Ötztal kracht es")
    told(ada, story.topic, 1, headline="Old bridge", state="withdrawn")  # type: ignore[arg-type]
    correction = Update.objects.get(headline__startswith="Über")
    Update.objects.create(
        story=correction.story, number=2, kind="correction", headline="Right", text="zwölf",
        note="n", language="de", author=ben, published_at=timezone.now(),
    )  # fmt: skip
    assert set(shown(ada_at_desk)) == {"Über Ötztal kracht es", "Old bridge"}, "no drafts"
    for query, found in (
        ("q=bridge", {story.headline, "Old bridge"}),
        ("q=bridge+old", {"Old bridge"}),
        ("q=über", {"Über Ötztal kracht es"}),
        ("q=ötztal", {"Über Ötztal kracht es"}),
        ("q=ZWÖLF", {"Über Ötztal kracht es"}),
        ("q=nowhere", set()),
        ("mine=on", {story.headline, "Old bridge"}),
        ("state=draft", {story.headline}),
        ("state=retracted", {"Old bridge"}),
        ("state=corrected", {"Über Ötztal kracht es"}),
        (f"topic={politics.pk}", {"Über Ötztal kracht es"}),
        ("date=week", {story.headline, "Old bridge", "Über Ötztal kracht es"}),
    ):
        assert set(shown(ada_at_desk, query)) == found, query
    Story.objects.update(changed_at=timezone.now() - timedelta(days=40))
    assert not shown(ada_at_desk, "date=month")


def test_home_is_quick_with_many_stories(ada_at_desk: Client, ada: Editor, breaking: Topic) -> None:
    told(ada, breaking, 40)
    told(ada, breaking, 1, state="developing")
    told(ada, breaking, 1, state="draft")
    counts = []
    for _more in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            ada_at_desk.get("/desk/")
        counts.append(len(queries))
        told(ada, breaking, 40, state="developing")
        told(ada, breaking, 40, state="draft")
    assert counts[1] == counts[0], "as many queries, however many stories"
    told(ada, breaking, STORIES)
    for query in ("", "q=lorem+number", "q=nowhere"):
        best = min(_seconds(ada_at_desk, query) for _try in range(5))
        assert best < 0.3, f"{query}: {best}"  # three times what it takes


@pytest.mark.parametrize(
    ("path", "most"),
    [("/desk/", 20), ("/desk/?q=story+number", 20), ("/desk/parts/", 13)],
)
def test_home_asks_no_more_than_it_needs(
    ada_at_desk: Client, ada: Editor, ben: Editor, breaking: Topic, path: str, most: int,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    """With something in each of its lists. A query costs about a millisecond."""
    told(ada, breaking, 30)
    told(ada, breaking, 30, state="live")
    told(ada, breaking, 2, state="withdrawn")
    told(ben, breaking, 30, state="draft")
    Alert.objects.update(state="taken back")
    Batch.objects.update(accepted=9, refused=91)
    newest = [alert.pk for alert in Alert.objects.filter(update__story__state="live")[:4]]
    for pk, state in zip(newest, ("sending", "held", "asking", "sent"), strict=True):
        Alert.objects.filter(pk=pk).update(state=state)
    drafts = Story.objects.filter(state="draft")
    drafts.filter(pk__in=drafts[:3]).update(approval_asked_of=ada, approval_asked_by=ben)
    drafts.filter(pk__in=drafts[3:6]).update(author=ada, sent_back_by=ben)
    presence.be_here(drafts[7], ben, writing=True)
    ada_at_desk.get(path)  # a session notes once a minute that it is used
    with django_assert_max_num_queries(most):
        page = ada_at_desk.get(path).content.decode()
    for name in ("part-way", "part-needs", "part-live", "part-side"):
        assert f'id="{name}"' in page
    for words in ("Approval", "Sent back", "Needs an answer", "Partly failed", "is writing now"):
        assert words in page, words


def _seconds(client: Client, query: str) -> float:
    """Of this process: other processes may be busy."""
    began = time.process_time()
    client.get(f"/desk/?{query}")
    return time.process_time() - began


def test_a_retracted_story_has_the_time_of_its_retraction(
    ada_at_desk: Client, ada: Editor, breaking: Topic
) -> None:
    told(ada, breaking, 1, state="withdrawn")
    at = timezone.now() - timedelta(days=3)
    Story.objects.update(changed_at=timezone.now() - timedelta(days=5))
    Update.objects.create(
        story=Story.objects.get(), number=2, kind="withdrawal", headline="H", text="T",
        language="en", author=ada, published_at=at,
    )  # fmt: skip
    rows = ada_at_desk.get("/desk/").context["found"].rows
    assert [one.changed_at for one in rows] == [at]
