"""The lease rule: who holds a claim, who is dead, and a process with unknown claims."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
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

from morefollows.audience.models import Letter, Reader
from morefollows.courier import actions
from morefollows.courier.ledger import claims, leases, recovery
from morefollows.courier.ledger.leases import claim_ms
from morefollows.courier.models import Batch, SenderProcess
from morefollows.courier.outbox import letter_claims as letter_claims
from morefollows.desk import sender_trouble
from morefollows.nodes import identity
from morefollows.nodes.identity import Process
from morefollows.stories.actions import now_ms
from tests.courier.support import alert_for, cut_from_start
from tests.support import sandbox

pytestmark = pytest.mark.django_db

_NUMBERS = (1, 2)


@pytest.fixture(autouse=True)
def small_batches(settings: Any) -> None:
    settings.MOREFOLLOWS = dataclasses.replace(settings.MOREFOLLOWS, batch_size=10)


def process(name: str, **facts: Any) -> Process:
    return Process(
        **{"name": name, "node": "n", "number": 1, "place": "here", "pid": "", "host": "h", **facts}
    )


def letter(**facts: Any) -> Letter:
    topic = alert_for(1).topic
    reader = Reader.objects.get(subscriptions__topic=topic)
    facts = {"kind": Letter.Kind.THANKS, "created_at": timezone.now(), "due_at_ms": 1, **facts}
    return Letter.objects.create(reader=reader, topic=topic, **facts)


# -- who is who ------------------------------------------------------------------------------------


def test_each_start_of_a_process_has_a_name_of_its_own(tmp_path: Path) -> None:
    one, again = identity.this_process(tmp_path, 1), identity.this_process(tmp_path, 1)
    other = identity.this_process(tmp_path / "other", 1)
    assert one.name != again.name and one.label == again.label and one.place == again.place
    assert len({one.node, other.node}) == 2 and len({one.place, other.place}) == 2
    assert max(map(len, (one.name, one.label))) <= 40


def test_a_copy_of_the_data_folder_is_another_place(tmp_path: Path) -> None:
    node = identity.node_id(tmp_path / "one")
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "node").write_text(node + "\n")
    assert identity.node_id(tmp_path / "copy") == node
    assert identity.place(tmp_path / "copy") != identity.place(tmp_path / "one")


def test_only_the_dead_of_this_place_are_known_at_once() -> None:
    living, dead = (
        f"{identity._pid_namespace()}:{os.getpid()}",
        f"{identity._pid_namespace()}:{2**22 + 1}",
    )
    leases.begin(process("elsewhere", place="there", pid=dead))
    leases.begin(process("living", pid=living))
    leases.begin(process("second", number=2, pid=living))
    leases.begin(process("dead", pid=dead))
    assert set(leases.dead_here("here", alone=False)) == {"dead"}
    assert set(leases.dead_here("here", alone=True)) == {"living", "second", "dead"}
    assert leases.dead_here("here", number=2, alone=True) == ["second"]


def test_who_lives_is_not_called_dead_and_who_is_silent_is() -> None:
    for name in ("living", "silent", "writing"):
        leases.begin(process(name))
    long_ago = now_ms() - claim_ms() - 1
    SenderProcess.objects.exclude(name="living").update(seen_at_ms=long_ago)
    alert = alert_for(60)
    cut_from_start(alert)
    for name in ("living", "writing", "unknown"):
        assert claims.claim_batches(name, alert.pk, 1)
    Batch.objects.exclude(worker="writing").exclude(worker="").update(due_at_ms=1)
    assert leases.long_dead() == [
        "silent",
        "unknown",
    ]  # "writing" has written just now that its claim goes on
    actions.note_deaths(leases.long_dead())
    assert set(Batch.objects.exclude(worker="").values_list("worker", flat=True)) == {
        "living",
        "writing",
    }


def test_who_wakes_up_before_its_claims_are_released_keeps_them() -> None:
    """A stopped process may go on between being judged dead and the release."""
    leases.begin(process("slow"))
    SenderProcess.objects.update(seen_at_ms=1)
    alert = alert_for(60)
    cut_from_start(alert)
    assert claims.claim_batches("slow", alert.pk, 1)
    letter()
    [held] = letter_claims.claim_letters("slow", 5)
    Batch.objects.filter(worker="slow").update(due_at_ms=1)
    [dead] = leases.long_dead()
    leases.beat(process("slow"))
    actions.note_deaths([dead], have_ended=False)
    assert Batch.objects.filter(worker="slow").count() == 1
    assert Letter.objects.get(pk=held.letter).worker == "slow"
    assert SenderProcess.objects.filter(name="slow").exists()
    # Without a heartbeat, what it has renewed stays its own.
    SenderProcess.objects.update(seen_at_ms=1)
    Batch.objects.filter(worker="slow").update(due_at_ms=now_ms() + 60_000)
    actions.note_deaths([dead], have_ended=False)
    assert Batch.objects.filter(worker="slow").count() == 1
    actions.note_deaths([dead])
    assert not Batch.objects.filter(worker="slow").exists()


def test_marks_are_read_when_the_claims_have_changed_hands() -> None:
    """Read before, they would lack what a slow process handed out until then."""
    alert = alert_for(60)
    cut_from_start(alert)
    assert claims.claim_batches("slow", alert.pk, 1)
    seen: list[int] = []

    def read() -> None:
        seen.append(Batch.objects.filter(worker="slow").count())

    recovery.release_claims("slow", read)
    assert seen == [0]


def test_a_letter_that_another_has_is_not_looked_up_again() -> None:
    letter()
    [slow] = letter_claims.claim_letters("slow", 5)
    actions.note_deaths(["slow"])
    [quick] = letter_claims.claim_letters("quick", 5)
    assert letter_claims.look_again([slow]) == {}
    assert list(letter_claims.look_again([quick])) == [quick.letter]


def test_a_heartbeat_makes_a_lost_row_again() -> None:
    leases.beat(process("one"))
    assert SenderProcess.objects.get(name="one").seen_at_ms > now_ms() - 5000


# -- letters ---------------------------------------------------------------------------------------


def test_a_late_word_does_not_overwrite_what_the_next_sender_wrote() -> None:
    owed_correction = letter()
    [slow] = letter_claims.claim_letters("slow", 5)
    actions.note_deaths(["slow"])
    [quick] = letter_claims.claim_letters("quick", 5)
    assert (
        letter_claims.record_results([letter_claims.LetterResult(quick, Letter.State.ACCEPTED, 1)])
        == 0
    )
    assert (
        letter_claims.record_results([letter_claims.LetterResult(slow, Letter.State.WAITING, 1)])
        == 1
    ), "the loss is noticed"
    assert Letter.objects.get(pk=owed_correction.pk).state == Letter.State.ACCEPTED
    assert letter_claims.claim_letters("third", 5) == []


def test_a_letter_that_is_claimed_is_nobody_elses() -> None:
    letter()
    assert len(letter_claims.claim_letters("one", 5)) == 1
    assert (
        letter_claims.claim_letters("two", 5) == [] and letter_claims.claim_letters("one", 5) == []
    )


def test_what_a_process_claimed_and_does_not_know_of_is_given_back() -> None:
    owed_correction, known = letter(), letter()
    alert = alert_for(60)
    cut_from_start(alert)
    letter_claims.claim_letters("one", 5)
    [lost] = claims.claim_batches("one", alert.pk, 1)
    [mine] = claims.claim_batches("one", alert.pk, 1)
    assert leases.release_strays("one", {mine.batch}, {known.pk}) == 2
    assert list(Letter.objects.filter(worker="one").values_list("pk", flat=True)) == [known.pk]
    assert list(Batch.objects.filter(worker="one").values_list("pk", flat=True)) == [mine.batch]
    assert [job.letter for job in letter_claims.claim_letters("two", 5)] == [owed_correction.pk]
    assert lost.batch in {claim.batch for claim in claims.claim_batches("two", alert.pk, 50)}


# -- all of it, in any order -----------------------------------------------------------------------


class TwoNodes(RuleBasedStateMachine):
    """Processes of two nodes claim, hand out, record late, die and stall, on a running clock.

    Nobody's accepted mail is handed out again unless its holder was dead; a write that comes too
    late changes nothing.
    """

    @initialize()
    def begin(self) -> None:
        for model in (Letter, Batch, SenderProcess):
            model.objects.all().delete()
        self.alert = alert_for(40)
        cut_from_start(self.alert)
        self.letters = {letter().pk for _ in range(4)}
        self.process: dict[int, str] = {}
        self.jobs: dict[str, list[letter_claims.ClaimedLetter]] = {}
        self.claims: dict[str, list[claims.Claim]] = {}
        self.accepted: set[int] = set()
        self.starts = 0
        for number in _NUMBERS:
            self.start(number)

    def start(self, number: int) -> None:
        self.starts += 1
        name = f"node{number}.{self.starts}/1"
        self.process[number] = name
        self.jobs[name], self.claims[name] = [], []
        leases.begin(process(name, place=f"place{number}"))

    @rule(number=st.sampled_from(_NUMBERS))
    def claim(self, number: int) -> None:
        name = self.process[number]
        held = {
            job.letter for other, jobs in self.jobs.items() if self.holds(other) for job in jobs
        }
        jobs = letter_claims.claim_letters(name, 2)
        assert not held & {job.letter for job in jobs}, "two living processes hold one letter"
        assert not self.accepted & {job.letter for job in jobs}, "claimed, though accepted"
        self.jobs[name] += jobs
        self.claims[name] += claims.claim_batches(name, self.alert.pk, 1)

    def holds(self, name: str) -> bool:
        return SenderProcess.objects.filter(name=name).exists()

    @rule(number=st.sampled_from(_NUMBERS), old=st.booleans())
    def record(self, number: int, old: bool) -> None:
        """By this process, or by one before it that was only thought dead."""
        names = [name for name in self.jobs if name.startswith(f"node{number}.")]
        name = names[0] if old else self.process[number]
        for job in self.jobs[name]:
            state = Letter.State.ACCEPTED if name == self.process[number] else Letter.State.WAITING
            lost = letter_claims.record_results([letter_claims.LetterResult(job, state, 1)])
            now = Letter.objects.get(pk=job.letter)
            if not lost and state == Letter.State.ACCEPTED:
                self.accepted.add(job.letter)
            assert now.state == Letter.State.ACCEPTED or job.letter not in self.accepted
        self.jobs[name] = []

    @rule(number=st.sampled_from(_NUMBERS))
    def beat(self, number: int) -> None:
        if self.holds(self.process[number]):
            leases.beat(process(self.process[number], place=f"place{number}"))

    @rule(number=st.sampled_from(_NUMBERS))
    def dies_and_is_started_again(self, number: int) -> None:
        """Its claims are free at once, or when they end if it was taken for dead and has no row."""
        before = {name: self.held(name) for name in self.process.values()}
        mine = self.process[number]
        registered = self.holds(mine)
        actions.note_deaths(leases.dead_here(f"place{number}", alone=True))
        for other, name in self.process.items():
            if other != number:
                assert self.held(name) == before[name], "another node was robbed"
        if not registered:
            Batch.objects.filter(worker=mine).update(due_at_ms=1)
            actions.note_deaths([name for name in leases.long_dead() if name == mine])
        assert self.held(mine) == 0
        self.start(number)

    @rule(number=st.sampled_from(_NUMBERS))
    def lose_heartbeat(self, number: int) -> None:
        """It is taken for dead by the other, works on all the same, and is too late."""
        name = self.process[number]
        SenderProcess.objects.filter(name=name).update(seen_at_ms=1)
        Batch.objects.filter(worker=name).update(due_at_ms=1)

    @rule()
    def the_dead_are_buried(self) -> None:
        alive = set(
            SenderProcess.objects.filter(seen_at_ms__gt=now_ms() - claim_ms()).values_list(
                "name", flat=True
            )
        )
        before = {name: self.held(name) for name in alive}
        actions.note_deaths(leases.long_dead())
        assert {name: self.held(name) for name in alive} == before, "a living one was robbed"

    @rule(number=st.sampled_from(_NUMBERS), forgets=st.booleans())
    def reconciles(self, number: int, forgets: bool) -> None:
        name = self.process[number]
        if forgets:  # the answer to its claims was lost
            self.jobs[name], self.claims[name] = [], []
        known = {job.letter for job in self.jobs[name]}
        batches = {claim.batch for claim in self.claims[name]}
        leases.release_strays(name, batches, known)
        assert set(Letter.objects.filter(worker=name).values_list("pk", flat=True)) <= known
        assert set(Batch.objects.filter(worker=name).values_list("pk", flat=True)) <= batches

    def held(self, name: str) -> int:
        return (
            Letter.objects.filter(worker=name).count() + Batch.objects.filter(worker=name).count()
        )

    @invariant()
    def what_was_accepted_stays_so(self) -> None:
        if getattr(self, "accepted", None):
            states = set(
                Letter.objects.filter(pk__in=self.accepted).values_list("state", flat=True)
            )
            assert states == {Letter.State.ACCEPTED}


def test_whatever_two_nodes_do_nobody_is_robbed() -> None:
    machine: Any = TwoNodes
    run_state_machine_as_test(
        machine,
        settings=hypothesis_settings(
            max_examples=sandbox.examples(40),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


# -- what the desk is told -------------------------------------------------------------------------


def test_the_desk_is_told_what_holds_senders_up() -> None:
    assert sender_trouble.trouble() == []
    leases.begin(process("one"))
    leases.beat(process("one"))
    assert sender_trouble.trouble() == []
    leases.beat(
        process("one"),
        40_500,
        now_ms() - 41_000,
        "PostgreSQL session 7 (admin, psql), idle for 60 s",
    )
    lock, clock = sender_trouble.trouble()
    assert lock == (
        "The database has been locked for 41 s by PostgreSQL session 7 (admin, psql), idle for 60 "
        "s. Some mail waits."
    )
    assert clock.startswith("The clock of h is 40 s off")
    SenderProcess.objects.update(seen_at_ms=now_ms() - 30_500)
    [silent] = sender_trouble.trouble()
    assert silent.startswith("No sender has written to the database for 30 s")
    leases.begin(process("two", number=2))
    assert sender_trouble.trouble() == []
