"""The child processes of `up`: starts them, restarts those that die, and ends them.

Invariant: no failing process ends the others, once the first page was answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import logging
import os
import signal
import socket
import time
from dataclasses import dataclass, field

import click

from morefollows.config.settings import Settings
from morefollows.helpers.background_tasks import watched
from morefollows.processes.supervision.child_starter import ChildStarter
from morefollows.processes.supervision.fork_server import ForkedProcess
from morefollows.processes.supervision.service_manager import ServiceManager

log = logging.getLogger(__name__)

# Seconds before a process that died is restarted: after the first death, the second, …
_BACK_OFF_SECONDS = (
    0.0,
    0.5,
    1.0,
    2.0,
    4.0,
    8.0,
    15.0,
    30.0,
)
_FAILING = 4  # deaths in a row after which the desk shows it
_HOPELESS = 6  # deaths in a row after which a start without a first page is given up
# Seconds after which a death no longer counts as in a row, once the first page was answered.
_STABLE_SECONDS = 10.0
_STOP_SECONDS = 8.5  # seconds for the web processes and the senders to end before SIGKILL
_INBOX_STOP_SECONDS = 1.0
# Seconds until the first page has to be answered. A web server that dies is noticed earlier.
_READY_SECONDS = 300.0
_IN_ORDER = "exit code 0"
_REQUEST_SECONDS = 10.0  # seconds for one request of that page
WAIT_LOG_SECONDS = 5.0  #: after this time the log says what `up` waits for
_TIDY_SECONDS = 30.0  # seconds to release a dead sender's claims; otherwise they expire
_WANTED_LOOK_SECONDS = 0.5  # seconds between two looks whether a process is wanted
_HOUSEKEEPING_SECONDS = 3600.0  # seconds between two housekeeping runs, and for one run


class GaveUp(Exception):
    """A process can't be kept running. ``str()`` says which."""


@dataclass
class Child:
    """One of the processes: its command, and the sockets passed to it."""

    name: str
    command: list[str]
    descriptors: tuple[int, ...] = ()
    sender: int = 0  #: number of a sender, else 0; a sender may die with claims
    process: asyncio.subprocess.Process | ForkedProcess | None = None
    deaths: int = field(default=0)  #: in a row, each soon after the start


class ChildProcesses:
    """Runs the processes, after the database is prepared.

    `ends`: those of `hand_over.pair`. They stay open here: what one process was sent waits while it
    is started again. None: the web process answers the desk's requests, too.
    """

    def __init__(
        self,
        config: Settings,
        starter: ChildStarter,
        web: socket.socket,
        inbox: socket.socket | None,
        ends: tuple[socket.socket, socket.socket] | None = None,
        manager: ServiceManager | None = None,
    ) -> None:
        self._config = config
        self._starter = starter
        self._sockets = [web, inbox, *(ends or ())]
        self._address = local_url(web)
        self._stop = asyncio.Event()
        self._manager = manager or ServiceManager()
        self._ready = False
        self._gave_up = ""
        self._web = Child("web", ["web", "--socket", str(web.fileno())], (web.fileno(),))
        self._desk: Child | None = None
        if ends is not None:
            ours, theirs = (end.fileno() for end in ends)
            self._web.command += ["--desk", str(ours)]
            self._web.descriptors += (ours,)
            self._desk = Child("desk", ["desk", "--public", str(theirs)], (theirs,))
        self._senders = [self._sender(number) for number in range(1, config.sender_count + 1)]
        self._intake = [Child("intake", ["intake"])] if config.intake else []
        # While this file is in the data folder, the process runs. Most newsrooms begin without
        # sources and seed inboxes: then each would be 80 MB for nothing.
        self._on_demand = {
            "ingest-wanted": Child("ingest", ["ingest"]),
            "watcher-wanted": Child("watcher", ["watcher"]),
        }
        self._inbox: Child | None = None
        if inbox is not None:
            self._inbox = Child(
                "inbox", ["inbox", "--socket", str(inbox.fileno())], (inbox.fileno(),)
            )

    def _sender(self, number: int) -> Child:
        return Child(f"sender {number}", ["send", "--number", str(number)], sender=number)

    async def run(self, welcome: str) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        children = [
            child
            for child in (self._inbox, self._web, self._desk, *self._senders, *self._intake)
            if child is not None
        ]
        supervising = [
            watched(f"restarting {child.name}", self._supervise(child)) for child in children
        ]
        jobs = [
            watched("the welcome", self._welcome(welcome)),
            watched("housekeeping", self._run_housekeeping()),
            *(
                watched(f"running {child.name} while it is wanted", self._run_wanted(file, child))
                for file, child in self._on_demand.items()
            ),
        ]
        await self._stop.wait()
        for task in (*supervising, *jobs):
            task.cancel()
        await asyncio.gather(*supervising, *jobs, return_exceptions=True)
        ending = [one for one in (*children, *self._on_demand.values()) if one is not self._inbox]
        await self._end(ending, _STOP_SECONDS)
        # The inbox ends last, so that it takes mail in flight.
        await self._end([self._inbox] if self._inbox else [], _INBOX_STOP_SECONDS)
        if self._gave_up:
            raise GaveUp(self._gave_up)

    async def _supervise(self, child: Child) -> None:
        """Starts a process and restarts it when it dies, with longer waits for deaths in a row.

        No process ends the others: readers can unsubscribe and the desk works while a sender keeps
        dying. Only before the first page is answered `up` gives up on a web server or inbox that
        keeps dying. Nothing works then anyway.
        """
        while True:
            started = time.monotonic()
            manner = await self._run_to_end(child)
            # Until the first page is answered every death counts as in a row. On a busy machine a
            # start that fails may take longer than `_STABLE_SECONDS`.
            lived = self._ready and time.monotonic() - started >= _STABLE_SECONDS
            child.deaths = 1 if lived else child.deaths + 1
            vital = not child.sender and child not in self._intake
            if child.deaths >= _HOPELESS and not self._ready and vital:
                self._gave_up = (
                    f"The process {child.name} dies each time it is started; the "
                    f"lines above may say why."
                )
                self._stop.set()
                return
            wait = _BACK_OFF_SECONDS[min(child.deaths, len(_BACK_OFF_SECONDS)) - 1]
            if child.deaths == 1 and manner == _IN_ORDER:  # a sender takes changed settings
                log.info("the process %s ended in order; starting it again", child.name)
            elif child.deaths < _FAILING:
                log.error("the process %s ended (%s); starting it again", child.name, manner)
            else:
                message = (
                    "the process %s ended (%s), %d times in a row; it is tried again in %g "
                    "s, all else goes on"
                )
                log.error(message, child.name, manner, child.deaths, wait)
            self._publish()
            if child.sender and not await self._tidy(
                "--released", str(child.sender), seconds=_TIDY_SECONDS
            ):
                log.error("its claims could not be released; they run out by themselves")
            await asyncio.sleep(wait)

    async def _run_to_end(self, child: Child) -> str:
        """Starts a process and waits until it ends. Returns how it ended."""
        try:
            await self._start(child)
            assert child.process is not None
            manner = _manner(await child.process.wait())
        except OSError as error:  # process limit or memory exhausted
            manner = f"can't be started: {error.strerror}"
        child.process = None
        return manner

    async def _run_wanted(self, file: str, child: Child) -> None:
        """Runs a process while a file in the data folder says that there is work for it.

        See `ingest.sources.actions.wanted_file` and `audience.seeds.watcher_wanted_file`.
        """
        wanted = self._config.data / file
        while True:
            if wanted.exists():
                started = time.monotonic()
                manner = await self._run_to_end(child)
                if not wanted.exists():
                    child.deaths = 0
                    self._publish()
                    continue
                lived = time.monotonic() - started >= _STABLE_SECONDS
                child.deaths = 1 if lived else child.deaths + 1
                log.error("the process %s ended (%s); starting it again", child.name, manner)
                self._publish()
                place = min(child.deaths, len(_BACK_OFF_SECONDS)) - 1
                await asyncio.sleep(_BACK_OFF_SECONDS[place])
            await asyncio.sleep(_WANTED_LOOK_SECONDS)

    async def _start(self, child: Child) -> None:
        child.process = await self._starter.start(*child.command, descriptors=child.descriptors)
        self._publish()
        if child.deaths >= _FAILING:
            asyncio.get_running_loop().call_later(
                _STABLE_SECONDS + 0.1, self._recover, child, child.process
            )

    def _recover(self, child: Child, process: asyncio.subprocess.Process | ForkedProcess) -> None:
        """Resets the count of deaths when a process has run for `_STABLE_SECONDS`."""
        if child.process is not process:
            return
        if self._ready:
            child.deaths = 0
            self._publish()
        else:
            asyncio.get_running_loop().call_later(_STABLE_SECONDS, self._recover, child, process)

    async def _end(self, children: list[Child], grace_seconds: float) -> None:
        """Sends SIGTERM to these processes, and SIGKILL after `grace_seconds`."""
        processes = [child.process for child in children if child.process is not None]
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        if processes:
            _, late = await asyncio.wait(
                [asyncio.create_task(process.wait()) for process in processes],
                timeout=grace_seconds,
            )
            if late:
                for process in processes:
                    with contextlib.suppress(ProcessLookupError):
                        process.kill()
                await asyncio.wait(late)

    def _publish(self, *, ready: bool = False) -> None:
        children = [self._web, *self._senders, *self._intake, *self._on_demand.values()]
        children += [child for child in (self._desk, self._inbox) if child is not None]
        self._ready |= ready
        self._starter.lock.tell(
            {
                "pid": os.getpid(),
                "url": self._config.url,
                "address": self._address,
                "ready": self._ready,
                "failing": [child.name for child in children if child.deaths >= _FAILING],
                "processes": {
                    child.name: child.process.pid for child in children if child.process is not None
                },
            }
        )

    async def _welcome(self, welcome: str) -> None:
        """Prints the URLs when the first page is answered. Gives up after `_READY_SECONDS`."""
        deadline, logged_at = time.monotonic() + _READY_SECONDS, 0.0
        while not await asyncio.to_thread(self._answers):
            if time.monotonic() > deadline:
                self._gave_up = "The web server does not answer; the lines above may say why."
                self._stop.set()
                return
            if time.monotonic() > logged_at + WAIT_LOG_SECONDS:
                logged_at = time.monotonic()
                log.warning("the web server does not answer yet")
            await asyncio.sleep(0.2)
        self._publish(ready=True)
        click.echo(welcome)
        self._starter.unload()
        async with self._manager.running("web server and senders run"):
            await self._stop.wait()

    async def _tidy(self, *arguments: str, seconds: float) -> bool:
        """Runs `tidy` in a process of its own.

        Returns false if it failed, and has logged why, or took longer than `seconds`.
        """
        try:
            tidying = await self._starter.start("tidy", *arguments)
        except OSError as error:
            log.error("no process could be started: %s", error.strerror)
            return False
        try:
            async with asyncio.timeout(seconds):
                return await tidying.wait() == 0
        except TimeoutError:
            log.error("tidying up took more than %.0f s, and was ended", seconds)
            return False
        finally:
            with contextlib.suppress(ProcessLookupError):
                tidying.kill()

    async def _run_housekeeping(self) -> None:
        """Runs housekeeping once an hour."""
        while True:
            await asyncio.sleep(_HOUSEKEEPING_SECONDS)
            if not await self._tidy(seconds=_HOUSEKEEPING_SECONDS):
                log.error("housekeeping failed; it is tried again in an hour")

    def _answers(self) -> bool:
        host = self._config.host if self._config.host not in ("", "0.0.0.0", "::") else "127.0.0.1"  # noqa: S104
        request = http.client.HTTPConnection(host, self._config.port, timeout=_REQUEST_SECONDS)
        try:
            request.request("GET", "/", headers={"Host": "127.0.0.1"})
            request.getresponse()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            request.close()
        return True


def local_url(listening: socket.socket) -> str:
    """Returns the URL of the web server on this machine, whatever the public URL is."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _manner(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
