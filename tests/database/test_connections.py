"""Connections to PostgreSQL: what is waited for ends, and what the URL says goes before."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

import psycopg
import pytest

from morefollows.database import connections, timed_connection
from tests.support import sandbox


class Proxy:
    """Forwards one connection to the test server, until it is told to swallow everything."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.swallow = threading.Event()
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            client, _ = self._listener.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._target)
            self._ends += [client, server]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while part := source.recv(65_536):
                if not self.swallow.is_set():
                    sink.sendall(part)

    def close(self) -> None:
        for one in (self._listener, *self._ends):
            one.close()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    server = sandbox.cluster()
    assert server is not None
    folder = unquote(urlsplit(server.url("postgres")).netloc.partition("@")[2])
    found = Proxy(f"{folder}/.s.PGSQL.5432")
    yield found
    found.close()


@pytest.mark.postgres
def test_a_server_that_goes_silent_is_given_up(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = {
        "host": "127.0.0.1",
        "port": str(proxy.port),
        "user": "postgres",
        "dbname": "postgres",
        "sslmode": "disable",
    }
    connection = timed_connection.TimedConnection.connect(
        psycopg.conninfo.make_conninfo(**where, gssencmode="disable")
    )
    assert connection.execute("SELECT 1").fetchone() == (1,)
    monkeypatch.setattr(timed_connection.TimedConnection, "patience_seconds", 0.2)
    proxy.swallow.set()
    with pytest.raises(psycopg.OperationalError, match="does not answer"):
        connection.execute("SELECT 1")
    assert connection.closed


def test_what_the_url_says_goes_before() -> None:
    found = connections.options(
        {"connect_timeout": "9", "sslmode": "require", "options": "-c lock_timeout=1s"}
    )
    assert (found["connect_timeout"], found["sslmode"]) == ("9", "require")
    assert found["options"].endswith(
        "-c lock_timeout=1s"
    )  # of two for the same the later one counts
    assert "-c lock_timeout=60s" in found["options"]
    assert found["tcp_user_timeout"] == 12_000
