"""`bench import`: the time of an import, and whether its memory grows with the file."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import click

from bench.race import BenchFailed
from bench.stage import own_database
from morefollows.cli.demo import memory
from morefollows.cli.output import CommandFailed, json_option, tell_json

_SAMPLE_EVERY = 0.1  # seconds
_PROVENANCE = "Newsletter box on herald.example, double opt-in"


class Taken(NamedTuple):
    """One import into an empty database."""

    lines: int
    seconds: float
    memory: int  #: peak memory of the process in bytes

    @property
    def rate(self) -> float:
        return self.lines / self.seconds


@click.command("import")
@click.option(
    "--lines",
    type=click.IntRange(1_000, 10_000_000),
    default=1_000_000,
    show_default=True,
    help="How many.",
)
@click.option(
    "--beside",
    type=click.IntRange(1_000, 10_000_000),
    default=100_000,
    show_default=True,
    help="Lines of the other file.",
)
@json_option
def bench_import(lines: int, beside: int, as_json: bool) -> None:
    """Import a file of fictional readers, as Mailchimp exports them, beside a smaller one, each
    into an empty database.

    The database is SQLite in a temporary folder, or one of its own on the server, when DATABASE_URL
    names one.
    """
    try:
        small, large = measure(beside), measure(lines)
    except BenchFailed as error:
        raise CommandFailed(str(error)) from None
    ratio = large.memory / small.memory
    if as_json:
        runs = [
            {
                "lines": run.lines,
                "seconds": round(run.seconds, 1),
                "rate": round(run.rate),
                "memory_mb": _mb(run.memory),
            }
            for run in (small, large)
        ]
        tell_json({"runs": runs, "memory_ratio": round(ratio, 3)})
        return
    for run in (small, large):
        click.echo(
            f"{run.lines:>10,} lines {run.seconds:>8,.1f} s {run.rate:>8,.0f}/s "
            f"{_mb(run.memory):>8,.1f} MB"
        )
    click.echo(f"The larger file took {ratio:.2f} × the memory of the smaller one.")


def _mb(octets: int) -> float:
    return round(octets / 1e6, 1)


def measure(lines: int) -> Taken:
    """Imports a file with that many lines. Raises `BenchFailed`."""
    with tempfile.TemporaryDirectory(prefix="morefollows-") as folder, own_database() as url:
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MOREFOLLOWS_", "DJANGO_"))
        }
        environment["MOREFOLLOWS_DATA"] = str(Path(folder, "data"))
        if url:
            environment["DATABASE_URL"] = url
        path = Path(folder, "subscribed_email_audience_export.csv")
        write_list(path, lines)
        run_command(environment, "migrate")
        run_command(environment, "newsroom", "--name", "The Harbour Herald")
        began = time.monotonic()
        peak = run_command(environment, "readers", "import", str(path), "--provenance", _PROVENANCE)
        return Taken(lines, time.monotonic() - began, peak)


def write_list(path: Path, lines: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(
            "Email Address,First "
            "Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LEID\n"
        )
        for n in range(lines):
            moment, client = f"2024-05-{n % 28 + 1:02} 10:30:00", f"192.0.2.{n % 250}"
            file.write(
                f"reader{n}@reader{n % 97}.example,Cy,2,{moment},{client},{moment},{client},{n}\n"
            )


def run_command(environment: dict[str, str], *words: str) -> int:
    """Runs one of our commands. Returns its peak memory in bytes. Raises `BenchFailed`."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "morefollows", *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        peak = 0
        while process.poll() is None:
            peak = max(peak, memory.peak([process.pid]))
            time.sleep(_SAMPLE_EVERY)
        if process.returncode:
            said.seek(0)
            raise BenchFailed(f"{' '.join(words)}: {said.read().decode(errors='replace').strip()}")
    return peak
