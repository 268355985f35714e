"""The demonstration: runs the real product in a temporary folder, and counts the received mail."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from morefollows.audience.link_tokens.tokens import Tokens
from morefollows.cli.demo import memory
from morefollows.cli.demo.running import NotStarted, running
from morefollows.cli.demo.visitor import Visitor
from morefollows.config import loading
from morefollows.local_inbox import reading
from morefollows.local_inbox.store import Shelf
from morefollows.local_inbox.store import inbox_path as inbox_path
from morefollows.processes import lock
from morefollows.processes.supervision.first_start import SAMPLE_STORY

_BY_FORM = ("ada", "ben", "cy")
_HOLD = 2  # seconds
_MAIL = 30.0
_TOPIC = "breaking"


class DemoFailed(Exception):
    """The demonstration failed. ``str()`` says at which step."""


class Figures(NamedTuple):
    """The output of ``--json``.

    Times are milliseconds from the end of the hold until the relay accepted that mail.
    """

    readers: int
    accepted: int  #: by the ledger
    received: int  #: by the inbox, without duplicates
    lost: int
    duplicated: int
    first_ms: int | None
    p50_ms: int | None
    p90_ms: int | None
    p99_ms: int | None
    last_ms: int | None
    rate: float  #: accepted a second, from the first to the last
    rss_mb: int  #: peak memory of all processes of the product together


def run_demo(
    readers: int, story: Path | None, say: Callable[[str], None], headline: str = ""
) -> Figures:
    """Runs the demonstration, and deletes its folder. Raises `DemoFailed`.

    `headline`: "" for the one of the story's file, which must be certain then.
    """
    folder = Path(tempfile.mkdtemp(prefix="morefollows-"))
    try:
        with _running(folder, say) as stage:
            return stage.play(readers, (story or SAMPLE_STORY).absolute(), headline)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Stage:
    """The running product, and the steps of the demonstration."""

    def __init__(
        self, data: Path, environment: dict[str, str], say: Callable[[str], None], began: float
    ) -> None:
        self._data = data
        self._environment = environment
        self._say = say
        self._began = began
        self._shelf = Shelf(inbox_path(data))
        running_state = lock.running_up(data)
        assert running_state is not None
        self._url: str = running_state["url"]

    def play(self, readers: int, story: Path, headline: str) -> Figures:
        self.tell(
            f"More Follows is up at {self._url}: one folder, its own inbox, nothing leaves "
            f"this machine."
        )
        addresses = [f"{name}@reader.example" for name in _BY_FORM]
        for address in addresses:
            self._sign_up(address)
        self.tell(
            f"{len(addresses)} readers signed up through the form and confirmed by the mailed link."
        )
        imported = [
            f"reader{number}@reader{number % 7}.example"
            for number in range(readers - len(addresses))
        ]
        if imported:
            self._import(imported)
            self.tell(f"{len(imported):,} readers imported as already confirmed.")
        with _Counter(self._shelf) as counter:
            report = self._break(story, headline)
        if counter.missed:
            raise DemoFailed(
                f"The inbox let {counter.missed} mails go before they could be counted."
            )
        figures = self._figures(report, counter, [*addresses, *imported])
        self._tell_figures(figures)
        return figures

    def tell(self, arguments: str) -> None:
        self._say(f"{time.monotonic() - self._began:6.1f} s  {arguments}")

    def _sign_up(self, address: str) -> None:
        """Signs up like a person: fills the form in, opens the mailed link, and confirms."""
        visitor = Visitor()
        form = visitor.open(f"{self._url}/").form("email")
        visitor.submit(form, email=address)
        confirmation = visitor.open(self._confirmation_link(address))
        visitor.submit(confirmation.form())

    def _confirmation_link(self, address: str) -> str:
        found: re.Match[str] | None = None
        deadline = time.monotonic() + _MAIL
        while found is None:
            if time.monotonic() > deadline:
                raise DemoFailed(f"No confirmation mail came within {_MAIL:.0f} seconds.")
            time.sleep(0.02)
            for line in self._shelf.newest(1, to=address):
                mail = self._shelf.mail(line.id)
                text = reading.read_mail(mail.content).text if mail else None
                found = re.search(re.escape(self._url) + r"/confirm/\S+/", text or "")
        return found[0]

    def _import(self, addresses: list[str]) -> None:
        file = self._data.parent / "readers.csv"
        with file.open("w", newline="", encoding="utf-8") as out:
            rows = csv.writer(out)
            rows.writerow(["email", "confirmed_at"])
            rows.writerows([address, "2024-05-04T10:30:00Z"] for address in addresses)
        arguments = [
            "readers",
            "import",
            str(file),
            "--topic",
            _TOPIC,
            "--provenance",
            "demonstration: fictional readers",
        ]
        self._command(*arguments, "--json")

    def _break(self, story: Path, headline: str) -> dict[str, Any]:
        arguments = [
            "stories",
            "break",
            str(story),
            "--topic",
            _TOPIC,
            "--hold",
            str(_HOLD),
            "--yes",
            "--doubts-seen",  # nothing leaves this machine
            "--json",
            *(["--headline", headline] if headline else []),
        ]
        self.tell(f"Send. The hold takes {_HOLD} seconds.")
        report: dict[str, Any] = json.loads(self._command(*arguments))
        for piece in report["dropped"]:
            self._say(f"          dropped from the file: {_shortened(piece)}")
        for note in report["notes"]:
            self._say(f"          note: {note}")
        self.tell(f"Alert {report['alert']} is {report['state']}.")
        return report

    def _command(self, *arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "morefollows", *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise DemoFailed(
                f"morefollows {arguments[0]} {arguments[1]} failed:\n{done.stderr.strip()}"
            )
        return done.stdout

    def _figures(self, report: dict[str, Any], counter: _Counter, addresses: list[str]) -> Figures:
        received = self._received(report["alert"], counter)
        lost, duplicated = compared(addresses, received)
        running_state = lock.running_up(self._data) or {}
        seconds = report["seconds"]
        at = {
            mark: None if value is None else round(value * 1000) for mark, value in seconds.items()
        }
        return Figures(
            readers=len(addresses),
            accepted=report["accepted"],
            received=len(set(received)),
            lost=lost,
            duplicated=duplicated,
            first_ms=at["first"],
            p50_ms=at["p50"],
            p90_ms=at["p90"],
            p99_ms=at["p99"],
            last_ms=at["last"],
            rate=report["rate"],
            rss_mb=round(
                memory.peak(
                    [running_state.get("pid", 0), *running_state.get("processes", {}).values()]
                )
                / 1e6
            ),
        )

    def _received(self, alert: int, counter: _Counter) -> Counter[str]:
        """Returns how often each address got this alert. The Message-ID identifies the alert."""
        tokens = Tokens.of(loading.load(self._environment))
        received: Counter[str] = Counter()
        for (message_id, recipient), times in counter.mails.items():
            receipt = tokens.read_receipt(message_id.strip("<>").partition("@")[0])
            if receipt is not None and receipt.other == alert:
                received[recipient] += times
        return received

    def _tell_figures(self, figures: Figures) -> None:
        self._say("")
        marks = [("first", figures.first_ms), ("50 %", figures.p50_ms), ("90 %", figures.p90_ms)]
        marks += [("99 %", figures.p99_ms), ("last", figures.last_ms)]
        self._say("From the end of the hold until the inbox had taken the mail:")
        for name, at in marks:
            self._say(f"  {name:>5}  {at:>7,} ms" if at is not None else f"  {name:>5}        -")
        self._say(
            f"{figures.readers:,} readers, {figures.accepted:,} accepted, "
            f"{figures.received:,} received, "
            f"{figures.lost:,} lost, {figures.duplicated:,} duplicated; "
            f"{figures.rate:,.0f} a second, {figures.rss_mb:,} MB of memory in all."
        )


def compared(addresses: list[str], received: Counter[str]) -> tuple[int, int]:
    """Returns how many addresses got no mail, and how many mails were duplicates or misdirected."""
    lost = sum(1 for address in addresses if not received[address])
    expected = set(addresses)
    strangers = sum(times for address, times in received.items() if address not in expected)
    repeated = sum(received[address] - 1 for address in addresses if received[address])
    return lost, repeated + strangers


class _Counter:
    """Counts mail in the inbox while it arrives, since the inbox keeps only the newest mails."""

    def __init__(self, shelf: Shelf) -> None:
        self.mails: Counter[tuple[str, str]] = Counter()  #: by Message-ID and recipient
        self.missed = 0  #: mails that the inbox deleted before they were counted
        self._shelf = shelf
        self._seen = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._count, name="counter")

    def __enter__(self) -> _Counter:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()
        self._look()

    def _count(self) -> None:
        while not self._stop.wait(0.2):
            self._look()

    def _look(self) -> None:
        for receipt in self._shelf.since(self._seen):
            self.missed += receipt.id - self._seen - 1
            self._seen = receipt.id
            self.mails[receipt.message_id, receipt.recipient] += 1


@contextlib.contextmanager
def _running(folder: Path, say: Callable[[str], None]) -> Iterator[_Stage]:
    """Runs `morefollows up` on this folder, and ends it when the block ends."""
    began = time.monotonic()
    data = folder / "data"
    environment = _environment(data)
    try:
        with running(data, folder / "log", environment):
            yield _Stage(data, environment, say, began)
    except NotStarted as trouble:
        raise DemoFailed(f"More Follows did not start:\n{trouble}") from None


def _environment(data: Path) -> dict[str, str]:
    """Returns an environment without the caller's settings."""
    ours = ("MOREFOLLOWS_", "DJANGO_", "DATABASE_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {
        **kept,
        "MOREFOLLOWS_DATA": str(data),
        "MOREFOLLOWS_PORT": "0",
        "MOREFOLLOWS_INBOX_PORT": "0",
        "MOREFOLLOWS_HOLD": str(_HOLD),
        "MOREFOLLOWS_LOG_LEVEL": "warning",
        "MOREFOLLOWS_SIGN_UP_SECONDS": "0",  # we fill the form in faster than people do
    }


def _shortened(text: str, most: int = 90) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= most else one_line[: most - 1] + "…"
