"""`bench scale`: mails a second, and the database's work, with one sender node and with several.

Each node is a sender with a data folder of its own. The relays sleep before they take a mail, as
distant ones do, so that a node has a rate that needs little of the processor: all nodes are on this
machine. What does not scale shows as a lower rate of each node, and as more work of the database
for each mail.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click

from bench import postgres, relays
from bench.race import BenchFailed
from bench.stage import Stage, dkim_keys
from morefollows import notify
from morefollows.cli.output import CommandFailed, json_option, tell_json

_OFFERS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
_FROM, _TO = 0.1, 0.7  # of an alert's mails, between which the rate is taken: no start, no end
_PATIENCE = 120.0  # seconds for nodes to start
_NEVER = 0xFFFFFFFF  # in a batch's times


class Scaled(NamedTuple):
    """One alert by some nodes."""

    nodes: int
    rate: float  #: mails a second
    cpu: float  #: CPU seconds of the senders for 1,000 mails
    database: float  #: CPU seconds of PostgreSQL for 1,000 mails
    commits: float  #: of PostgreSQL for 1,000 mails
    idle: float  #: CPU seconds of PostgreSQL each second, without an alert
    first_ms: int  #: from the end of the hold to the first acceptance


@click.command("scale")
@click.option("--readers", type=click.IntRange(1000, 1_000_000), default=8_000, show_default=True)
@click.option("--nodes", type=click.IntRange(1, 32), multiple=True, help="Sender nodes.  [1 2 3 4]")
@click.option(
    "--sleep", type=click.FloatRange(0, 10), default=0.1, show_default=True, help="Of a relay."
)
@click.option("--connections", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--hold", type=click.FloatRange(0, 60), default=2.0, show_default=True)
@click.option("--signed", is_flag=True, help="With TLS, and DKIM by RSA-2048.")
@json_option
def bench_scale(
    readers: int,
    nodes: tuple[int, ...],
    sleep: float,
    connections: int,
    hold: float,
    signed: bool,
    as_json: bool,
) -> None:
    """Mails a second and work of the database with 1, 2, 3 and 4 sender nodes.

    A node has `--connections` to relays that sleep for `--sleep` seconds before each reply. The
    part that does not scale is 1 less the share of the first number's rate that each node keeps.
    """
    folder = Path(tempfile.mkdtemp(prefix="morefollows-"))
    found: list[Scaled] = []
    try:
        with postgres.server(folder) as url, _relay(folder, sleep, signed) as relay:
            trial = Trial(folder, url, relay, readers, signed)
            try:
                for number in nodes or (1, 2, 3, 4):
                    found.append(trial.run(number, connections, hold))
                    if not as_json:
                        _tell(found)
            finally:
                notify.use(None)
    except BenchFailed as error:
        raise CommandFailed(str(error)) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        tell_json({"readers": readers, "signed": signed, "runs": [one._asdict() for one in found]})


def _tell(found: list[Scaled]) -> None:
    one, first = found[-1], found[0]
    kept = one.rate / one.nodes / (first.rate / first.nodes)
    click.echo(
        f"{one.nodes} nodes  {one.rate:>7,.0f}/s  {kept:.3f} of the first's for each"
        f"  CPU s a 1,000: senders {one.cpu:.3f}, database {one.database:.4f}"
        f"  {one.commits:,.1f} commits a 1,000  idle {one.idle:.4f} s/s"
        f"  first mail {one.first_ms} ms"
    )


@contextlib.contextmanager
def _relay(folder: Path, sleep: float, tls: bool) -> Iterator[str]:
    words = [*_OFFERS, f"SLEEP={sleep}"]
    if tls:
        words.append(f"TLS={_certificate(folder)}")
    with relays.listening("sink", *words) as (host, port):
        yield f"smtps://{host}:{port}?verify=no" if tls else f"smtp://{host}:{port}?tls=never"


class Trial:
    """A newsroom on a PostgreSQL, whose senders come and go."""

    def __init__(self, folder: Path, url: str, relay: str, readers: int, signed: bool) -> None:
        import psutil  # type: ignore[import-untyped]

        self._folder = folder
        self._environment = {
            **{name: value for name, value in os.environ.items() if "MOREFOLLOWS_" not in name},
            "DATABASE_URL": url,
            "MOREFOLLOWS_URL": "http://127.0.0.1:9",
            "MOREFOLLOWS_RELAY": relay,
            "MOREFOLLOWS_TEST_RELAY": "yes",
            "MOREFOLLOWS_RESOLVER": "off",
            "MOREFOLLOWS_SENDERS": "1",
            "MOREFOLLOWS_LOG_LEVEL": "warning",
            **dkim_keys("rsa" if signed else "none"),
        }
        os.environ.update({**self._environment, "MOREFOLLOWS_DATA": str(folder / "desk")})
        self._command("prepare", "--sample", "--administrator", "ada@herald.example")
        from morefollows.processes import bootstrap

        bootstrap.start_django()
        Stage(None, folder / "desk").fill(readers, lambda done: None)  # type: ignore[arg-type]
        [self._postgres] = [
            one.parent() if one.parent().name() == "postgres" else one
            for one in psutil.process_iter()
            if one.name() == "postgres" and str(folder) in " ".join(one.cmdline())
        ][:1]

    def run(self, nodes: int, connections: int, hold: float) -> Scaled:
        """Sends one alert by so many nodes."""
        import psutil

        started = [self._start(number, nodes * connections) for number in range(nodes)]
        try:
            self._wait_for(nodes)
            before, begun = self._database_cpu(), time.monotonic()
            time.sleep(3)
            idle = (self._database_cpu() - before) / (time.monotonic() - begun)
            counted = [psutil.Process(one.pid) for one in started]
            before, commits = self._database_cpu(), _commits()
            own = -sum(sum(one.cpu_times()[:2]) for one in counted)
            begun = time.monotonic()
            rate, mails, first = self._send(hold)
            # What nodes do without an alert is not the mails'.
            database = self._database_cpu() - before - idle * (time.monotonic() - begun)
            commits = _commits() - commits
            own += sum(sum(one.cpu_times()[:2]) for one in counted)
        finally:
            for one in started:
                one.terminate()
            for one in started:
                one.wait(60)
        part = 1000 / mails
        return Scaled(nodes, rate, own * part, database * part, commits * part, idle, first)

    def _send(self, hold: float) -> tuple[float, int, int]:
        """Returns mails a second, how many there were, and the first one's milliseconds."""
        from morefollows.courier.models import Batch
        from morefollows.ingest.drafts.file_drafts import save_draft
        from morefollows.ingest.story_file import StoryFile
        from morefollows.stories import actions
        from morefollows.stories.models import Alert

        stage = Stage(None, self._folder)  # type: ignore[arg-type]
        read = StoryFile("Lighthouse keeper found safe", "", "More follows.", "en", "", (), ())
        editor = stage.editor()
        alert = actions.send(save_draft(read, editor, stage.topic()), editor, hold=hold)
        while Alert.objects.values_list("state", flat=True).get(pk=alert.pk) != "sent":
            time.sleep(0.5)
        times = array("I")
        for packed in Batch.objects.filter(alert=alert).values_list("times", flat=True):
            times.frombytes(bytes(packed))
        taken = sorted(one for one in times if one != _NEVER)
        first, last = int(len(taken) * _FROM), int(len(taken) * _TO)
        rate = (last - first) * 1000 / max(taken[last] - taken[first], 1)
        return rate, len(taken), taken[0]

    def _start(self, number: int, connections: int) -> subprocess.Popen[bytes]:
        data = self._folder / f"send{number}"
        if not data.exists():
            data.mkdir(mode=0o700)
            shutil.copy2(self._folder / "desk" / "secret", data)
        with (self._folder / "senders.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "morefollows", "send"],
                env={
                    **self._environment,
                    "MOREFOLLOWS_DATA": str(data),
                    "MOREFOLLOWS_RELAY_CONNECTIONS": str(connections),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _wait_for(self, nodes: int) -> None:
        """Waits until that many share the limits equally."""
        from morefollows.courier.models import SenderProcess
        from morefollows.courier.relays.limits_per_sender import LIVE_MS
        from morefollows.database import clock

        until = time.monotonic() + _PATIENCE
        while True:
            live = SenderProcess.objects.filter(seen_at_ms__gt=clock.now_ms() - LIVE_MS)
            shares = list(live.values_list("share", flat=True))
            if len(shares) == nodes and max(abs(one - 1 / nodes) for one in shares) < 0.01:
                return
            if time.monotonic() > until:
                said = (self._folder / "senders.log").read_text(errors="replace")
                raise BenchFailed(f"{nodes} senders do not share alike: {shares}\n{said[-2000:]}")
            time.sleep(0.1)

    def _database_cpu(self) -> float:
        """CPU seconds of the server's processes, also of those that have ended."""
        import psutil

        found = self._postgres.cpu_times()
        seconds = found.user + found.system + found.children_user + found.children_system
        for one in self._postgres.children():
            with contextlib.suppress(psutil.NoSuchProcess):
                seconds += sum(one.cpu_times()[:2])
        return float(seconds)

    def _command(self, *words: str) -> None:
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "morefollows", *words],
            env={**self._environment, "MOREFOLLOWS_DATA": str(self._folder / "desk")},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise BenchFailed(done.stdout + done.stderr)


def _commits() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        )
        row: Any = cursor.fetchone()
    return int(row[0])


def _certificate(folder: Path) -> Path:
    """Makes a key with a certificate of its own."""
    file = folder / "relay.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=relay"]
    made = subprocess.run(  # noqa: S603
        ["openssl", *words, "-keyout", str(file), "-out", str(folder / "relay.crt")],  # noqa: S607
        capture_output=True,
        text=True,
    )
    if made.returncode:
        raise BenchFailed(f"openssl: {made.stderr}")
    with file.open("a") as whole:
        whole.write((folder / "relay.crt").read_text())
    return file
