"""`make nodes`: alerts over several hosts in network namespaces, while they fail one by one.

Root and Linux only. Two web servers, two senders, PostgreSQL with a synchronous standby, and a
relay, each on a host of its own. For each event one alert is sent: plain, then with one sender's
host killed, paused, cut off, restarted, its clock shifted, and the primary killed. Prints what was
lost and repeated, when the first mail left, and how soon the other sender had the whole of the
relay's limits. Fails if a mail is lost. `--old COMMIT` adds a rolling upgrade: all hosts begin with
the code of that commit, the database is brought up to date under them, and during an alert one
process after the other is replaced.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.nodes.machines import Machine, Primary
from tests.providers.namespaces import US, hosts, start
from tests.support.scripted_relay import GrowingRecord, by_recipient
from tests.support.waiting import until

_HOSTS = ["us", "web2", "send1", "send2", "db1", "db2", "relay"]
_UPGRADED = "upgraded"
_EVENTS = ["plain", "hold", "killed", "paused", "cut off", "restarted", "clock", "failover"]
_CLOCK = 40  # seconds


def main() -> int:
    parser = argparse.ArgumentParser(prog="make nodes", description=__doc__.splitlines()[0])
    parser.add_argument("--readers", type=int, default=5_000)
    parser.add_argument("--pause", type=float, default=10, help="seconds of a pause or a cut")
    parser.add_argument("--seconds", type=float, default=8, help="that an alert takes, by rate")
    parser.add_argument("--event", action="append", choices=_EVENTS, help="all, if left out")
    parser.add_argument("--old", default="", metavar="COMMIT", help="to upgrade from, first")
    parser.add_argument("--inside", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        events = ([_UPGRADED] if options.old else []) + (options.event or _EVENTS)
        return Trial(Path(options.inside), options).run(events)
    with (
        tempfile.TemporaryDirectory(prefix="morefollows-nodes-") as name,
        hosts(_HOSTS) as there,
    ):
        Path(name).chmod(0o755)
        environment = os.environ | {f"AT_{host}": address for host, address in there.items()}
        inside = [sys.executable, "-m", "tests.nodes", "--inside", name, *sys.argv[1:]]
        return subprocess.run(["ip", "netns", "exec", "mf-us", *inside], env=environment).returncode


class Trial:
    """All hosts, seen from the first web server's, where editors press *Send*."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self._options = options
        at = {host: os.environ.pop(f"AT_{host}") for host in _HOSTS}
        self.database = Primary(folder, at)
        self.database.start()
        self._relay = GrowingRecord(folder / "taken.jsonl")
        words = ("--host", "0.0.0.0", "--port", "2525", "--record", str(folder / "taken.jsonl"))
        relay = (sys.executable, "-m", "tests.support.scripted_relay", *words)
        start("relay", folder / "relay.log", *relay)
        rate = int(options.readers / options.seconds)
        environment = os.environ | {
            "DATABASE_URL": self.database.url,
            "MOREFOLLOWS_URL": f"http://{US}:8025",
            "MOREFOLLOWS_HOST": "0.0.0.0",
            "MOREFOLLOWS_RELAY": f"smtp://{at['relay']}:2525?tls=never&rate={rate}",
            "MOREFOLLOWS_RESOLVER": "off",
            "MOREFOLLOWS_CLAIM": "5",
        }
        if options.old:
            environment["PYTHONPATH"] = _code_of(options.old, folder)
        self.web = Machine("us", folder, environment)
        self.web.command("prepare", "--administrator", "ada@herald.test")
        sender = ("--sender-address", "alerts@herald.internal", "--name", "The Herald")
        self.web.command("newsroom", *sender, "--postal-address", "1 Quay Street, Norwick")
        self.others = [Machine(host, folder, environment) for host in ("web2", "send1", "send2")]
        for one in self.others:
            one.data.mkdir()
            (one.data / "secret").write_bytes((self.web.data / "secret").read_bytes())
            (one.data / "secret").chmod(0o600)
        self.web.start("web")
        self.others[0].start("web")
        for one in self.others[1:]:
            one.start("send")
        self._machines = [*self.others[1:], self.others[0], self.web]
        if options.old:
            for one in self._machines:
                one.environment.pop("PYTHONPATH")
            print("migrated under the old version:", self.web.command("migrate").strip())
        os.environ.update(self.web.environment)
        from morefollows.processes import bootstrap

        bootstrap.start_django()
        from morefollows import notify

        notify.announce(self.web.data, "story")  # opens the session, which a desk's process has
        self._wrong: list[str] = []

    def run(self, events: list[str]) -> int:
        """Sends one alert for each event, and returns the exit code."""
        from bench.stage import Stage

        Stage(None, self.web.data).fill(self._options.readers, lambda done: None)  # type: ignore[arg-type]
        until("both senders", lambda: len(_shares()) == 2 and min(_shares()) > 0.4)
        happenings: dict[str, Callable[[], float | None]] = {
            "killed": self._killed,
            "paused": self._paused,
            "cut off": self._cut_off,
            "restarted": self._restarted,
            _UPGRADED: self._upgraded,
            "clock": self._clock,
            "failover": self._failover,
        }
        for event in events:
            self._alert(event, happenings.get(event))
        for one in self._wrong:
            print("WRONG:", one)
        return 1 if self._wrong else 0

    def _alert(self, event: str, happening: Callable[[], float | None] | None) -> None:
        relay, readers = self._relay, self._options.readers
        before = len(relay.taken())
        hold = 2.0 if event == "hold" else 0.0
        alert, pressed, at = _send(event, hold)
        begun = alert.held_until_ms / 1000
        until("the first mail", lambda: len(relay.taken()) > before)
        first = relay.taken()[before]["time"] - begun
        since_send = "" if hold else f" and {(first + begun - at) * 1000:.0f} ms of Send"
        reshared: float | None = None
        if happening is not None:
            until("a quarter", lambda: len(relay.taken()) - before > readers / 4)
            reshared = happening()
        until("the end", lambda: _state(alert) not in ("held", "sending"), 600)
        got = by_recipient(relay.taken()[before:])
        lost, repeated = readers - len(got), sum(map(len, got.values())) - len(got)
        took = time.time() - begun
        words = f"{event:<10}{readers} readers: lost {lost}, repeated {repeated}; Send took"
        words += f" {pressed * 1000:.0f} ms, first mail after {first * 1000:.0f} ms of the hold's"
        words += f" end{since_send}, last after {took:.1f} s"
        print(
            words + (f"; re-shared in {reshared:.1f} s" if reshared is not None else ""), flush=True
        )
        if lost:
            self._wrong.append(f"{event}: {lost} lost")

    # -- what happens to the second sender's host

    def _killed(self) -> float:
        self.others[2].end(signal.SIGKILL)
        seconds = self._reshared()
        self.others[2].start("send")
        return seconds

    def _paused(self) -> float:
        self.others[2].send_signal(signal.SIGSTOP)
        seconds = self._reshared()
        time.sleep(self._options.pause)
        self.others[2].send_signal(signal.SIGCONT)
        return seconds

    def _cut_off(self) -> float:
        self.others[2].link("down")
        seconds = self._reshared()
        time.sleep(self._options.pause)
        self.others[2].link("up")
        return seconds

    def _restarted(self) -> None:
        """As in a rolling upgrade: one sender after the other."""
        for one in self.others[1:]:
            until("both senders", lambda: len(_shares()) == 2)
            one.end()
            one.start("send")
            until("both senders", lambda: len(_shares()) == 2)

    def _upgraded(self) -> None:
        """Each process is ended, and started again with the present code."""
        self._restarted()
        for one in (self.others[0], self.web):
            one.end_processes()
            one.start("web")
        print("versions beside each other until the last process was replaced")

    def _clock(self) -> float:
        self.others[2].end()
        seconds = self._reshared()
        self.others[2].start("send", before=("faketime", "-f", f"+{_CLOCK}s"))
        until("that it stays out", lambda: _troubles() == ["send"])
        self.others[2].end(signal.SIGKILL)
        self.others[2].start("send")
        return seconds

    def _failover(self) -> None:
        self.database.fail_over()

    def _reshared(self) -> float:
        begun = time.monotonic()
        until("one sender with all", lambda: max(_shares(), default=0) > 0.99)
        return time.monotonic() - begun


def _code_of(commit: str, folder: Path) -> str:
    """Unpacks the code of a commit. Returns the folder for PYTHONPATH."""
    archive = folder / "old.tar"
    subprocess.run(["git", "archive", "-o", str(archive), commit, "src"], check=True)
    (folder / "old").mkdir()
    subprocess.run(["tar", "-xf", str(archive), "-C", str(folder / "old")], check=True)
    return str(folder / "old" / "src")


def _send(event: str, hold: float) -> tuple[Any, float, float]:
    """Returns the alert, the seconds until *Send* was on disk at both servers, and its time."""
    from morefollows.accounts.models import Editor
    from morefollows.audience.models import Topic
    from morefollows.ingest.drafts.file_drafts import save_draft
    from morefollows.ingest.story_file import StoryFile
    from morefollows.stories import actions

    text = "Nobody is hurt. More follows."
    read = StoryFile(f"Harbour bridge closed: {event}", "", text, "en", "", (), ())
    editor, topic = Editor.objects.people().get(), Topic.objects.get(slug="breaking")
    draft = save_draft(read, editor, topic)
    begun = time.time()
    alert = actions.send(draft, editor, hold=hold)
    return alert, time.time() - begun, begun


def _state(alert: Any) -> str:
    from morefollows.stories.models import Alert

    return str(_asked(lambda: Alert.objects.values_list("state", flat=True).get(pk=alert.pk)))


def _shares() -> list[float]:
    from morefollows.courier.models import SenderProcess
    from morefollows.courier.relays.limits_per_sender import LIVE_MS
    from morefollows.database import clock

    rows = SenderProcess.objects.all()
    return _asked(
        lambda: list(
            rows.filter(seen_at_ms__gt=clock.now_ms() - LIVE_MS).values_list("share", flat=True)
        )
    )


def _troubles() -> list[str]:
    from morefollows.nodes.models import NodeProcess

    found = NodeProcess.objects.filter(trouble__contains="clock")
    return _asked(lambda: list(found.values_list("role", flat=True)))


def _asked(query: Callable[[], Any]) -> Any:
    """Returns the query's result, also while the primary changes."""
    from django.db import Error as AnyDatabaseError
    from django.db import connection

    def ask() -> Any:
        try:
            return [query()]
        except AnyDatabaseError:
            connection.close()
            return None

    return until("the database", ask)[0]


if __name__ == "__main__":
    sys.exit(main())
