"""The contract of every kind of relay: `interface.Relay`, docs/how-to/add-a-relay-kind.md."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from morefollows.config.addresses.relay_address import kinds
from morefollows.courier.relays.interface import Relay
from morefollows.courier.smtp.replies import About
from tests.courier.relays.support import (
    NEVER_DEFERS,
    PlannedResults,
    RelayBackend,
    StrictSource,
    make_relay,
    start_backend,
)
from tests.courier.smtp.support import run

Scene = Callable[[Relay, StrictSource, RelayBackend], Awaitable[None]]
every_kind = pytest.mark.parametrize("scheme", sorted(kinds()))


def play(
    scheme: str,
    planned: PlannedResults,
    folder: Path,
    source: StrictSource,
    scene: Scene,
    *,
    connections: int = 2,
) -> None:
    async def work() -> None:
        async with start_backend(scheme, planned, folder) as backend:
            relay = make_relay(backend.url, source, [], connections=connections)
            await relay.open()
            try:
                await scene(relay, source, backend)
            finally:
                await relay.close()
            assert not source.in_flight, "after close nothing is in flight"

    run(work)


async def settled(source: StrictSource) -> None:
    while len(source.replies) < source.count:
        await asyncio.sleep(0.005)


@every_kind
def test_each_mail_is_settled_once_with_what_became_of_it(scheme: str, tmp_path: Path) -> None:
    planned = {3: "deferred", 5: "refused", 8: "late"}
    if scheme in NEVER_DEFERS:
        del planned[3]
    not_taken = planned.keys() & {3, 5}
    source = StrictSource(12)

    async def scene(relay: Relay, source: StrictSource, backend: RelayBackend) -> None:
        relay.wake()
        await settled(source)
        assert backend.took() == set(range(12)) - not_taken

    play(scheme, planned, tmp_path, source, scene)
    verdicts = source.verdicts()
    assert {n: one.outcome for n, one in verdicts.items()} == {
        n: planned[n] if n in not_taken else "accepted" for n in range(12)
    }
    assert verdicts[5].about is About.RECIPIENT and verdicts[5].permanent
    assert "no such user" in source.replies[5].text
    if 3 in not_taken:
        assert verdicts[3].about is About.RECIPIENT and not verdicts[3].permanent
        assert "later" in source.replies[3].text


@every_kind
def test_what_was_handed_over_without_an_answer_is_uncertain(scheme: str, tmp_path: Path) -> None:
    source = StrictSource(1)

    async def scene(relay: Relay, source: StrictSource, backend: RelayBackend) -> None:
        relay.wake()
        await settled(source)
        assert backend.took() == {0}

    play(scheme, {0: "uncertain"}, tmp_path, source, scene)
    assert source.verdicts()[0].outcome == "uncertain"


@every_kind
def test_close_waits_for_what_is_in_flight_and_takes_nothing_more(
    scheme: str, tmp_path: Path
) -> None:
    source = StrictSource(40)

    async def scene(relay: Relay, source: StrictSource, backend: RelayBackend) -> None:
        relay.wake()
        while not source.in_flight:
            await asyncio.sleep(0)
        await relay.close()
        taken = list(source.taken)
        assert not source.in_flight and len(taken) < 40
        relay.wake()
        await asyncio.sleep(0.05)
        assert source.taken == taken

    play(scheme, dict.fromkeys(range(40), "late"), tmp_path, source, scene)
    assert {one.outcome for one in source.verdicts().values()} == {"accepted"}


@every_kind
def test_the_source_sets_the_pace(scheme: str, tmp_path: Path) -> None:
    """A relay takes a mail when it can send one, stops at None, and goes on after `wake`."""
    source = StrictSource(0)

    async def scene(relay: Relay, source: StrictSource, backend: RelayBackend) -> None:
        relay.wake()
        await asyncio.sleep(0.05)
        for _ in range(3):
            source.add(5)
            relay.wake()
            await settled(source)
        assert backend.took() == set(range(15))

    play(scheme, {}, tmp_path, source, scene)


@every_kind
def test_it_says_how_it_is(scheme: str, tmp_path: Path) -> None:
    async def scene(relay: Relay, source: StrictSource, backend: RelayBackend) -> None:
        relay.wake()
        await settled(source)
        assert relay.circuit == "closed" and relay.able and 1 <= relay.connections <= 2
        assert relay.can_carry(False, 1000)

    play(scheme, {}, tmp_path, StrictSource(8), scene)
