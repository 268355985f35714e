"""What one relay can't carry, another may: no SMTPUTF8, or a smaller limit for mails."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from morefollows.audience.models import Reader
from morefollows.courier.batch.settling import ReplySettling
from morefollows.courier.ledger import retries
from morefollows.courier.models import Outcome, ReplyCount
from morefollows.courier.sender.scheduler import Scheduler
from morefollows.stories.models import Alert
from tests.courier.relays.test_several_relays import at_work, times_taken
from tests.courier.sender import test_worker
from tests.courier.sender.test_worker import all_accepted, until
from tests.courier.support import alert_for, states
from tests.support.scripted_relay import Rule, Script, ScriptedRelay

pytestmark = pytest.mark.django_db(transaction=True)
newsroom = test_worker.newsroom

PLAIN = ("PIPELINING", "ENHANCEDSTATUSCODES")
UTF8 = (*PLAIN, "SMTPUTF8")


def international(readers: int, every: int = 1) -> Alert:
    """An alert to readers of whom each `every`th has an address with letters beyond ASCII."""
    alert = alert_for(readers)
    found = Reader.objects.filter(subscriptions__topic=alert.topic).order_by("pk")
    for reader in found[::every]:
        Reader.objects.filter(pk=reader.pk).update(address=reader.address.replace("cy", "zoë"))
    return alert


async def everybody(alert: Alert) -> None:
    await until(lambda: all_accepted(alert))


@pytest.mark.parametrize("chunking", [(), ("CHUNKING",)])
def test_a_relay_without_smtputf8_leaves_such_mails_to_one_that_has_it(
    tmp_path: Path, chunking: tuple[str, ...]
) -> None:
    alert = international(200, every=2)

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await everybody(alert)

    without, with_ = at_work(
        tmp_path, [Script(offers=(*PLAIN, *chunking)), Script(offers=(*UTF8, *chunking))], story
    )
    assert set(times_taken(without, with_).values()) == {1}
    assert without.taken  # the others go by either
    assert not ReplyCount.objects.filter(alert=alert).exists()


def test_a_relay_with_a_smaller_limit_leaves_mails_to_one_with_a_larger(tmp_path: Path) -> None:
    """Also where it says so only when it is given the mail."""
    alert = alert_for(90)

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await everybody(alert)

    small, strict, large = at_work(
        tmp_path,
        [
            Script(size=20),
            Script(rules=(Rule("mail", reply="552 5.3.4 message size exceeds fixed limit"),)),
            Script(size=10_000_000),
        ],
        story,
    )
    assert not small.taken
    assert not strict.taken
    assert set(times_taken(large).values()) == {1}


def test_what_no_relay_can_carry_is_refused(tmp_path: Path) -> None:
    alert = international(40, every=2)

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: sorted(Counter(states(alert).values()).items()) == [(1, 20), (3, 20)])

    at_work(tmp_path, [Script(offers=PLAIN), Script(offers=PLAIN)], story)
    found = ReplyCount.objects.get(alert=alert)
    assert (found.status, found.count) == ("5.6.7", 20)


def test_what_only_a_relay_that_is_away_can_carry_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is refused, nothing turns round and round, and it goes when that relay is back."""
    alert = international(40, every=2)
    tried: Counter[int] = Counter()
    judge = ReplySettling._left_to_another
    monkeypatch.setattr(
        ReplySettling,
        "_left_to_another",
        lambda self, mail, relay, reply: (
            tried.update([mail.ticket]) or judge(self, mail, relay, reply)
        ),
    )

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await relays[1].stop()
        await until(
            lambda: Counter(states(alert).values()) == {Outcome.ACCEPTED: 20, Outcome.DEFERRED: 20}
        )
        await asyncio.sleep(1)
        assert sum(tried.values()) <= 24  # and not again and again
        await relays[1].start_again()
        await everybody(alert)

    without, with_ = at_work(tmp_path, [Script(offers=PLAIN), Script(offers=UTF8)], story)
    assert len(without.taken) >= 20
    assert set(times_taken(without, with_).values()) == {1}


def test_what_waits_is_refused_when_that_relay_turns_out_not_to_carry_it_either(
    tmp_path: Path,
) -> None:
    alert = international(20)

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await relays[1].stop()
        await until(lambda: list(states(alert).values()).count(Outcome.DEFERRED) == 20)
        await relays[1].start_again()
        await until(lambda: list(states(alert).values()).count(Outcome.REFUSED) == 20)

    at_work(tmp_path, [Script(offers=PLAIN), Script(offers=PLAIN)], story)


def test_a_relay_for_other_mail_does_not_count(tmp_path: Path) -> None:
    alert = international(20)

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: list(states(alert).values()).count(Outcome.REFUSED) == 20)

    terms = ({"purpose": "alerts"}, {"purpose": "bulk"})
    at_work(tmp_path, [Script(offers=PLAIN), Script(offers=UTF8)], story, *terms)


def test_it_waits_without_its_round_when_many_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from morefollows.courier.sender import collector

    monkeypatch.setattr(collector, "_MOST_HELD", 0)
    monkeypatch.setattr(retries, "_MINUTES", (0.01,))
    alert = international(30)

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await relays[1].stop()
        await until(lambda: list(states(alert).values()).count(Outcome.DEFERRED) == 30)
        await asyncio.sleep(1.5)
        await relays[1].start_again()
        await everybody(alert)

    _, with_ = at_work(tmp_path, [Script(offers=PLAIN), Script(offers=UTF8)], story)
    assert set(times_taken(with_).values()) == {1}
