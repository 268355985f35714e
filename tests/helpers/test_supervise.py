"""Background work: a failure is logged, and the work goes on."""

from __future__ import annotations

import asyncio

import pytest

from morefollows.helpers.background_tasks import supervised, watched


def test_work_that_fails_is_started_again_until_it_returns(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runs: list[int] = []

    async def work() -> None:
        runs.append(1)
        if len(runs) < 4:
            raise RuntimeError("broken")

    asyncio.run(supervised("the clock", work, first_wait=0.001))
    assert len(runs) == 4
    assert [
        record.getMessage()
        for record in caplog.records
        if "the clock failed" in record.getMessage()
    ] == ["the clock failed; it is started again in 0 s"] * 3
    assert "RuntimeError: broken" in caplog.text


def test_supervised_work_can_be_cancelled_while_it_waits_to_be_started_again() -> None:
    async def story() -> None:
        failed = asyncio.Event()

        async def work() -> None:
            failed.set()
            raise RuntimeError("broken")

        task = asyncio.create_task(supervised("the clock", work, first_wait=3600))
        await failed.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(story())


def test_the_failure_of_a_task_that_nobody_awaits_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken() -> None:
        raise RuntimeError("broken")

    async def fine() -> int:
        return 3

    async def story() -> None:
        kept = watched("a chore", broken())
        assert await watched("another", fine()) == 3
        await asyncio.wait([kept])

    asyncio.run(story())
    assert "a chore failed" in caplog.text and "another" not in caplog.text
