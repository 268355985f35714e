"""The processes of `up` are forked from one that has loaded the product, where that can be done."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from morefollows.processes import lock
from tests.support.installation import Installation
from tests.support.waiting import until

linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")


@linux
def test_up_is_the_parent_of_what_was_forked_and_starts_what_died(
    build: Callable[..., Installation],
) -> None:
    installation = build().start("--sample")
    running = lock.running_up(installation.data)
    assert running
    up = psutil.Process(running["pid"])
    # The server is gone after the first page.
    until("none but these", lambda: {one.pid for one in up.children()} == _pids(installation))
    shown = {one.pid: one.name() for one in up.children()}
    assert shown[running["processes"]["web"]] == "mf web"
    assert shown[running["processes"]["sender 1"]] == "mf send"

    psutil.Process(running["processes"]["sender 1"]).kill()
    until("another sender", lambda: running["processes"]["sender 1"] not in _pids(installation))
    assert "the process sender 1 ended (signal SIGKILL)" in installation.output
    installation.stop()


def _pids(installation: Installation) -> set[int]:
    running = lock.running_up(installation.data)
    assert running
    return {*running["processes"].values()}


_START = """
import sys
from pathlib import Path
from morefollows.processes.supervision import child_starter, fork_server
from morefollows.processes.lock import Lock

held = Lock(Path(sys.argv[1]))
starter = child_starter.ChildStarter(held)
if sys.argv[2] == "dead":
    starter.command = lambda *words: ["false"]
if sys.argv[2] == "impossible":
    fork_server._become_subreaper = lambda: False
starter.load([])
starter.__dict__.pop("command", None)
first = starter.run_first("topics", "--no-such-option")
while not first.finished(1.0):
    pass
starter.unload()
print(first.result())
"""


def test_where_nothing_can_be_forked_each_process_loads_by_itself(tmp_path: Path) -> None:
    """The server ends at once, or the system has no subreapers. What is started is the same."""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", _START, str(tmp_path), how], check=True, capture_output=True
        ).stdout
        for how in ("forked", "dead", "impossible")
    }
    assert outputs == {b"(2, '')\n"}
