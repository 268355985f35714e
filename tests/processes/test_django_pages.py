"""The threads that answer pages: so many and no more, each given on to who has waited longest."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from morefollows.processes.web import django_pages
from morefollows.processes.web.threads import fair_thread_pool, processor_budget
from morefollows.processes.web.threads.fair_thread_pool import FairThreadPool
from morefollows.processes.web.threads.processor_budget import ProcessorBudget


def test_who_has_waited_longest_is_next_and_who_waits_too_long_gets_none() -> None:
    async def scenario() -> None:
        slots = FairThreadPool(1, 2, 30.0)
        first = await slots.take()
        assert first is not None
        waiting = [asyncio.create_task(slots.take()) for _ in range(2)]
        await asyncio.sleep(0)
        assert await slots.take() is None  # the queue is full
        slots.give_back(first)
        assert await waiting[0] is first
        assert not waiting[1].done()
        slots.give_back(first)
        assert await waiting[1] is first
        slots._seconds = 0.01
        assert await slots.take() is None  # too late
        slots.give_back(first)
        assert await slots.take() is first
        slots.close()

    asyncio.run(scenario())


def test_a_turn_that_comes_as_the_time_ends_is_not_lost() -> None:
    async def scenario() -> None:
        slots = FairThreadPool(1, 2, 0.01)
        only = await slots.take()
        assert only is not None
        late = asyncio.create_task(slots.take())
        await asyncio.sleep(0)
        late_turn = slots._queues[""][0]
        asyncio.get_running_loop().call_later(0.01, slots.give_back, only)
        found = await late
        if found is None:
            assert late_turn.cancelled()
            await asyncio.sleep(0.05)
        else:
            slots.give_back(found)
        assert await slots.take() is only
        slots.close()

    asyncio.run(scenario())


def test_a_network_with_many_requests_delays_another_by_one() -> None:
    async def scenario() -> None:
        slots = FairThreadPool(2, 30, 30.0, most_a_network=1)
        first = await slots.take("many")
        assert first is not None
        more = [asyncio.create_task(slots.take("many")) for _ in range(20)]
        await asyncio.sleep(0)
        assert sum(task.done() for task in more) == 10  # a third of those who may wait are its own
        second = await slots.take("one")  # though the first network has asked for all of them
        assert second is not None
        third = asyncio.create_task(slots.take("one"))
        await asyncio.sleep(0)
        slots.give_back(first, "many")
        await asyncio.sleep(0)
        assert sum(task.done() for task in more) == 11
        slots.give_back(second, "one")
        assert await third is not None
        for task in more:
            task.cancel()
        await asyncio.gather(*more, return_exceptions=True)
        assert not slots._queues and slots._waiting == 0
        slots.close()

    asyncio.run(scenario())


def test_a_network_that_has_used_its_processor_time_comes_last_and_has_one_thread() -> None:
    clock = [0.0]
    budget = ProcessorBudget(lambda: clock[0])

    async def scenario() -> None:
        slots = FairThreadPool(2, 30, 30.0, most_a_network=2, budget=budget)
        first = await slots.take("192.0.2.1")
        assert first is not None
        await asyncio.wrap_future(first.submit(_work, 0.01))
        slots.give_back(first, "192.0.2.1")
        assert budget._used["192.0.2.1"][0] >= 0.01, "the thread's own time is counted"
        budget.charge("192.0.2.1", processor_budget._SECONDS)
        taken = [await slots.take("192.0.2.1"), await slots.take("192.0.2.9")]
        assert None not in taken
        order: list[str] = []

        async def wait(network: str) -> None:
            slot = await slots.take(network)
            assert slot is not None
            order.append(network)
            slots.give_back(slot, network)

        waiting = [asyncio.create_task(wait("192.0.2.1")) for _ in range(3)]
        await asyncio.sleep(0)
        waiting.append(asyncio.create_task(wait("198.51.100.1")))
        await asyncio.sleep(0)
        for slot, network in zip(taken, ("192.0.2.1", "192.0.2.9"), strict=True):
            assert slot is not None
            slots.give_back(slot, network)
        await asyncio.gather(*waiting)
        assert order[0] == "198.51.100.1", "though it came last"
        assert slots._most_of("192.0.2.1") == 1
        clock[0] += 10
        assert slots._most_of("192.0.2.1") == 2
        slots.close()

    asyncio.run(scenario())


def test_networks_that_ask_for_nonsense_have_a_few_threads_together() -> None:
    """Hundreds of them, with a request each, leave the other threads to those who make sense."""
    budget = ProcessorBudget(lambda: 0.0)
    many = [f"192.0.{number}.1" for number in range(20)]
    for network in many:
        for _ in range(5):
            budget.charge_bad_request(network)
        assert not budget.is_spent(network), "a slip now and then costs nothing"
        budget.charge_bad_request(network)

    async def scenario() -> None:
        slots = FairThreadPool(4, 30, 30.0, budget=budget)
        waiting = [asyncio.create_task(slots.take(network)) for network in many]
        await asyncio.sleep(0)
        assert sum(task.done() for task in waiting) == fair_thread_pool._SPENT_AT_ONCE
        assert await slots.take("198.51.100.1") is not None
        slot = waiting[0].result()
        assert slot is not None
        slots.give_back(slot, many[0])
        await asyncio.sleep(0)
        assert sum(task.done() for task in waiting) == fair_thread_pool._SPENT_AT_ONCE + 1
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        slots.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("path", "status", "counts"),
    [
        ("/confirm/x/", 404, True),
        ("/sign-up/breaking/", 422, True),
        ("/", 403, True),
        ("/api/v1/stories", 401, True),
        ("/api/v1/readers/lookup", 404, False),
        ("/api/v1/stories", 422, False),
        ("/", 200, False),
        ("/", 429, False),
        ("/", 503, False),
    ],
)
def test_what_counts_as_nonsense(path: str, status: int, counts: bool) -> None:
    assert django_pages._is_bad_request({"path": path}, status) is counts


def _work(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_many_small_networks_of_one_provider_share_a_budget() -> None:
    budget = ProcessorBudget(lambda: 0.0)
    for number in range(100):
        budget.charge(f"2001:db8:1:{number:x}::/64", 0.25)
    assert budget.is_spent("2001:db8:1:5::/64") and budget.is_spent("2001:db8:1:ffff::/64")
    assert not budget.is_spent("2001:db8:2::/64") and not budget.is_spent("")
    budget.charge("", 6.0)  # who is not known is one network
    assert budget.is_spent("")


@pytest.mark.parametrize("seconds", [0.0, 0.05])
def test_pages_with_a_token_take_the_same_time(seconds: float) -> None:
    """What is looked up, found or not, does not show in the time of an answer."""

    async def django(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(seconds)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        pass

    async def took(path: str) -> float:
        pages = django_pages.DjangoPages(django, 1_000, asyncio.Event())
        scope = {"type": "http", "method": "POST", "path": path, "headers": [], "client": None}
        began = time.monotonic()
        await pages(scope, receive, send)
        pages.close()
        return time.monotonic() - began

    assert asyncio.run(took("/preferences/abc/")) >= django_pages._EVEN_SECONDS
