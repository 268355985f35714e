"""Starts the child processes of `up`, with all that they inherit."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from morefollows.processes.lock import Lock
from morefollows.processes.supervision.fork_server import ForkedProcess, ForkServer, NotForked


class FirstProcess:
    """A process that runs before the others, and its output."""

    def __init__(self, process: ForkedProcess | subprocess.Popen[bytes], output: int) -> None:
        self._process = process
        self._output = output
        self._text = b""

    def finished(self, seconds: float) -> bool:
        """Reads its output for this long. Returns whether it has ended."""
        deadline = time.monotonic() + seconds
        while select.select([self._output], [], [], max(0.0, deadline - time.monotonic()))[0]:
            part = os.read(self._output, 65_536)
            if not part:
                os.close(self._output)
                return True
            self._text += part
        return False

    def result(self) -> tuple[int, str]:
        """Exit code and output, after `finished`."""
        process = self._process
        code = process.collect() if isinstance(process, ForkedProcess) else process.wait()
        return code, self._text.decode(errors="replace")

    def terminate(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()


class ChildStarter:
    """What every child process inherits: the lock, and the pipe of `parent_watch`."""

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self._parent_pipe, self._held_end = os.pipe()  # nobody writes; our end closes when we end
        self.handed = (lock.fileno(), self._parent_pipe)
        # -P: a module in the working directory must not shadow ours.
        self._safe = [] if str(Path.cwd()) in sys.path or "" in sys.path else ["-P"]
        self._server: ForkServer | None = None

    def load(self, descriptors: Sequence[int]) -> None:
        """Begins to load the product for the processes to come, which may inherit these.

        Without it, or where it can't be done, each process loads the product by itself.
        """
        with contextlib.suppress(NotForked, OSError):
            self._server = ForkServer(self.command("fork-server"), (*self.handed, *descriptors))

    def unload(self) -> None:
        """From now on each process loads the product by itself."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def run_first(self, *arguments: str) -> FirstProcess:
        """Starts a process, whose output is read, before the event loop runs."""
        read, write = os.pipe()
        process: ForkedProcess | subprocess.Popen[bytes]
        try:
            process = self._forked(arguments, self.handed, write) or subprocess.Popen(  # noqa: S603
                self.command(*arguments),
                stdin=subprocess.DEVNULL,
                stdout=write,
                pass_fds=self.handed,
            )
        finally:
            os.close(write)
        return FirstProcess(process, read)

    def command(self, *arguments: str) -> list[str]:
        return [
            sys.executable,
            *self._safe,
            "-m",
            "morefollows",
            *arguments,
            "--parent-pipe",
            str(self._parent_pipe),
        ]

    async def start(
        self, *arguments: str, descriptors: tuple[int, ...] = ()
    ) -> asyncio.subprocess.Process | ForkedProcess:
        forked = self._forked(arguments, (*self.handed, *descriptors))
        return forked or await asyncio.create_subprocess_exec(
            *self.command(*arguments),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(*self.handed, *descriptors),
        )

    def _forked(
        self, arguments: Sequence[str], keep: Sequence[int], output: int | None = None
    ) -> ForkedProcess | None:
        if self._server is None:
            return None
        try:
            return self._server.fork(
                [*arguments, "--parent-pipe", str(self._parent_pipe)], keep, output
            )
        except NotForked:
            self.unload()
            return None
