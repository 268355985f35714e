"""Against software that we did not write: Postfix's smtp-sink."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.courier.smtp.support import MemorySource, client, run
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE, until

SINK = shutil.which("smtp-sink", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(
    SINK is None, reason="needs Postfix's smtp-sink: apt-get install postfix"
)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@contextlib.contextmanager
def sink(*options: str) -> Iterator[int]:
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    assert SINK is not None
    process = subprocess.Popen([SINK, *user, *options, f"127.0.0.1:{port}", "1000"])
    try:
        until("the sink", lambda: _answers(port))
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)


def through(port: int, source: MemorySource, connections: int = 5) -> None:
    async def work() -> None:
        smtp = client(port, source, connections=connections)
        await smtp.open()
        smtp.wake()
        await source.settled()
        await smtp.close()

    run(work)


def test_two_thousand_mails(tmp_path: Path) -> None:
    """The sink writes down each mail: all of them arrive, byte for byte."""
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents:
        if folder.stat().st_uid == os.getuid() and str(folder).startswith(str(tmp_path.parents[2])):
            folder.chmod(folder.stat().st_mode | 0o055)
    with sink("-D", f"{tmp_path}/all") as port:
        source = MemorySource(2000, size=1000)
        through(port, source)
        assert source.codes() == [250] * 2000
    arrived = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    numbers = [int(number) for number in re.findall(rb"Message-ID: <(\d+)@", arrived)]
    assert sorted(numbers) == list(range(2000))


@pytest.mark.parametrize("options", [("-p",), ("-e",), ("-8",)])
def test_a_sink_that_offers_little(options: tuple[str, ...]) -> None:
    """-p: no PIPELINING. -e: no ESMTP at all. -8: no 8BITMIME."""
    with sink(*options) as port:
        source = MemorySource(50)
        through(port, source)
        assert source.codes() == [250] * 50


@pytest.mark.parametrize(("option", "code"), [("-f", 500), ("-r", 400)])
@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "."])
def test_a_sink_that_refuses(option: str, code: int, command: str) -> None:
    with sink(option, command) as port:
        source = MemorySource(20)
        through(port, source, connections=2)
        assert all(code <= found < code + 100 for found in source.codes())
