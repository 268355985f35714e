"""The ledger against a model with an editor: take back, pause, resume, stop, time to live, both
what is uncertain, and once more for those who failed. The workers learn of it late, as they do."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

from morefollows.accounts.models import Editor
from morefollows.courier import actions
from morefollows.courier.batch.prepared_alert import PreparedAlert
from morefollows.courier.ledger import claims, leases
from morefollows.courier.models import Batch, Outcome
from morefollows.courier.recipients.selection import load_recipients
from morefollows.courier.relays.interface import Reached, Reply
from morefollows.stories import actions as stories
from morefollows.stories.actions import ActionRefused, now_ms
from morefollows.stories.alerts import hold_actions, publication
from morefollows.stories.models import Alert, Update
from tests.courier.ledger.test_ledger_model import WORKERS, Newsroom, worker_names
from tests.courier.support import alert_for, audience, cut_all, prepared_alert, record, states
from tests.support import sandbox

some_mails = st.lists(st.booleans(), min_size=3, max_size=12)

OK = Reply(250, "2.0.0", "Ok", Reached.CONTENT)
HOUR = 3_600_000


class WithAnEditor(Newsroom):
    """As the newsroom, and Ada changes her mind."""

    @initialize(
        readers=st.integers(0, 25), repeat=st.booleans(), held=st.sampled_from((False, False, True))
    )
    def ada_sends(self, readers: int, repeat: bool, held: bool) -> None:
        self.alert = alert_for(readers, state="held" if held else "sending", expires_in=HOUR)
        Alert.objects.filter(pk=self.alert.pk).update(repeat=repeat)
        if not held:
            Update.objects.filter(alerts=self.alert).update(published_at=timezone.now())
        self.ada = Editor.objects.get(pk=self.alert.sent_by_id)
        self.repeat = repeat
        self.wanted = audience(self.alert)
        self.left: set[int] = set()
        self.taken: dict[int, int] = {}
        self.allowed: dict[int, int] = {}
        self.batch_runs = {worker: [] for worker in WORKERS}
        self.releases: dict[str, PreparedAlert | None] = dict.fromkeys(WORKERS)
        self.flights = []
        self.cut_some(3)

    def state(self) -> str:
        return Alert.objects.get(pk=self.alert.pk).state

    # -- the workers -------------------------------------------------------------------------------

    @rule(worker=worker_names)
    def look(self, worker: str) -> None:
        """`Scheduler._look`: drops alerts that have ended, and prepares the others again."""
        [running] = [one for one in claims.active_alerts() if one.id == self.alert.pk] or [None]
        release = self.releases[worker]
        if running is None:
            if release is not None:
                release.sending = False
            self.releases[worker] = None
            return
        if release is None:
            release = self.releases[worker] = prepared_alert(self.alert)
        release.alert = running
        release.sending = running.state == "sending"

    def prepared_alert(self, worker: str) -> PreparedAlert:
        release = self.releases[worker]
        assert release is not None
        return release

    @rule(worker=worker_names)
    def claim(self, worker: str) -> None:
        if self.releases[worker] is not None:
            super().claim(worker)

    @rule(worker=worker_names, ahead=st.integers(0, 12))
    def write(self, worker: str, ahead: int) -> None:
        """`Recorder.write`: also gives dropped batches back once nothing of them is in flight."""
        batch_runs = self.batch_runs[worker]
        entries = []
        for batch_run in batch_runs:
            dropped = batch_run.prepared is not self.releases[worker]
            if not dropped:
                batch_run.grant(ahead)
            give_up = dropped and not batch_run.mails.in_flight
            entries.append(
                (batch_run, batch_run.entry(worker, now_ms() + leases.claim_ms(), give_up=give_up))
            )
        record(batch_runs, entries)

    @rule(worker=worker_names, mails=some_mails)
    def work(self, worker: str, mails: list[bool]) -> None:
        """All steps up to mails in flight, as one rule: chance alone would seldom get there."""
        self.retries_fall_due()
        self.look(worker)
        self.the_hold_ends(worker)
        self.look(worker)
        self.claim(worker)
        self.write(worker, 12)
        self.hand_out(worker, mails)

    @rule(worker=worker_names)
    def look_readers_up(self, worker: str) -> None:
        for batch_run in self.batch_runs[worker]:
            asked = batch_run.waiting_for()
            batch_run.refresh(load_recipients(batch_run.prepared.alert, asked), asked)

    @rule(worker=worker_names)
    def kill(self, worker: str) -> None:
        super().kill(worker)
        self.releases[worker] = None

    @rule(worker=worker_names)
    def the_hold_ends(self, worker: str) -> None:
        """The sender's release and Ada's taking back race in the database: the first one wins."""
        still_to_come = Alert.objects.filter(
            pk=self.alert.pk, state="held", held_until_ms__gte=now_ms()
        )
        still_to_come.update(held_until_ms=now_ms() - 1)
        release = self.releases[worker]
        if release is not None:
            release.sending = (
                self.alert.pk in claims.record_outcomes([], release=self.alert.pk).sending
            )

    # -- the editor --------------------------------------------------------------------------------

    @rule(
        worker=worker_names,
        mails=some_mails,
        action=st.sampled_from([stories.pause, stories.resume]),
    )
    def ada_changes_her_mind(self, worker: str, mails: list[bool], action: Any) -> None:
        self.work(worker, mails)
        try:
            action(self.alert, self.ada)
        except ActionRefused:
            assert self.state() not in {"pause": ("held", "sending"), "resume": ("paused",)}.get(
                action.__name__, ()
            )

    @rule(worker=worker_names, mails=some_mails, really=st.integers(0, 3))
    def ada_stops_it(self, worker: str, mails: list[bool], really: int) -> None:
        self.work(worker, mails)
        if really == 3:  # or most stories would end here
            with contextlib.suppress(ActionRefused):
                stories.stop(self.alert, self.ada)

    @precondition(lambda self: self.state() in ("held", "paused"))
    @rule()
    def ada_takes_it_back(self) -> None:
        before = self.state()
        try:
            hold_actions.take_back(self.alert, self.ada)
        except ActionRefused:
            assert before != "held"
        else:
            assert not self.taken, "taken back, and yet mailed"

    @precondition(lambda self: not hasattr(self, "old"))
    @rule(worker=worker_names, mails=some_mails)
    def it_is_no_longer_news(self, worker: str, mails: list[bool]) -> None:
        self.work(worker, mails)
        self.old = True
        Alert.objects.filter(pk=self.alert.pk).update(
            held_until_ms=now_ms() - HOUR - 1, expires_at_ms=now_ms() - 1
        )

    @invariant()
    def nothing_leaves_before_the_hold_is_over(self) -> None:
        if hasattr(self, "alert") and Update.objects.get(alerts=self.alert).published_at is None:
            assert not self.taken

    # -- the end -----------------------------------------------------------------------------------

    def to_the_end(self) -> None:
        """One worker with a relay that takes everything, until nothing is due."""
        for _ in range(400):
            self.retries_fall_due()
            self.look("one")
            self.claim("one")
            if not self.batch_runs["one"]:
                return
            for batch_run in list(self.batch_runs["one"]):
                while batch_run in self.batch_runs["one"]:
                    self.look_readers_up("one")
                    self.write("one", 50)
                    while (mail := batch_run.take(self.relay)) is not None:
                        self.taken[self.reader(mail)] = self.taken.get(self.reader(mail), 0) + 1
                        mail.settle(mail, OK)
        raise AssertionError("it never ends")

    def check(self, *may_be: Outcome) -> None:
        found = states(self.alert)
        for reader, outcome in found.items():
            times = self.taken.get(self.number(reader), 0)
            if outcome == Outcome.ACCEPTED:
                assert times >= 1, "lost: the ledger says accepted, the relay never had it"
            elif outcome not in (Outcome.UNCERTAIN, Outcome.SKIPPED):
                assert times == 0, (
                    f"{Outcome(outcome).name}, and yet the relay took it: no correction would "
                    "reach it"
                )
            assert outcome in may_be or reader in self.left, Outcome(outcome).name
        self.repeats_only_what_was_uncertain()

    def teardown(self) -> None:
        if not hasattr(self, "alert"):
            return
        for worker in WORKERS:
            self.kill(worker)
        if self.state() in ("stopped", "taken back"):
            self.check(*Outcome)
            assert self.alert.pk not in [one.id for one in claims.active_alerts()]
            return
        cut_all(self.alert)
        if self.state() == "paused":
            stories.resume(self.alert, self.ada)
        if self.state() == "held":
            self.look("one")
            self.the_hold_ends("one")
        self.to_the_end()
        left_over = () if self.repeat else (Outcome.UNCERTAIN,)
        if hasattr(
            self, "old"
        ):  # also when it was resumed since: who had expired by then waits for a retry
            left_over = (Outcome.UNCERTAIN, Outcome.EXPIRED)
        self.check(Outcome.ACCEPTED, *left_over)
        assert set(states(self.alert)) | self.left >= self.wanted, "a reader is in no batch"
        for once_more in (actions.retry_failed, actions.repeat_uncertain):
            assert self.alert.pk in claims.complete()
            publication.finish(self.alert.pk, {})
            if once_more is actions.repeat_uncertain:
                for reader in self.taken:
                    self.allowed[reader] = self.allowed.get(reader, 0) + 1
            try:
                once_more(self.alert.pk, self.ada)
            except ActionRefused:
                Alert.objects.filter(pk=self.alert.pk).update(state="sending")
            self.to_the_end()
        self.check(Outcome.ACCEPTED)
        assert not Batch.objects.filter(alert=self.alert, due_at_ms__isnull=False).exists()


@pytest.mark.django_db
def test_whatever_the_editor_does_the_ledger_tells_the_truth() -> None:
    machine: Any = WithAnEditor
    with override_settings(MOREFOLLOWS=dataclasses.replace(settings.MOREFOLLOWS, batch_size=10)):
        run_state_machine_as_test(
            machine,
            settings=hypothesis_settings(
                max_examples=sandbox.examples(
                    60,
                ),
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
