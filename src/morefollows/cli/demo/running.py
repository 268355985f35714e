"""Runs the product with its sample newsroom for a while: for the demonstration and benchmarks."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from morefollows.processes import lock

_START_SECONDS = 300.0  # migrating is slow on a busy machine


class NotStarted(Exception):
    """More Follows did not start. ``str()`` is what it said."""


@contextlib.contextmanager
def running(
    data: Path, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs `morefollows up --sample` on the folder `data` until the block ends.

    What it says goes to the file `log`. `environment`: None for this process's own. It ends with
    this process, even if that is killed. Raises `NotStarted`.
    """
    parent_pipe, held_end = os.pipe()
    arguments = ["up", "--sample", "--parent-pipe", str(parent_pipe)]
    with log.open("wb") as output:
        up = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "morefollows", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(parent_pipe,),
        )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not (lock.running_up(data) or {}).get("ready"):
            if up.poll() is not None or time.monotonic() > deadline:
                raise NotStarted(log.read_text(errors="replace").strip())
            time.sleep(0.05)
        yield up
    finally:
        up.terminate()
        up.wait()
        os.close(parent_pipe)
        os.close(held_end)
