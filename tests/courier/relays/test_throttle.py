"""Throttling of providers that defer, on a virtual clock, without delay for other mail."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from morefollows.audience.models import Reader
from morefollows.courier.models import Outcome, ReplyCount
from morefollows.courier.relays.interface import Reached, Reply
from morefollows.courier.relays.provider_throttle import RelayThrottle
from morefollows.courier.relays.providers import Providers
from morefollows.courier.sender import collector
from morefollows.courier.sender.scheduler import Scheduler
from tests.courier.relays.test_relay_weights import Clock
from tests.courier.relays.test_several_relays import asked, at_work, times_taken
from tests.courier.sender import test_worker
from tests.courier.sender.test_worker import all_accepted, until
from tests.courier.support import alert_for, states
from tests.support.scripted_relay import Rule, Script, ScriptedRelay
from tests.support.waiting import PATIENCE

newsroom = test_worker.newsroom

LATER = Reply(451, "4.7.1", "too many, come back later", Reached.ENVELOPE)
FULL = Reply(452, "4.2.2", "mailbox full", Reached.ENVELOPE)
RATE_LIMIT = Reply(421, "4.7.28", "unusual rate of mail", Reached.ENVELOPE)
TSS04 = Reply(421, "4.7.0", "[TSS04] Messages temporarily deferred", Reached.ENVELOPE)


def mailed(
    throttle: RelayThrottle, clock: Clock, seconds: float, takes: float, domain: str = "big.example"
) -> int:
    """A provider that takes so many mails a second and defers the rest. How many it took."""
    taken = offered = 0
    step, credit = 0.01, 0.0
    for _ in range(int(seconds / step)):
        clock.time += step
        credit = min(credit + takes * step, max(1.0, takes / 10))
        while offered < 100_000 and throttle.may_mail(domain):
            offered += 1
            if credit >= 1:
                credit -= 1
                taken += 1
                throttle.accepted(domain)
            else:
                throttle.deferred(domain, LATER)
            if offered % 20 == 0:
                break  # as many as are in flight
    return taken


def rate_of(throttle: RelayThrottle) -> float:
    (paced,) = throttle.held_back()
    return paced.rate


def test_the_rate_settles_near_what_the_provider_takes() -> None:
    clock = Clock()
    throttle = RelayThrottle(str, clock)
    mailed(throttle, clock, 20, takes=50)
    taken = mailed(throttle, clock, 60, takes=50)
    assert 0.5 * 50 * 60 < taken <= 50 * 60 * 1.05


def test_one_that_takes_nothing_is_asked_now_and_then_and_found_well_again() -> None:
    clock = Clock()
    throttle = RelayThrottle(str, clock)
    mailed(throttle, clock, 30, takes=0)
    assert rate_of(throttle) == 0.1
    assert throttle.may_mail("other.example")
    mailed(throttle, clock, 70, takes=10_000)
    assert not throttle.held_back()
    assert not throttle.paces  # and it costs nothing any more


def test_a_few_deferrals_among_many_and_full_mailboxes_are_no_sign() -> None:
    clock = Clock()
    throttle = RelayThrottle(str, clock)
    for n in range(2000):
        clock.time += 0.001
        assert throttle.may_mail("big.example")
        if n % 50:
            throttle.accepted("big.example")
        else:
            throttle.deferred("big.example", LATER)
        throttle.deferred("big.example", FULL)
    assert not throttle.held_back()


@pytest.mark.parametrize(("reply", "seconds"), [(RATE_LIMIT, 60), (TSS04, 7200)])
def test_some_replies_ask_for_a_pause(reply: Reply, seconds: int) -> None:
    clock = Clock()
    throttle = RelayThrottle(str, clock)
    throttle.deferred("big.example", reply)
    clock.time += seconds - 1
    assert not throttle.may_mail("big.example")
    assert throttle.allowance("big.example", 0.5) == 0
    clock.time += 2
    assert throttle.may_mail("big.example")


def test_domains_are_looked_up_in_the_background_and_then_paced_together() -> None:
    answer = threading.Event()

    def hosts(domain: str) -> list[str]:
        assert answer.wait(PATIENCE)
        if domain == "lost.example":
            raise OSError("no answer")
        return ["mx.big.example"]

    async def work() -> None:
        providers = Providers(hosts)
        throttle = RelayThrottle(providers.of)
        for _ in range(3):
            throttle.deferred("firm.example", LATER)
        assert not throttle.may_mail("firm.example") or not throttle.may_mail("firm.example")
        assert throttle.may_mail("other.example")  # nobody knows yet that they are one
        assert throttle.may_mail("lost.example")
        answer.set()
        async with asyncio.timeout(PATIENCE):
            while {providers.known(name) for name in ("firm.example", "other.example")} != {
                "big.example"
            }:
                await asyncio.sleep(0.01)
        throttle.may_mail("firm.example")
        assert not throttle.may_mail("other.example")
        assert [paced.provider for paced in throttle.held_back()] == ["big.example"]
        assert throttle.may_mail("lost.example")
        providers.close()

    asyncio.run(work())


def mixed(readers: int, slow: int) -> tuple[int, set[int]]:
    """An alert to readers of whom each `slow`th has a mailbox at a provider that defers."""
    alert = alert_for(readers)
    ids = sorted(
        Reader.objects.filter(subscriptions__topic=alert.topic).values_list("pk", flat=True)
    )[::slow]
    for reader in Reader.objects.filter(pk__in=ids):
        Reader.objects.filter(pk=reader.pk).update(
            domain="slow.example", address=reader.address.replace("reader.example", "slow.example")
        )
    return alert.pk, set(ids)


@pytest.mark.django_db(transaction=True)
def test_a_provider_that_defers_delays_nobody_else_and_is_mailed_when_it_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the readers are at a provider that defers until all others have their mail."""
    from morefollows.courier.relays import provider_throttle
    from morefollows.stories.models import Alert

    monkeypatch.setattr(provider_throttle, "_GROWTH", 8.0)  # so that it does not take minutes
    monkeypatch.setattr(collector, "_MOST_HELD", 3)
    pk, slow = mixed(2400, 2)
    alert = Alert.objects.get(pk=pk)
    tried: list[int] = []

    def others(outcome: Outcome) -> bool:
        return {state for reader, state in states(alert).items() if reader not in slow} == {outcome}

    def came() -> bool:
        # What came back with its batch waits for a minute: here it is due at once.
        alert.batches.filter(worker="", due_at_ms__gt=1).update(due_at_ms=1)
        return all_accepted(alert)

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: others(Outcome.ACCEPTED))
        assert len(relays[0].taken) == 1200
        tried.append(await asked(lambda: ReplyCount.objects.get(alert=alert).count))
        relays[0].follow()
        for queue in worker.relays:
            for pace in queue.throttle.paces.values():
                if pace.bucket is not None:
                    pace.bucket.set_rate(20)  # it would be asked every ten seconds
        await until(came)

    script = Script(rules=(Rule("rcpt", match="slow.example", reply="451 4.7.1 slow down"),))
    (relay,) = at_work(tmp_path, [script], story)
    assert 3 <= tried[0] < 600  # those that had to wait were not tried
    assert set(times_taken(relay).values()) == {1}
    assert len(relay.taken) == 2400


@pytest.mark.django_db(transaction=True)
def test_a_relay_that_a_provider_does_not_like_leaves_its_mails_to_another(tmp_path: Path) -> None:
    from morefollows.stories.models import Alert

    pk, slow = mixed(600, 2)
    alert = Alert.objects.get(pk=pk)

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(
            lambda: len(now := states(alert)) == 600 and Outcome.WAITING not in now.values()
        )

    disliked = Script(rules=(Rule("rcpt", match="slow.example", reply="451 4.7.1 not from you"),))
    first, second = at_work(tmp_path, [disliked, Script()], story)
    found = states(alert)
    deferred = [reader for reader, state in found.items() if state == Outcome.DEFERRED]
    assert set(deferred) <= slow
    assert 3 <= len(deferred) <= 40  # those that it was offered before we knew
    assert set(times_taken(first, second).values()) == {1}
    assert len(first.taken) > 50


@pytest.mark.django_db(transaction=True)
def test_a_provider_whose_mails_get_no_reply_holds_up_nobody_else(tmp_path: Path) -> None:
    """More of its mails than there can be connections."""
    alert = alert_for(120)
    readers = list(Reader.objects.filter(subscriptions__topic=alert.topic).order_by("pk"))
    for number, reader in enumerate(readers):
        reader.domain = "stuck.example" if number % 2 else f"box{number}.example"
        reader.address = f"cy@{reader.domain}" if number % 2 == 0 else f"cy{number}@{reader.domain}"
    Reader.objects.bulk_update(readers, ["address", "domain"])

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(relays[0].taken) < 60:
                await asyncio.sleep(0.1)

    [relay] = at_work(
        tmp_path, [Script(rules=(Rule("content", match="@stuck.example", do="hang"),))], story
    )
    assert all(b"stuck" not in mail.recipients[0] for mail in relay.taken)
