"""The whole product in a benchmark: `up` with its own database, fictional readers and a meter."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import click

from bench.race import BenchFailed, Run
from morefollows.cli.demo import memory
from morefollows.cli.demo.running import NotStarted, running
from morefollows.processes import bootstrap, lock

_PARAGRAPH = (
    "The keeper of the Saltmarsh light was found **safe and well** on Tuesday, six hours "
    "after the lamp went dark, "
    "the harbour office said. Two boats had searched the [northern "
    "channel](https://herald.example/channel).\n\n"
)
_SENTENCE = "More follows as we have it. "
_CHUNK = 2_000
_SAMPLE_EVERY = 0.25  # seconds


class Sent(NamedTuple):
    """One alert, by the ledger."""

    run: Run
    first_ms: float  #: from the end of the hold to the first acceptance
    end_to_end: float  #: seconds from the end of the hold to the last acceptance
    memory: int  #: bytes; the peak of the sum over all processes of the product
    elsewhere: float  #: CPU seconds of all other processes meanwhile, such as the relay


@contextlib.contextmanager
def stage(
    folder: Path,
    relay: tuple[str, int],
    *,
    dkim: str = "none",
    connections: int = 20,
    senders: int = 0,
    settings: dict[str, str] | None = None,
) -> Iterator[Stage]:
    """Runs `morefollows up` on `folder`, sending to `relay`.

    `dkim`: none, rsa, ed25519 or both. `settings`: further settings.
    """
    data = folder / "data"
    with own_database() as url:
        for name in list(os.environ):
            if (
                name.startswith(("MOREFOLLOWS_", "DJANGO_"))
                or name.removesuffix("_FILE") == "DATABASE_URL"
            ):
                del os.environ[name]
        host = f"[{relay[0]}]" if ":" in relay[0] else relay[0]
        os.environ.update(
            {
                "MOREFOLLOWS_DATA": str(data),
                "MOREFOLLOWS_PORT": "0",
                "MOREFOLLOWS_RELAY": f"smtp://{host}:{relay[1]}?tls=never",
                "MOREFOLLOWS_TEST_RELAY": "yes",
                "MOREFOLLOWS_RELAY_CONNECTIONS": str(connections),
                "MOREFOLLOWS_RESOLVER": "off",
                "MOREFOLLOWS_SENDERS": str(senders),
                "MOREFOLLOWS_LOG_LEVEL": "warning",
                **(settings or {}),
                **({"DATABASE_URL": url} if url else {}),
                **dkim_keys(dkim),
            }
        )
        with _up(folder, data) as up:
            bootstrap.start_django()
            try:
                yield Stage(up, data)
            finally:
                from django.db import connections as databases

                databases.close_all()


class Stage:
    """The running product."""

    def __init__(self, up: subprocess.Popen[bytes], data: Path) -> None:
        self._up = up
        self._data = data

    @property
    def url(self) -> str:
        return str((lock.running_up(self._data) or {})["url"])

    @property
    def up(self) -> int:
        """The process id of `up`, the parent of all others."""
        return self._up.pid

    @property
    def web(self) -> int:
        """The process id of the web server."""
        return self.processes["web"]

    @property
    def processes(self) -> dict[str, int]:
        """Names of processes → their ids."""
        return {
            str(name): int(pid)
            for name, pid in (lock.running_up(self._data) or {})["processes"].items()
        }

    def fill(self, readers: int, tell: Any) -> None:
        """Adds fictional, confirmed readers, without the evidence that real readers have."""
        from django.utils import timezone

        from morefollows.audience import addresses
        from morefollows.audience.lists import learn_sizes
        from morefollows.audience.models import Reader, Subscription

        now, topic = timezone.now(), self.topic()
        for start in range(0, readers, _CHUNK):
            chunk = [
                Reader(
                    address=address.text,
                    key=address.key,
                    domain=address.domain,
                    state=Reader.State.CONFIRMED,
                    created_at=now,
                    confirmed_at=now,
                )
                for address in (
                    addresses.parse(f"reader{number}@reader{number % 97}.example")
                    for number in range(start, min(start + _CHUNK, readers))
                )
            ]
            Reader.objects.bulk_create(chunk)
            Subscription.objects.bulk_create(
                Subscription(reader=reader, topic=topic, state=Subscription.State.ACTIVE, since=now)
                for reader in chunk
            )
            tell(start + len(chunk))
        learn_sizes()

    def message(self, wire: int) -> tuple[str, bytes]:
        """Returns the text of a story whose mail has about `wire` octets, and that mail, signed."""
        from django.conf import settings

        from morefollows.courier.message import dkim
        from morefollows.courier.message.template import LENGTHS, Slot, renderer

        values = [b"A".ljust(LENGTHS[slot], b"A") for slot in Slot]
        values[Slot.ADDRESS] = b"reader123456@reader.example"
        signers = dkim.signers(settings.MOREFOLLOWS)

        def pressed(text: str) -> bytes:
            return b"".join(renderer(self._composed(text), signers)(values)).replace(
                b"\n..", b"\n."
            )

        text = _PARAGRAPH
        most = 50_000 - len(_PARAGRAPH)
        while len(pressed(text + _PARAGRAPH)) <= wire and len(text) < most:
            text += _PARAGRAPH
        while len(pressed(text + _SENTENCE)) <= wire and len(text) < most:
            text += _SENTENCE
        return text, pressed(text)

    def send(self, text: str, hold: float) -> Sent:
        """Sends a story to all readers, and waits until the ledger is complete.

        Raises `BenchFailed`.
        """
        from morefollows.audience.models import Newsroom
        from morefollows.feedback.progress import progress
        from morefollows.ingest.drafts.file_drafts import save_draft
        from morefollows.ingest.story_file import StoryFile
        from morefollows.stories import actions
        from morefollows.stories.models import Alert

        language = Newsroom.objects.get(pk=1).language
        read = StoryFile(
            headline="Lighthouse keeper found safe",
            standfirst="",
            text=text,
            language=language,
            topic="",
            dropped=(),
            notes=(),
        )
        editor, topic = self.editor(), self.topic()
        with Meter(self._up.pid) as meter:
            alert = actions.send(save_draft(read, editor, topic), editor, hold=hold)
            while Alert.objects.values_list("state", flat=True).get(pk=alert.pk) in (
                "held",
                "sending",
            ):
                if self._up.poll() is not None:
                    raise BenchFailed("More Follows ended in the middle")
                time.sleep(0.1)
        now = progress(alert)
        first, last = now["seconds"]["first"], now["seconds"]["last"]
        if (
            now["state"] != "sent"
            or now["accepted"] != now["size"]
            or first is None
            or last is None
        ):
            replies = now["reply_counts"]
            words = replies[0]["text"] if replies else now["relays"][0]["trouble"]
            raise BenchFailed(
                f"the alert is {now['state']}: {now['accepted']} of {now['size']} accepted. {words}"
            )
        run = Run(now["accepted"], max(last - first, 0.001), meter.cpu)
        return Sent(run, first * 1000, last, meter.memory, meter.elsewhere)

    def _composed(self, text: str) -> Any:
        from django.utils import timezone

        from morefollows.audience.models import Newsroom
        from morefollows.courier.message import alert
        from morefollows.stories.models import Alert, Story, Update

        headline, language = "Lighthouse keeper found safe", Newsroom.objects.get(pk=1).language
        topic = self.topic()
        story = Story(
            headline=headline, text=text, language=language, topic=topic, created_at=timezone.now()
        )
        update = Update(story=story, headline=headline, text=text, language=language)
        return alert.alert(
            Alert(update=update, topic=topic, held_until_ms=time.time_ns() // 1_000_000), language
        )

    def topic(self) -> Any:
        from morefollows.audience.models import Topic

        return Topic.objects.get(slug="breaking")

    def editor(self) -> Any:
        from morefollows.accounts.models import Editor, Role

        return Editor.objects.filter(role=Role.ADMINISTRATOR).order_by("pk")[0]


class Meter:
    """Measures all processes of the product while the block runs: CPU seconds and peak memory.

    Memory is the proportional set size on Linux, which counts shared pages once. Elsewhere it is
    the resident set size.
    """

    def __init__(self, pid: int) -> None:
        try:
            import psutil  # type: ignore[import-untyped]
        except ImportError:
            raise BenchFailed(
                "psutil is not installed; it comes with the development dependencies"
            ) from None
        self._machine = psutil.cpu_times
        root = psutil.Process(pid)
        self._processes = [root, *root.children(recursive=True)]
        self.cpu = 0.0
        self.elsewhere = 0.0
        self.memory = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="meter")

    def __enter__(self) -> Meter:
        self.cpu = -self._cpu_now()
        self.elsewhere = -self._busy_now()
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()
        self.cpu += self._cpu_now()
        self.elsewhere += self._busy_now() - self.cpu

    def _watch(self) -> None:
        while True:
            self.memory = max(
                self.memory, sum(memory_of(process.pid) for process in self._processes)
            )
            if self._stop.wait(_SAMPLE_EVERY):
                return

    def _cpu_now(self) -> float:
        return sum(sum(process.cpu_times()[:2]) for process in self._processes)

    def _busy_now(self) -> float:
        """Returns the CPU seconds of the whole machine."""
        times = self._machine()
        return float(
            times.user
            + times.nice
            + times.system
            + getattr(times, "irq", 0)
            + getattr(times, "softirq", 0)
        )


def memory_of(pid: int) -> int:
    """Returns a process's proportional set size in bytes; its peak memory where unknown."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return memory.peak([pid])


@contextlib.contextmanager
def _up(folder: Path, data: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Runs the product, and at its end shows what it warned of. Raises `BenchFailed`."""
    log = folder / "log"
    try:
        with running(data, log) as up:
            yield up
    except NotStarted as trouble:
        raise BenchFailed(f"More Follows did not start:\n{trouble}") from None
    finally:
        said = log.read_text(errors="replace").split("Ctrl-C ends it.", 1)[-1]
        for line in said.splitlines():
            if "ERROR" in line or "WARNING" in line:
                click.echo(line, err=True)


@contextlib.contextmanager
def own_database() -> Iterator[str]:
    """Creates a database on the server that DATABASE_URL names. Yields its URL; "" for SQLite."""
    from morefollows.config import loading

    url = loading.load().database_url
    if not url.startswith(("postgres:", "postgresql:")):
        yield ""
        return
    import psycopg
    from psycopg import sql

    name = f"morefollows_bench_{os.getpid()}"
    try:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except psycopg.Error as error:
        raise BenchFailed(f"DATABASE_URL: {str(error).strip().splitlines()[0]}") from None
    try:
        yield urlunsplit(urlsplit(url)._replace(path="/" + name))
    finally:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def dkim_keys(dkim: str) -> dict[str, str]:
    """Returns settings with fresh DKIM keys."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

    def pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
        return key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()

    settings = {}
    if dkim in ("rsa", "both"):
        settings["MOREFOLLOWS_DKIM_SELECTOR"] = "bench"
        settings["MOREFOLLOWS_DKIM_KEY"] = pem(rsa.generate_private_key(65537, 2048))
    if dkim in ("ed25519", "both"):
        settings["MOREFOLLOWS_DKIM_ED25519_SELECTOR"] = "bench-ed"
        settings["MOREFOLLOWS_DKIM_ED25519_KEY"] = pem(ed25519.Ed25519PrivateKey.generate())
    return settings
