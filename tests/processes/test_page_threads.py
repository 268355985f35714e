"""The threads that answer pages: so many and no more, each given on to who has waited longest."""

from __future__ import annotations

import asyncio

from morefollows.processes.web.page_threads import ThreadSlots


def test_who_has_waited_longest_is_next_and_who_waits_too_long_gets_none() -> None:
    async def scenario() -> None:
        slots = ThreadSlots(1, 2, 30.0)
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
        slots = ThreadSlots(1, 2, 0.01)
        only = await slots.take()
        assert only is not None
        late = asyncio.create_task(slots.take())
        await asyncio.sleep(0)
        late_turn = slots._queue[0]
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
