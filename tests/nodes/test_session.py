"""The session connection on a real PostgreSQL: who leads, and what ends that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import psycopg
import pytest

from morefollows.database import connections, session
from morefollows.database.session import DatabaseSession
from morefollows.nodes import leader
from tests.support import sandbox
from tests.support.waiting import until

pytestmark = pytest.mark.postgres  # SQLite has no sessions


@pytest.fixture
def make() -> Iterator[Callable[[], DatabaseSession]]:
    made: list[DatabaseSession] = []

    def one() -> DatabaseSession:
        made.append(DatabaseSession(connections.session_parameters(_url())))
        return made[-1]

    yield one
    for each in made:
        each.close()


def _url() -> str:
    cluster = sandbox.cluster()
    assert cluster is not None
    return cluster.url("postgres")


def _end_holder() -> None:
    with psycopg.connect(_url(), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        )


def test_one_leads_and_another_when_its_session_ends(
    make: Callable[[], DatabaseSession],
) -> None:
    one, other = make(), make()
    one.want_lock("pings")
    until("a leader", lambda: one.holds("pings"))
    other.want_lock("pings")
    until("the other's connection", lambda: other.hears)
    assert not other.holds("pings")
    one.close()
    until("another leader", lambda: other.holds("pings"))


def test_who_loses_the_connection_does_not_lead(make: Callable[[], DatabaseSession]) -> None:
    """And leads again when it is back, or another does: there is one at any time."""
    one, other = make(), make()
    for each in (one, other):
        each.want_lock("pings")
    until("a leader", lambda: one.holds("pings") or other.holds("pings"))
    for _ in range(3):
        _end_holder()
        until("one leader", lambda: one.holds("pings") != other.holds("pings"))


def test_a_stopped_leader_is_replaced(
    make: Callable[[], DatabaseSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is stopped keeps its connection, but runs no statement on it."""
    with psycopg.connect(_url(), autocommit=True) as stopped:
        key = session._Lock("pings").key
        assert stopped.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone() == (True,)
        monkeypatch.setattr(session, "STALE_SECONDS", 0.2)
        one = make()
        one.want_lock("pings")
        until("another leader", lambda: one.holds("pings"))


def test_works_run_only_while_it_leads() -> None:
    async def perform() -> None:
        leads, running = [False], [0]

        async def work() -> None:
            running[0] += 1
            try:
                await asyncio.sleep(3600)
            finally:
                running[0] -= 1

        async def comes(number: int) -> None:
            while running[0] != number:
                await asyncio.sleep(0.01)

        leading = asyncio.create_task(leader.lead(lambda: leads[0], work, work))
        async with asyncio.timeout(60):
            await asyncio.sleep(0.4)
            assert running == [0]
            for now in (True, False, True):
                leads[0] = now
                await comes(2 if now else 0)
            leading.cancel()
            await comes(0)

    asyncio.run(perform())
