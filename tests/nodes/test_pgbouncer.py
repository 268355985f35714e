"""Behind PgBouncer: services by a pool of transactions, all else by one of sessions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from morefollows.database import connections
from morefollows.database.session import DatabaseSession
from tests.support import sandbox
from tests.support.installation import Installation
from tests.support.pgbouncer import LOCK_TIMEOUT, PgBouncer
from tests.support.scripted_relay import running
from tests.support.waiting import until

pytestmark = pytest.mark.postgres

_FEW = 3  # sessions for all transactions, so that they are given from one to another


@pytest.fixture
def pool() -> Iterator[Callable[[str], PgBouncer]]:
    made: list[PgBouncer] = []

    def start(database: str) -> PgBouncer:
        cluster = sandbox.cluster()
        assert cluster is not None
        place = sandbox.folder() / f"pool-{database}"
        made.append(PgBouncer(place, cluster, database, _FEW).start())
        return made[-1]

    yield start
    for one in made:
        one.stop()


def test_the_session_hears_and_leads_by_the_one_and_says_so_by_the_other(
    pool: Callable[[str], PgBouncer], caplog: pytest.LogCaptureFixture
) -> None:
    there, heard = pool("postgres"), list[str]()
    one, deaf = (
        DatabaseSession(connections.session_parameters(there.url(session=session)))
        for session in (True, False)
    )
    try:
        for each in (one, deaf):
            each.want_lock("pings")
        one.listen(lambda found: heard.append(found.word))
        until("a leader", lambda: one.holds("pings"))
        until("that it says so", lambda: "MOREFOLLOWS_LISTEN_URL" in caplog.text)
        deaf.notify("alert")
        until("the word, which comes from there, too", lambda: "alert" in heard)
        assert not deaf.hears and not deaf.holds("pings")
    finally:
        one.close()
        deaf.close()


def test_an_alert_and_commands_beside_it(
    build: Callable[..., Installation], pool: Callable[[str], PgBouncer], tmp_path: Path
) -> None:
    with running(tmp_path / "taken.jsonl") as relay:
        here = build(relay=f"smtp://127.0.0.1:{relay.port}?tls=never", hold="0")
        direct = here.environment["DATABASE_URL"]
        there = pool(direct.rpartition("/")[2])
        here.environment["DATABASE_URL"] = there.url(session=False)
        here.environment["MOREFOLLOWS_LISTEN_URL"] = there.url(session=True)
        here.start("--sample")
        readers = tmp_path / "readers.csv"
        readers.write_text("email\n" + "".join(f"cy{n}@reader.example\n" for n in range(40)))
        consent = ("--provenance", "a test's readers", "--consented-at", "2024-05-04")
        here.command("readers", "import", str(readers), "--topic", "breaking", *consent)
        here.command("backup", str(tmp_path / "of.backup"))
        story = tmp_path / "story.md"
        story.write_text("Harbour bridge closed\n\nNobody is hurt, the port authority said.\n")
        here.command("stories", "break", str(story), "--topic", "breaking", "--yes")
        until("the mails", lambda: len(relay.taken()) == 40)

        def ended() -> bool:
            return here.query("SELECT state FROM stories_alert") == [("sent",)]

        until("the alert's end", ended)
        nodes = json.loads(here.command("nodes", "list", "--json").stdout)
        assert [one["role"] for one in nodes if one["leads"]] == ["send"]
        _nothing_is_left_behind(there.url(session=False))
        assert "MOREFOLLOWS_LISTEN_URL" not in here.output
        here.stop()


def _nothing_is_left_behind(url: str) -> None:
    """Sessions of the pool are as PgBouncer made them, whoever had them meanwhile."""
    opened = [psycopg.connect(url) for _ in range(_FEW)]
    for one in opened:  # each holds one of the sessions
        with one.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('lock_timeout'), current_setting('search_path'),"
                " (SELECT count(*) FROM pg_cursors WHERE is_holdable),"
                " (SELECT count(*) FROM pg_prepared_statements),"
                " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
                "  AND pid = pg_backend_pid())"
            )
            assert cursor.fetchone() == (LOCK_TIMEOUT, '"$user", public', 0, 0, 0)
    for one in opened:
        one.close()
