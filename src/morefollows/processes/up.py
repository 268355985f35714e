"""`up`: everything on one machine, in one data folder. Starts the processes, keeps them going, and ends them."""

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
from morefollows.helpers.supervise import watched
from morefollows.processes import logs, sockets
from morefollows.processes.lock import Lock

log = logging.getLogger(__name__)

_BACK_OFF = (
    0.0,
    0.5,
    1.0,
    2.0,
    4.0,
    8.0,
    15.0,
    30.0,
)  # seconds before a process that died is started again
_FAILING = 4  # deaths in a row after which the desk is told
_HOPELESS = 6  # deaths in a row after which a start without a first page is given up
_GOOD_LIFE = (
    10.0  # seconds after which a death is no longer one of a row, once the first page was answered
)
_GOODBYE = 8.5  # seconds for the web server and the senders to end; then they are killed
_INBOX_GOODBYE = 1.0
_READY = (
    300.0  # seconds until the first page is answered; a web server that dies is found out before
)
_ONE_TRY = 10.0  # seconds for one request of that page
_A_WORD = 5.0  # seconds after which the log says what is waited for
_TIDYING = 30.0  # seconds for freeing what a dead sender held: they run out by themselves
_HOUSEKEEPING = 3600.0  # seconds between two runs, and for one run


class GaveUp(Exception):
    """A process can't be kept alive. ``str()`` says which."""


class NotPrepared(Exception):
    """The database could not be made ready, and why has been said."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code  #: exit code


@dataclass
class Child:
    """One of the processes: the command that it runs, and the sockets that it is handed."""

    name: str
    command: list[str]
    ears: tuple[int, ...] = ()
    sender: int = 0  #: its number, if it is a sender: then it may die with claims
    process: asyncio.subprocess.Process | None = None
    deaths: int = field(default=0)  #: in a row, each soon after its start


def run_up(*, sample: bool, administrator: str) -> None:
    """Runs until SIGTERM or SIGINT. Raises `InUse`, `SettingsError`, `NotPrepared`, `GaveUp`."""
    config = loading.load()
    logs.to_stderr(config.log_level)
    # Until the processes are started, SIGTERM ends us as Ctrl-C does: with what we have begun.
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
        config = loading.load()  # with the ports as they are
        lock.tell({"pid": os.getpid(), "url": config.url, "address": _address(ear)})
        invitation = _prepare(
            family, "--administrator", administrator, *(["--sample"] if sample else [])
        )
        asyncio.run(_Up(config, family, ear, letterbox).run(invitation))
    finally:
        lock.tell({})
        lock.close()


def note_service_links() -> None:
    """Says which variables were taken for another program's."""
    ignored = environment.service_links()
    if ignored:
        log.info(
            "ignored, as addresses of a service that Kubernetes or Docker tells: %s",
            ", ".join(ignored),
        )


def _settle_paths(config: Settings) -> None:
    """The processes find what we found, even if the folder in which we were started is moved or removed."""
    os.environ.pop("MOREFOLLOWS_DATA_FILE", None)
    os.environ["MOREFOLLOWS_DATA"] = str(config.data)
    for name, path in os.environ.items():
        if name.startswith(("MOREFOLLOWS_", "DATABASE_URL")) and name.endswith("_FILE"):
            os.environ[name] = str(Path(path).absolute())


def _listen(name: str, port: int, host: str) -> socket.socket:
    """A socket on this port; on a free one if it is taken and nobody has chosen it.

    The setting `name` tells the others which. Raises `SettingsError`.
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
    """Where the web server answers on this machine, whatever the public address is."""
    host, port = ear.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _chosen(name: str) -> bool:
    """Somebody counts on this port: it is set, or links in mail or a proxy in front lead to it."""
    if loading.given(name):
        return True
    led_to = ("MOREFOLLOWS_URL", "MOREFOLLOWS_HOST", "MOREFOLLOWS_TRUSTED_PROXIES")
    return name == "MOREFOLLOWS_PORT" and any(loading.given(other) for other in led_to)


class _Family:
    """What every process that we start is handed: the lock, which it shares, and the lifeline."""

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self._lifeline, self._held_end = os.pipe()  # nobody writes: our end closes when we are gone
        self.handed = (lock.fileno(), self._lifeline)
        # A module of ours is not looked for in the folder where somebody happens to start us.
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
    """Has another process make the database ready. Returns the link for the first sign-in, or nothing.

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
        except (
            subprocess.TimeoutExpired
        ):  # migrating a large database takes its time; Ctrl-C ends it
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
    """The processes at work."""

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
        await self._end(
            [self._inbox] if self._inbox else [], _INBOX_GOODBYE
        )  # last: it takes what is in flight
        if self._gave_up:
            raise GaveUp(self._gave_up)

    async def _keep(self, child: Child) -> None:
        """Starts a process, and starts it again each time it dies, less often the more often in a row.

        No process takes the others with it: readers leave and the desk works while a sender can't live. Only before
        the first page is a web server or inbox that can't live given up: then nothing works anyway.
        """
        while True:
            started = time.monotonic()
            try:
                await self._start(child)
                assert child.process is not None
                manner = _manner(await child.process.wait())
            except OSError as error:  # no more processes, no memory
                manner = f"can't be started: {error.strerror}"
            child.process = None
            # Until the first page is answered every death is one of the row: a busy machine may take
            # longer than a good life to start what then cannot live.
            lived = self._ready and time.monotonic() - started >= _GOOD_LIFE
            child.deaths = 1 if lived else child.deaths + 1
            if child.deaths >= _HOPELESS and not self._ready and not child.sender:
                self._gave_up = f"The process {child.name} dies each time it is started; the lines above may say why."
                self._stop.set()
                return
            wait = _BACK_OFF[min(child.deaths, len(_BACK_OFF)) - 1]
            if child.deaths < _FAILING:
                log.error("the process %s ended (%s); starting it again", child.name, manner)
            else:
                words = "the process %s ended (%s), %d times in a row; it is tried again in %g s, all else goes on"
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
        """It has lived long enough to be believed."""
        if child.process is not process:
            return
        if self._ready:
            child.deaths = 0
            self._tell()
        else:
            asyncio.get_running_loop().call_later(_GOOD_LIFE, self._recover, child, process)

    async def _end(self, children: list[Child], grace: float) -> None:
        """Asks these processes to end, and kills those that have not after `grace` seconds."""
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
        """When the first page is answered, says where everything is."""
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
        """Has another process tidy up. False if that failed, and it has said why, or took longer than `seconds`."""
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
        """Once an hour, clears away what has run out."""
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
    """What `up` says when it is up."""
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
