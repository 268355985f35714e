"""`make soak`: a thousand small alerts, a hundred restarts, and a year of housekeeping.

A newsroom on SQLite sends small alerts to a scripted relay. After each few of them one of its
processes is ended or killed: a sender, the web process, the desk's. `up` and the first sender live
through all. Then everything is stopped, the clock goes on by 13 months, and housekeeping runs in
each. Fails if a mail is lost, or if memory, file descriptors, threads, rows, files of the data
folder, the WAL or the log have grown beyond what is documented (`tests.soak.holdings`). Linux only.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Iterator

from tests.faults.testbed import READERS, Testbed
from tests.soak.holdings import (
    Holdings,
    grown_files,
    grown_processes,
    grown_rows,
    holdings,
)
from tests.support import sandbox
from tests.support.clock import Clock
from tests.support.waiting import until

_MONTH = 31 * 86_400
_MONTHS = 14  # longer than who was sent which alert is kept: 400 days
_WARM = 10  # alerts before each restart before the first look: what is loaded once is no growth
_RESTARTED = ("sender 2", "web", "desk")
_LEFT = ("pages of the database file",)  # what a dry run may still count


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__.splitlines()[0])
    parser.add_argument("--alerts", type=int, default=1_000)
    parser.add_argument("--restarts", type=int, default=100)
    parser.add_argument("--short", action="store_true", help="60 alerts, 6 restarts")
    options = parser.parse_args()
    alerts, restarts = (60, 6) if options.short else (options.alerts, options.restarts)
    os.environ["TEST_DATABASE"] = "sqlite"
    soak = Soak()
    try:
        soak.open()
        soak.send_and_restart(alerts, restarts)
        soak.grow_old()
    finally:
        soak.close()
    for one in soak.wrong:
        print("WRONG:", one)
    return 1 if soak.wrong else 0


class Soak:
    """One newsroom. `wrong`: what was found."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self._testbed = bed = Testbed(1, senders="2", hold="0", relay_connections="4")
        bed.clock = self._clock = Clock(sandbox.folder() / "soak-clock")
        bed.installation.environment.update(self._clock.environment)
        self._sent = self._before = 0
        self._restarts = 0

    def open(self) -> None:
        self._testbed.call(self._testbed.proxy.restore, self._testbed.relay.port)
        self._testbed.open()
        # A process shares memory with the one that it was forked from, until that ends.
        for name in _RESTARTED:
            self._send(_WARM)
            restart_one(self._testbed, name, signal.SIGTERM)
        self._send(_WARM)
        self._first, self._before = self._look("at the start"), self._sent

    def close(self) -> None:
        self._testbed.close()

    def send_and_restart(self, alerts: int, restarts: int) -> None:
        """Sends the alerts, and restarts a process after each few."""
        begun, share = time.monotonic(), alerts // restarts
        for restart in itertools.islice(self._ways_to_restart(), restarts):
            self._send(share)
            restart_one(self._testbed, *restart)
            self._restarts += 1
            self._visit()
        self._send(alerts - share * restarts)
        took = time.monotonic() - begun
        print(f"{alerts} alerts and {restarts} restarts in {took:.0f} s", flush=True)
        now = self._look("after the restarts")
        self.wrong += grown_processes(self._first, now)
        more = self._sent - self._before
        self.wrong += grown_rows(self._first, now, more, aged=False)
        self.wrong += grown_files(self._first, now, more, self._restarts)

    def grow_old(self) -> None:
        """Lets `_MONTHS` pass with housekeeping, and sends an alert then."""
        installation = self._testbed.installation
        installation.stop()
        for _ in range(_MONTHS):
            self._clock.turn(_MONTH)
            installation.command("housekeeping")
        left = json.loads(installation.command("housekeeping", "--dry-run", "--json").stdout)
        for name, number in left["counts"].items():
            if number and name not in _LEFT:
                self.wrong.append(f"housekeeping has left {number} {name}")
        aged = holdings(installation, {})
        self.wrong += grown_rows(self._first, aged, self._sent, aged=True)
        self.wrong += grown_files(self._first, aged, self._sent, self._restarts)
        installation.start()
        self._look(f"after {_MONTHS} months")

    def _send(self, alerts: int) -> None:
        """Sends so many, and waits until each reader has each of them."""
        from morefollows.stories.models import Alert

        before = len(self._testbed.mailed())
        sent = [self._testbed.send(self._sent + number).pk for number in range(alerts)]
        self._sent += alerts
        under_way = Alert.objects.filter(pk__in=sent, state__in=Alert.UNDER_WAY)
        until("the end of the alerts", lambda: not under_way.exists())
        got = {(one.run, one.recipient) for one in self._testbed.mailed()[before:]}
        if len(got) != alerts * READERS:
            self.wrong.append(f"{alerts * READERS - len(got)} mails are lost")

    def _visit(self) -> None:
        """A reader opens the first page. Connections wait while the web process starts."""
        address = self._testbed.installation.address
        with urllib.request.urlopen(f"{address}/", timeout=60) as page:
            page.read()

    def _ways_to_restart(self) -> Iterator[tuple[str, int]]:
        ways = itertools.product((signal.SIGTERM, signal.SIGKILL), _RESTARTED)
        return ((name, number) for number, name in itertools.cycle(ways))

    def _look(self, when: str) -> Holdings:
        installation = self._testbed.installation
        up = installation._up
        assert up is not None
        found = holdings(installation, {"up": up.pid, **self._testbed.pids()})
        memory = sum(one.memory for one in found.processes.values()) >> 20
        files = sum(one.files for one in found.processes.values())
        print(
            f"{when}: {memory} MB, {files} file descriptors, {sum(found.rows.values())} rows, "
            f"{len(found.files)} files, WAL {found.wal >> 10} KB, log {found.log >> 10} KB",
            flush=True,
        )
        return found


def restart_one(bed: Testbed, name: str, number: int) -> None:
    """Ends or kills a process, and waits for its successor."""
    pid = bed.pids()[name]
    os.kill(pid, number)
    until(f"another {name}", lambda: bed.pids().get(name, pid) != pid)


if __name__ == "__main__":
    sys.exit(main())
