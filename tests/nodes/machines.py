"""PostgreSQL with a synchronous standby, relay and product, each on a host of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg

from tests.providers.namespaces import run, start
from tests.support.postgres import programs
from tests.support.waiting import until


class Primary:
    """PostgreSQL on host `db1` and its standby on `db2`."""

    def __init__(self, folder: Path, addresses: dict[str, str]) -> None:
        self._folder, self._at = folder, addresses
        both = f"{addresses['db1']},{addresses['db2']}"
        options = "target_session_attrs=read-write&connect_timeout=2"
        self.url = f"postgres://postgres@{both}/morefollows?{options}"

    def start(self) -> None:
        """Starts both. COMMIT waits for the standby."""
        one = self._folder / "db1"
        one.mkdir()
        shutil.chown(one, "postgres")
        self._run(
            "db1", "initdb", "-D", f"{one}/data", "--auth=trust", "--no-sync", "-U", "postgres"
        )
        (one / "data" / "pg_hba.conf").write_text("host all,replication all 0.0.0.0/0 trust\n")
        self._serve("db1")
        self._ready("db1")
        two = self._folder / "db2"
        two.mkdir()
        shutil.chown(two, "postgres")
        source = f"host={self._at['db1']} user=postgres application_name=standby1"
        self._run("db2", "pg_basebackup", "-d", source, "-D", f"{two}/data", "-R", "-X", "stream")
        self._serve("db2")
        self._ready("db2")
        with psycopg.connect(self._admin("db1"), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby1'")
            connection.execute("SELECT pg_reload_conf()")
            until("the standby", lambda: self._is_sync(connection))
            connection.execute("CREATE DATABASE morefollows")

    def fail_over(self) -> None:
        """Kills the primary, and promotes the standby."""
        pids = run("ip", "netns", "pids", "mf-db1").stdout.split()
        run("kill", "-9", *pids, check=False)
        with psycopg.connect(self._admin("db2"), autocommit=True) as connection:
            connection.execute("SELECT pg_promote(true, 60)")

    def _is_sync(self, connection: psycopg.Connection[tuple[object, ...]]) -> bool:
        row = connection.execute("SELECT sync_state FROM pg_stat_replication").fetchone()
        return row is not None and row[0] == "sync"

    def _admin(self, host: str) -> str:
        return f"host={self._at[host]} user=postgres dbname=postgres connect_timeout=2"

    def _ready(self, host: str) -> None:
        def answers() -> bool:
            try:
                psycopg.connect(self._admin(host)).close()
            except psycopg.OperationalError:
                return False
            return True

        until(f"PostgreSQL on {host}", answers)

    def _serve(self, host: str) -> None:
        data = f"{self._folder}/{host}/data"
        words = ("-D", data, "-h", "0.0.0.0", "-k", f"{self._folder}/{host}", "-c", "fsync=off")
        command = ("runuser", "-u", "postgres", "--", str(programs() / "postgres"), *words)
        start(host, self._folder / f"{host}.log", *command, "-c", "max_connections=200")

    def _run(self, host: str, program: str, *words: str) -> None:
        command = ("runuser", "-u", "postgres", "--", str(programs() / program), *words)
        run("ip", "netns", "exec", f"mf-{host}", *command)


class Machine:
    """One host with the product's processes, a data folder and the same keys as all others."""

    def __init__(self, host: str, folder: Path, environment: dict[str, str]) -> None:
        self.host = host
        self.data = folder / host
        self.log = folder / f"{host}.log"
        self.environment = {**environment, "MOREFOLLOWS_DATA": str(self.data)}
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, *words: str, before: tuple[str, ...] = ()) -> None:
        """Starts a process of the product here. `before`: words that come before its command."""
        with self.log.open("ab") as output:
            self._processes.append(
                subprocess.Popen(
                    ["ip", "netns", "exec", f"mf-{self.host}", *before, sys.executable, "-m",
                     "morefollows", *words],
                    env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                )
            )  # fmt: skip

    def command(self, *words: str) -> str:
        """Runs a command of the product here, to its end."""
        done = subprocess.run(
            ["ip", "netns", "exec", f"mf-{self.host}", sys.executable, "-m", "morefollows", *words],
            env=self.environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise SystemExit(f"{words} on {self.host}: {done.stdout}{done.stderr}")
        return done.stdout

    def send_signal(self, number: int) -> None:
        """Sends a signal to all processes of the host."""
        for pid in run("ip", "netns", "pids", f"mf-{self.host}").stdout.split():
            os.kill(int(pid), number)

    def end(self, number: int = signal.SIGTERM) -> None:
        """Ends them, and waits for that."""
        self.send_signal(number)
        for process in self._processes:
            process.wait(60)
        self._processes.clear()

    def end_processes(self) -> None:
        """Ends what was started here in order, and nothing else on the host."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(60)
        self._processes.clear()

    def link(self, state: str) -> None:
        """Cuts the host off (`down`) or connects it again (`up`)."""
        run("ip", "-n", "mf-switch", "link", "set", f"p-{self.host}", state)
