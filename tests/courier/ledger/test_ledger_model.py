"""The ledger against a model: with workers, relay and crashes in any order, nothing is lost and
is sent twice but what was honestly uncertain."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from morefollows.audience.models import Subscription
from morefollows.courier.batch.batch_run import BatchRun
from morefollows.courier.batch.prepared_alert import PreparedAlert
from morefollows.courier.ledger import claims, recovery
from morefollows.courier.ledger.batching import cut_batches
from morefollows.courier.ledger.retries import MOST_COPIES
from morefollows.courier.models import Batch, Outcome
from morefollows.courier.relays.interface import Mail, Reached, Reply
from tests.courier.support import (
    StubRelay,
    alert_for,
    audience,
    claim_batch_runs,
    cut_all,
    lose_heartbeat,
    prepared_alert,
    states,
    write,
)
from tests.support import sandbox

WORKERS = ("one", "two", "three")
worker_names = st.sampled_from(WORKERS)

REFUSALS = st.sampled_from(
    [
        Reply(451, "4.3.0", "try later", Reached.RCPT),
        Reply(452, "4.2.2", "mailbox full", Reached.CONTENT),
        Reply(421, "4.3.2", "shutting down", Reached.RCPT),
        Reply(0, "", "", Reached.RELAY),
        Reply(554, "5.7.1", "not from you", Reached.MAIL),
    ]
)


class PatientRelay(StubRelay):
    def objected(self, domain: str, words: str, *, to_us: bool, fresh: bool = False) -> None:
        """What the desk makes of it is not the ledger's matter."""


class Newsroom(RuleBasedStateMachine):
    """Three workers, one relay that takes or refuses mails, and kill -9 at any moment."""

    relay = PatientRelay()
    repeat = True  # what is uncertain is sent again by itself

    @initialize(readers=st.integers(0, 35))
    def ada_sends(self, readers: int) -> None:
        self.alert = alert_for(readers)
        self.wanted = audience(self.alert)
        self.left: set[int] = set()
        self.taken: dict[int, int] = {}  # reader → how often the relay really took the mail
        self.allowed: dict[
            int, int
        ] = {}  # reader → how often it was uncertain, and so might be repeated
        self.release = prepared_alert(self.alert)
        self.batch_runs: dict[str, list[BatchRun]] = {worker: [] for worker in WORKERS}
        self.flights: list[tuple[str, Mail, bool]] = []

    def prepared_alert(self, worker: str) -> PreparedAlert:
        return self.release

    def reader(self, mail: Mail) -> int:
        return int(mail.recipient.split(b"@")[0][2:])

    @rule(batches=st.integers(1, 3))
    def cut_some(self, batches: int) -> None:
        cut_batches(self.alert.pk, batches)

    @rule(worker=worker_names)
    def claim(self, worker: str) -> None:
        batch_runs = claim_batch_runs(worker, self.prepared_alert(worker))
        for batch_run in batch_runs if self.repeat else ():
            for reader, outcome in zip(
                batch_run.claim.readers, batch_run.claim.outcomes, strict=True
            ):
                if outcome == Outcome.UNCERTAIN:
                    address = self.number(reader)
                    self.allowed[address] = self.allowed.get(address, 0) + 1
        self.batch_runs[worker] += batch_runs

    def number(self, reader: int) -> int:
        from morefollows.audience.models import Reader

        return int(Reader.objects.get(pk=reader).address.split("@")[0][2:])

    @rule(worker=worker_names, ahead=st.integers(0, 12))
    def write(self, worker: str, ahead: int) -> None:
        write(worker, self.batch_runs[worker], ahead=ahead)

    @rule(worker=worker_names, mails=st.lists(st.booleans(), min_size=1, max_size=12))
    def hand_out(self, worker: str, mails: list[bool]) -> None:
        """Mails go out; the relay takes each, or refuses it. No reply has come back yet."""
        for batch_run in self.batch_runs[worker]:
            while mails and (mail := batch_run.take(self.relay)) is not None:
                reader, taken_by_relay = self.reader(mail), mails.pop()
                if taken_by_relay:
                    self.taken[reader] = self.taken.get(reader, 0) + 1
                self.flights.append((worker, mail, taken_by_relay))

    @precondition(lambda self: self.flights)
    @rule(replies=st.lists(st.one_of(st.none(), REFUSALS), min_size=1, max_size=12))
    def answer(self, replies: list[Reply | None]) -> None:
        """Replies come in: the truth, or (None) nothing at all."""
        while replies and self.flights:
            _, mail, taken = self.flights.pop(len(self.flights) // 2)
            refusal = replies.pop()
            if refusal is None:
                mail.settle(mail, Reply(0, "", "connection lost", Reached.CONTENT))
                reader = self.reader(mail)
                self.allowed[reader] = self.allowed.get(reader, 0) + self.repeat
            else:
                mail.settle(mail, Reply(250, "2.0.0", "Ok", Reached.CONTENT) if taken else refusal)

    @rule(worker=worker_names)
    def kill(self, worker: str) -> None:
        """kill -9: what was in memory is gone; the supervisor frees the claims."""
        self.batch_runs[worker] = []
        self.flights = [flight for flight in self.flights if flight[0] != worker]
        recovery.release_claims(worker)

    @rule(sleeper=worker_names, other=worker_names, ahead=st.integers(0, 12))
    def stall(self, sleeper: str, other: str, ahead: int) -> None:
        """SIGSTOP past the claim's end: another takes over, and the sleeper wakes up later."""
        lose_heartbeat(sleeper)
        self.claim(other)
        self.write(other, ahead)

    @rule()
    def retries_fall_due(self) -> None:
        Batch.objects.filter(alert=self.alert, worker="", due_at_ms__isnull=False).update(
            due_at_ms=1
        )

    @precondition(lambda self: len(self.wanted) > 3)
    @rule(data=st.data())
    def a_reader_leaves(self, data: st.DataObject) -> None:
        reader = data.draw(st.sampled_from(sorted(self.wanted)))
        Subscription.objects.filter(reader=reader).update(state="ended")
        self.left.add(reader)

    @invariant()
    def repeats_only_what_was_uncertain(self) -> None:
        for reader, times in getattr(self, "taken", {}).items():
            assert times <= 1 + self.allowed.get(reader, 0), (
                f"reader {reader} was sent it {times} times"
            )

    def teardown(self) -> None:
        """At the end, with a relay that takes everything, each reader who wants it has the mail."""
        if not hasattr(self, "alert"):
            return
        for worker in WORKERS:
            self.kill(worker)
        cut_all(self.alert)
        for _ in range(400):
            self.retries_fall_due()
            self.claim("one")
            if not self.batch_runs["one"]:
                break
            for batch_run in list(self.batch_runs["one"]):
                while batch_run in self.batch_runs["one"]:
                    self.write("one", 50)
                    while (mail := batch_run.take(self.relay)) is not None:
                        self.taken[self.reader(mail)] = self.taken.get(self.reader(mail), 0) + 1
                        mail.settle(mail, Reply(250, "2.0.0", "Ok", Reached.CONTENT))
        found = states(self.alert)
        assert set(found) | self.left >= self.wanted, "a reader is in no batch"
        for reader in self.wanted:
            if reader not in self.left:
                if (
                    found[reader] == Outcome.UNCERTAIN
                ):  # as often as it may be repeated, there was no answer
                    assert self.allowed[self.number(reader)] >= MOST_COPIES
                    continue
                assert found[reader] == Outcome.ACCEPTED
                assert self.taken[self.number(reader)] >= 1, (
                    "lost: the ledger says accepted, the relay never had it"
                )
            elif found.get(reader) == Outcome.ACCEPTED:
                assert self.taken[self.number(reader)] >= 1
        self.repeats_only_what_was_uncertain()
        assert claims.complete().count(self.alert.pk) == 1


@pytest.mark.django_db
def test_nothing_is_lost_and_nothing_repeated_but_what_was_uncertain() -> None:
    machine: Any = Newsroom
    with override_settings(MOREFOLLOWS=dataclasses.replace(settings.MOREFOLLOWS, batch_size=10)):
        run_state_machine_as_test(
            machine,
            settings=hypothesis_settings(
                max_examples=sandbox.examples(
                    100,
                ),
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
