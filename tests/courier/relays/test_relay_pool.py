"""Which of several relays may have a mail whose mailbox provider defers at one of them."""

from __future__ import annotations

from typing import cast

import pytest

from morefollows.config.addresses.relay_address import RelayAddress
from morefollows.courier.relays.interface import Reached, Relay, Reply
from morefollows.courier.relays.relay_pool import RelayPool
from morefollows.courier.relays.relay_queue import RelayQueue


class Open:
    """A relay with a connection that takes mail, or without."""

    def __init__(self, able: bool) -> None:
        self.able = able


def pool_of(*others: tuple[str, bool]) -> tuple[RelayPool, RelayQueue]:
    """The first is for everything and well; each other one has a purpose, and is able or not."""
    all_ = RelayPool()
    for number, (purpose, able) in enumerate((("all", True), *others)):
        address = RelayAddress("relay.example", 25, label=f"relay {number}", purpose=purpose)
        queue = RelayQueue(address, lambda relay: None, senders=1, providers=all_.providers)
        queue.relay = cast(Relay, Open(able))
        all_.add(queue)
    return all_, next(iter(all_))


def held_back(queue: RelayQueue, domain: str) -> None:
    for _ in range(20):
        queue.throttle.deferred(domain, Reply(451, "4.7.1", "later", Reached.ENVELOPE))


def test_another_relay_that_is_well_may_have_it() -> None:
    all_, first = pool_of(("all", True))
    held_back(first, "reader.example")
    assert all_.elsewhere(first, "reader.example")


@pytest.mark.parametrize(
    "others",
    [
        [],
        [("all", False)],
        [("alerts", True)],
        [("bulk", True)],
        [("alerts", True), ("bulk", True)],
    ],
)
def test_none_that_is_in_trouble_or_for_other_mail(others: list[tuple[str, bool]]) -> None:
    all_, first = pool_of(*others)
    assert not all_.elsewhere(first, "reader.example")


def test_none_that_is_paused() -> None:
    all_, first = pool_of(("all", True))
    all_.paused({"relay 1"})
    assert not all_.elsewhere(first, "reader.example")


def test_none_at_which_the_same_provider_defers_but_one_at_which_another_does() -> None:
    all_, first = pool_of(("all", True))
    second = [*all_][1]
    second.throttle.deferred(
        "reader.example", Reply(421, "4.7.28", "[TSS04] later", Reached.ENVELOPE)
    )
    assert not all_.elsewhere(first, "reader.example")
    assert all_.elsewhere(first, "other.example")
