"""The Wire page, one item, the sources and the rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from morefollows.accounts.models import Editor, Role
from morefollows.audience.models import Topic
from morefollows.audit.models import AuditEntry
from morefollows.ingest.item import NewsItem
from morefollows.ingest.item_json import item_to_json
from morefollows.ingest.matching.known import KNOWN
from morefollows.ingest.models import ItemRule, ReceivedItem, Source
from morefollows.ingest.pipeline import ArrivedItem, decide_waiting, receive_items
from morefollows.ingest.sources.actions import add_source
from morefollows.stories.models import Story

if TYPE_CHECKING:
    from collections.abc import Iterator

Decision = ReceivedItem.Decision
FIRE = NewsItem(
    headline="Fire at the <harbour>",
    text="A warehouse of Ostmann is burning in Port Ellery.\n\nNobody was hurt.",
    id="urn:fire",
    urgency=2,
    language="en",
    notes=("Desk: call first",),
    dropped=("SKIP ADVERTISEMENT",),
    doubts=("Who says so?",),
)


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    KNOWN.clear()
    yield
    KNOWN.clear()


@pytest.fixture
def source(breaking: Topic) -> Source:
    return add_source("Agency", "push", by=None, topic=breaking, unmatched="keep")


@pytest.fixture
def boss(db: None) -> Client:
    editor = Editor.objects.create(
        email="boss@example.org", name="Boss", role=Role.ADMINISTRATOR, all_topics=True
    )
    client = Client()
    client.force_login(editor)
    return client


def receive(source: Source, item: NewsItem) -> ReceivedItem:
    receive_items(source, [ArrivedItem(item, b"<raw>&", "text/plain")], "push")
    decide_waiting()
    return ReceivedItem.objects.latest("pk")


def text_of(client: Client, name: str, *args: int, **query: str) -> str:
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_item_beside_how_it_came_and_one_press_to_a_draft(
    ada_at_desk: Client, source: Source, ada: Editor
) -> None:
    row = receive(source, FIRE)
    page = text_of(ada_at_desk, "wire")
    assert "Fire at the &lt;harbour&gt;" in page and "Urgency 2" in page and "Make draft" in page
    item = text_of(ada_at_desk, "wire-item", row.pk)
    for words in ("Who says so?", "Desk: call first", "SKIP ADVERTISEMENT", "&lt;raw&gt;&amp;"):
        assert words in item
    answer = ada_at_desk.post(reverse("wire-do", args=(row.pk,)), {"do": "draft"})
    story = Story.objects.get()
    assert answer["Location"] == reverse("story-edit", args=(story.uuid,))
    row.refresh_from_db()
    assert (row.decision, row.draft, row.decided_by) == (Decision.DRAFT, story, ada)
    assert AuditEntry.objects.filter(what="decide item", editor=ada, story=story).exists()
    ada_at_desk.post(reverse("wire-do", args=(row.pk,)), {"do": "draft"})
    assert Story.objects.count() == 1
    assert "Open draft" in text_of(ada_at_desk, "wire")


def test_an_unsure_headline_is_chosen_first(ada_at_desk: Client, source: Source) -> None:
    unsure = replace(FIRE, headline="By Jo", confidence=0.2, candidates=("Fire in town", "By Jo"))
    row = receive(source, unsure)
    address = reverse("wire-do", args=(row.pk,))
    for headline in ("", "Another line"):
        ada_at_desk.post(address, {"do": "draft", "headline": headline})
        assert not Story.objects.exists()
    ada_at_desk.post(address, {"do": "draft", "headline": "Fire in town"})
    assert Story.objects.get().headline == "Fire in town"


def test_a_reporter_of_another_topic_makes_no_draft(source: Source, db: None) -> None:
    row = receive(source, FIRE)
    other = Editor.objects.create(email="o@example.org", name="O", role=Role.REPORTER)
    Editor.objects.filter(pk=other.pk).update(all_topics=False)
    client = Client()
    client.force_login(other)
    client.post(reverse("wire-do", args=(row.pk,)), {"do": "draft"})
    assert not Story.objects.exists()


def test_filters_groups_and_the_list_that_renews_itself(
    ada_at_desk: Client, source: Source
) -> None:
    first = receive(source, FIRE)
    more = ReceivedItem.objects.create(
        source=source,
        item_id="2",
        digest="2",
        headline="Harbour fire is out",
        event=first.event,
        decision=Decision.IGNORED,
        raw=b"",
    )
    page = text_of(ada_at_desk, "wire")
    assert page.count('<li class="line">') == 1 and "1 more item of this event" in page
    assert "Fire at" not in text_of(ada_at_desk, "wire", decision="ignored")
    assert "Harbour fire" not in text_of(ada_at_desk, "wire", urgency="2")
    assert "Fire at" in text_of(ada_at_desk, "wire", topic=str(source.topic_id), q="fire the")
    assert "Nothing found" in text_of(ada_at_desk, "wire", q="quake")
    rows = ada_at_desk.get(reverse("wire-rows"))
    again = ada_at_desk.get(reverse("wire-rows"), headers={"If-None-Match": rows["ETag"]})
    assert again.status_code == 304
    more.delete()
    changed = ada_at_desk.get(reverse("wire-rows"), headers={"If-None-Match": rows["ETag"]})
    assert changed.status_code == 200


def test_pages_use_indexes(ada_at_desk: Client, source: Source) -> None:
    now = timezone.now()
    item = item_to_json(FIRE)
    ReceivedItem.objects.bulk_create(
        ReceivedItem(
            source=source,
            item_id=str(at),
            digest=str(at),
            headline=f"Item {at}",
            received_at=now - timedelta(minutes=at),
            decision=Decision.KEPT,
            raw=b"",
            item=item,
        )
        for at in range(70)
    )
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = text_of(ada_at_desk, "wire")
    assert len(queries) < 25, "not one for each item"
    assert "Item 59<" in page and "Item 60<" not in page
    last = ReceivedItem.objects.get(headline="Item 59")
    older = text_of(ada_at_desk, "wire", before=str(last.pk))
    assert "Item 60<" in older and "Item 59<" not in older


def test_a_source_is_added_tried_paused_and_removed(boss: Client, breaking: Topic) -> None:
    form = {"name": "Feed", "kind": "feed", "address": "https://news.example/feed"}
    form |= {"text_from": "item", "unmatched": "draft", "interval_seconds": "300"}
    wrong = boss.post(reverse("source-new"), form | {"address": ""})
    assert wrong.status_code == 422
    assert boss.post(reverse("source-new"), form).status_code == 302
    source = Source.objects.get()
    changed = form | {"name": "Feed 2", "sends_alone": "on", "topic": str(breaking.pk)}
    assert boss.post(reverse("source", args=(source.pk,)), changed).status_code == 302
    source.refresh_from_db()
    assert (source.name, source.sends_alone, source.topic) == ("Feed 2", True, breaking)
    assert "Feed 2" in text_of(boss, "sources")
    Source.objects.update(due_at=timezone.now() + timedelta(hours=1))
    for do, state in (("test", "due_at"), ("pause", "paused_at"), ("resume", "removed_at")):
        boss.post(reverse("source-do", args=(source.pk,)), {"do": do})
        source.refresh_from_db()
        assert (getattr(source, state) is None) is (do != "pause")
    boss.post(reverse("source-do", args=(source.pk,)), {"do": "remove"})
    assert not Source.objects.filter(removed_at=None).exists()
    entries = set(AuditEntry.objects.values_list("what", flat=True))
    assert entries >= {"add source", "change source", "try source", "pause source"}


def test_a_rule_is_simulated_saved_moved_and_removed(ada_at_desk: Client, source: Source) -> None:
    receive(source, FIRE)
    form = {"name": "Fires", "words": "fire, blaze", "action": "ignore"}
    told = ada_at_desk.post(reverse("item-rule-new"), form | {"do": "simulate"})
    assert "for 1 of 1 items" in told.content.decode()
    assert not ItemRule.objects.exists()
    assert ada_at_desk.post(reverse("item-rule-new"), form | {"do": "save"}).status_code == 302
    rule = ItemRule.objects.get()
    assert rule.conditions == {"words": ["fire", "blaze"]}
    edit = text_of(ada_at_desk, "item-rule", rule.pk)
    assert "fire, blaze" in edit and "send it alone" not in edit
    for do in ("down", "off", "on"):
        ada_at_desk.post(reverse("item-rule-do", args=(rule.pk,)), {"do": do})
    assert ItemRule.objects.get().active
    assert "“fire”, “blaze”" in text_of(ada_at_desk, "item-rules")
    ada_at_desk.post(reverse("item-rule-do", args=(rule.pk,)), {"do": "remove"})
    assert not ItemRule.objects.exists()
