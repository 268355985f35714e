"""Runs one peer once, and provides the relay that all peers send to."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench import peers
from tests.support.ports import free_port

_POSTFIX = "/usr/sbin:/usr/local/sbin:/usr/libexec/postfix"
_SINK_STARTS = 5.0  # seconds


class BenchFailed(Exception):
    """A measurement failed. ``str()`` says why."""


class Run(NamedTuple):
    mails: int
    seconds: float
    cpu: float  #: CPU seconds

    @property
    def rate(self) -> float:
        """Mails a second."""
        return self.mails / self.seconds

    @property
    def cpu_per_thousand(self) -> float:
        return 1000 * self.cpu / self.mails


def tool(name: str) -> str | None:
    """Returns the path of one of Postfix's tools, if installed."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":" + _POSTFIX)


@contextlib.contextmanager
def smtp_sink() -> Iterator[tuple[str, int]]:
    """Runs Postfix's smtp-sink on a free port: it accepts mail and discards it."""
    program = tool("smtp-sink")
    if program is None:
        raise BenchFailed(
            "smtp-sink is not installed; `apt-get install postfix` has it. Or name a relay "
            "HOST:PORT."
        )
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    sink = subprocess.Popen(  # noqa: S603
        [program, *user, f"127.0.0.1:{port}", "1000"], stdout=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + _SINK_STARTS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if sink.poll() is not None or time.monotonic() > deadline:
                raise BenchFailed("smtp-sink does not start")
            time.sleep(0.02)
        yield "127.0.0.1", port
    finally:
        sink.terminate()
        sink.wait()


def peer(name: str, relay: tuple[str, int], mails: int, connections: int, message: bytes) -> Run:
    """Runs one of `peers.PEERS`. Raises `BenchFailed`."""
    host, port = relay
    command = [
        sys.executable,
        "-m",
        "bench.peers",
        name,
        host,
        str(port),
        str(mails),
        str(connections),
    ]
    done = subprocess.run(command, input=message, capture_output=True)  # noqa: S603 - our own command
    if done.returncode:
        raise BenchFailed(
            f"{name}: {done.stderr.decode(errors='replace').strip().splitlines()[-1]}"
        )
    figures = json.loads(done.stdout)
    return Run(mails, figures["seconds"], figures["cpu"])


def nodemailer_home() -> Path | None:
    """Returns the module folder with nodemailer, if any: in NODE_PATH, or in our tests."""
    own = Path(peers.__file__).parents[1] / "tests" / "node" / "node_modules"
    places = [Path(place) for place in os.environ.get("NODE_PATH", "").split(os.pathsep) if place]
    return next(
        (
            place
            for place in (*places, own)
            if shutil.which("node") and (place / "nodemailer").is_dir()
        ),
        None,
    )


def nodemailer(relay: tuple[str, int], mails: int, connections: int, message: bytes) -> Run:
    """Runs nodemailer's pool. Its time includes opening connections: it can't open them before."""
    script = Path(peers.__file__).with_name("nodemailer.cjs")
    words = [*map(str, (*relay, mails, connections)), peers.SENDER, peers.RECIPIENT]
    environment = {**os.environ, "NODE_PATH": str(nodemailer_home())}
    done = subprocess.run(  # noqa: S603
        ["node", script, *words],  # noqa: S607
        input=message,
        capture_output=True,
        env=environment,
    )
    if done.returncode:
        raise BenchFailed(
            f"nodemailer: {done.stderr.decode(errors='replace').strip().splitlines()[-1]}"
        )
    figures = json.loads(done.stdout)
    return Run(mails, figures["seconds"], figures["cpu"])


def rsa_signatures() -> float | None:
    """Returns RSA-2048 signatures a second of one core, measured while all cores sign.

    Uses `openssl speed`. Returns None without openssl.
    """
    program, cores = shutil.which("openssl"), os.cpu_count() or 1
    if program is None:
        return None
    command = [program, "speed", "-mr", "-multi", str(cores), "-seconds", "2", "rsa2048"]
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603
    found = re.search(r"^\+F2:\d+:2048:([0-9.e-]+):", done.stdout, re.MULTILINE)
    return float(found[1]) / cores if found else None


def smtp_source(
    relay: tuple[str, int], mails: int, connections: int, message: bytes, folder: Path
) -> Run:
    """Runs Postfix's smtp-source, which does not pipeline. It keeps its connections open (-d)."""
    program = tool("smtp-source")
    if program is None:
        raise BenchFailed("smtp-source is not installed")
    file = folder / "message"
    file.write_bytes(message.replace(b"\r\n", b"\n"))  # it adds an empty line at the end
    sender, recipient = peers.SENDER, peers.RECIPIENT
    words = [
        "-d",
        "-s",
        str(connections),
        "-m",
        str(mails),
        "-F",
        str(file),
        "-f",
        sender,
        "-t",
        recipient,
    ]
    began = time.monotonic()
    child = subprocess.Popen([program, *words, f"{relay[0]}:{relay[1]}"], stdout=subprocess.DEVNULL)  # noqa: S603
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise BenchFailed(f"smtp-source ended with {child.returncode}")
    return Run(mails, seconds, usage.ru_utime + usage.ru_stime)
