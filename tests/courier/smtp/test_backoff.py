"""When a failing relay is tried again: by cause, not by connection; soon, but not often."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from morefollows.courier.smtp import backoff as backoff_
from morefollows.courier.smtp.backoff import Backoff, FailureCause
from morefollows.courier.smtp.connection_pool import SmtpRelay
from morefollows.courier.smtp.timeouts import Timeouts
from tests.courier.relays.test_relay_weights import Clock
from tests.courier.smtp import virtual_time
from tests.courier.smtp.support import QUICK, MemorySource, client, run
from tests.courier.smtp.test_failing_relays import until
from tests.support.ports import free_port
from tests.support.scripted_relay import Rule, Script, ScriptedRelay


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """And no luck in how long is waited: always the longest."""
    monkeypatch.setattr(backoff_, "_jitter", lambda seconds: seconds)
    return Clock()


def a_backoff(clock: Clock) -> Backoff:
    usual = Timeouts()
    return Backoff(usual.first_retry, usual.longest_probe, usual.longest_retry, clock)


def waits(clock: Clock, failure: FailureCause, times: int) -> list[float]:
    """How long is waited after each of so many failures in a row."""
    backoff = a_backoff(clock)
    found = []
    for _ in range(times):
        clock.time += 0.01
        assert backoff.failed(clock.time, failure, others=False)
        found.append(round(backoff.resume_at - clock.time, 2))
        clock.time = backoff.resume_at
    return found


def test_connections_that_are_lost_together_count_once(clock: Clock) -> None:
    backoff = a_backoff(clock)
    clock.time = 100.0
    for n in range(20):
        counted = backoff.failed(50.0 + n, FailureCause.BROKEN, others=n < 19)
        assert counted is (n == 0)
        clock.time += 0.001
    assert backoff.failures == 1
    assert backoff.resume_at - clock.time <= 0.1
    clock.time += 1
    assert backoff.failed(
        clock.time - 0.5, FailureCause.BROKEN, others=False
    )  # begun after that: it failed by itself
    assert backoff.failures == 2


def test_a_relay_that_can_not_be_reached_is_tried_soon_and_never_later_than_mail_may_wait(
    clock: Clock,
) -> None:
    found = waits(clock, FailureCause.BROKEN, 100)
    assert found[:5] == [0.1, 0.3, 0.9, 1.5, 1.5]
    assert max(found) == 1.5


def test_one_that_says_not_now_is_asked_less_often_the_longer_it_says_so(clock: Clock) -> None:
    found = waits(clock, FailureCause.BUSY, 80)
    assert found[:4] == [0.1, 0.3, 0.9, 1.5]
    assert sum(found[:14]) < 20
    assert found == sorted(found)
    assert found[-1] == 30.0


def test_one_that_says_no_is_left_alone_at_once(clock: Clock) -> None:
    assert waits(clock, FailureCause.REFUSED, 3) == [30.0, 30.0, 30.0]


def test_a_refusal_beside_connections_that_are_in_use_concerns_further_ones_only(
    clock: Clock,
) -> None:
    backoff = a_backoff(clock)
    clock.time = 10.0
    for _ in range(5):
        clock.time += 1
        backoff.failed(clock.time, FailureCause.BUSY, others=True)
    assert backoff.failures == 0
    assert backoff.resume_at <= clock.time  # when the others are gone, one may be opened at once
    assert backoff.more_at - clock.time == pytest.approx(
        8.1
    )  # as many again are not asked for all the time
    backoff.well()
    backoff.failed(clock.time, FailureCause.BUSY, others=True)
    assert backoff.more_at - clock.time == pytest.approx(0.1)


def test_mail_goes_on_soon_after_all_connections_were_dropped() -> None:
    """With the usual time-outs, and as many connections as the settings give by default."""

    async def work() -> None:
        async with ScriptedRelay() as relay:
            source = MemorySource(20_000, again=True)
            smtp = client(relay.port, source, connections=20, timeouts=Timeouts())
            await smtp.open()
            smtp.wake()
            await until(lambda: smtp.connections == 20 and len(relay.taken) > 100)
            for other in list(relay.clients):
                other.drop()
            await until(lambda: not smtp.connections)
            assert (
                smtp._backoff.failures < 5
            )  # were each connection a failure of its own, half a minute would be waited
            taken = len(relay.taken)
            await until(lambda: len(relay.taken) > taken)
            source.waiting.clear()
            await asyncio.wait_for(smtp.close(), 120)

    run(work)


def test_mail_goes_on_soon_after_a_relay_was_down_for_long() -> None:
    """With the usual time-outs."""

    async def work() -> None:
        port, source = free_port(), MemorySource(3)
        smtp = client(port, source, timeouts=Timeouts())
        await smtp.open()
        for _ in range(60):  # failures, one after the other
            smtp._backoff.failed(time.monotonic(), FailureCause.BROKEN, others=False)
        assert smtp._backoff.resume_at - time.monotonic() <= 1.5
        async with ScriptedRelay(port=port):
            smtp.wake()
            async with asyncio.timeout(120):
                await source.settled()
            await smtp.close()

    run(work)


def test_a_relay_that_takes_two_connections_is_not_asked_for_a_third_all_the_time(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        full = Rule("connect", after=2, reply="421 4.7.0 too many connections")
        async with ScriptedRelay(Script(rules=(full, Rule("content", delay=0.05)))) as relay:
            source = MemorySource(1000)
            smtp = client(
                relay.port,
                source,
                connections=10,
                timeouts=QUICK._replace(first_retry=0.2, longest_retry=30),
            )
            smtp._backoff = Backoff(0.2, QUICK.longest_probe, 30, time.monotonic)
            await smtp.open()
            smtp.wake()
            for _ in range(100):
                smtp.wake()
                await asyncio.sleep(0.01)
            assert smtp.connections == 2 and source.waiting
            assert 2 < relay.connections <= 2 + 4, (
                "of a hundred times that it was woken, in a second"
            )
            await smtp.close()

    virtual_time.run(work, monkeypatch)


@pytest.mark.parametrize("at", ["connect", "ehlo", "mail", "rcpt", "data", "content"])
def test_another_connection_is_tried_while_one_gets_no_answer(at: str) -> None:
    """Without it, one connection that hangs keeps all mail waiting for up to ten minutes."""

    async def work() -> None:
        script = Script(rules=(Rule(at, do="hang", times=1),))
        async with ScriptedRelay(script) as relay:
            source = MemorySource(5, again=True)
            smtp = client(
                relay.port, source, timeouts=Timeouts(probe=0.2, ahead=0.3, idle=0.4, quit=0.5)
            )
            smtp.wake()
            held = int(at not in ("connect", "ehlo"))
            await until(lambda: len(relay.taken) == 5 - held)
            assert relay.connections == 2
            # Its outcome is waited for, as long as the standard says.
            await until(lambda: len(source.in_flight) == held)
            await _left(smtp)

    run(work)


async def _left(smtp: SmtpRelay) -> None:
    """Does not wait for what hangs."""
    closing = asyncio.create_task(smtp.close())
    await asyncio.sleep(0.05)
    closing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await closing


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("connect", "its greeting"),
        ("ehlo", "the reply to EHLO"),
        ("mail", "the reply to MAIL"),
        ("rcpt", "the reply to RCPT"),
        ("data", "the reply to DATA"),
        ("content", "the reply to a mail’s end"),
    ],
)
def test_silence_is_logged_and_told_wherever_it_begins(
    at: str, words: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And taken back when the relay is well. Connections are not opened without end meanwhile."""
    from morefollows.courier.smtp import connection_pool as smtp_

    monkeypatch.setattr(smtp_, "_LOGGED_AFTER", 0.5)
    monkeypatch.setattr(smtp_, "_WARN_AFTER", 1.0)
    caplog.set_level("WARNING", "morefollows.courier.smtp")

    async def work() -> None:
        async with ScriptedRelay(Script(rules=(Rule(at, do="hang"),))) as relay:
            troubles: list[str | None] = []
            source = MemorySource(200, again=True)
            smtp = client(
                relay.port,
                source,
                connections=3,
                troubles=troubles,
                timeouts=Timeouts(probe=0.2, ahead=0.3, idle=0.4, quit=0.5),
            )
            smtp.wake()
            await until(lambda: bool(troubles))
            assert troubles == [
                f"The relay 127.0.0.1:{relay.port} does not answer: we wait for {words}."
            ]
            assert "does not answer: we wait for" in caplog.text
            assert smtp.circuit != "closed"
            assert not smtp.able
            await asyncio.sleep(0.5)
            assert relay.at_once < 60, "of 200 that wait"
            assert len(source.in_flight) < 60
            relay.follow()
            await until(lambda: len(relay.taken) >= 185)
            await until(lambda: troubles[-1] is None)
            await _left(smtp)

    run(work)


def test_one_slow_reply_beside_good_ones_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    from morefollows.courier.smtp import connection_pool as smtp_

    monkeypatch.setattr(smtp_, "_LOGGED_AFTER", 0.4)
    monkeypatch.setattr(smtp_, "_WARN_AFTER", 0.6)

    async def work() -> None:
        script = Script(rules=(Rule("content", match="cy7@", delay=2), Rule("content", delay=0.02)))
        async with ScriptedRelay(script) as relay:
            troubles: list[str | None] = []
            source = MemorySource(300, again=True)
            smtp = client(
                relay.port,
                source,
                connections=3,
                troubles=troubles,
                timeouts=Timeouts(idle=0.4, quit=1),
            )
            smtp.wake()
            await source.settled()
            await smtp.close()
            assert source.codes() == [250] * 300
            assert not [words for words in troubles if words]

    run(work)
