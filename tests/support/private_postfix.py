"""A Postfix of its own port, queue, configuration and log, in a folder. Needs root to start.

What it does with mail is said by the settings that its user adds to `_MAIN`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.support.ports import free_port

_PROGRAM = Path("/usr/sbin/postfix")
_SERVICES = Path("/usr/share/postfix/master.cf.dist")
_START_SECONDS = 20.0
_MAIN = """\
compatibility_level = 3.6
queue_directory = {place}/spool
data_directory = {place}/data
maillog_file = {place}/log
maillog_file_prefixes = {place}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
local_recipient_maps =
alias_maps =
mynetworks = 127.0.0.0/8
"""


class PrivatePostfix:
    """Takes mail on `port`. `settings`: further lines of its main.cf.

    Raises `RuntimeError` if it does not start, with the reason.
    """

    def __init__(self, place: Path, settings: str, port: int | None = None) -> None:
        self.place = place
        self.port = port or free_port()
        config = place / "config"
        for folder in (config, place / "spool", place / "data"):
            folder.mkdir(parents=True)
        # Postfix drops root's rights, and the umask of a test keeps others out.
        for folder in (place, config, place / "spool"):
            folder.chmod(0o755)
        shutil.chown(place / "data", "postfix")
        (config / "main.cf").write_text(_MAIN.format(place=place) + settings)
        lines = []
        for line in _SERVICES.read_text().splitlines():
            fields = line.split(None, 7)
            if len(fields) == 8 and not line.startswith(("#", " ")):
                if fields[:2] == ["smtp", "inet"]:
                    fields[0] = f"127.0.0.1:{self.port}"
                fields[4] = "n"  # no chroot
                line = " ".join(fields)
            lines.append(line)
        (config / "master.cf").write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        """Returns when it answers."""
        started = self._run("start")
        if started.returncode:
            raise RuntimeError(f"Postfix does not start: {started.stdout}{started.stderr}")
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                    if connection.recv(3) == b"220":
                        return
            except OSError:
                pass
            if time.monotonic() > deadline:
                raise RuntimeError(f"Postfix does not answer: {(self.place / 'log').read_text()}")
            time.sleep(0.05)

    def kill_servers(self) -> int:
        """kill -9 of the processes that talk SMTP with us. Returns how many there were."""
        killed = 0
        for process in Path("/proc").iterdir():
            if not process.name.isdigit():
                continue
            try:
                mine = os.fsencode(self.place / "spool") == os.fsencode(
                    (process / "cwd").readlink()
                )
                if mine and (process / "comm").read_text().strip() == "smtpd":
                    os.kill(int(process.name), signal.SIGKILL)
                    killed += 1
            except OSError:  # it has ended meanwhile
                continue
        return killed

    def stop(self) -> None:
        """Ends it, if it runs. The folder stays."""
        self._run("stop")

    def _run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [_PROGRAM, "-c", str(self.place / "config"), command],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            umask=0o022,
        )
