"""`bench siege`: what readers and editors notice while strangers besiege the web server."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from morefollows.cli.demo.visitor import Visitor
from morefollows.cli.output import CommandFailed, json_option, tell_json
from morefollows.processes import lock

_START = 120.0  # seconds
_PAGES = ("/", "/privacy/", "/sign-up/breaking/", "/box/breaking/")
_READERS = 300
_PASSWORD = "a long walk along the harbour"  # noqa: S105 - of a fictional editor
_HEAD_START = 1.0  # seconds


@click.command("siege")
@click.option(
    "--seconds", type=click.FloatRange(2, 60), default=6.0, show_default=True, help="Of each siege."
)
@click.option("--junk", type=click.IntRange(1, 5000), default=300, show_default=True)
@click.option("--sign-ins", type=click.IntRange(1, 5000), default=40, show_default=True)
@json_option
def bench_siege(seconds: float, junk: int, sign_ins: int, as_json: bool) -> None:
    """Ask for pages in quiet, beside clients that try passwords, and beside junk."""
    folder = Path(tempfile.mkdtemp(prefix="morefollows-"))
    try:
        with _running(folder) as siege:
            found = {"quiet": siege.measure(seconds)}
            for name, kind, at_once in (("sign-ins", "sign-in", sign_ins), ("junk", "junk", junk)):
                # Longer than what is measured beside it.
                with siege.besieged(kind, at_once, 5 * seconds + 20):
                    found[name] = siege.measure(seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        tell_json(found)
        return
    columns = list(found["quiet"])
    click.echo(f"{'':<10}" + "".join(f"{column:>22}" for column in columns))
    for name, figures in found.items():
        click.echo(f"{name:<10}" + "".join(f"{figures[one]!s:>22}" for one in columns))


class _Siege:
    """The running product, and an editor who has signed in."""

    def __init__(
        self, folder: Path, environment: dict[str, str], url: str, invitation: str
    ) -> None:
        self._folder, self._environment, self._url = folder, environment, url
        self._editor = Visitor()
        form = self._editor.open(invitation).form("password")
        self._editor.submit(form, password=_PASSWORD)
        self._stories = 0
        readers = folder / "readers.csv"
        rows = [f"reader{number}@reader.example,2024-05-04" for number in range(_READERS)]
        readers.write_text("\n".join(["email,confirmed_at", *rows]))
        self._command(
            *("readers", "import", str(readers), "--topic", "breaking"),
            *("--provenance", "benchmark: fictional readers"),
        )

    def measure(self, seconds: float) -> dict[str, Any]:
        """Returns what readers and the editor get. An alert is sent in between."""
        pages = self._times(lambda number: self._reader(_PAGES[number % len(_PAGES)]), seconds)
        desk = self._times(lambda number: self._editor.open(f"{self._url}/desk/"), seconds)
        return {
            "page p50 ms": round(1000 * statistics.median(pages), 1),
            "page p99 ms": round(1000 * sorted(pages)[int(0.99 * len(pages))], 1),
            "desk p50 ms": round(1000 * statistics.median(desk), 1),
            "desk most ms": round(1000 * max(desk), 1),
            "alert last s": self._alert(),
            "GET / a second": self._rate(seconds),
        }

    @contextlib.contextmanager
    def besieged(self, kind: str, at_once: int, seconds: float) -> Iterator[None]:
        words = [kind, str(at_once), str(seconds)]
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "bench.besiegers", self._url, *words],
            stdout=subprocess.DEVNULL,
        )
        try:
            time.sleep(_HEAD_START)
            yield
        finally:
            process.terminate()
            process.wait()

    def _times(self, ask: Any, seconds: float) -> list[float]:
        """Asks again and again, one at a time. Returns the seconds of each."""
        found: list[float] = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.monotonic()
            ask(len(found))
            found.append(time.monotonic() - began)
        return found

    def _reader(self, path: str) -> None:
        with urllib.request.urlopen(f"{self._url}{path}", timeout=30) as answer:  # noqa: S310
            answer.read()

    def _rate(self, seconds: float) -> int | None:
        if shutil.which("wrk") is None:
            return None
        done = subprocess.run(  # noqa: S603
            ["wrk", "-t1", "-c20", f"-d{int(seconds)}", f"{self._url}/"],  # noqa: S607
            capture_output=True,
            text=True,
        )
        rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
        return round(float(rate[1])) if rate else None

    def _alert(self) -> float:
        self._stories += 1
        story = self._folder / f"story{self._stories}.md"
        story.write_text(f"# The bridge is closed, part {self._stories}\n\nNobody can cross it.\n")
        words = ("stories", "break", str(story), "--topic", "breaking", "--hold", "1", "--yes")
        report = json.loads(self._command(*words, "--json"))
        return round(float(report["seconds"]["last"]), 2)

    def _command(self, *words: str) -> str:
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "morefollows", *words],
            env=self._environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise CommandFailed(f"{words[0]} {words[1]}: {done.stderr.strip()}")
        return done.stdout


@contextlib.contextmanager
def _running(folder: Path) -> Iterator[_Siege]:
    """Runs `up` with its sample newsroom and the local inbox."""
    settings = {
        "MOREFOLLOWS_DATA": str(folder / "data"),
        "MOREFOLLOWS_PORT": "0",
        "MOREFOLLOWS_INBOX_PORT": "0",
        "MOREFOLLOWS_RESOLVER": "off",
    }
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MOREFOLLOWS_") and name != "DATABASE_URL"
    }
    environment |= settings
    log = folder / "log"
    with log.open("wb") as output:
        up = subprocess.Popen(
            [sys.executable, "-m", "morefollows", "up", "--sample"],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        end = time.monotonic() + _START
        while not (told := lock.running_up(folder / "data") or {}).get("ready"):
            if up.poll() is not None or time.monotonic() > end:
                raise CommandFailed(log.read_text(errors="replace"))
            time.sleep(0.1)
        invitation = re.search(r"http://\S+/desk/first/\S+", log.read_text())
        while invitation is None:
            time.sleep(0.1)
            invitation = re.search(r"http://\S+/desk/first/\S+", log.read_text())
        yield _Siege(folder, environment, str(told["address"]), invitation[0])
    finally:
        up.terminate()
        up.wait()
