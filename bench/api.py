"""`bench api`: readers out and in through the API, and the time of each list at many readers."""

from __future__ import annotations

import http.client
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import click

from bench.race import BenchFailed
from bench.readers_import import write_list
from bench.stage import Stage, memory_of, stage
from morefollows.cli.output import CommandFailed, json_option, tell_json

_NOWHERE = ("127.0.0.1", 9)  # no alert is sent
_EVERY = 0.1  # seconds between two looks at memory
_STORIES = 200
_TIMES = 30  # of each request; the first few warm up
_WARM = 5


class Passed(NamedTuple):
    """Readers that went in and out of one installation."""

    readers: int
    seconds_in: float
    seconds_out: float
    memory_in: int  #: bytes, the peak of all processes together while they went in
    memory_out: int
    answers: dict[str, tuple[float, float]]  #: request → its median, and CPU of ours, in ms


@click.command("api")
@click.option(
    "--readers",
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
    help="Readers of the other installation.",
)
@click.option("--filled", is_flag=True, help="Without the upload: they are there already.")
@json_option
def bench_api(readers: int, beside: int, filled: bool, as_json: bool) -> None:
    """Upload readers, export them, and ask for lists, beside fewer readers.

    The database is SQLite in a temporary folder, or one of its own on the server, when DATABASE_URL
    names one.
    """
    try:
        runs = [_in_a_process_of_its_own(number, filled) for number in (beside, readers)]
    except BenchFailed as error:
        raise CommandFailed(str(error)) from None
    if as_json:
        tell_json([one._asdict() for one in runs])
        return
    for one in runs:
        click.echo(
            f"{one.readers:>10,} readers: in {one.seconds_in:,.0f} s with {_mb(one.memory_in)}, "
            f"out {one.seconds_out:,.0f} s with {_mb(one.memory_out)}"
        )
    small, large = runs
    click.echo(
        f"More readers took {large.memory_in / small.memory_in:.2f} × the memory in, "
        f"{large.memory_out / small.memory_out:.2f} × out."
    )
    for name in large.answers:
        (few, few_cpu), (many, many_cpu) = small.answers[name], large.answers[name]
        click.echo(
            f"{name:<32} {few:>8.1f} ms (CPU {few_cpu:.1f}) {many:>8.1f} ms (CPU {many_cpu:.1f})"
        )


def _mb(octets: int) -> str:
    return f"{octets / 1e6:,.1f} MB"


def _in_a_process_of_its_own(readers: int, filled: bool) -> Passed:
    """As `measure`: Django knows one database in a process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(measure, readers, filled).result()


def measure(readers: int, filled: bool) -> Passed:
    """Takes that many readers in and out. Raises `BenchFailed`."""
    with tempfile.TemporaryDirectory(prefix="morefollows-") as name:
        folder = Path(name)
        # One sender: so many processes work beside, whatever the machine.
        settings = {"MOREFOLLOWS_API_REQUESTS": "100000"}
        with stage(folder, _NOWHERE, senders=1, settings=settings) as running:
            program = Program(running)
            with Memory(running) as going_in:
                seconds_in = program.fill(readers) if filled else program.upload(folder, readers)
            _wait_for_import_to_end(running)  # its process takes as long to go as a small export
            with Memory(running) as going_out:
                seconds_out = program.export(readers)
            answers = program.ask_all()
    return Passed(readers, seconds_in, seconds_out, going_in.peak, going_out.peak, answers)


def _wait_for_import_to_end(running: Stage) -> None:
    """Raises `BenchFailed` if the process that imports uploads does not end."""
    import psutil  # type: ignore[import-untyped]

    for _ in range(600):
        family = psutil.Process(running.up).children(recursive=True)
        if not any("work-off" in _words_of(one) for one in family):
            return
        time.sleep(_EVERY)
    raise BenchFailed("the process that imports readers goes on")


def _words_of(process: Any) -> list[str]:
    import psutil

    try:
        return list(process.cmdline())
    except psutil.Error:  # it has ended
        return []


class Memory:
    """Measures all processes of the product together while the block runs, new ones, too."""

    def __init__(self, running: Stage) -> None:
        import psutil

        self.peak = 0
        self._root = psutil.Process(running.up)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_EVERY):
            family = [self._root, *self._root.children(recursive=True)]
            self.peak = max(self.peak, sum(memory_of(one.pid) for one in family))


class Program:
    """A newsroom's program, with a key for everything."""

    def __init__(self, running: Stage) -> None:
        import psutil

        from morefollows.accounts.models import Role
        from morefollows.api.keys import create_key
        from morefollows.api.scopes import Scope

        _key, text = create_key(
            "Bench", created_by=None, role=Role.ADMINISTRATOR, scopes=Scope.values
        )
        self._stage = running
        self._host = urlsplit(running.url).netloc
        pages = {"web", "desk"}
        self._serving = [
            psutil.Process(pid) for name, pid in running.processes.items() if name in pages
        ]
        self._headers = {"Authorization": f"Bearer {text}"}

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        """The answer's JSON. Raises `BenchFailed`."""
        with self._answered(method, path, body, kind) as answer:
            text = answer.read()
            if answer.status >= 300:
                raise BenchFailed(f"{method} {path}: {answer.status} {text[:300]!r}")
            return json.loads(text) if text else None

    def _answered(self, method: str, path: str, body: Any, kind: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self._host, timeout=120)
        sent = json.dumps(body).encode() if isinstance(body, dict) else body
        headers = self._headers | ({"Content-Type": kind} if body is not None else {})
        connection.request(method, f"/api/v1{path}", sent, headers)
        return connection.getresponse()

    def upload(self, folder: Path, readers: int) -> float:
        """Uploads a file of readers, and waits for its end. Returns the seconds."""
        path = folder / "subscribed_email_audience_export.csv"
        write_list(path, readers)
        began = time.monotonic()
        with path.open("rb") as file:
            where = f"/imports?provenance=At+the+fair&file_name={path.name}"
            made = self.ask("POST", where, file, "text/csv")
        while made["state"] in ("waiting", "running"):
            time.sleep(0.5)
            made = self.ask("GET", f"/imports/{made['id']}")
        if made["state"] != "finished" or made["problems"]:
            raise BenchFailed(f"the import is {made['state']}: {made['error']} {made['problems']}")
        return time.monotonic() - began

    def fill(self, readers: int) -> float:
        """Puts readers in directly. Returns the seconds."""
        began = time.monotonic()
        self._stage.fill(readers, lambda _number: None)
        return time.monotonic() - began

    def export(self, readers: int) -> float:
        """Exports all readers, line by line. Returns the seconds."""
        began = time.monotonic()
        with self._answered("GET", "/readers/export", None, "") as answer:
            lines = sum(1 for _line in answer)
        if lines < readers:
            raise BenchFailed(f"of {readers:,} readers {lines:,} were exported")
        return time.monotonic() - began

    def ask_all(self) -> dict[str, tuple[float, float]]:
        """Medians of what lists and shows, in milliseconds."""
        for number in range(_STORIES):
            body = {"headline": f"Lock gate {number} jammed", "text": "Nobody is hurt."}
            story = self.ask("POST", "/stories", body)["id"]
        alert = self.ask("POST", f"/stories/{story}/alerts", {"hold_seconds": 600})["id"]
        reader = {"address": "reader500@reader15.example"}
        found = self.ask("POST", "/readers/lookup", reader)["id"]
        ids = {"story": story, "alert": alert, "reader": found}
        return {
            f"{method} {path}": self._median(method, path.format(**ids), body)
            for method, path, body in _requests(reader)
        }

    def _median(self, method: str, path: str, body: Any) -> tuple[float, float]:
        taken, cpu = [], self._cpu()
        for number in range(_TIMES):
            if number == _WARM:
                cpu = self._cpu()
            began = time.monotonic()
            self.ask(method, path, body)
            taken.append((time.monotonic() - began) * 1000)
        each = (self._cpu() - cpu) * 1000 / (_TIMES - _WARM)
        return round(statistics.median(taken[_WARM:]), 1), round(each, 1)

    def _cpu(self) -> float:
        """CPU seconds of the processes that answer."""
        return float(sum(sum(one.cpu_times()[:2]) for one in self._serving))


def _requests(reader: dict[str, str]) -> Iterator[tuple[str, str, dict[str, str] | None]]:
    for path in (
        *("/stories", "/stories/{story}", "/stories/{story}/updates", "/alerts"),
        *("/alerts/{alert}", "/alerts/{alert}/progress", "/alerts/{alert}/report"),
        *("/topics", "/topics/breaking", "/topics/breaking/audience", "/audience"),
        *("/readers/{reader}", "/imports", "/log", "/webhooks", "/people", "/ingest", "/key"),
    ):
        yield "GET", path, None
    yield "POST", "/readers/lookup", reader
