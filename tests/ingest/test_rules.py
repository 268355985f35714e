"""Rules for what comes in: which apply, what they do, and who may make them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from morefollows.accounts.models import Editor, Role
from morefollows.audience.models import Letter, Topic
from morefollows.audit.models import AuditEntry
from morefollows.ingest import pipeline
from morefollows.ingest.item import ItemStatus, NewsItem
from morefollows.ingest.matching.known import KNOWN
from morefollows.ingest.models import ItemRule, ReceivedItem, Source
from morefollows.ingest.pipeline import ArrivedItem, decide_waiting
from morefollows.ingest.rules import actions
from morefollows.ingest.rules.conditions import Conditions, fits
from morefollows.ingest.rules.deciding_rule import active_rules, ready_rules
from morefollows.ingest.rules.simulation import simulate
from morefollows.ingest.sources.actions import add_source
from morefollows.stories import actions as story_actions
from morefollows.stories.alerts.publication import release
from morefollows.stories.errors import ActionRefused
from morefollows.stories.models import Alert, Story

if TYPE_CHECKING:
    from collections.abc import Iterator

Action, Decision = ItemRule.Action, ReceivedItem.Decision

FERRY = NewsItem(
    headline="Ferry runs aground off Arholma with 312 on board",
    text="The passenger ferry Cinderella ran aground off Arholma on Sunday morning with 312 people"
    " on board, the Swedish coast guard said. Captain Maria Lindqvist reported water in the engine"
    " room. Helicopters from Norrtälje began to lift passengers from the deck.",
    id="urn:wire:ferry",
    urgency=2,
    language="en",
    topics=("medtop:16000000", "Accidents"),
)
LATER = replace(
    FERRY,
    id="urn:other:4711",
    headline="All 312 people rescued from stranded ferry Cinderella",
    text="All 312 people on board the ferry Cinderella, which ran aground off Arholma, have been"
    " brought to Norrtälje, the Swedish coast guard said. Captain Maria Lindqvist left the ferry"
    " last. Water stands in the engine room, and helicopters watch for oil.",
)
QUAKE = NewsItem(
    headline="Earthquake shakes Valdivia",
    text="A quake of magnitude 6.8 shook Valdivia in southern Chile. Nobody was hurt.",
    id="urn:wire:quake",
    urgency=5,
    language="en",
)


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    KNOWN.clear()
    yield
    KNOWN.clear()


@pytest.fixture
def wire(breaking: Topic) -> Source:
    return add_source("Wire", "push", by=None, topic=breaking)


@pytest.fixture
def other(breaking: Topic) -> Source:
    return add_source("Other wire", "push", by=None, topic=breaking)


@pytest.fixture
def chief(db: None) -> Editor:
    return Editor.objects.create(
        email="chief@example.org", name="Chief", role=Role.ADMINISTRATOR, all_topics=True
    )


def receive(source: Source, item: NewsItem) -> ReceivedItem:
    pipeline.receive_items(source, [ArrivedItem(item, b"raw", "text/plain")], "push")
    decide_waiting()
    return ReceivedItem.objects.latest("pk")


def rule(by: Editor, action: str = Action.DRAFT, **fields: Any) -> ItemRule:
    given = Conditions(**fields.pop("when", {}))
    return actions.save_rule(
        ItemRule(), by, name=fields.pop("name", "R"), action=action, conditions=given, **fields
    )


@pytest.mark.parametrize(
    ("when", "is_for"),
    [
        ({}, True),
        ({"most_urgency": 2}, True),
        ({"most_urgency": 1}, False),
        ({"words": ("FERRY runs", "nothing")}, True),
        ({"words": ("fer",)}, False),
        ({"words": ("norrtalje",)}, True),
        ({"without": ("coast guard",)}, False),
        ({"languages": ("en",)}, True),
        ({"languages": ("de",)}, False),
        ({"topics": ("accidents",)}, True),
        ({"topics": ("16000000",)}, True),
        ({"topics": ("Sport",)}, False),
    ],
)
def test_conditions(when: dict[str, Any], is_for: bool) -> None:
    conditions = Conditions(**when)
    assert fits(conditions, FERRY) is is_for
    assert Conditions.from_json(conditions.as_json()) == conditions


def test_the_first_active_rule_that_fits_decides(wire: Source, chief: Editor) -> None:
    quakes = rule(chief, Action.IGNORE, name="No quakes", when={"words": ("quake",)})
    rule(chief, name="All")
    assert (receive(wire, QUAKE).rule, ReceivedItem.objects.get().decision) == (
        *(quakes, Decision.IGNORED),
    )
    assert receive(wire, FERRY).decision == Decision.DRAFT
    actions.switch_rule(quakes, chief, False)
    assert receive(wire, replace(QUAKE, id="urn:wire:again")).decision == Decision.DRAFT
    assert set(AuditEntry.objects.values_list("what", flat=True)) >= {
        *("add item rule", "change item rule"),
    }


def test_news_of_a_running_story_updates_its_draft(
    wire: Source, other: Source, chief: Editor
) -> None:
    first, second = receive(wire, FERRY), receive(other, LATER)
    assert second.decision == Decision.DRAFT, "the draft has not been sent: it is renewed"
    assert second.draft == first.draft and second.event == first.event
    assert "same event" in second.why and second.match["how"] == "event"
    assert Story.objects.get().headline == LATER.headline
    alert = story_actions.send(Story.objects.get(), chief, hold=0, alone_reason="Night")
    with transaction.atomic():
        assert release(alert.pk)
    third = receive(wire, replace(LATER, id="urn:wire:3"))
    assert (third.decision, third.matched_story) == (Decision.OLDER, first.draft)
    assert "nothing new" in third.why
    changed = replace(FERRY, id="urn:wire:4", headline="Oil leaks from ferry Cinderella at Arholma")
    changed = replace(
        changed,
        text="Oil leaks from the ferry Cinderella, aground off Arholma, said the Swedish coast"
        " guard. Captain Maria Lindqvist and all 312 people left it for Norrtälje before.",
    )
    fourth = receive(other, changed)
    assert (fourth.decision, fourth.draft) == (Decision.UPDATE, first.draft)
    assert Story.objects.get().kind == "update"


def test_never_across_a_withdrawal(wire: Source, other: Source, chief: Editor) -> None:
    first = receive(wire, FERRY)
    receive(wire, replace(FERRY, version=2, status=ItemStatus.CANCELED))
    later = receive(other, LATER)
    assert (later.decision, later.draft) == (Decision.KEPT, None)
    assert "was withdrawn" in later.why and later.match["withdrawn"] is True
    assert first.draft is not None


def test_it_is_news_of_a_story_that_a_person_wrote(wire: Source, story: Story) -> None:
    Story.objects.filter(pk=story.pk).update(headline=FERRY.headline, text=FERRY.text)
    row = receive(wire, LATER)
    assert (row.decision, row.draft) == (Decision.KEPT, None), "an editor's draft is left alone"
    assert row.event == story.uuid


def test_a_rule_that_updates_only(wire: Source, chief: Editor) -> None:
    rule(chief, Action.UPDATE)
    row = receive(wire, FERRY)
    assert row.decision == Decision.KEPT and "no running story" in row.why


def test_somebody_is_told_once(wire: Source, other: Source, chief: Editor, ada: Editor) -> None:
    with pytest.raises(ValidationError):
        rule(chief, Action.DRAFT_AND_TELL)
    rule(chief, Action.DRAFT_AND_TELL, tells=[ada])
    receive(wire, FERRY)
    receive(other, LATER)
    letter = Letter.objects.get(kind=Letter.Kind.ITEM)
    assert (letter.editor, letter.about) == (ada, Story.objects.get().pk)


def alone_rule(chief: Editor, wire: Source, **options: Any) -> ItemRule:
    return rule(
        chief,
        Action.SEND_ALONE,
        sources=[wire],
        when={"most_urgency": 2},
        options={"hold": 30, "most_a_day": 1, **options},
    )


def test_sending_alone_begins_with_a_drill(wire: Source, chief: Editor) -> None:
    with pytest.raises(ValidationError):
        alone_rule(chief, wire)
    Source.objects.update(sends_alone=True)
    wire.refresh_from_db()
    made = alone_rule(chief, wire)
    with pytest.raises(ActionRefused):
        actions.let_rule_send(made, chief)
    row = receive(wire, FERRY)
    assert (row.decision, "drill" in row.why) == (Decision.DRAFT, True)
    drilled = Alert.objects.get()
    assert drilled.update.story.drill and drilled.audience == Alert.Audience.DRILL
    assert row.draft is not None and not row.draft.drill
    actions.let_rule_send(made, chief)
    sent = receive(wire, replace(QUAKE, urgency=1))
    assert sent.decision == Decision.SENT, sent.why
    alert = Alert.objects.latest("pk")
    assert (alert.sent_by, alert.update.story) == (chief, sent.draft)
    assert alert.held_until_ms - alert.frozen_at.timestamp() * 1000 == pytest.approx(30_000, abs=99)
    assert AuditEntry.objects.filter(what="send by rule", alert=alert).exists()
    third = receive(wire, replace(FERRY, id="urn:x", headline="Bridge falls", text="In Riga."))
    assert (third.decision, "most of today" in third.why) == (Decision.DRAFT, True)


def test_what_is_not_sent_alone(wire: Source, chief: Editor, settings: Any) -> None:
    Source.objects.update(sends_alone=True)
    wire.refresh_from_db()
    made = alone_rule(chief, wire, most_a_day=9)
    ItemRule.objects.filter(pk=made.pk).update(options={**made.options, "live": True})
    assert "doubtful" in receive(wire, replace(FERRY, doubts=("Who?",))).why
    quake = replace(QUAKE, urgency=1)
    later = replace(quake, embargo=timezone.now() + timedelta(hours=1), id="urn:2")
    assert "embargo" in receive(wire, replace(later, headline="Later", text="Lima votes")).why
    Editor.objects.filter(pk=chief.pk).update(role=Role.EDITOR)
    assert "administrator" in receive(wire, quake).why
    Source.objects.update(sends_alone=False)
    last = replace(quake, id="urn:3", headline="Oslo votes", text="Polls have closed in Norway.")
    assert "may not send alone" in receive(wire, last).why
    assert not Alert.objects.exists()


def test_who_may_make_rules(wire: Source, chief: Editor, ada: Editor) -> None:
    reporter = Editor.objects.create(email="r@example.org", name="R", role=Role.REPORTER)
    with pytest.raises(ActionRefused):
        rule(reporter)
    rule(ada, name="First")
    second = rule(ada, name="Second")
    actions.move_rule(second, ada, -1)
    assert [one.name for one in ItemRule.objects.all()] == ["Second", "First"]
    Source.objects.update(sends_alone=True)
    wire.refresh_from_db()
    with pytest.raises(ActionRefused):
        alone_rule(ada, wire)
    actions.remove_rule(second, ada)
    assert [one.name for one in ItemRule.objects.all()] == ["First"]


def test_a_simulation_counts_and_changes_nothing(
    wire: Source, other: Source, chief: Editor
) -> None:
    receive(wire, FERRY)
    receive(other, LATER)
    receive(wire, QUAKE)
    before = list(ReceivedItem.objects.values())
    fresh = ItemRule(name="New", action=Action.DRAFT)
    all_rules = [*active_rules(), *ready_rules([fresh])]
    counted = simulate(all_rules, fresh)
    assert counted.became == {Decision.DRAFT: 2, Decision.UPDATE: 1}
    assert (counted.looked_at, counted.fitted, counted.more) == (3, 3, False)
    assert list(ReceivedItem.objects.values()) == before
    assert ItemRule.objects.count() == 0
