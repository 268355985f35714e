"""`bench sources`: a thousand feeds on one ingest process: its CPU, its memory, and every item."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click

from bench.race import BenchFailed
from bench.stage import stage
from morefollows.cli.demo import memory
from morefollows.cli.output import CommandFailed, json_option, tell_json
from morefollows.processes import lock

_PATIENCE = 900.0  # seconds
_INTERVAL = 60  # seconds between two polls of a feed
_NEW_SHARE = 100  # one feed in so many has a new item each minute
_ENTRIES = 10  # of a feed; all but the newest are past
_WORDS = 80  # of an item


@click.command("sources")
@click.option("--count", type=click.IntRange(10, 5000), default=1000, show_default=True)
@click.option(
    "--minutes", type=click.FloatRange(1, 60), default=3.0, show_default=True, help="Measured."
)
@json_option
def bench_sources(count: int, minutes: float, as_json: bool) -> None:
    """Feeds that are polled every minute by one process: its CPU and memory. One in a hundred has
    a new item each minute, and each must become one draft."""
    try:
        found = measure(count, minutes)
    except BenchFailed as error:
        raise CommandFailed(str(error)) from None
    if as_json:
        tell_json(found)
        return
    click.echo(
        f"{count:,} feeds, each polled every {_INTERVAL} s: {found['polls_per_second']:.1f} polls "
        f"a second, {found['cpu_percent']:.1f} % of a core, {found['memory'] / 1e6:.0f} MB at most;"
        f" {found['items']} new items, each one draft"
    )


def measure(count: int, minutes: float) -> dict[str, Any]:
    """Raises `BenchFailed` if an item was lost or came twice."""
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.sources"], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    address = f"http://127.0.0.1:{int(server.stdout.readline())}"
    settings = {"MOREFOLLOWS_SOURCES_INSIDE": "yes"}
    try:
        with tempfile.TemporaryDirectory(prefix="morefollows-") as folder:
            with stage(Path(folder), ("127.0.0.1", 9), settings=settings):
                return _measured(Path(folder) / "data", address, count, minutes)
    finally:
        server.kill()
        server.wait()


def _measured(data: Path, address: str, count: int, minutes: float) -> dict[str, Any]:
    from morefollows.ingest.models import ReceivedItem, Source
    from morefollows.ingest.sources.actions import add_source

    for number in range(count):
        add_source(
            f"Feed {number}",
            "feed",
            address=f"{address}/{number}",
            by=None,
            interval_seconds=_INTERVAL,
            unmatched="draft",
        )
    _wait("all feeds were polled", lambda: not Source.objects.filter(ok_at=None).exists())
    waiting = ReceivedItem.objects.filter(decision="")
    _wait("all items were decided on", lambda: not waiting.exists())
    pid = (lock.running_up(data) or {})["processes"]["ingest"]
    before, polls = ReceivedItem.objects.count(), _polls(address)
    begun, cpu = time.monotonic(), _cpu_seconds(pid)
    time.sleep(minutes * 60)
    seconds, cpu = time.monotonic() - begun, _cpu_seconds(pid) - cpu
    polls = _polls(address) - polls
    _check(waiting)
    return {
        "sources": count,
        "seconds": seconds,
        "polls_per_second": polls / seconds,
        "cpu_percent": 100 * cpu / seconds,
        "memory": memory.peak([pid]),
        "items": ReceivedItem.objects.count() - before,
    }


def _check(waiting: Any) -> None:
    """Raises `BenchFailed` unless each item became one draft, or is older than news."""
    from django.db.models import Count

    from morefollows.ingest.models import ReceivedItem
    from morefollows.stories.models import Story

    _wait("all items were decided on", lambda: not waiting.exists())
    twice = ReceivedItem.objects.values("source", "item_id").annotate(n=Count("pk")).filter(n__gt=1)
    if twice.exists():
        raise BenchFailed("an item came in twice")
    drafted = ReceivedItem.objects.filter(decision="draft").count()
    drafts = Story.objects.filter(author__ingest_source__isnull=False).count()
    if drafted != drafts:
        raise BenchFailed(f"{drafted} items became {drafts} drafts")


def _wait(what: str, look: Any) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not look():
        if time.monotonic() > deadline:
            raise BenchFailed(f"waited in vain until {what}")
        time.sleep(0.5)


def _polls(address: str) -> int:
    import urllib.request

    with urllib.request.urlopen(f"{address}/polls", timeout=30) as reply:  # noqa: S310 - our own
        return int(reply.read())


def _cpu_seconds(pid: int) -> float:
    import psutil  # type: ignore[import-untyped]

    return float(sum(psutil.Process(pid).cpu_times()[:2]))


class _Feeds(BaseHTTPRequestHandler):
    """Feeds at /0, /1, …: one in `_NEW_SHARE` has a new entry each minute."""

    protocol_version = "HTTP/1.1"
    polls = 0

    def do_GET(self) -> None:
        if self.path == "/polls":
            self._answer(200, str(_Feeds.polls).encode())
            return
        _Feeds.polls += 1
        number, minute = int(self.path[1:]), int(time.time() // 60)
        # The feed's newest entry is of the last minute in which it was its turn.
        newest = minute - (minute - number) % _NEW_SHARE
        if self.headers.get("If-None-Match") == f'"{newest}"':
            self._answer(304, b"", ETag=f'"{newest}"')
            return
        self._answer(200, _feed(number, newest), ETag=f'"{newest}"')

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _feed(number: int, newest: int) -> bytes:
    entries = []
    for back in range(_ENTRIES):
        minute = newest - back * _NEW_SHARE * 30  # about two days
        at = datetime.fromtimestamp(minute * 60, UTC).isoformat()
        text = _text(f"{number} {minute}")
        entries.append(
            f"<entry><id>urn:{number}:{minute}</id><title>{text[:60]}</title>"
            f"<updated>{at}</updated><content>{text}</content></entry>"
        )
    return (
        f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Feed {number}</title>'
        f"<id>urn:{number}</id>{''.join(entries)}</feed>"
    ).encode()


def _text(key: str) -> str:
    """Made-up words, others for each item: items that are alike would be taken for copies."""
    digest = hashlib.shake_256(key.encode()).hexdigest(_WORDS * 4)
    letters = str.maketrans("0123456789abcdef", "aeioulmnrstdpkbg")
    return " ".join(digest[at : at + 8].translate(letters) for at in range(0, len(digest), 8))


def main() -> None:
    """Serves the feeds; prints the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Feeds)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
