"""What every kind of notification does, whichever carries it: `Notifier` and `Listener`."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from morefollows import notify
from morefollows.database import connections
from morefollows.database.session import DatabaseSession
from morefollows.notify import Listener
from morefollows.notify.datagrams import DatagramNotifier
from morefollows.notify.interface import Notifier
from morefollows.notify.nats import NatsNotifier
from morefollows.notify.postgres import PostgresNotifier
from tests.support import sandbox
from tests.support.nats_server import NatsServer
from tests.support.waiting import PATIENCE


class Kind(NamedTuple):
    """One kind: makes what one process would have, and cuts or restores what carries it."""

    make: Callable[[], Notifier]
    cut: Callable[[], None] = lambda: None
    mend: Callable[[], None] = lambda: None


def _postgres() -> Kind:
    cluster = sandbox.cluster()
    assert cluster is not None
    url = cluster.url("postgres")

    def cut() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'morefollows session'"
            )

    parameters = connections.session_parameters(url)
    return Kind(lambda: PostgresNotifier(DatabaseSession(parameters)), cut)


KINDS = ["datagrams", "nats", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kind]:
    made: list[Notifier] = []
    with contextlib.ExitStack() as at_end:
        if request.param == "datagrams":
            found = Kind(lambda: DatagramNotifier(tmp_path))
        elif request.param == "nats":
            server = NatsServer(tmp_path).start()
            at_end.callback(server.stop)
            found = Kind(lambda: NatsNotifier([server.url]), server.stop, server.start)
        else:
            found = _postgres()

        def make() -> Notifier:
            made.append(found.make())
            return made[-1]

        yield found._replace(make=make)
        for one in made:
            one.close()


async def heard(listener: Listener, announce: Callable[[], None]) -> None:
    """Announces until the listener hears it: at first a connection has to be made."""
    async with asyncio.timeout(PATIENCE):
        while True:
            announce()
            begun = time.monotonic()
            await listener.wait(1)
            if time.monotonic() - begun < 0.9:
                return


def test_a_word_wakes_up_the_listener_of_another_process(kind: Kind, tmp_path: Path) -> None:
    """From another process's notifier, and whether it is alone or one of many."""

    async def perform() -> None:
        theirs, ours = kind.make(), kind.make()
        listener = Listener(tmp_path, notifier=ours)
        await listener.open()
        await heard(listener, lambda: theirs.announce("alert"))
        for _ in range(5):
            for _ in range(20):
                theirs.announce("alert")
            await heard(listener, lambda: None)
            while True:  # until all have come
                begun = time.monotonic()
                await listener.wait(0.3)
                if time.monotonic() - begun >= 0.25:
                    break
            theirs.announce("letter")
            await heard(listener, lambda: None)
        listener.close()

    asyncio.run(perform())


def test_only_the_words_that_it_waits_for(kind: Kind, tmp_path: Path) -> None:
    async def perform() -> None:
        theirs, ours = kind.make(), kind.make()
        seen: list[int] = []
        listener = Listener(tmp_path, ("story",), lambda: seen.append(1), notifier=ours)
        await listener.open()
        await heard(listener, lambda: theirs.announce("story"))
        await asyncio.sleep(0.1)
        await listener.wait(0)
        before = len(seen)
        theirs.announce("alert")
        theirs.announce("story")
        await heard(listener, lambda: None)
        await asyncio.sleep(0.1)
        assert len(seen) == before + 1
        listener.close()

    asyncio.run(perform())


def test_no_announcement_waits_or_fails_while_nothing_carries_it(
    kind: Kind, tmp_path: Path
) -> None:
    """And it goes on by itself when that is back."""

    async def perform() -> None:
        theirs, ours = kind.make(), kind.make()
        listener = Listener(tmp_path, notifier=ours)
        await listener.open()
        await heard(listener, lambda: theirs.announce("alert"))
        kind.cut()
        begun = time.monotonic()
        for _ in range(1000):
            theirs.announce("alert")
        assert time.monotonic() - begun < 60
        kind.mend()
        await heard(listener, lambda: theirs.announce("alert"))
        listener.close()

    asyncio.run(perform())


def test_what_a_process_announces_before_it_ends_arrives(kind: Kind, tmp_path: Path) -> None:
    """As a command does, which ends at once."""

    async def perform() -> None:
        ours = kind.make()
        listener = Listener(tmp_path, notifier=ours)
        await listener.open()
        await heard(listener, lambda: ours.announce("alert"))
        await listener.wait(0.3)
        theirs = kind.make()
        theirs.announce("alert")
        await asyncio.to_thread(theirs.close)
        await heard(listener, lambda: None)
        listener.close()

    asyncio.run(perform())


def test_without_a_choice_it_is_datagrams(tmp_path: Path) -> None:
    async def perform() -> None:
        listener = Listener(tmp_path)
        await listener.open()
        notify.announce(tmp_path, "alert")
        await heard(listener, lambda: None)
        listener.close()

    asyncio.run(perform())
