"""Pipelined mails behind one at which the relay fails or falls silent."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from morefollows.courier.relays.interface import Mail, Reached
from morefollows.courier.smtp.timeouts import Timeouts
from tests.courier.smtp.support import MemorySource, client, deliver, run
from tests.courier.smtp.test_backoff import _left
from tests.courier.smtp.test_failing_relays import until
from tests.support.scripted_relay import Rule, Script, ScriptedRelay
from tests.support.waiting import PATIENCE

MANY = (*Script().offers, "CHUNKING")


class Careful(MemorySource):
    """Hands out mails as a batch run does: those of a closed connection alone next time."""

    def __init__(self, count: int, **options: Any) -> None:
        super().__init__(count, **options)
        self.most_beside = 0

    def take(self) -> Mail | None:
        mail = super().take()
        if mail is None:
            return None
        return mail._replace(alone=mail.ticket in self.replies)

    def settle(self, mail: Mail, reply: Any) -> None:
        if mail.alone and reply.code:
            self.most_beside = max(self.most_beside, len(self.in_flight) - 1)
        if not reply.code and reply.reached is Reached.BEHIND:
            self.in_flight.discard(mail.ticket)
            self.replies.setdefault(mail.ticket, []).append(reply)
            self.waiting.append(mail)
            return
        super().settle(mail, reply)


def test_what_stood_behind_is_known_and_is_sent_alone() -> None:
    async def work() -> None:
        async with ScriptedRelay(
            Script(offers=MANY, rules=(Rule("content", match="cy3@", do="drop", times=1),))
        ) as relay:
            source = Careful(40)
            await deliver(relay, source)
            first = {i: replies[0] for i, replies in source.replies.items()}
            assert (first[3].code, first[3].reached) == (0, Reached.CONTENT)
            behind = {i for i, reply in first.items() if reply.reached is Reached.BEHIND}
            assert behind
            assert min(behind) > 3
            assert source.accepted() == set(range(40)) - {3}
            assert (
                source.most_beside <= 1
            )  # at most the one that was taken and is kept until it is its turn
            assert relay.violations == []

    run(work)


def test_silence_at_one_mail_does_not_keep_those_behind_it_for_as_long() -> None:
    """They go by another connection while the first mail waits for the standard's time-out."""

    async def work() -> None:
        script = Script(
            offers=MANY,
            rules=(Rule("content", match="cy3@", do="hang"), Rule("content", delay=0.01)),
        )
        async with ScriptedRelay(script) as relay:
            source = Careful(300)
            timeouts = Timeouts(probe=0.2, behind=0.4, ahead=0.3, idle=600, quit=1)
            smtp = client(relay.port, source, connections=2, timeouts=timeouts)
            smtp.wake()
            await until(
                lambda: (
                    len(source.accepted()) == 299
                    or (not source.waiting and len(source.in_flight) == 1)
                )
            )
            async with asyncio.timeout(PATIENCE):
                while source.in_flight != {3}:
                    smtp.wake()
                    await asyncio.sleep(0.05)
            assert any(
                reply.reached is Reached.BEHIND
                for replies in source.replies.values()
                for reply in replies
            )
            assert 3 not in source.replies
            await _left(smtp)
            assert source.accepted() == set(range(300)) - {3}

    run(work)


@pytest.mark.parametrize("connections", [1, 3])
def test_those_behind_a_silent_one_go_although_nobody_else_has_mail(connections: int) -> None:
    """One of them is tried by another connection; when it is taken, the others follow."""

    async def work() -> None:
        hang = Rule("content", match="cy0@", do="hang")
        async with ScriptedRelay(Script(offers=MANY, rules=(hang,))) as relay:
            source = Careful(8, again=True)
            timeouts = Timeouts(probe=0.2, behind=0.4, ahead=0.3, idle=600, quit=1)
            smtp = client(relay.port, source, connections=connections, timeouts=timeouts)
            smtp.wake()
            async with asyncio.timeout(PATIENCE):
                while source.accepted() != set(range(1, 8)):
                    smtp.wake()  # as the scheduler does when mail was put back
                    await asyncio.sleep(0.05)
            assert source.in_flight == {0}
            await _left(smtp)

    run(work)


def test_a_relay_that_stalls_at_every_mail_is_asked_about_one_and_no_more() -> None:
    async def work() -> None:
        stalled = Rule("content", delay=4)
        async with ScriptedRelay(Script(offers=MANY, rules=(stalled,))) as relay:
            source = Careful(20, again=True)
            timeouts = Timeouts(probe=0.2, behind=0.6, ahead=0.3, idle=600, quit=1)
            smtp = client(relay.port, source, connections=2, timeouts=timeouts)
            smtp.wake()
            async with asyncio.timeout(3):
                with contextlib.suppress(TimeoutError):
                    await asyncio.sleep(2.5)
            behind = [i for i, r in source.replies.items() if r[0].reached is Reached.BEHIND]
            assert len(behind) <= 1 and not source.accepted()
            await _left(smtp)

    run(work)


@pytest.mark.parametrize("at", ["mail", "rcpt"])
def test_what_waits_where_the_relay_fell_silent_goes_by_connections_that_are_well(
    at: str, caplog: pytest.LogCaptureFixture
) -> None:
    """No content was sent, so nobody gets it twice, and the five minutes are not waited for."""

    async def work() -> None:
        async with ScriptedRelay(Script(rules=(Rule(at, do="hang", times=4),))) as relay:
            source = MemorySource(100, again=True)
            timeouts = Timeouts(probe=0.2, spare=0.5, idle=600, quit=1)
            smtp = client(relay.port, source, connections=4, timeouts=timeouts)
            smtp.wake()
            async with asyncio.timeout(PATIENCE):
                while len(source.accepted()) < 100:
                    await asyncio.sleep(0.05)
            assert source.uncertain() == set()
            assert len(relay.taken) == 100
            await _left(smtp)

    run(work)
    assert "Exception" not in caplog.text


def test_a_recipient_over_whom_the_relay_takes_long_is_waited_for() -> None:
    async def work() -> None:
        async with ScriptedRelay(
            Script(rules=(Rule("rcpt", match="cy3@", delay=2), Rule("content", delay=0.02)))
        ) as relay:
            source = Careful(400, again=True)
            timeouts = Timeouts(probe=0.1, spare=0.3, idle=600, quit=1)
            smtp = client(relay.port, source, connections=2, timeouts=timeouts)
            smtp.wake()
            async with asyncio.timeout(PATIENCE):
                while len(source.accepted()) < 400:
                    await asyncio.sleep(0.05)
            assert len(source.replies[3]) <= 2
            assert len(relay.taken) == 400
            await _left(smtp)

    run(work)
