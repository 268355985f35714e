"""Starts child processes by forking one that has loaded the product already.

To load it takes seconds of a processor. `up` needs it loaded in four processes at least; with a
fork server it is loaded once, and its memory is shared. The server runs until the first page was
answered: who is started again later loads the product by itself, as it may have changed.

`up` is a subreaper (prctl(2)): the server forks twice, so that `up` becomes the parent. On Linux
only; elsewhere, and where the server can't be used, `up` starts each process by itself.

Invariant: the server opens no database and starts no thread, as neither survives a fork.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import importlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

log = logging.getLogger(__name__)

_PR_SET_NAME, _PR_SET_CHILD_SUBREAPER = 15, 36  # linux/prctl.h
_LOG_SECONDS = 5.0  # after this time of waiting, and each time again, the log says so
_LOADING_SECONDS = 120.0  # for the server to load the product, on a very busy machine
_FORK_SECONDS = 10.0
_LONGEST = 65_536  # bytes of a request


class NotForked(Exception):
    """The server is not there, or can't fork. The caller starts the process in another way."""


class ForkedProcess:
    """A process made by the server, with what we use of `asyncio.subprocess.Process`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    async def wait(self) -> int:
        """Returns the exit code when it has ended; minus the signal's number if one ended it."""
        if self.returncode is None:
            ended = asyncio.Event()
            descriptor = os.pidfd_open(self.pid)
            loop = asyncio.get_running_loop()
            loop.add_reader(descriptor, ended.set)
            try:
                await ended.wait()
            finally:
                loop.remove_reader(descriptor)
                os.close(descriptor)
        return self.collect()

    def collect(self) -> int:
        """Waits without an event loop, and returns the exit code."""
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode

    def _send(self, number: signal.Signals) -> None:
        if self.returncode is not None:  # the number may be another process's by now
            raise ProcessLookupError
        os.kill(self.pid, number)


class ForkServer:
    """The server, seen from `up`. `descriptors`: all that one of the processes may inherit."""

    def __init__(self, command: Sequence[str], descriptors: Sequence[int]) -> None:
        """Starts the server; it loads while the caller goes on. Raises `NotForked`."""
        if not _become_subreaper():
            raise NotForked
        self._descriptors = tuple(descriptors)
        self._loaded = False
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [*command, "--control", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=(*self._descriptors, theirs.fileno()),
            )

    def fork(
        self, arguments: Sequence[str], keep: Sequence[int], output: int | None = None
    ) -> ForkedProcess:
        """Makes a process that runs the command `arguments`. Raises `NotForked`.

        `keep`: the descriptors that it inherits. `output`: what it has for its standard output.
        """
        try:
            self._wait_until_loaded()
            request = {
                "arguments": list(arguments),
                "close": sorted({*self._descriptors} - {*keep}),
            }
            passed = [] if output is None else [output]
            self._control.settimeout(_FORK_SECONDS)
            socket.send_fds(self._control, [json.dumps(request).encode()], passed)
            pid = json.loads(self._control.recv(_LONGEST) or b"0")
        except (OSError, ValueError):
            raise NotForked from None
        if not pid:
            raise NotForked
        return ForkedProcess(pid)

    def close(self) -> None:
        """Ends the server. What it has started goes on."""
        self._control.close()
        self._process.kill()  # it has nothing to finish
        self._process.wait()

    def _wait_until_loaded(self) -> None:
        """Raises `OSError` if the server has ended, or takes too long."""
        began = time.monotonic()
        self._control.settimeout(_LOG_SECONDS)
        while not self._loaded:
            try:
                if not self._control.recv(_LONGEST):
                    raise ConnectionError
                self._loaded = True
            except TimeoutError:
                waited_seconds = time.monotonic() - began
                if waited_seconds > _LOADING_SECONDS:
                    raise
                log.warning("the program is still being loaded, for %.0f s", waited_seconds)


def _become_subreaper() -> bool:
    """Makes this process the parent of grandchildren whose parent ends. Returns whether it is."""
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        return False
    try:
        return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


# -- in the server ---------------------------------------------------------------------------------


def serve(control: socket.socket) -> list[str] | None:
    """Forks a process for each request, until `up` closes its end.

    Returns None then; in a process that was forked, the arguments of its command.
    """
    gc.collect()
    gc.freeze()  # objects that are not touched stay shared
    control.send(b"loaded")
    while True:
        try:
            message, descriptors, _, _ = socket.recv_fds(control, _LONGEST, 1)
        except ConnectionError:
            return None
        if not message:
            return None
        request = json.loads(message)
        pid = _fork_twice()
        if pid == 0:
            control.close()
            for descriptor in request["close"]:
                os.close(descriptor)
            for descriptor in descriptors:
                os.dup2(descriptor, sys.stdout.fileno())
                os.close(descriptor)
            ctypes.CDLL(None).prctl(_PR_SET_NAME, f"mf {request['arguments'][0]}".encode(), 0, 0, 0)
            _read_settings_again()
            return list(request["arguments"])
        for descriptor in descriptors:
            os.close(descriptor)
        with contextlib.suppress(OSError):
            control.send(json.dumps(pid).encode())


def _fork_twice() -> int | None:
    """Returns 0 in the new process, and its number here. None: the machine allows no more."""
    here, there = os.pipe()
    try:
        first = os.fork()
        if first == 0:
            second = -1
            with contextlib.suppress(OSError):
                second = os.fork()
            if second == 0:
                return 0
            os.write(there, str(second).encode())
            os._exit(0)
        pid = int(os.read(here, 32))
        os.waitpid(first, 0)  # from here on `up` is the parent
    except OSError:
        return None
    finally:
        os.close(here)
        os.close(there)
    return pid if pid > 0 else None


def _read_settings_again() -> None:
    """The keys, for instance, may have been saved since the server was loaded."""
    from django.conf import settings

    fresh = importlib.reload(importlib.import_module("morefollows.config.django"))
    for name in ("MOREFOLLOWS", "SECRET_KEY", "SECRET_KEY_FALLBACKS"):
        setattr(settings, name, getattr(fresh, name))
