"""Mail goes only to readers who agreed to it and want it now, in any order of events.

Random histories against a model: sign up, confirm, agree, choose, pause, move, leave, come back by
an import, bounce, complain, be erased, while alerts and offers are cut, sent and told in digests.
`make histories` takes 10,000 of them.
"""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from hypothesis import Phase, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from morefollows.accounts.models import Editor
from morefollows.audience import erasure, lists
from morefollows.audience.addresses import parse
from morefollows.audience.consent import confirmation, texts, withdrawal
from morefollows.audience.link_tokens import links
from morefollows.audience.link_tokens.tokens import ALL_TOPICS, OFFERS
from morefollows.audience.models import Letter, Reader, Topic
from morefollows.audience.preferences import actions as preferences
from morefollows.audience.preferences import address_change
from morefollows.audience.preferences.actions import PreferenceChoice
from morefollows.audience.suppression import suppressing
from morefollows.courier.outbox import digests
from morefollows.courier.outbox import letter_claims as letter_claims
from morefollows.courier.relays.interface import Reached, Reply
from morefollows.stories.actions import now_ms
from morefollows.stories.drafts import actions as stories
from morefollows.stories.models import Alert, Story, Update
from tests.audience.support import sign_up
from tests.courier.support import (
    A_RELAY,
    claim_batch_runs,
    cut_from_start,
    prepared_alert,
    states,
    write,
)

HISTORIES = int(os.environ.get("HISTORIES", "40"))
PEOPLE = ("cy", "dee", "eve")
STEPS = (
    "sign up",
    "sign up with offers",
    "confirm",
    "agree",
    "agree to offers",
    "leave",
    "leave all",
    "no more offers",
    "no more offers",
    "import",
    "bounce",
    "complain",
    "erase",
    "move",
    "digest",
    "digest",
    "every",
    "pause",
    "go on",
    "mute",
    "unmute",
    *["cut an alert"] * 5,
    *["cut an offer"] * 3,
    *["send"] * 3,
    *["tell"] * 3,
)
ONE_STEP = st.tuples(st.sampled_from(STEPS), st.sampled_from(PEOPLE), st.integers(0, 1))
counts: Counter[str] = (
    Counter()
)  # what the histories of one run came to: one in which nothing is mailed proves nothing
TAKEN = Reply(250, "2.0.0", "Ok", Reached.CONTENT)


@dataclass
class Person:
    """One reader, as simply as can be. An address that was moved away from is nobody's."""

    address: str
    topics: dict[int, str] = field(default_factory=dict)  # pending | active | ended
    offers: bool = False
    dead: bool = False
    left: bool = False
    digest: bool = False
    paused: bool = False
    muted: set[int] = field(default_factory=set)  # alerts, by key: each is of a story of its own
    held_back: set[int] = field(default_factory=set)  # alerts that were not mailed
    told: set[int] = field(default_factory=set)  # alerts of which a digest told
    paused_over: set[int] = field(default_factory=set)  # alerts from before a pause ended, or began
    past: set[int] = field(default_factory=set)  # alerts from before the last digest

    def gets(self, topic: int | None) -> bool:
        """Whether consent allows a mail of this topic now; without a topic, an offer."""
        if self.dead or self.left:
            return False
        return self.offers if topic is None else self.topics.get(topic) == "active"

    def reader(self) -> Reader | None:
        return Reader.objects.filter(key=parse(self.address).key).first()


@dataclass
class Cut:
    alert: Alert
    topic: int | None
    audience: set[str]


class History:
    """The product beside the model. `clock` starts an hour ago and moves with each step."""

    def __init__(self) -> None:
        self.topics = list(Topic.objects.all()[:2])
        self.people = {name: Person(f"{name}@reader.example") for name in PEOPLE}
        self.ada = Editor.objects.create(
            email="ada@herald.example", name="Ada", role="administrator"
        )
        self.clock = now_ms() - 3_600_000
        self.waiting: list[Cut] = []
        self.alerts: dict[int, tuple[int, Alert]] = {}  # all that are no offers, with their topics
        self.moves = 0
        # Cy and Dee are readers already, and Dee has agreed to offers: a history is short.
        for name in ("cy", "dee"):
            self.take("import", name, 0)
        self.take("agree to offers", "dee", 0)

    def take(self, step: str, name: str, n: int) -> None:
        self.clock += 10
        person, topic = self.people[name], self.topics[n]
        reader = person.reader()
        act = getattr(self, "_" + step.split(" with ")[0].replace(" ", "_"))
        if step.startswith(("cut", "send", "tell")):
            act(topic, n)
        elif step.startswith(("sign up", "import")):
            act(person, topic, n, step.endswith("offers"))
        elif reader is not None:
            act(person, reader, topic, n)

    # -- what readers do ---------------------------------------------------------------------------

    def _sign_up(self, person: Person, topic: Topic, n: int, offers: bool) -> None:
        sign_up(topic, person.address, offers=offers)
        if not person.dead and person.topics.get(n) != "active":
            person.topics[n] = "pending"

    def _confirm(self, person: Person, reader: Reader, topic: Topic, n: int) -> None:
        letter = (
            Letter.objects.filter(reader=reader, topic=topic, kind="confirmation")
            .order_by("pk")
            .last()
        )
        done = letter and confirmation.confirm(
            links.link_tokens().confirm(links.row(letter)).decode()
        )
        if done:
            assert not person.dead
            person.topics[n] = "active" if person.topics[n] == "pending" else person.topics[n]
            person.offers, person.left = person.offers or done.offers, False

    def _agree(self, person: Person, reader: Reader, topic: Topic, n: int) -> None:
        assert preferences.agree(reader, topic, texts.in_force("en"), {}) is not person.dead
        if not person.dead:
            person.topics[n], person.left = "active", False

    def _agree_to_offers(self, person: Person, reader: Reader, topic: Topic, n: int) -> None:
        assert preferences.agree(reader, None, texts.in_force("en"), {}) is not person.dead
        if not person.dead:
            person.offers, person.left = True, False

    def _leave(self, person: Person, reader: Reader, topic: Topic, n: int) -> None:
        assert withdrawal.unsubscribe(
            links.link_tokens().leave(links.row(reader), links.row(topic)).decode(), "one-click"
        )
        self._ended(person, [n])

    def _leave_all(self, person: Person, reader: Reader, topic: Topic, n: int) -> None:
        assert withdrawal.unsubscribe(
            links.link_tokens().leave(links.row(reader), ALL_TOPICS).decode(), "one-click"
        )
        self._ended(person, [0, 1])

    def _no_more_offers(self, person: Person, reader: Reader, topic: Topic, n: int) -> None:
        assert withdrawal.unsubscribe(
            links.link_tokens().leave(links.row(reader), OFFERS).decode(), "one-click"
        )
        person.offers = False
        self._settle(person)

    def _ended(self, person: Person, topics: list[int]) -> None:
        open_ = [n for n in topics if person.topics.get(n) in ("pending", "active")]
        for n in open_:
            person.topics[n] = "ended"
        if open_:
            self._settle(person)

    def _settle(self, person: Person) -> None:
        if not {"pending", "active"} & set(person.topics.values()):
            person.offers = False
            person.left = True

    def _import(self, person: Person, topic: Topic, n: int, _: bool) -> None:
        file = io.BytesIO(person.address.upper().encode())
        lists.import_readers(
            file,
            topic=topic,
            provenance="old list",
            progress=lambda position: None,
            consented_at=timezone.now(),
        )
        if not person.dead and not person.left and person.topics.get(n) in (None, "pending"):
            person.topics[n] = "active"

    def _bounce(self, person: Person, reader: Reader, topic: Topic, n: int) -> None:
        suppressing.suppress_readers([reader.pk], "bounced")
        person.dead = True

    def _complain(self, person: Person, reader: Reader, topic: Topic, n: int) -> None:
        suppressing.suppress_readers([reader.pk], "complained")
        person.dead = True

    def _erase(self, person: Person, reader: Reader, topic: Topic, n: int) -> None:
        erasure.erase(reader)
        self.people[next(name for name, one in self.people.items() if one is person)] = Person(
            person.address, dead=True
        )

    def _move(self, person: Person, reader: Reader, topic: Topic, n: int) -> None:
        self.moves += 1
        address = f"moved{self.moves}@reader.example"
        address_change.ask_new_address(reader, parse(address))
        letter = Letter.objects.filter(reader=reader, kind="new address", address=address).last()
        if letter is None or person.dead:
            # complained, or asked too often; one whose mail bounced may, but that is told elsewhere
            return
        assert (
            address_change.move(links.link_tokens().new_address(links.row(letter)).decode())
            is not None
        )
        person.address = address

    # -- on their terms ----------------------------------------------------------------------------

    def _digest(self, person: Person, reader: Reader, topic: Topic, n: int) -> None:
        preferences.choose(reader, PreferenceChoice(frequency="digest"))
        if not person.digest:
            person.digest, person.past = True, set()

    def _every(self, person: Person, reader: Reader, topic: Topic, n: int) -> None:
        preferences.choose(reader, PreferenceChoice())
        Reader.objects.filter(pk=reader.pk).update(summary_from_ms=None, summary_at_ms=None)
        person.digest = False

    def _pause(self, person: Person, reader: Reader, topic: Topic, n: int) -> None:
        preferences.pause_mail(reader, timezone.now() + timedelta(days=7))
        person.paused = True

    def _go_on(self, person: Person, reader: Reader, topic: Topic, n: int) -> None:
        preferences.pause_mail(reader, None)
        if person.paused:
            Reader.objects.filter(pk=reader.pk).update(
                paused_until=datetime.fromtimestamp(self.clock / 1000, UTC)
            )
            person.paused, person.paused_over = False, set(self.alerts)

    def _mute(self, person: Person, reader: Reader, topic: Topic, n: int) -> None:
        for pk, (_, alert) in list(self.alerts.items())[-1:]:
            stories.set_story_preference(reader, alert.update.story, "mute")
            person.muted.add(pk)

    def _unmute(self, person: Person, reader: Reader, topic: Topic, n: int) -> None:
        for pk in person.muted:
            stories.set_story_preference(reader, self.alerts[pk][1].update.story, None)
        person.muted = set()

    # -- what is sent ------------------------------------------------------------------------------

    def _cut_an_alert(self, topic: Topic, n: int) -> None:
        self._cut(topic, n)

    def _cut_an_offer(self, topic: Topic, n: int) -> None:
        self._cut(None, None)

    def _cut(self, topic: Topic | None, n: int | None) -> None:
        purpose = "alerts" if topic else "offers"
        story = Story.objects.create(
            headline="Bridge", text="-", author=self.ada, topic=topic, purpose=purpose
        )
        update = Update.objects.create(
            story=story,
            number=1,
            kind="update",
            headline="Bridge closed",
            text="It is.",
            language="en",
            author=self.ada,
            published_at=datetime.fromtimestamp(self.clock / 1000, UTC),
        )
        offer = topic is None
        alert = Alert.objects.create(
            update=update,
            topic=topic,
            audience="offers" if offer else "topic",
            lane="bulk" if offer else "alert",
            state="sending",
            sent_by=self.ada,
            frozen_at=timezone.now(),
            held_until_ms=self.clock,
            expires_at_ms=now_ms() + 3_600_000,
        )
        cut_from_start(alert)
        audience = {name for name, person in self.people.items() if person.gets(n)}
        cut = {
            name
            for name, person in self.people.items()
            if (one := person.reader()) and one.pk in states(alert)
        }
        assert cut == audience
        self.waiting.append(Cut(alert, n, audience))
        if n is not None:
            self.alerts[alert.pk] = n, alert

    def _send(self, topic: Topic, n: int) -> None:
        """Batches cut some steps ago: what counts is what holds now."""
        for cut in self.waiting:
            due = {name for name in cut.audience if self._due(self.people[name], cut)}
            release = prepared_alert(cut.alert)
            story = cut.alert.update.story_id
            release.alert = release.alert._replace(
                bulk=cut.topic is None, story=story, kind="update"
            )
            batch_runs = claim_batch_runs("one", release, limit=5)
            mailed: set[str] = set()
            for batch_run in list(batch_runs):
                write("one", [batch_run], ahead=50)
                while (mail := batch_run.take(A_RELAY)) is not None:
                    mailed.add(mail.recipient.decode().lower())
                    mail.settle(mail, TAKEN)
                write("one", [batch_run], ahead=50)
            assert mailed == {self.people[name].address for name in due}
            counts["alerts" if cut.topic is not None else "offers"] += len(mailed)
            counts["held back"] += len(cut.audience - due)
            Alert.objects.filter(pk=cut.alert.pk).update(state="sent")
            for name in cut.audience - due:
                self.people[name].held_back.add(cut.alert.pk)
        self.waiting = []

    def _due(self, person: Person, cut: Cut) -> bool:
        if not person.gets(cut.topic) or person.paused:
            return False
        return cut.topic is None or not (cut.alert.pk in person.muted or person.digest)

    def _tell(self, topic: Topic, n: int) -> None:
        """The digests of all who want them, now. An alert still to be sent is included."""
        Reader.objects.filter(frequency="digest").update(summary_at_ms=self.clock)
        digests.enqueue_due()
        Letter.objects.filter(bulk=True, state="waiting").update(due_at_ms=1)
        told = {
            job.address.lower(): set(job.updates)
            for job in letter_claims.claim_letters("one", 100, bulk=True)
        }
        Letter.objects.filter(bulk=True, state="waiting").update(state="accepted")
        for name, person in self.people.items():
            if not person.digest:
                assert person.address not in told
                continue
            open_ = person.held_back | {
                cut.alert.pk for cut in self.waiting if name in cut.audience
            }
            open_ = {pk for pk in open_ & set(self.alerts) if person.gets(self.alerts[pk][0])}
            open_ -= person.told | person.past | person.paused_over | person.muted
            if person.paused:
                open_ = set()
            assert told.get(person.address, set()) == {
                self.alerts[pk][1].update_id for pk in open_
            }, name
            counts["told"] += len(open_)
            person.told |= open_
            person.past = set(self.alerts)


@pytest.fixture
def patient() -> Iterator[None]:
    """Every letter is mailed at once, as often as it may."""
    with override_settings(
        MOREFOLLOWS=replace(
            settings.MOREFOLLOWS, confirmation_interval=0, confirmations_a_day=10_000
        )
    ):
        yield


def test_no_mail_without_consent_and_none_missing(newsroom: object, patient: None) -> None:
    counts.clear()
    _histories()
    assert (
        min(counts[what] for what in ("alerts", "offers", "held back", "told")) >= HISTORIES // 20
    ), counts


@seed(2026)
@hypothesis_settings(max_examples=HISTORIES, deadline=None, database=None, phases=[Phase.generate])
@given(history=st.lists(ONE_STEP, min_size=12, max_size=30))
def _histories(history: list[tuple[str, str, int]]) -> None:
    with transaction.atomic():
        both = History()
        for step, name, n in history:
            both.take(step, name, n)
        both.take("send", PEOPLE[0], 0)
        transaction.set_rollback(True)
