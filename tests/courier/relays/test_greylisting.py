"""Greylisting providers and those with a rate limit, on a virtual clock."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from morefollows.courier.ledger import retries
from morefollows.courier.models import Outcome
from morefollows.courier.relays import provider_throttle as pacing_
from morefollows.courier.relays.interface import Reached, Reply
from morefollows.courier.relays.provider_throttle import RelayThrottle
from morefollows.courier.sender.scheduler import Scheduler
from morefollows.stories.models import Alert
from tests.courier.relays.test_relay_weights import Clock
from tests.courier.relays.test_several_relays import asked, at_work, times_taken
from tests.courier.relays.test_throttle import LATER, mixed
from tests.courier.sender import test_worker
from tests.courier.sender.test_worker import all_accepted, until
from tests.courier.support import alert_for, states
from tests.support.scripted_relay import Rule, Script, ScriptedRelay

newsroom = test_worker.newsroom

SAYS_NOTHING = Reply(450, "4.7.1", "try again later", Reached.RCPT)
SAYS_SO = Reply(451, "4.7.1", "Greylisted, see http://postgrey.example/", Reached.RCPT)


def watched(accepted: int, deferred: int) -> RelayThrottle:
    """A provider that has accepted and deferred so many mails, within a second."""
    clock = Clock()
    throttle = RelayThrottle(str, clock)
    throttle.deferred("big.example", LATER)
    for _ in range(accepted):
        throttle.accepted("big.example")
    for _ in range(deferred - 1):
        throttle.deferred("big.example", LATER)
    return throttle


@pytest.mark.parametrize(
    ("accepted", "deferred", "is_held_back"),
    [
        (0, 2, False),  # two deferrals are no reason
        (0, 3, True),
        (57, 3, True),  # one in twenty
        (58, 3, False),  # hardly less
        (95, 5, True),
        (96, 5, False),
    ],
)
def test_one_in_twenty_deferred_is_a_sign_if_there_are_three(
    accepted: int, deferred: int, is_held_back: bool
) -> None:
    assert bool(watched(accepted, deferred).held_back()) is is_held_back


class Greylister:
    """Accepts a recipient who comes back after so many seconds and tries, and defers all others."""

    def __init__(self, clock: Clock, after: float, says: Reply) -> None:
        self.clock, self.after, self.says = clock, after, says
        self.first: dict[int, float] = {}

    def takes(self, recipient: int) -> bool:
        return self.clock.time - self.first.setdefault(recipient, self.clock.time) >= self.after


def seconds_until_all_have_it(greylister: Greylister, readers: int = 3000) -> float:
    """A sender of 3,000 mails, 500/s, retried as `retries` says, those due longest first."""
    clock, throttle = greylister.clock, RelayThrottle(str, greylister.clock)
    fresh = list(range(readers))
    due: list[tuple[float, int]] = []
    tries: Counter[int] = Counter()
    turn = True
    accepted = 0
    began = clock.time
    while accepted < readers:
        clock.time += 0.02
        assert clock.time - began < 7200, f"{accepted} after two hours; {throttle.held_back()}"
        for _ in range(10):
            waiting = due and due[0][0] <= clock.time
            turn = not turn
            if not (waiting or fresh) or not throttle.may_mail("grey.example"):
                break
            recipient = due.pop(0)[1] if waiting and (turn or not fresh) else fresh.pop()
            if greylister.takes(recipient):
                accepted += 1
                throttle.accepted("grey.example", tries[recipient])
            else:
                throttle.deferred("grey.example", greylister.says, tries[recipient])
                tries[recipient] += 1
                due.append((clock.time + retries.wait_ms(tries[recipient], 1.0) / 1000, recipient))
                due.sort()
    return clock.time - began


@pytest.mark.parametrize(
    ("after", "says", "seconds"),
    [
        (30, SAYS_SO, 75),
        (30, SAYS_NOTHING, 300),  # found out by those who come back
        (30, Reply(450, "", "please try again later", Reached.RCPT), 300),
        (30, Reply(450, "4.2.0", "Greylisted", Reached.RCPT), 75),
        (300, SAYS_NOTHING, 1500),  # the first two retries are too early: 1 + 2 + 5 minutes, twice
    ],
)
def test_greylisting_costs_its_own_wait_and_little_more(
    after: float, says: Reply, seconds: float
) -> None:
    assert seconds_until_all_have_it(Greylister(Clock(), after, says)) < seconds


def test_a_provider_that_limits_the_rate_is_not_taken_for_one_that_greylists() -> None:
    """A provider takes ten mails a second, first tries and retries alike, and gives no reason."""
    clock = Clock()
    throttle = RelayThrottle(str, clock)
    credit, tries = 0.0, Counter[int]()
    queue = list(range(4000))
    offered = taken = 0
    for step in range(60_000):
        clock.time += 0.01
        credit = min(credit + 0.1, 1.0)
        for _ in range(5):
            if not queue or not throttle.may_mail("big.example"):
                break
            recipient = queue.pop(0) if step % 2 else queue.pop()
            offered += 1
            if credit >= 1:
                credit -= 1
                taken += 1
                throttle.accepted("big.example", tries[recipient])
            else:
                throttle.deferred("big.example", SAYS_NOTHING, tries[recipient])
                tries[recipient] += 1
                queue.insert(0, recipient)
    assert taken > 1000
    assert offered - taken < 0.4 * offered


def test_words_of_a_rate_are_a_sign_also_when_each_recipient_is_deferred_once() -> None:
    clock = Clock()
    throttle = RelayThrottle(str, clock)
    for recipient in range(40):
        clock.time += 0.01
        if throttle.may_mail("big.example"):
            throttle.deferred(
                "big.example",
                Reply(450, "4.7.1", "too many messages, slow down", Reached.RCPT),
                recipient % 2,
            )
    assert throttle.held_back()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "words", ["450 4.7.1 Recipient address rejected: Greylisted", "450 4.7.1 try again later"]
)
def test_three_thousand_readers_who_are_greylisted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    monkeypatch.setattr(retries, "_MINUTES", (0.05, 0.05))
    monkeypatch.setattr(
        pacing_, "_SLOWEST", 5.0
    )  # mails a second, so that finding out does not take a minute
    alert = alert_for(1500)

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        seen: set[bytes] = set()
        told = relays[0].rule

        def rule(at: str, line: bytes) -> Rule | None:
            if at == "rcpt" and line not in seen:
                seen.add(line)
                return Rule("rcpt", reply=words)
            return told(at, line)

        relays[0].rule = rule  # type: ignore[method-assign]
        await until(lambda: all_accepted(alert))

    (relay,) = at_work(tmp_path, [Script()], story)
    assert set(times_taken(relay).values()) == {1}


@pytest.mark.django_db(transaction=True)
def test_a_provider_that_is_held_back_keeps_nobody_of_its_batch_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One provider of each batch takes nothing; others greylist once, and their mail arrives."""
    monkeypatch.setattr(retries, "_MINUTES", (0.02, 60))
    pk, slow = mixed(300, 2)
    alert = Alert.objects.get(pk=pk)
    rules = (
        Rule("rcpt", match="slow.example", reply="451 4.7.1 too many messages, slow down"),
        Rule("rcpt", match="reader.example", reply="450 4.2.1 mailbox is busy", times=60),
    )

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(
            lambda: (
                len(now := states(alert)) == 300
                and {state for reader, state in now.items() if reader not in slow}
                == {Outcome.ACCEPTED}
            )
        )
        held = await asked(
            lambda: {state for reader, state in states(alert).items() if reader in slow}
        )
        assert held <= {
            Outcome.WAITING,
            Outcome.DEFERRED,
        }  # not all of them need have been tried by now

    (relay,) = at_work(tmp_path, [Script(rules=rules)], story)
    assert len(relay.taken) == 150
    assert set(times_taken(relay).values()) == {1}


@pytest.mark.django_db(transaction=True)
def test_who_has_waited_goes_before_who_was_never_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through a relay with a rate, a minute's wait would else become that of all mails before."""
    monkeypatch.setattr(retries, "_MINUTES", (0.02,))
    alert = alert_for(4000)

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: list(states(alert).values()).count(Outcome.DEFERRED) == 20)
        await asked(lambda: None)
        await until(lambda: len(relays[0].rcpts) > 20 and not _deferred(alert))
        assert len(relays[0].taken) < 3000

    def _deferred(alert: Alert) -> int:
        return list(states(alert).values()).count(Outcome.DEFERRED)

    rules = (Rule("rcpt", reply="450 4.2.1 mailbox is busy", times=20),)
    at_work(tmp_path, [Script(rules=rules)], story, {"rate": 150.0})
