"""A PgBouncer in front of the test server, on a Unix socket only.

Each database has two ways in: `NAME`, in a pool of transactions, and `NAME_session`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

import psycopg

from tests.support.postgres import Cluster
from tests.support.waiting import until

_PORT = 6432  # of the socket's name only
#: What the transactions' sessions are set to, in the words of `connect_query`.
LOCK_TIMEOUT = "2s"


class PgBouncer:
    """One pool for `database` of `cluster`, with `size` sessions for all transactions."""

    def __init__(self, folder: Path, cluster: Cluster, database: str, size: int) -> None:
        self._folder, self._database = folder, database
        server = f"host={cluster.place} dbname={database}"
        query = f"SET lock_timeout = '{LOCK_TIMEOUT}'".replace("'", "''")
        self._settings = (
            "[databases]\n"
            f"{database} = {server} pool_mode=transaction pool_size={size}"
            f" connect_query='{query}'\n"
            f"{database}_session = {server} pool_mode=session pool_size=20\n"
            "[pgbouncer]\n"
            f"unix_socket_dir = {folder}\nlisten_port = {_PORT}\nauth_type = trust\n"
            f"auth_file = {folder}/users\nmax_client_conn = 200\n"
            "ignore_startup_parameters = options\n"
            f"logfile = {folder}/log\npidfile = {folder}/pid\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, *, session: bool) -> str:
        """A `DATABASE_URL`: of the pool of transactions, or of sessions."""
        name = f"{self._database}_session" if session else self._database
        return f"postgres://postgres@{quote(str(self._folder), safe='')}:{_PORT}/{name}"

    def start(self) -> PgBouncer:
        """Starts it, as the user `postgres` if this one is root."""
        self._folder.mkdir(parents=True)
        (self._folder / "users").write_text('"postgres" ""\n')
        (self._folder / "settings").write_text(self._settings)
        program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        as_user = []
        if os.getuid() == 0:
            shutil.chown(self._folder, "postgres")
            as_user = ["-u", "postgres"]
        self._process = subprocess.Popen(
            [program, "-q", *as_user, str(self._folder / "settings")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until("PgBouncer", self._answers)
        return self

    def stop(self) -> None:
        """Ends it at once."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(session=False)).close()
        except psycopg.OperationalError:
            return False
        return True
