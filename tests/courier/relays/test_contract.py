"""What every kind of relay must do, whatever it speaks: see `interface.Relay` and docs/how-to/add-a-relay-kind.md."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from morefollows.config.relay_address import kinds
from morefollows.courier.relays.interface import Relay
from morefollows.courier.smtp.replies import About
from tests.courier.relays.support import Bag, Fates, Stage, made, staged
from tests.courier.smtp.support import run

Scene = Callable[[Relay, Bag, Stage], Awaitable[None]]
every_kind = pytest.mark.parametrize("scheme", sorted(kinds()))


def play(
    scheme: str, fates: Fates, folder: Path, bag: Bag, scene: Scene, *, connections: int = 2
) -> None:
    async def work() -> None:
        async with staged(scheme, fates, folder) as stage:
            relay = made(stage.url, bag, [], connections=connections)
            await relay.open()
            try:
                await scene(relay, bag, stage)
            finally:
                await relay.close()
            assert not bag.in_flight, "after close nothing is in flight"

    run(work)


async def settled(bag: Bag) -> None:
    while len(bag.replies) < bag.count:
        await asyncio.sleep(0.005)


@every_kind
def test_each_mail_is_settled_once_with_what_became_of_it(scheme: str, tmp_path: Path) -> None:
    fates = {3: "deferred", 5: "refused", 8: "late"}
    bag = Bag(12)

    async def scene(relay: Relay, bag: Bag, stage: Stage) -> None:
        relay.wake()
        await settled(bag)
        assert stage.took() == set(range(12)) - {3, 5}

    play(scheme, fates, tmp_path, bag, scene)
    verdicts = bag.verdicts()
    assert {n: one.outcome for n, one in verdicts.items()} == {
        n: {3: "deferred", 5: "refused"}.get(n, "accepted") for n in range(12)
    }
    assert verdicts[3].about is verdicts[5].about is About.RECIPIENT
    assert verdicts[5].permanent and not verdicts[3].permanent
    assert "later" in bag.replies[3].text and "no such user" in bag.replies[5].text


@every_kind
def test_what_was_handed_over_without_an_answer_is_uncertain(scheme: str, tmp_path: Path) -> None:
    bag = Bag(1)

    async def scene(relay: Relay, bag: Bag, stage: Stage) -> None:
        relay.wake()
        await settled(bag)
        assert stage.took() == {0}

    play(scheme, {0: "uncertain"}, tmp_path, bag, scene)
    assert bag.verdicts()[0].outcome == "uncertain"


@every_kind
def test_close_waits_for_what_is_in_flight_and_takes_nothing_more(
    scheme: str, tmp_path: Path
) -> None:
    bag = Bag(40)

    async def scene(relay: Relay, bag: Bag, stage: Stage) -> None:
        relay.wake()
        while not bag.in_flight:
            await asyncio.sleep(0)
        await relay.close()
        taken = list(bag.taken)
        assert not bag.in_flight and len(taken) < 40
        relay.wake()
        await asyncio.sleep(0.05)
        assert bag.taken == taken

    play(scheme, dict.fromkeys(range(40), "late"), tmp_path, bag, scene)
    assert {one.outcome for one in bag.verdicts().values()} == {"accepted"}


@every_kind
def test_the_source_sets_the_pace(scheme: str, tmp_path: Path) -> None:
    """A relay asks for a mail when it can take one, stops when there is none, and goes on when it is woken."""
    bag = Bag(0)

    async def scene(relay: Relay, bag: Bag, stage: Stage) -> None:
        relay.wake()
        await asyncio.sleep(0.05)
        for _ in range(3):
            bag.add(5)
            relay.wake()
            await settled(bag)
        assert stage.took() == set(range(15))

    play(scheme, {}, tmp_path, bag, scene)


@every_kind
def test_it_says_how_it_is(scheme: str, tmp_path: Path) -> None:
    async def scene(relay: Relay, bag: Bag, stage: Stage) -> None:
        relay.wake()
        await settled(bag)
        assert relay.circuit == "closed" and relay.able and 1 <= relay.connections <= 2
        assert relay.can_carry(False, 1000)

    play(scheme, {}, tmp_path, Bag(8), scene)
