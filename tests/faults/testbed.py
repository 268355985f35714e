"""The newsroom under test: its processes, readers, proxy and relays."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import psycopg

from morefollows.local_inbox.store import inbox_path as inbox_path
from morefollows.processes import lock
from tests.faults.postfix import ForwardingPostfix
from tests.faults.proxy import Proxy
from tests.support import sandbox
from tests.support.clock import Clock
from tests.support.installation import Installation
from tests.support.scripted_relay import Certificate, Script, ScriptedRelay, TakenMail

if TYPE_CHECKING:
    from morefollows.stories.models import Alert

T = TypeVar("T")

READERS = 40
SENDERS = 3
CONNECTIONS = 6  # over all senders
CLAIM = 4  # seconds
DISK = 96  # megabytes, when it may be filled

#: small batches, few connections and short claims, so that a fault finds much at work
_DISTURBABLE = {
    "relay_connections": str(CONNECTIONS),
    "senders": str(SENDERS),
    "batch_size": "15",
    "claim": str(CLAIM),
}

_SUBJECT = re.compile(rb"^subject: run ([0-9]+)", re.IGNORECASE | re.MULTILINE)


class ReceivedAlert(NamedTuple):
    """A mail that somebody really took."""

    run: int
    recipient: str
    message_id: str
    time: float  #: seconds since 1970


class ReceivedLetter(NamedTuple):
    """A mail that is not an alert, and that the relay really took."""

    recipient: str
    content: bytes
    time: float  #: seconds since 1970


class RecordingRelay(ScriptedRelay):
    """The scripted relay, keeping for each mail what the judge needs."""

    def __init__(
        self,
        mailed: list[ReceivedAlert],
        script: Script | None = None,
        certificate: Certificate | None = None,
    ) -> None:
        super().__init__(script or Script(), keep=False, certificate=certificate)
        self.mailed = mailed
        self.letters: list[ReceivedLetter] = []  #: what is no alert of a run: confirmations, thanks

    def take(self, mail: TakenMail) -> None:
        super().take(mail)
        [recipient] = mail.recipients
        if not (found := _SUBJECT.search(mail.content)):
            self.letters.append(ReceivedLetter(recipient.decode(), mail.content, mail.time))
        else:
            self.mailed.append(
                ReceivedAlert(int(found[1]), recipient.decode(), mail.message_id, mail.time)
            )


class Testbed:
    """Everything that lasts from run to run. `close` removes it.

    `relay_query` is the query of the relay's URL. `settings` go to `Installation`; without any,
    those of the random runs apply, and Postfix, a settable clock and a small disk are set up as
    well.
    """

    def __init__(self, number: int, relay_query: str = "tls=never", **settings: str) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True, name="relays").start()
        self.proxy = self.run_coroutine(_made(Proxy))
        asyncio.run_coroutine_threadsafe(self.proxy.serve(), self._loop)
        self._mailed: list[ReceivedAlert] = []
        self.relay = self.run_coroutine(_made(lambda: RecordingRelay(self._mailed)))
        self.behind = self.run_coroutine(
            _made(lambda: RecordingRelay(self._mailed))
        )  # where Postfix hands its mail on to
        for relay in (self.relay, self.behind):
            self.run_coroutine(relay.__aenter__())
        self.postfix: ForwardingPostfix | None = None
        if os.geteuid() == 0 and not settings:
            self.postfix = ForwardingPostfix(
                sandbox.folder() / f"postfix{number}", self.behind.port
            )
            self.postfix.start()
        disturbable = not settings
        settings = settings or _DISTURBABLE
        relay_url = f"smtp://127.0.0.1:{self.proxy.port}?{relay_query}"
        self.installation = Installation(**{"relay": relay_url, "hold": "0", **settings})
        self.clock: Clock | None = None
        if sys.platform == "linux" and disturbable:
            self.clock = Clock(sandbox.folder() / f"clock{number}")
            self.installation.environment.update(self.clock.environment)
            self.installation.environment["MOREFOLLOWS_CLOCK_LIMIT"] = "0"
        #: where what the ledger is kept in has a small disk of its own; only root can make one
        self.small_disk: Path | None = None
        if os.geteuid() == 0 and disturbable:
            self.small_disk = self._small_disk(number)
        self._invited = 0
        self._more_relays: list[RecordingRelay] = []
        self.inbox = False  #: mail goes to the local inbox, and there is one process more
        self.addresses: dict[int, str] = {}  #: of each reader, by key

    def _small_disk(self, number: int) -> Path:
        """On SQLite the data folder's; on PostgreSQL that of the database's tablespace."""
        server, database = (
            sandbox.cluster(),
            self.installation.environment.get("DATABASE_URL", "").rpartition("/")[2],
        )
        place = sandbox.folder() / f"disk{number}" if server else self.installation.data
        place.mkdir(mode=0o700)
        size = f"size={DISK}m,mode=0700"
        subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", size, "tmpfs", str(place)], check=True)
        if server:
            tables = place / "tables"
            tables.mkdir(mode=0o700)
            place.chmod(0o711)
            shutil.chown(tables, "postgres")
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                connection.execute(f"CREATE TABLESPACE small LOCATION '{tables}'".encode())
                connection.execute(f"ALTER DATABASE {database} SET TABLESPACE small".encode())
        return place

    # -- the newsroom ------------------------------------------------------------------------------

    def open(self) -> None:
        """Starts the processes; and Django here, in the same newsroom."""
        self.installation.start("--sample")
        os.environ.update(self.installation.environment)
        for name in self.clock.environment if self.clock else ():
            del os.environ[name]  # what is started from here has the real time
        os.environ["MOREFOLLOWS_URL"] = self.installation.url
        os.environ["DJANGO_SETTINGS_MODULE"] = "morefollows.config.django"
        import django

        django.setup()
        logging.getLogger("morefollows").setLevel(logging.WARNING)  # this process's own
        # Each at a provider of its own: one that defers is slowed down for, and a run is to end.
        self.invite([f"cy@box{n}.example" for n in range(READERS)])

    def invite(self, addresses: Sequence[str]) -> None:
        """Makes these the confirmed readers of the first topic, and nobody else."""
        from django.utils import timezone

        from morefollows.accounts.models import Editor
        from morefollows.audience.models import Reader, Subscription, Topic

        now = timezone.now()
        topic = Topic.objects.get(slug="breaking")
        Subscription.objects.filter(topic=topic).update(state="ended")
        readers = Reader.objects.bulk_create(
            Reader(
                address=address,
                key=f"{self._invited + n:064x}",
                domain=address.rpartition("@")[2],
                state="confirmed",
                created_at=now,
            )
            for n, address in enumerate(addresses)
        )
        self._invited += len(readers)
        Subscription.objects.bulk_create(
            Subscription(reader=reader, topic=topic, state="active", since=now)
            for reader in readers
        )
        self.addresses = {reader.pk: reader.address for reader in readers}
        self._topic, self.ada = topic, Editor.objects.get(role="administrator")

    def send(self, run: int) -> Alert:
        """What Ada does at her desk."""
        from morefollows.stories import actions
        from morefollows.stories.drafts.actions import save_story

        story = save_story(
            uuid.uuid4(),
            self.ada,
            revision=0,
            headline=f"Run {run}: harbour bridge closed",
            standfirst="",
            text="The **bridge** was closed at 14:05.\n\n.A line that begins with a dot.\n\n"
            "More follows.",
            topic=self._topic,
            language="en",
        )
        return actions.send(story, self.ada)

    def resume_relays(self) -> None:
        """What waits for another try goes now, as when an editor resumes the relay."""
        from django.conf import settings

        from morefollows.courier.relay_pauses import resume_relay

        for relay in settings.MOREFOLLOWS.relays_or_inbox:
            resume_relay(relay.name)

    def paused(self) -> bool:
        """Whether the relay has refused us, and waits for an editor."""
        from morefollows.courier.ledger.claims import paused_relays

        return bool(paused_relays())

    # -- its processes -----------------------------------------------------------------------------

    def pids(self) -> dict[str, int]:
        """The processes that `up` has going, by name."""
        told = lock.running_up(self.installation.data) or {}
        found: dict[str, int] = {}
        for name, pid in told.get("processes", {}).items():
            with contextlib.suppress(OSError):
                os.kill(pid, 0)
                found[name] = pid
        return found

    def use_local_inbox(self) -> None:
        """Restarts `up` without a relay: all mail goes to the local inbox."""
        self.installation.stop()
        self.installation.environment.pop("MOREFOLLOWS_RELAY")
        os.environ.pop("MOREFOLLOWS_RELAY")
        from django.conf import settings

        settings.MOREFOLLOWS = replace(settings.MOREFOLLOWS, relays=())
        self.inbox = True
        self.installation.start()

    # -- the truth ---------------------------------------------------------------------------------

    def mailed(self) -> list[ReceivedAlert]:
        """All mails that were really taken since the stage was opened."""
        if self.inbox:
            shelf_path = inbox_path(self.installation.data)
            with contextlib.closing(
                sqlite3.connect(f"file:{shelf_path}?mode=ro", uri=True)
            ) as shelf:
                rows = shelf.execute(
                    "SELECT subject, recipient, message_id, at FROM mail ORDER BY id"
                ).fetchall()
            found = [(_SUBJECT.match(b"Subject: " + row[0].encode()), row) for row in rows]
            return [
                ReceivedAlert(int(run[1]), to, mark, at / 1000)
                for run, (_, to, mark, at) in found
                if run
            ]
        return list(self._mailed)

    async def another_relay(self, script: Script) -> RecordingRelay:
        """Starts one more scripted relay; call it by `run_coroutine(another_relay(...))`."""
        certificate = Certificate.make(sandbox.folder())
        relay = RecordingRelay(self._mailed, script, certificate)
        await relay.__aenter__()
        self._more_relays.append(relay)
        return relay

    def replace_relay(self, script: Script) -> None:
        """Mail goes to another scripted relay from now on."""
        replaced, self.relay = self.relay, self.run_coroutine(self.another_relay(script))
        self._more_relays[-1] = replaced  # each is stopped once
        self.call(self.proxy.restore, self.relay.port)

    def run_coroutine(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs this among the relays, and returns what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def call(self, function: Callable[..., T], *arguments: object) -> T:
        """Calls this among the relays."""

        async def invoke() -> T:
            return function(*arguments)

        return self.run_coroutine(invoke())

    # -- the end -----------------------------------------------------------------------------------

    def close(self) -> None:
        self.installation.clear()
        if self.small_disk:
            subprocess.run(["/bin/umount", "-l", str(self.small_disk)], check=False)
        if self.postfix is not None:
            self.postfix.stop()
        self.run_coroutine(self._hang_up())
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _hang_up(self) -> None:
        for relay in (self.relay, self.behind, *self._more_relays):
            await relay.stop()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


async def _make(make: Callable[[], T]) -> T:
    return make()


def _made(make: Callable[[], T]) -> Coroutine[Any, Any, T]:
    return _make(make)
