"""Memory use of processes."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path


def peak(pids: Iterable[int]) -> int:
    """Returns the sum of these processes' peak memory in bytes.

    Shared pages count for each process.

    Only Linux reports the peak; elsewhere it is the current use.
    """
    return sum(_peak(pid) for pid in pids)


def _peak(pid: int) -> int:
    with contextlib.suppress(OSError):
        found = re.search(
            r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE
        )
        return int(found[1]) * 1024 if found else 0
    with contextlib.suppress(OSError, ValueError):
        ps = ["ps", "-o", "rss=", "-p", str(pid)]
        output = subprocess.run(ps, capture_output=True, text=True)  # noqa: S603
        return int(output.stdout) * 1024
    return 0
