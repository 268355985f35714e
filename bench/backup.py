"""`bench backup`: time, size and memory of backing up, restoring and moving to PostgreSQL."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import psycopg

from bench import postgres
from bench.race import BenchFailed
from bench.readers_import import run_command, write_list
from morefollows.cli.output import CommandFailed, json_option, tell_json


class Step(NamedTuple):
    """One command that was run."""

    name: str
    seconds: float
    memory: int  #: peak memory of the process in bytes, `pg_dump` and the like not counted
    size: int  #: bytes of what it wrote


@click.command("backup")
@click.option(
    "--readers",
    type=click.IntRange(1_000, 10_000_000),
    default=100_000,
    show_default=True,
    help="Fictional ones, each with two lines of evidence.",
)
@json_option
def bench_backup(readers: int, as_json: bool) -> None:
    """Back up, check, restore and move a newsroom to a PostgreSQL of its own, and back that up."""
    try:
        steps = list(_measure(readers))
    except BenchFailed as error:
        raise CommandFailed(str(error)) from None
    if as_json:
        tell_json({"readers": readers, "steps": [step._asdict() for step in steps]})
        return
    for step in steps:
        click.echo(
            f"{step.name:<34} {step.seconds:>8,.1f} s {step.memory / 1e6:>8,.1f} MB of memory"
            f" {step.size / 1e6:>10,.1f} MB"
        )


def _measure(readers: int) -> Iterator[Step]:
    with tempfile.TemporaryDirectory(prefix="morefollows-") as name:
        folder = Path(name)
        (folder / "work").mkdir(mode=0o700)
        here, there = folder / "work" / "data", folder / "work" / "restored"
        sqlite, copy = _environment(here), _environment(there)
        run_command(sqlite, "migrate")
        run_command(sqlite, "newsroom", "--name", "The Harbour Herald")
        write_list(folder / "work" / "readers.csv", readers)
        file = str(folder / "work" / "readers.csv")
        run_command(sqlite, "readers", "import", file, "--provenance", "double opt-in")
        key, plain = folder / "work" / "key", folder / "work" / "plain.backup"
        sealed, dumped = folder / "work" / "sealed.backup", folder / "work" / "postgres.backup"
        run_command(sqlite, "backup", "--new-key", str(key))
        recipient = key.read_text().partition("public key: ")[2].split()[0]
        database = here / "morefollows.sqlite3"
        yield Step("the SQLite file", 0, 0, database.stat().st_size)
        yield _step("backup", sqlite, "backup", str(plain), wrote=plain)
        yield _step(
            "backup, encrypted", sqlite, "backup", str(sealed), "--to", recipient, wrote=sealed
        )
        words = ("--check", str(sealed), "--key", str(key))
        yield _step("check it", sqlite, "backup", *words, wrote=None)
        opened = (str(sealed), "--key", str(key))
        yield _step("restore it", copy, "restore", *opened, wrote=there / database.name)
        with postgres.server(folder) as url:
            other = _made(url, "copy")
            yield _step(
                "migrate-database", sqlite, "migrate-database", _made(url, "moved"), wrote=None
            )
            moved = {**sqlite, "DATABASE_URL": _of(url, "moved")}
            yield _step("backup of PostgreSQL", moved, "backup", str(dumped), wrote=dumped)
            restored = {**_environment(folder / "work" / "third"), "DATABASE_URL": other}
            yield _step("restore it", restored, "restore", str(dumped), wrote=None)


def _step(name: str, environment: dict[str, str], *words: str, wrote: Path | None) -> Step:
    began = time.monotonic()
    peak = run_command(environment, *words)
    seconds = time.monotonic() - began
    return Step(name, seconds, peak, wrote.stat().st_size if wrote else 0)


def _environment(data: Path) -> dict[str, str]:
    found = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MOREFOLLOWS_", "DJANGO_")) and name != "DATABASE_URL"
    }
    return {**found, "MOREFOLLOWS_DATA": str(data)}


def _of(url: str, name: str) -> str:
    return url.rpartition("/")[0] + "/" + name


def _made(url: str, name: str) -> str:
    """Makes a database, and returns its URL."""
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    return _of(url, name)
