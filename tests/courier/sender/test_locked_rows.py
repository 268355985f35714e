"""Rows that others lock while an alert goes out (PostgreSQL): only what needs them waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from morefollows.courier.sender import collector, guard
from morefollows.courier.sender.scheduler import Scheduler
from tests.courier.refusals.test_refusals import alert_to, newsroom
from tests.courier.relays.test_several_relays import at_work
from tests.courier.sender.test_worker import asked, until
from tests.support.scripted_relay import Rule, Script, ScriptedRelay

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks no rows"),
]
__all__ = ["newsroom"]

_NEEDED = {"courier_batch", "stories_alert"}  # sending writes them: `make faults` locks these
_LONG = 20.0  # seconds at most
_MAILS = 900


@contextmanager
def all_rows_locked() -> Iterator[None]:
    """Another transaction holds each row of each table that sending does not need to write."""
    names = set(connection.introspection.table_names()) - _NEEDED
    facts = connection.settings_dict
    known = {"dbname": "NAME", "user": "USER", "host": "HOST", "port": "PORT"}
    with psycopg.connect(**{key: facts[name] for key, name in known.items() if facts[name]}) as one:
        for name in sorted(names):
            one.execute(f'SELECT 1 FROM "{name}" FOR UPDATE'.encode())
        yield
        one.rollback()


def test_an_alert_goes_on_beside_locked_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "_AHEAD", 40)  # so that it has to write all the time
    monkeypatch.setattr(guard, "_NOTE_EVERY_MS", 500)
    alert_to({f"box{n}.example": 1 for n in range(_MAILS)})
    went_on: list[int] = []

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        [relay] = relays
        await until(lambda: len(relay.taken) >= 40)
        locked = all_rows_locked()
        await asked(locked.__enter__)
        try:
            before, began = len(relay.taken), time.monotonic()
            while len(relay.taken) < before + 300 and time.monotonic() < began + _LONG:
                await asyncio.sleep(0.05)
            went_on.append(len(relay.taken) - before)
        finally:
            await asked(lambda: locked.__exit__(None, None, None))
        await until(lambda: len(relay.taken) >= _MAILS)

    at_work(tmp_path, [Script(rules=(Rule("content", delay=0.01),))], story)
    # Without a write at most 40 mails may go.
    assert went_on[0] > 150
