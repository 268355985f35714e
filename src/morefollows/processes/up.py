"""`up`: runs everything on one machine, in one data folder. It supervises the processes.

Invariant: no failing process takes the others with it, once the first page was answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import click

from morefollows.config import environment, loading
from morefollows.config.settings import Settings, SettingsError
from morefollows.helpers.background_tasks import watched
from morefollows.processes import logs, sockets
from morefollows.processes.lock import Lock

log = logging.getLogger(__name__)

# Seconds before a process that died is restarted: after the first death, the second, …
_BACK_OFF = (
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
_GOOD_LIFE = 10.0
_GOODBYE = 8.5  # seconds for the web server and the senders to end before SIGKILL
_INBOX_GOODBYE = 1.0
# Seconds until the first page has to be answered. A web server that dies is noticed earlier.
_READY = 300.0
_ONE_TRY = 10.0  # seconds for one request of that page
_A_WORD = 5.0  # seconds after which the log says what it waits for
_TIDYING = 30.0  # seconds to release a dead sender's claims; otherwise they expire
_HOUSEKEEPING = 3600.0  # seconds between two housekeeping runs, and for one run


class GaveUp(Exception):
    """A process can't be kept running. ``str()`` says which."""


class NotPrepared(Exception):
    """The database could not be prepared. The reason has been printed."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code  #: exit code


@dataclass
class Child:
    """One of the processes: its command, and the sockets passed to it."""

    name: str
    command: list[str]
    ears: tuple[int, ...] = ()
    sender: int = 0  #: number of a sender, else 0; a sender may die with claims
    process: asyncio.subprocess.Process | None = None
    deaths: int = field(default=0)  #: in a row, each soon after the start


def run_up(*, sample: bool, administrator: str) -> None:
    """Runs until SIGTERM or SIGINT. Raises `InUse`, `SettingsError`, `NotPrepared`, `GaveUp`."""
    config = loading.load()
    logs.to_stderr(config.log_level)
    # Until the processes are started, SIGTERM ends us like Ctrl-C, with the process we wait for.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    note_service_links()
    _settle_paths(config)
    lock = Lock(config.data)
    lock.take()
    family = _Family(lock)
    try:
        ear = _listen("MOREFOLLOWS_PORT", config.port, config.host)
        letterbox = (
            _listen("MOREFOLLOWS_INBOX_PORT", config.inbox_port, sockets.LOOPBACK)
            if config.inbox
            else None
        )
        config = loading.load()  # with the actual ports
        lock.tell({"pid": os.getpid(), "url": config.url, "address": _address(ear)})
        invitation = _prepare(
            family, "--administrator", administrator, *(["--sample"] if sample else [])
        )
        asyncio.run(_Up(config, family, ear, letterbox).run(invitation))
    finally:
        lock.tell({})
        lock.close()


def note_service_links() -> None:
    """Logs which variables were ignored as another program's."""
    ignored = environment.service_links()
    if ignored:
        log.info(
            "ignored, as addresses of a service that Kubernetes or Docker tells: %s",
            ", ".join(ignored),
        )


def _settle_paths(config: Settings) -> None:
    """Makes paths in the environment absolute, so that child processes find the same files.

    They still do if the working directory is moved or deleted.
    """
    os.environ.pop("MOREFOLLOWS_DATA_FILE", None)
    os.environ["MOREFOLLOWS_DATA"] = str(config.data)
    for name, path in os.environ.items():
        if name.startswith(("MOREFOLLOWS_", "DATABASE_URL")) and name.endswith("_FILE"):
            os.environ[name] = str(Path(path).absolute())


def _listen(name: str, port: int, host: str) -> socket.socket:
    """Returns a socket on this port; on a free one if it is taken and nobody chose it.

    Writes the actual port to the setting `name`, for child processes. Raises `SettingsError`.
    """
    try:
        ear = sockets.listen(host, port)
    except socket.gaierror:
        raise SettingsError(
            "MOREFOLLOWS_HOST", f"{host} is not an address of this machine"
        ) from None
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise SettingsError(
                "MOREFOLLOWS_HOST", f"{host} is not an address of this machine"
            ) from None
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        used = error.errno == errno.EADDRINUSE
        why = "is in use by another program" if used else "is not allowed for this user"
        if _chosen(name):
            remedy = "end that one, or choose another port" if used else "choose one above 1023"
            raise SettingsError(name, f"port {port} {why}; {remedy}") from None
        ear = sockets.listen(host, 0)
        click.echo(
            f"Port {port} {why}; taking {ear.getsockname()[1]} instead. ({name} chooses another.)",
            err=True,
        )
    os.environ.pop(name + "_FILE", None)
    os.environ[name] = str(ear.getsockname()[1])
    return ear


def _address(ear: socket.socket) -> str:
    """Returns the URL of the web server on this machine, whatever the public URL is."""
    host, port = ear.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _chosen(name: str) -> bool:
    """Returns whether this port must be used: it is set, or links in mail or a proxy lead to it."""
    if loading.given(name):
        return True
    led_to = ("MOREFOLLOWS_URL", "MOREFOLLOWS_HOST", "MOREFOLLOWS_TRUSTED_PROXIES")
    return name == "MOREFOLLOWS_PORT" and any(loading.given(other) for other in led_to)


class _Family:
    """What every child process inherits: the lock, and the pipe of `parent_watch`."""

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self._lifeline, self._held_end = os.pipe()  # nobody writes; our end closes when we end
        self.handed = (lock.fileno(), self._lifeline)
        # -P: a module in the working directory must not shadow ours.
        self._safe = [] if str(Path.cwd()) in sys.path or "" in sys.path else ["-P"]

    def command(self, *words: str) -> list[str]:
        return [
            sys.executable,
            *self._safe,
            "-m",
            "morefollows",
            *words,
            "--lifeline",
            str(self._lifeline),
        ]

    async def start(self, *words: str, ears: tuple[int, ...] = ()) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self.command(*words), stdin=asyncio.subprocess.DEVNULL, pass_fds=(*self.handed, *ears)
        )


def _prepare(family: _Family, *words: str) -> str:
    """Runs a process that prepares the database. Returns the link for the first sign-in, or "".

    Raises `NotPrepared`.
    """
    preparing = subprocess.Popen(  # noqa: S603 - our own command
        family.command("prepare", *words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=family.handed,
    )
    waited = 0.0
    while True:
        try:
            said, _ = preparing.communicate(timeout=_A_WORD)
        # Migrating a large database takes time; Ctrl-C ends it.
        except subprocess.TimeoutExpired:
            waited += _A_WORD
            log.warning("the database is still being made ready, for %.0f s", waited)
            continue
        except BaseException:
            preparing.terminate()
            raise
        if preparing.returncode:
            raise NotPrepared(preparing.returncode)
        return said.strip()


class _Up:
    """Runs the processes, after the database is prepared."""

    def __init__(
        self, config: Settings, family: _Family, ear: socket.socket, letterbox: socket.socket | None
    ) -> None:
        self._config = config
        self._family = family
        self._ears = [ear, letterbox]
        self._address = _address(ear)
        self._stop = asyncio.Event()
        self._ready = False
        self._gave_up = ""
        self._web = Child("web", ["web", "--socket", str(ear.fileno())], (ear.fileno(),))
        self._senders = [self._sender(number) for number in range(1, config.sender_count + 1)]
        self._inbox: Child | None = None
        if letterbox is not None:
            self._inbox = Child(
                "inbox", ["inbox", "--socket", str(letterbox.fileno())], (letterbox.fileno(),)
            )

    def _sender(self, number: int) -> Child:
        return Child(f"sender {number}", ["send", "--number", str(number)], sender=number)

    async def run(self, invitation: str) -> None:
        loop = asyncio.get_running_loop()
        for told in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(told, self._stop.set)
        children = [
            child for child in (self._inbox, self._web, *self._senders) if child is not None
        ]
        keepers = [watched(f"keeping {child.name}", self._keep(child)) for child in children]
        chores = [
            watched("the welcome", self._welcome(invitation)),
            watched("housekeeping", self._keep_house()),
        ]
        await self._stop.wait()
        for task in (*keepers, *chores):
            task.cancel()
        await asyncio.gather(*keepers, *chores, return_exceptions=True)
        await self._end([self._web, *self._senders], _GOODBYE)
        # The inbox ends last, so that it takes mail in flight.
        await self._end([self._inbox] if self._inbox else [], _INBOX_GOODBYE)
        if self._gave_up:
            raise GaveUp(self._gave_up)

    async def _keep(self, child: Child) -> None:
        """Starts a process and restarts it when it dies, with longer waits for deaths in a row.

        No process ends the others: readers can unsubscribe and the desk works while a sender keeps
        dying. Only before the first page is answered `up` gives up on a web server or inbox that
        keeps dying. Nothing works then anyway.
        """
        while True:
            started = time.monotonic()
            try:
                await self._start(child)
                assert child.process is not None
                manner = _manner(await child.process.wait())
            except OSError as error:  # process limit or memory exhausted
                manner = f"can't be started: {error.strerror}"
            child.process = None
            # Until the first page is answered every death counts as in a row. On a busy machine a
            # start that fails may take longer than `_GOOD_LIFE`.
            lived = self._ready and time.monotonic() - started >= _GOOD_LIFE
            child.deaths = 1 if lived else child.deaths + 1
            if child.deaths >= _HOPELESS and not self._ready and not child.sender:
                self._gave_up = (
                    f"The process {child.name} dies each time it is started; the "
                    f"lines above may say why."
                )
                self._stop.set()
                return
            wait = _BACK_OFF[min(child.deaths, len(_BACK_OFF)) - 1]
            if child.deaths < _FAILING:
                log.error("the process %s ended (%s); starting it again", child.name, manner)
            else:
                words = (
                    "the process %s ended (%s), %d times in a row; it is tried again in %g "
                    "s, all else goes on"
                )
                log.error(words, child.name, manner, child.deaths, wait)
            self._tell()
            if child.sender and not await self._tidy(
                "--released", str(child.sender), seconds=_TIDYING
            ):
                log.error("its claims could not be released; they run out by themselves")
            await asyncio.sleep(wait)

    async def _start(self, child: Child) -> None:
        child.process = await self._family.start(*child.command, ears=child.ears)
        self._tell()
        if child.deaths >= _FAILING:
            asyncio.get_running_loop().call_later(
                _GOOD_LIFE + 0.1, self._recover, child, child.process
            )

    def _recover(self, child: Child, process: asyncio.subprocess.Process) -> None:
        """Resets the count of deaths when a process has run for `_GOOD_LIFE` seconds."""
        if child.process is not process:
            return
        if self._ready:
            child.deaths = 0
            self._tell()
        else:
            asyncio.get_running_loop().call_later(_GOOD_LIFE, self._recover, child, process)

    async def _end(self, children: list[Child], grace: float) -> None:
        """Sends SIGTERM to these processes, and SIGKILL after `grace` seconds."""
        processes = [child.process for child in children if child.process is not None]
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        if processes:
            _, late = await asyncio.wait(
                [asyncio.create_task(process.wait()) for process in processes], timeout=grace
            )
            if late:
                for process in processes:
                    with contextlib.suppress(ProcessLookupError):
                        process.kill()
                await asyncio.wait(late)

    def _tell(self, *, ready: bool = False) -> None:
        children = [self._web, *self._senders, *([self._inbox] if self._inbox else [])]
        self._ready |= ready
        self._family.lock.tell(
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

    async def _welcome(self, invitation: str) -> None:
        """Prints the URLs when the first page is answered. Gives up after `_READY` seconds."""
        deadline, told = time.monotonic() + _READY, 0.0
        while not await asyncio.to_thread(self._answers):
            if time.monotonic() > deadline:
                self._gave_up = "The web server does not answer; the lines above may say why."
                self._stop.set()
                return
            if time.monotonic() > told + _A_WORD:
                told = time.monotonic()
                log.warning("the web server does not answer yet")
            await asyncio.sleep(0.2)
        self._tell(ready=True)
        click.echo(welcome(self._config, invitation))

    async def _tidy(self, *words: str, seconds: float) -> bool:
        """Runs `tidy` in a process of its own.

        Returns false if it failed or took longer than `seconds`.

        If it failed, it has logged why.
        """
        try:
            tidying = await self._family.start("tidy", *words)
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

    async def _keep_house(self) -> None:
        """Runs housekeeping once an hour."""
        while True:
            await asyncio.sleep(_HOUSEKEEPING)
            if not await self._tidy(seconds=_HOUSEKEEPING):
                log.error("housekeeping failed; it is tried again in an hour")

    def _answers(self) -> bool:
        host = self._config.host if self._config.host not in ("", "0.0.0.0", "::") else "127.0.0.1"  # noqa: S104
        request = http.client.HTTPConnection(host, self._config.port, timeout=_ONE_TRY)
        try:
            request.request("GET", "/", headers={"Host": "127.0.0.1"})
            request.getresponse()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            request.close()
        return True


def welcome(config: Settings, invitation: str) -> str:
    """Returns the text that `up` prints when it is ready."""
    lines = [
        "",
        "More Follows is up. Ctrl-C ends it.",
        "",
        f"  Desk      {config.url}/desk/",
        f"  Readers   {config.url}/    sign-up and the latest stories",
    ]
    if config.inbox:
        lines += [
            f"  Inbox     {config.url}/inbox/    all mail ends here: nothing leaves this machine",
        ]
    else:
        lines += [f"  Relay     {', '.join(relay.name for relay in config.relays)}"]
    if invitation:
        lines += [
            "",
            "  To sign in for the first time, open this link. It is good once:",
            f"  {invitation}",
        ]
    return "\n".join([*lines, ""])


def _manner(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
