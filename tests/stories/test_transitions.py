"""An alert's states: the table against an oracle, one event at a time and in random sequences."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.test import override_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from morefollows.accounts.models import Editor
from morefollows.audience.models import Topic
from morefollows.audit.models import AuditEntry
from morefollows.stories import actions
from morefollows.stories.actions import ActionRefused, now_ms
from morefollows.stories.alerts import hold_actions, publication, transition_table, transitions
from morefollows.stories.alerts.late_alerts import ask_about_late
from morefollows.stories.alerts.transition_table import Event
from morefollows.stories.alerts.transitions import TransitionRefused
from morefollows.stories.models import Alert, Story, Update
from tests.support import sandbox

# -- one at a time ---------------------------------------------------------------------------------


def target(event: Event, state: str, published: bool) -> str | None:
    """What the event makes of an alert; None: it is refused. Written down without the table."""
    at_rest = state in ("paused", "asking")
    may_leave = published and (state == "sending" or at_rest)  #: some may have left, and some not
    may_return = not published and (state == "held" or at_rest)  #: nothing has left
    match event.name:
        case "SEND" | "WITHDRAW" | "CANARY":
            return None  # makes a new one
        case "TAKE_BACK":
            return "taken back" if may_return else None
        case "STOP":
            return "stopped" if may_leave else None
        case "RETRACT":
            return "stopped" if may_leave else "taken back" if may_return else None
        case "OVERTAKE":
            return "overtaken" if may_leave else None
        case "SEND_NOW" | "CHANGE_TIME":
            return "held" if state == "held" and not published else None
        case "PAUSE":
            return "paused" if state in ("held", "sending") else None
        case "ASK":
            return "asking" if state in ("held", "sending") else None
        case "GIVE_UP":
            return "stopped" if state in ("held", "sending") else None
        case "RESUME":
            return ("sending" if published else "held") if at_rest else None
        case "HOLD_ENDED":
            return "sending" if state == "held" else None
        case "FINISH":
            return "sent" if state == "sending" else None
        case "EXPIRE":
            return "expired" if state == "sending" else None
        case "RETRY" | "REPEAT":
            return "sending" if state in ("sent", "expired") else None
    raise AssertionError(event)


OF_EDITORS = {
    "SEND_NOW",
    "CHANGE_TIME",
    "TAKE_BACK",
    "STOP",
    "PAUSE",
    "RESUME",
    "RETRY",
    "REPEAT",
    "SEND",
    "WITHDRAW",
    "RETRACT",
}
LOGGED = {
    ("TAKE_BACK", "taken back"): "take back",
    ("STOP", "stopped"): "stop",
    ("RETRACT", "taken back"): "take back",
    ("RETRACT", "stopped"): "stop",
    ("PAUSE", "paused"): "pause",
    ("RESUME", "held"): "resume",
    ("RESUME", "sending"): "resume",
    ("RETRY", "sending"): "retry failed",
    ("REPEAT", "sending"): "repeat uncertain",
    ("SEND_NOW", "held"): "send now",
    ("CHANGE_TIME", "held"): "change time",
    ("ASK", "asking"): "ask",
    ("GIVE_UP", "stopped"): "give up",
}


def snapshot(**of: Any) -> list[Any]:
    """All that an action may write. `of`: of this story."""
    found: list[QuerySet[Any]] = [
        Story.objects.filter(**{"pk": of["story"]} if of else {}),
        AuditEntry.objects.filter(**of),
    ]
    found += [
        Update.objects.filter(**of),
        Alert.objects.filter(**{f"update__{name}": of[name] for name in of}),
    ]
    return [list(rows.order_by("pk").values_list()) for rows in found]


@pytest.fixture
def held(story: Story, ada: Editor) -> Alert:
    return actions.send(story, ada)


@pytest.mark.parametrize("published", [False, True])
def test_every_event_from_every_state_is_in_the_table_or_refused(
    held: Alert, ada: Editor, published: bool
) -> None:
    at = held.frozen_at if published else None
    Update.objects.filter(pk=held.update_id).update(published_at=at)
    for event, state in itertools.product(Event, Alert.State.values):
        by = ada if event.name in OF_EDITORS else None
        Alert.objects.filter(pk=held.pk).update(state=state, ended_at=None, ended_by=None)
        held = Alert.objects.select_related("update__story").get(pk=held.pk)
        wanted = target(event, state, published)
        assert transitions.possible(event, held) is (wanted is not None)
        before, logged = snapshot(), AuditEntry.objects.count()
        if wanted is None:
            with pytest.raises(TransitionRefused) as refused, transaction.atomic():
                transitions.apply(event, held.pk, by)
            assert (refused.value.event, refused.value.state) == (event, state)
            assert str(refused.value)
            with pytest.raises(TransitionRefused):
                transitions.check(event, held, by)
            assert not transitions.attempt(event, held.pk, by)
            assert snapshot() == before
            continue
        transitions.check(event, held, by)
        transitions.apply(event, held.pk, by, details={"reason": "why"})
        held.refresh_from_db()
        assert held.state == wanted
        over = wanted not in Alert.UNDER_WAY
        assert (held.ended_at is not None, held.ended_by) == (over, by if over else None)
        entry = LOGGED.get((event.name, wanted))
        assert AuditEntry.objects.count() == logged + (entry is not None)
        if entry:
            written = AuditEntry.objects.latest("pk")
            assert (written.what, written.editor, written.alert, written.story) == (
                entry,
                by,
                held,
                held.update.story,
            )
            assert written.details == {"reason": "why"}


@pytest.mark.parametrize(
    ("purpose", "senders"),
    [
        ("alerts", {"editor", "administrator"}),
        ("offers", {"administrator", "reporter with offers"}),
    ],
)
def test_who_may_do_it(held: Alert, purpose: str, senders: set[str]) -> None:
    """Whoever may not is refused before anything is written, whatever the state."""
    if purpose == "offers":
        Story.objects.update(purpose="offers", topic=None)
    story = Story.objects.get()
    people: dict[str, Editor | None] = {"the system": None}
    for who in ("reporter", "editor", "administrator", "reporter with offers"):
        role, offers = who.split(" ")[0], "offers" in who
        email = f"{len(people)}@who.example"
        people[who] = Editor.objects.create(email=email, name=who, role=role, writes_offers=offers)
    before = snapshot()
    for event, (who, by) in itertools.product(Event, people.items()):
        if event.name not in OF_EDITORS:
            wanted = by is None
        else:
            wanted = who in senders
        assert transitions.may(by, event, story) is wanted
        if by is not None:
            assert transitions.editor_rights(by, story)[event.name.lower()] is wanted
        for state in () if wanted else Alert.State.values:
            with pytest.raises(TransitionRefused) as refused, transaction.atomic():
                Alert.objects.filter(pk=held.pk).update(state=state)
                transitions.apply(event, held.pk, by)
            assert (refused.value.event, refused.value.state) == (event, state)
    assert snapshot() == before


def test_the_table_is_sound() -> None:
    for event in Event:
        rows = transition_table.rows(event)
        assert rows, "each event is in the table"
        assert len({row.who for row in rows}) == 1, "who may is asked before the state is known"
        assert (event.name in OF_EDITORS) is (rows[0].who is not transition_table.Who.SYSTEM)
        fits = [
            (state, told)
            for row in rows
            for state in row.sources
            for told in told_as(row.published)
        ]
        assert len(fits) == len(set(fits)), (
            "one row for an event, a state, and whether the update is published"
        )
    reached = {row.target for row in transition_table.TABLE}
    left = {state for row in transition_table.TABLE for state in row.sources}
    assert reached == set(Alert.State)
    assert set(Alert.UNDER_WAY) <= left, "there is a way out of every state that is no end"


def told_as(published: bool | None) -> tuple[bool, ...]:
    return (False, True) if published is None else (published,)


def test_the_state_stays_if_the_entry_cannot_be_written(
    held: Alert, ada: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_details: object) -> None:
        raise RuntimeError("no entry")

    monkeypatch.setattr(transitions, "record", fail)
    before = snapshot()
    for action in (actions.pause, hold_actions.take_back):
        with pytest.raises(RuntimeError), transaction.atomic():
            action(held, ada)
    assert snapshot() == before


@pytest.mark.django_db(transaction=True)
def test_it_is_refused_outside_a_transaction(held: Alert, ada: Editor) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        transitions.attempt(Event.ASK, held.pk)
    assert Alert.objects.get().state == "held"


# -- random sequences ------------------------------------------------------------------------------

PEOPLE = ("reporter", "editor", "administrator")
people = st.sampled_from(PEOPLE)
which = st.integers(0, 5)


@dataclasses.dataclass
class Known:
    """What the oracle knows of one alert."""

    pk: int
    kind: str
    audience: str
    number: int
    state: str = "held"
    published: bool = False
    answers: frozenset[int] = frozenset()

    @property
    def in_hold(self) -> bool:
        return not self.published and self.state in ("held", "paused", "asking")


class Desk(RuleBasedStateMachine):
    """Editors and senders act at random on the alerts of one story, checked by the oracle."""

    @initialize()
    def begin(self) -> None:
        self.by = {
            role: Editor.objects.get_or_create(
                email=f"{role}@desk.example", defaults={"name": role, "role": role}
            )[0]
            for role in PEOPLE
        }
        topic = Topic.objects.get(slug="breaking")
        self.story = Story.objects.create(
            headline="Bridge closed", text="It is.", topic=topic, author=self.by["editor"]
        )
        self.story_state = "draft"
        self.alerts: list[Known] = []
        self.log: Counter[tuple[str, str | None, int]] = Counter()

    # -- what the oracle says ----------------------------------------------------------------------

    def move(self, one: Known, event: str, who: str | None) -> bool:
        """The oracle's alert moves, if it may."""
        new = target(Event[event], one.state, one.published)
        if new is None or who == "reporter":
            return False
        one.state = new
        if entry := LOGGED.get((event, new)):
            self.log[entry, who, one.pk] += 1
        return True

    def ask_for(self, allowed: bool, action: Any, *args: Any, **more: Any) -> Any:
        """Does it. If the oracle does not allow it, it is refused, and nothing is changed."""
        before = snapshot(story=self.story.pk)
        try:
            with transaction.atomic():
                done = action(*args, **more)
        except ActionRefused:
            assert not allowed, "refused"
            assert snapshot(story=self.story.pk) == before
            return None
        assert allowed, "it should have been refused"
        return done

    def one(self, number: int) -> Known | None:
        return self.alerts[-1 - number % len(self.alerts)] if self.alerts else None

    def row(self, one: Known) -> Alert:
        return Alert.objects.select_related("update__story").get(pk=one.pk)

    # -- editors -----------------------------------------------------------------------------------

    @rule(
        who=people,
        correction=st.booleans(),
        number=which,
        audience=st.sampled_from(["topic", "followers", "page"]),
    )
    def send(self, who: str, correction: bool, number: int, audience: str) -> None:
        told = [one for one in self.alerts if one.published and one.state != "taken back"]
        holding = any(one.in_hold for one in self.alerts)
        kind, wrong = "first", []
        if self.story_state != "draft":
            kind = "correction" if correction or self.story_state == "final" else "update"
            wrong = [told[number % len(told)]] if kind == "correction" else []
        if kind == "first" and audience == "followers":
            audience = "topic"
        if kind == "correction":
            audience = "recipients"
        answers = {one.number for one in wrong}
        if self.story_state != "withdrawn" and not holding:
            Story.objects.filter(pk=self.story.pk).update(
                text="News.",
                kind=kind,
                note="So.",
                answers=sorted(answers),
                revision=F("revision") + 1,
            )
        allowed = who != "reporter" and self.story_state != "withdrawn" and not holding
        alert = self.ask_for(allowed, actions.send, self.story, self.by[who], audience=audience)
        if alert is not None:
            self.sent(
                alert, "send", who, Known(alert.pk, kind, audience, self.next_number()), wrong
            )

    @rule(who=people)
    def withdraw(self, who: str) -> None:
        allowed = who != "reporter" and self.story_state not in ("draft", "withdrawn")
        words = {"reason": "Wrong.", "text": "It was wrong."}
        alert = self.ask_for(allowed, actions.withdraw, self.story, self.by[who], **words)
        if alert is not None:
            for one in self.alerts:
                if one.in_hold:
                    assert self.move(one, "RETRACT", who)
                    one.number = 0
            told = [one for one in self.alerts if one.published]
            known = Known(alert.pk, "withdrawal", "recipients", self.next_number())
            self.sent(alert, "withdraw", who, known, told)

    def next_number(self) -> int:
        return 1 + max((one.number for one in self.alerts), default=0)

    def sent(self, alert: Alert, entry: str, who: str, known: Known, wrong: list[Known]) -> None:
        mailed = [one for one in wrong if one.audience != "page"]
        known.answers = frozenset(
            {one.pk for one in mailed}.union(*(one.answers for one in mailed))
        )
        for one in self.alerts:
            if one.pk in known.answers:
                self.move(one, "RETRACT", who)
        self.log[entry, who, alert.pk] += 1
        self.alerts.append(known)
        assert (alert.update.number, set(alert.answers)) == (known.number, known.answers)

    @rule(
        who=people,
        number=which,
        event=st.sampled_from(["TAKE_BACK", "PAUSE", "RESUME", "RESUME", "STOP"]),
    )
    def change(self, who: str, number: int, event: str) -> None:
        if (one := self.one(number)) is None:
            return
        action = getattr(hold_actions if event == "TAKE_BACK" else actions, event.lower())
        allowed = self.move(one, event, who)
        self.ask_for(allowed, action, self.row(one), self.by[who])
        if allowed and event == "TAKE_BACK":
            one.number = 0

    @rule(who=people, number=which, event=st.sampled_from([Event.RETRY, Event.REPEAT]))
    def reopen(self, who: str, number: int, event: Event) -> None:
        if (one := self.one(number)) is None:
            return
        newer = [other for other in self.alerts if other.number > one.number]
        if one.audience == "recipients":
            newer = [other for other in newer if one.pk in other.answers]
        allowed = not newer and self.move(one, event.name, who)
        self.ask_for(allowed, actions.reopen, event, one.pk, self.by[who])

    # -- senders -----------------------------------------------------------------------------------

    @rule(number=which)
    def hold_ends(self, number: int) -> None:
        if (one := self.one(number)) is None:
            return
        Alert.objects.filter(pk=one.pk).update(held_until_ms=now_ms() - 1)
        released = self.move(one, "HOLD_ENDED", None)
        with transaction.atomic():
            assert publication.release(one.pk) is released
        if not released or one.published:
            return
        one.published = True
        if one.kind == "withdrawal":
            self.story_state = "withdrawn"
        else:
            self.story_state = "live" if one.kind == "first" else "developing"
        beaten = {"topic": ("topic", "followers"), "followers": ("followers",)}.get(
            one.audience, ()
        )
        for older in self.alerts:
            if older.number and older.number < one.number and older.audience in beaten:
                self.move(older, "OVERTAKE", None)

    @rule(number=which, expired=st.booleans())
    def finish(self, number: int, expired: bool) -> None:
        if (one := self.one(number)) is not None:
            ends = self.move(one, "EXPIRE" if expired else "FINISH", None)
            assert publication.finish(one.pk, {}, expired=expired) is ends

    @rule(number=which, really=st.integers(0, 3))
    def give_up(self, number: int, really: int) -> None:
        if really == 3 and (one := self.one(number)) is not None:  # or most stories would end here
            self.move(one, "GIVE_UP", None)
            publication.give_up(one.pk, "no words")

    @rule(really=st.integers(0, 2))
    def ask(self, really: int) -> None:
        if really == 2:
            asking = [one.pk for one in self.alerts if self.move(one, "ASK", None)]
            with transaction.atomic():
                assert sorted(ask_about_late(now_ms() + 10**12)) == asking

    # -- always ------------------------------------------------------------------------------------

    @invariant()
    def the_database_is_as_the_oracle_says(self) -> None:
        if not hasattr(self, "alerts"):
            return
        found = (
            Alert.objects.filter(update__story=self.story).select_related("update").order_by("pk")
        )
        assert [
            (one.pk, one.state, one.update.published_at is not None, one.update.number or 0)
            for one in found
        ] == [(one.pk, one.state, one.published, one.number) for one in self.alerts]
        assert all((one.ended_at is None) is (one.state in Alert.UNDER_WAY) for one in found)
        assert Story.objects.get(pk=self.story.pk).state == self.story_state
        audit_entries = AuditEntry.objects.filter(story=self.story).values_list(
            "what", "editor__role", "alert"
        )
        assert Counter(audit_entries) == self.log
        assert sum(one.in_hold for one in self.alerts) <= 1
        assert [one.pk for one in transitions.in_hold(self.story)] == [
            one.pk for one in self.alerts if one.in_hold
        ]

    def teardown(self) -> None:
        """What is still on its way would answer the next example's `ask`."""
        Alert.objects.filter(state__in=Alert.UNDER_WAY).update(state="stopped")


def test_whatever_they_do_the_alerts_are_as_the_oracle_says(newsroom: Any) -> None:
    machine: Any = Desk
    with override_settings(
        MOREFOLLOWS=dataclasses.replace(settings.MOREFOLLOWS, four_eyes="never")
    ):
        run_state_machine_as_test(
            machine,
            settings=hypothesis_settings(
                max_examples=sandbox.examples(30),
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
