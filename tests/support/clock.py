"""A settable wall clock for real processes. Their monotonic clock goes on unchanged."""

from __future__ import annotations

import functools
import struct
import subprocess
import sys
from pathlib import Path

from tests.support import sandbox


@functools.cache
def _built() -> Path:
    assert sys.platform == "linux", (
        "the clock of running processes can be set on Linux only: take a container"
    )
    library = sandbox.folder() / "clock.so"
    source = Path(__file__).with_suffix(".c")
    command = [
        "cc",
        "-shared",
        "-fPIC",
        "-O2",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-o",
        str(library),
        str(source),
    ]
    subprocess.run([*command, "-ldl"], check=True)
    return library


class Clock:
    """`environment` is what processes have to be started with for `turn` to reach them."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(8))
        self._path = path
        self.turned = 0  #: seconds that it is ahead of the real time, by now
        self.environment = {"LD_PRELOAD": str(_built()), "CLOCK_FILE": str(path)}

    def turn(self, seconds: int) -> None:
        """Sets it by so much, in all its processes at once; back if less than nothing."""
        self.turned += seconds
        with self._path.open("r+b", buffering=0) as file:  # in place: they have it mapped
            file.write(struct.pack("=q", self.turned))
