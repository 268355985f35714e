"""The states of a batch's mails: each write is in the table, each mail in its state's queue."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import pytest
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

from morefollows.courier.batch import batch_mails, batch_run, mail_states
from morefollows.courier.batch.batch_run import BatchRun
from morefollows.courier.batch.mail_states import DOUBT, STATE, TABLE, State
from morefollows.courier.batch.prepared_alert import PreparedAlert
from morefollows.courier.ledger import outcomes
from morefollows.courier.ledger.claims import NEVER, ActiveAlert, Claim
from morefollows.courier.ledger.handed_out import HANDED_OUT
from morefollows.courier.models import Outcome
from morefollows.courier.recipients.selection import Recipient
from morefollows.courier.relays.interface import Carriers, Mail, Reached, Reply
from morefollows.courier.relays.provider_throttle import RelayThrottle
from morefollows.stories.actions import now_ms
from tests.courier.support import StubRelay

MAILS = 8
_seen: set[tuple[State, State]] = set()


class WatchedStates(bytearray):
    """The array of states: each write is held against both tables."""

    def __setitem__(self, place: Any, new: Any) -> None:
        old = self[place]
        before, after = State(old & STATE), State(new & STATE)
        assert mail_states.allowed(old, new), f"{before.name} became {after.name}"
        was, is_ = mail_states.outcomes(bytearray([old, new]))
        assert outcomes.allowed(was, is_), f"{Outcome(was).name} became {Outcome(is_).name}"
        if before != after:
            _seen.add((before, after))
        super().__setitem__(place, new)


class Throttled(RelayThrottle):
    """Lets no mail to its provider leave while it is `full`."""

    full = False

    def may_mail(self, domain: str) -> bool:
        return not self.full


class Relay(StubRelay):
    """`others`: whether another relay can carry what this one can't."""

    def __init__(self) -> None:
        self.throttle = Throttled(str)
        self.throttle.paces = cast(Any, {"reader.example": None})
        self.can: Carriers = "none"

    def others(self, *mail: object) -> Carriers:
        return self.can

    def objected(self, domain: str, words: str, *, to_us: bool, fresh: bool = False) -> None:
        """What the desk makes of it is not the batch's matter."""


REPLIES = st.sampled_from(
    [
        Reply(250, "2.0.0", "Ok", Reached.CONTENT),
        Reply(451, "4.3.0", "try later", Reached.RCPT),
        Reply(550, "5.1.1", "nobody here", Reached.RCPT),
        Reply(554, "5.7.1", "not from you", Reached.MAIL),
        Reply(0, "", "", Reached.RELAY),
        Reply(0, "", "", Reached.QUEUED),
        Reply(0, "", "", Reached.BEHIND),
        Reply(0, "", "", Reached.CONTENT),
        Reply(553, "5.6.7", "no SMTPUTF8 here", Reached.ENVELOPE),
    ]
)
OUTCOMES = st.sampled_from([Outcome.WAITING] * 3 + [Outcome.DEFERRED, Outcome.UNCERTAIN])


def one_batch(
    claimed: list[int], *, repeat: bool = True, render: Callable[[Any], Any] = lambda values: values
) -> BatchRun:
    """A claimed batch with these outcomes, of which nothing is allowed yet."""
    now = now_ms()
    alert = ActiveAlert(1, "sending", 1, now, now + 3_600_000, True, repeat=repeat)
    prepared = PreparedAlert(
        alert,
        renderers={"en": render},
        fill=lambda readers: [(b"", [recipient]) for _, recipient, _ in readers],
        on_put_back=lambda: None,
    )
    prepared.sending = True
    times = array("I", [NEVER] * MAILS)
    found = Claim(1, 1, 1, array("q", range(MAILS)), bytearray(claimed), times, 0, 0)
    return BatchRun(found, {i: reader(i) for i in range(MAILS)}, prepared)


def reader(i: int, later: bool = False) -> Recipient:
    return Recipient("mail", f"cy{i}@reader.example", "reader.example", "en", 1, b"", later)


class OneBatch(RuleBasedStateMachine):
    """One claimed batch, and all that the scheduler, the recorder and relays do with it."""

    @initialize(claimed=st.lists(OUTCOMES, min_size=MAILS, max_size=MAILS), repeat=st.booleans())
    def claim(self, claimed: list[int], repeat: bool) -> None:
        self.relay = Relay()
        self.flights: list[Mail] = []
        self.entries: list[Any] = []
        self.batch = one_batch(claimed, repeat=repeat)
        self.prepared = self.batch.prepared

    @rule(mails=st.integers(1, MAILS), full=st.booleans())
    def work(self, mails: int, full: bool) -> None:
        """All that leads to mails in flight; chance alone would seldom walk there."""
        self.waiting_ends(MAILS, "ready")
        while self.entries:
            self.write_ends()
        self.write_begins(MAILS)
        self.write_ends()
        self.hand_out(mails, full)

    @rule(mails=st.integers(0, MAILS), full=st.booleans())
    def hand_out(self, mails: int, full: bool) -> None:
        self.relay.throttle.full = full
        for _ in range(mails):
            if (mail := self.batch.take(self.relay)) is not None:
                assert mail.ticket < self.batch.handed_out_to
                self.flights.append(mail)

    @rule(
        replies=st.lists(REPLIES, min_size=1, max_size=MAILS),
        can=st.sampled_from(["none", "later", "ready"]),
    )
    def answer(self, replies: list[Reply], can: Carriers) -> None:
        self.relay.can = can
        for reply in replies:
            if self.flights:
                mail = self.flights.pop(len(self.flights) // 2)
                mail.settle(mail, reply)

    @rule(ahead=st.integers(0, MAILS))
    def write_begins(self, ahead: int) -> None:
        self.batch.grant(ahead)
        self.entries.append(self.batch.entry("one", now_ms() + 60_000))

    @rule()
    def write_ends(self) -> None:
        if self.entries:
            self.batch.written(self.entries.pop(0)._replace(due_at_ms=now_ms() + 60_000))

    @rule(room=st.integers(0, MAILS), can=st.sampled_from(["none", "later", "ready"]))
    def waiting_ends(self, room: int, can: Carriers) -> None:
        self.batch.bring_back(lambda provider: room, Counter(), lambda *mail: can)

    @rule()
    def retries_fall_due(self) -> None:
        self.batch.mails.all_due()

    @rule()
    def waited_too_long(self) -> None:
        if self.batch.mails.only_set_aside:
            self.batch.give_up_waiting()

    @rule(gone=st.sets(st.integers(0, MAILS - 1), max_size=2), later=st.booleans())
    def readers_change(self, gone: set[int], later: bool) -> None:
        asked = self.batch.waiting_for()
        found = {i: reader(i, later and i == 0) for i in asked if i not in gone}
        self.batch.refresh(found, asked)

    @rule(chance=st.integers(0, 5))
    def time_to_live_ends(self, chance: int) -> None:
        if not chance:
            self.prepared.alert = self.prepared.alert._replace(expires_at_ms=now_ms() - 1)

    @rule(on=st.booleans())
    def brake(self, on: bool) -> None:
        self.prepared.answers.on = {("relay", self.relay.name)} if on else set()
        self.batch.replies.take_back()

    @invariant()
    def each_mail_is_where_its_state_says(self) -> None:
        if not hasattr(self, "batch"):
            return
        mails = self.batch.mails
        where: dict[State, list[int]] = {
            State.READY: list(mails.ready),
            State.RETURNING: mails.returning,
            State.IN_WRITE: mails.in_write,
            State.LATER: list(mails.later),
            State.FOR_PROVIDER: [i for shelf in mails.shelves.values() for i in shelf],
            State.HANDED_OUT: [mail.ticket for mail in self.flights],
        }
        for state, found in where.items():
            expected = [i for i, byte in enumerate(mails.states) if byte & STATE == state]
            assert sorted(found) == expected, state.name
        assert mails.in_flight == len(self.flights)
        final = {State.ACCEPTED, State.SKIPPED, State.EXPIRED}
        assert not any(byte & DOUBT and byte & STATE in final for byte in mails.states)


def test_each_change_is_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_mails, "bytearray", WatchedStates, raising=False)
    _seen.clear()
    machine: Any = OneBatch
    run_state_machine_as_test(
        machine,
        settings=hypothesis_settings(
            max_examples=150,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    rows = {(source, row.target) for row in TABLE for source in row.sources}
    assert rows >= _seen
    assert len(_seen) >= 15, "the machine walks through most of the table"


def test_a_mail_is_settled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = OneBatch()
    machine.claim([Outcome.WAITING] * MAILS, True)
    machine.write_begins(MAILS)
    machine.write_ends()
    machine.hand_out(1, False)
    [mail] = machine.flights
    accepted = Reply(250, "2.0.0", "Ok", Reached.CONTENT)
    mail.settle(mail, accepted)
    with pytest.raises(RuntimeError, match="ACCEPTED"):
        mail.settle(mail, accepted)


def test_final_states_stay() -> None:
    for final in (State.ACCEPTED, State.SKIPPED, State.EXPIRED, State.UNCERTAIN, State.IN_DIGEST):
        assert [other for other in State if mail_states.allowed(final, other)] == [final]


def test_a_sender_stopped_while_it_renders_hands_out_nothing_under_a_claim_that_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another sender may have the batch by then, and knows nothing of this mail."""
    stopped = 0.0

    def render(values: Any) -> Any:
        nonlocal stopped
        stopped = 60.0
        return values

    running = batch_run.uptime
    monkeypatch.setattr(batch_run, "uptime", lambda: running() + stopped)
    batch = one_batch([Outcome.WAITING] * MAILS, render=render)
    batch.grant(MAILS)
    batch.written(batch.entry("one", now_ms() + 5_000))
    assert batch.take(Relay()) is None
    assert HANDED_OUT not in list(batch.mails.marks)
    batch.renewed(now_ms() + 120_000)  # it was its own still
    mails = [batch.take(Relay()) for _ in range(MAILS)]
    assert [mail and mail.ticket for mail in mails] == list(range(MAILS))


def test_a_mail_has_its_mark_before_the_claim_is_checked_for_the_last_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopped between the two, the process leaves a mark that the next sender can read."""
    batch = one_batch([Outcome.WAITING] * MAILS)
    batch.grant(1)
    batch.written(batch.entry("one", now_ms() + 60_000))
    seen, check = [], batch._is_ours
    monkeypatch.setattr(
        batch, "_is_ours", lambda now: seen.append(batch.mails.marks[0]) or check(now)
    )
    assert batch.take(Relay()) is not None
    assert seen == [HANDED_OUT]


def test_an_envelope_that_went_ahead_of_a_stop_is_not_followed_by_its_content(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever took the batch over saw that the content had not been sent, and sends it."""
    stopped = 0.0
    running = batch_run.uptime
    monkeypatch.setattr(batch_run, "uptime", lambda: running() + stopped)
    batch = one_batch([Outcome.WAITING] * MAILS)
    batch.grant(2)
    batch.written(batch.entry("one", now_ms() + 5_000))
    first, second = batch.take(Relay()), batch.take(Relay())
    assert first is not None and first.hand_over is not None and second is not None
    first.hand_over(0, False)
    assert first.hand_over(0, True), "nothing has happened"
    first.hand_over(1, False)
    stopped = 60.0
    assert not first.hand_over(1, True)
