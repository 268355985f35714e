"""`bench signup`: sign-ups a second when a story draws a crowd, and the effect on an alert."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from morefollows.cli.output import CommandFailed, json_option, tell_json

if TYPE_CHECKING:
    from bench.stage import Stage

_DATABASES = ("sqlite", "postgres")
_CROWDS = (50, 200, 400, 2000)
_BESIDE = 200  # visitors at any moment while an alert is sent
_FILES = 7_000  # open files beside the streams: the crowd's connections, and the process's own
_HOLD = 2.0  # seconds
_HEAD_START = 1.0  # seconds from the start of the crowd to the alert
_BARE_SECONDS = 2.0
_LOOK_EVERY = 0.1  # seconds
_SETTINGS = {
    "MOREFOLLOWS_SIGN_UP_SECONDS": "0",  # the crowd fills forms in faster than people do
    "MOREFOLLOWS_TRUSTED_PROXIES": "1",  # each visitor has a network of its own
    "MOREFOLLOWS_SIGN_UPS_IN_ALL": "100000000",  # no proof of work, however large the crowd is
    "MOREFOLLOWS_STREAMS_A_NETWORK": "100000",  # all readers of live pages are on this machine
}


@click.command("signup")
@click.option(
    "--at-once",
    type=click.IntRange(1, 5000),
    multiple=True,
    help="Visitors at any moment.  [50 200 400 2000]",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1, 600),
    default=10.0,
    show_default=True,
    help="Of each rush alone.",
)
@click.option(
    "--readers",
    type=click.IntRange(10, 5_000_000),
    default=50_000,
    show_default=True,
    help="Of the alert.",
)
@click.option(
    "--rounds",
    type=click.IntRange(1, 20),
    default=3,
    show_default=True,
    help="Alerts without and with it.",
)
@click.option(
    "--streams",
    type=click.IntRange(0, 50_000),
    default=0,
    help="Live pages that are open meanwhile.",
)
@click.option(
    "--rate",
    type=click.FloatRange(0, 5000),
    default=0.0,
    help="Sign-ups a second beside the alert, instead.",
)
@click.option(
    "--database", type=click.Choice(_DATABASES), multiple=True, help="Only this one.  [both]"
)
@json_option
def bench_signup(
    at_once: Sequence[int], seconds: float, readers: int, rounds: int, streams: int, rate: float,
    database: Sequence[str], as_json: bool,
) -> None:  # fmt: skip
    """A flash crowd signs up: sign-ups a second, and how long an answer takes; then the same while
    an alert goes out.

    Each visitor opens the box and sends it, over HTTP, from a network of its own; an answer counts
    when the sign-up is on disk. Confirmations are mailed meanwhile, into Postfix's smtp-sink. In
    turns an alert is sent without and with a crowd. Afterwards every answered sign-up must be in
    the database. PostgreSQL is a server of its own, or the one that DATABASE_URL names. With --rate
    only crowds that --at-once names come alone.

    Every stream is an open file: the limit of open files (`ulimit -n`) is raised as far as the
    system allows.
    """
    from bench.race import BenchFailed

    _raise_file_limit(streams)
    at_once = at_once or (() if rate else _CROWDS)
    chosen = list(database or _DATABASES)
    reports = {}
    try:
        for one in chosen:
            if len(chosen) == 1:
                reports[one] = _on(one, at_once, seconds, readers, rounds, streams, rate)
            else:  # Django is set up for one database in each process
                reports[one] = _apart(one)
            if not as_json:
                _table(one, reports[one])
    except BenchFailed as error:
        raise CommandFailed(str(error)) from None
    if as_json:
        tell_json(reports)


def _raise_file_limit(streams: int) -> None:
    """Raises the limit of open files, also for child processes. Raises `CommandFailed` if it
    can't."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = streams + _FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed and streams:
        raise CommandFailed(
            f"{streams:,} streams need {needed:,} open files, and this system allows {hard:,}: "
            f"raise the hard limit (ulimit -Hn {needed}), or open fewer"
        )
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    click.echo(f"The limit of open files was raised from {soft:,} to {wanted:,}.", err=True)


def _apart(database: str) -> dict[str, Any]:
    from bench.race import BenchFailed

    command = [sys.executable, "-m", "bench", *sys.argv[1:], "--database", database, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE)  # noqa: S603 - our own command
    if done.returncode:
        raise BenchFailed(f"the benchmark on {database} failed")
    found: dict[str, Any] = json.loads(done.stdout)[database]
    return found


def _on(
    database: str,
    crowds: Sequence[int],
    seconds: float,
    readers: int,
    rounds: int,
    streams: int,
    rate: float,
) -> dict[str, Any]:
    from bench.race import smtp_sink
    from bench.stage import stage

    with (
        tempfile.TemporaryDirectory(prefix="morefollows-") as name,
        _server(database, Path(name)),
        smtp_sink() as relay,
    ):
        with stage(Path(name), relay, settings=_SETTINGS) as product:
            product.fill(readers, lambda done: None)
            report: dict[str, Any] = {"bare": _bare(Path(name))}
            report["crowds"] = [_rush(product, at_once, seconds) for at_once in crowds]
            with _pages(product, streams):
                report |= _beside(product, rounds, streams, rate)
            return _counted(report)


@contextlib.contextmanager
def _server(database: str, folder: Path) -> Iterator[None]:
    from bench.postgres import server
    from morefollows.config import loading

    given = loading.load().database_url
    if database == "sqlite":
        os.environ.pop("DATABASE_URL", None)
        os.environ.pop("DATABASE_URL_FILE", None)
        yield
    elif given.startswith("postgres"):
        yield
    else:
        with server(folder) as url:
            os.environ["DATABASE_URL"] = url
            yield


def _bare(folder: Path) -> float:
    """Returns transactions a second, one by one with one row each: the limit of this database."""
    from django.db import connection

    done = 0
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_bare (at float)")
        began = time.monotonic()
        while time.monotonic() < began + _BARE_SECONDS:
            cursor.execute("INSERT INTO bench_bare VALUES (%s)", [time.time()])
            done += 1
        took = time.monotonic() - began
        cursor.execute("DROP TABLE bench_bare")
    return round(done / took, 1)


class _Watch:
    """Measures our processes while the block runs.

    CPU seconds of all, and threads and memory of the web process.
    """

    def __init__(self, product: Stage) -> None:
        import psutil  # type: ignore[import-untyped]

        root = psutil.Process(product.up)
        self._web = psutil.Process(product.web)
        self._processes = [root, *root.children(recursive=True)]
        self.threads = 0
        self.memory = 0
        self.cpu = 0.0
        self.web_cpu = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch")

    def __enter__(self) -> _Watch:
        self.cpu, self.web_cpu = -self._now(*self._processes), -self._now(self._web)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()
        self.cpu += self._now(*self._processes)
        self.web_cpu += self._now(self._web)

    def _now(self, *processes: Any) -> float:
        return float(sum(sum(process.cpu_times()[:2]) for process in processes))

    def _look(self) -> None:
        from bench.stage import memory_of

        while not self._stop.wait(_LOOK_EVERY):
            self.threads = max(self.threads, self._web.num_threads())
            self.memory = max(self.memory, memory_of(self._web.pid))


def _rush(product: Stage, at_once: int, seconds: float) -> dict[str, Any]:
    with _Watch(product) as watch:
        found = _came(_crowd(product.url, at_once, seconds, f"alone{at_once}"))
    return {"at_once": at_once, **found, **_taken(watch, found["signed_up"])}


def _taken(watch: _Watch, signed_up: int) -> dict[str, Any]:
    return {
        "cpu_per_1000": round(1000 * watch.cpu / max(1, signed_up), 2),
        "web_cpu_per_1000": round(1000 * watch.web_cpu / max(1, signed_up), 2),
        "threads": watch.threads,
        "memory_mb": round(watch.memory / 1e6, 1),
    }


@contextlib.contextmanager
def _pages(product: Stage, streams: int) -> Iterator[None]:
    """Keeps that many live pages open while the block runs."""
    if not streams:
        yield
        return
    from bench.stream import open_streams

    with open_streams(product, streams):
        yield


def _beside(product: Stage, rounds: int, streams: int, rate: float) -> dict[str, Any]:
    """Sends alerts in turns without and with a crowd."""
    text, _ = product.message(10_240)
    without, beside, crowds = [], [], []
    with _Watch(product) as watch:
        for number in range(rounds):
            without.append(product.send(text, _HOLD).run)
            expected = without[-1].seconds + _HEAD_START + _HOLD
            crowd = _crowd(product.url, _BESIDE, expected, f"round{number}", rate)
            time.sleep(_HEAD_START)
            beside.append(product.send(text, _HOLD).run)
            crowds.append(_came(crowd))
    seconds = [statistics.median(run.seconds for run in runs) for runs in (without, beside)]
    middle = sorted(crowds, key=lambda one: one["rate"])[len(crowds) // 2]
    return {
        "beside": {"streams": streams, "offered": rate, **middle, "threads": watch.threads},
        "beside_memory_mb": round(watch.memory / 1e6, 1),
        "beside_longest_ms": max(one["p100_ms"] for one in crowds),
        **{
            f"beside_{name}": sum(one[name] for one in crowds)
            for name in ("refused", "unanswered", "late", "away")
        },
        "signed_up_beside": sum(one["signed_up"] for one in crowds),
        "alert_rate": round(statistics.median(run.rate for run in without), 1),
        "alert_rate_beside": round(statistics.median(run.rate for run in beside), 1),
        "alert_takes_times": round(seconds[1] / seconds[0], 2),
    }


def _crowd(
    url: str, at_once: int, seconds: float, tag: str, rate: float = 0.0
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "bench.crowd", url, str(at_once), str(seconds), tag, str(rate)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603 - our own command


def _came(crowd: subprocess.Popen[bytes]) -> dict[str, Any]:
    from bench.race import BenchFailed

    said, _ = crowd.communicate()
    if crowd.returncode:
        raise BenchFailed("the crowd fell over")
    found: dict[str, Any] = json.loads(said)
    if found["failed"] or not found["signed_up"]:
        told = ("signed_up", "refused", "unanswered", "failed")
        raise BenchFailed(
            f"the crowd: {', '.join(f'{found[name]} {name}' for name in told)}".replace("_", " ")
        )
    own = round(1000 * found.pop("cpu") / found["signed_up"], 2)
    return {
        **found,
        "rate": round(found["signed_up"] / found["seconds"], 1),
        "crowd_cpu_per_1000": own,
    }


def _counted(report: dict[str, Any]) -> dict[str, Any]:
    """Adds the counts. Raises `BenchFailed` if a thanked reader is not in the database."""
    from bench.race import BenchFailed

    thanked = sum(one["signed_up"] for one in report["crowds"]) + report["signed_up_beside"]
    kept = _signed_up()
    if kept < thanked:
        raise BenchFailed(f"{thanked} were thanked, {kept} are in the database")
    return {**report, "thanked": thanked, "kept": kept}


def _signed_up() -> int:
    """Returns how many readers signed up by the box, with evidence and a confirmation letter."""
    from morefollows.audience.models import Letter, Reader

    found = Reader.objects.filter(
        consents__form_version__startswith="box", address__startswith="visitor-"
    )
    return found.filter(letters__kind=Letter.Kind.CONFIRMATION).distinct().count()


def _table(database: str, report: dict[str, Any]) -> None:
    click.echo(f"{database}: one transaction after the other, bare: {report['bare']:,.0f} a second")
    click.echo(
        "visitors   a second   half in   99 % in   refused   CPU s a 1,000 (web; crowd)   "
        "threads    memory"
    )
    for one in [
        *report["crowds"],
        {**report["beside"], "at_once": "alert", "memory_mb": report["beside_memory_mb"]},
    ]:
        cpu = (
            f"{one['cpu_per_1000']:.2f} ({one['web_cpu_per_1000']:.2f}; "
            if "cpu_per_1000" in one
            else "("
        )
        click.echo(
            f"{one['at_once']!s:>8} {one['rate']:>10,.0f} {one['p50_ms']:>6,.0f} ms "
            f"{one['p99_ms']:>6,.0f} ms "
            f"{one['refused']:>9,} "
            f"{cpu + format(one['crowd_cpu_per_1000'], '.2f') + ')':>28} {one['threads']:>9}"
            f" {one['memory_mb']:>6,.0f} MB"
        )
    click.echo(
        f"alert: {report['alert_rate']:,.0f}/s without and "
        f"{report['alert_rate_beside']:,.0f}/s with the crowd; "
        f"it takes {report['alert_takes_times']:.2f} x as long"
    )
    click.echo(
        f"beside the alert: longest answer {report['beside_longest_ms']:,.0f} ms; "
        f"{report['beside_refused']:,} told to "
        f"come back, {report['beside_unanswered']:,} not answered, {report['beside_late']:,} "
        f"later than 5 s"
    )
    if report["beside"]["offered"]:
        click.echo(
            f"offered beside it: {report['beside']['offered']:,.0f} sign-ups a second, while "
            f"{report['beside']['streams']:,} live pages were open; "
            f"{report['beside_away']:,} visitors stayed away "
            "as 5,000 waited"
        )
    click.echo(f"{report['thanked']:,} were thanked, {report['kept']:,} are in the database\n")
