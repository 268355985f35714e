"""How the live senders share out the limits of relays."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from morefollows.config.addresses.relay_address import RelayAddress
from morefollows.courier.ledger import leases
from morefollows.courier.models import SenderProcess
from morefollows.courier.relays import limits_per_sender
from morefollows.courier.relays.interface import Mail, limit_part
from morefollows.courier.relays.limits_per_sender import fair_share
from morefollows.courier.relays.relay_queue import RelayQueue
from morefollows.database import clock
from morefollows.nodes import identity


def test_senders_that_come_and_go_never_have_more_than_all_together() -> None:
    """Each reads and writes one after the other, in any order."""
    choose = random.Random(7)
    shares: dict[int, float] = {}
    for step in range(5_000):
        if len(shares) < 2 or (len(shares) < 8 and choose.random() < 0.05):
            shares[step] = 0.0
        elif choose.random() < 0.05:
            shares.pop(choose.choice(list(shares)))
        name = choose.choice(list(shares))
        shares[name] = fair_share([share for other, share in shares.items() if other != name])
        assert sum(shares.values()) <= 1 + 1e-9
    for _ in range(2):
        for name in shares:
            shares[name] = fair_share([share for other, share in shares.items() if other != name])
    assert all(abs(share - 1 / len(shares)) < 1e-9 for share in shares.values())


def test_a_part_is_at_least_one_but_nothing_of_nothing() -> None:
    assert [limit_part(20, share) for share in (1, 1 / 3, 0.01, 0)] == [20, 6, 1, 0]


class _Relay:
    connections, able, circuit = 0, True, "closed"

    def __init__(self) -> None:
        self.limits: list[int] = []

    def limit(self, connections: int) -> None:
        self.limits.append(connections)

    def wake(self) -> None:
        pass


def test_a_queue_takes_its_part_of_rate_and_connections() -> None:
    asked: list[RelayQueue] = []

    def none(queue: RelayQueue) -> Mail | None:
        asked.append(queue)
        return None

    address = RelayAddress("relay.example", 25, rate=30)
    queue, relay = RelayQueue(address, none, senders=1, connections=20), _Relay()
    queue.attach(relay)  # type: ignore[arg-type]
    queue.reshare(0.0)  # it joins, and the others have not given back yet
    queue.take()
    assert (relay.limits, asked) == ([0], [])
    queue.reshare(0.5)
    queue.take()
    assert relay.limits[-1] == 10 and asked
    assert queue._bucket is not None and queue._bucket.rate == 15
    queue.reshare(0.0)  # for a moment others have it: the connections stay
    assert relay.limits[-1] == 10
    queue.reshare(1.0)
    assert relay.limits[-1] == 20 and queue._bucket.rate == 30


@pytest.mark.django_db
def test_a_dead_sender_s_part_goes_to_the_others(tmp_path: Path) -> None:
    one, other = (identity.this_process(tmp_path / name, 1) for name in "ab")
    leases.begin(one)
    assert limits_per_sender.take_share(one) == (1.0, 0)
    leases.begin(other)
    assert limits_per_sender.take_share(other) == (0.0, 1)  # until the first has given back
    assert limits_per_sender.take_share(one) == (0.5, 1)
    assert limits_per_sender.take_share(other) == (0.5, 1)
    late = clock.now_ms() - limits_per_sender.LIVE_MS - 1
    SenderProcess.objects.filter(name=one.name).update(seen_at_ms=late)
    assert limits_per_sender.take_share(other) == (1.0, 0)
    assert limits_per_sender.take_share(one) == (0.0, 1)  # it comes back
