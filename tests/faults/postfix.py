"""A private Postfix with its own ports, queue and configuration. Needs root to start."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

_SBIN = Path("/usr/sbin")
_MAIN = """\
compatibility_level = 3.6
queue_directory = {place}/spool
data_directory = {place}/data
maillog_file = {place}/log
maillog_file_prefixes = {place}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.example
mydestination =
local_recipient_maps =
alias_maps =
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
relayhost = [127.0.0.1]:{onwards}
disable_dns_lookups = yes
smtp_tls_security_level = none
smtpd_tls_security_level = none
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
service_throttle_time = 1s
"""


class Postfix:
    """Takes mail on `port` and hands it on to the relay at `onwards`."""

    def __init__(self, place: Path, onwards: int) -> None:
        self._place = place
        with socket.create_server(("127.0.0.1", 0)) as ear:
            self.port: int = ear.getsockname()[1]
        config = place / "config"
        config.mkdir(parents=True)
        (place / "spool").mkdir()
        (place / "data").mkdir()
        shutil.chown(place / "data", "postfix")
        (config / "main.cf").write_text(_MAIN.format(place=place, onwards=onwards))
        lines = []
        for line in Path("/usr/share/postfix/master.cf.dist").read_text().splitlines():
            words = line.split(None, 7)
            if len(words) == 8 and not line.startswith(("#", " ")):
                if words[0] == "smtp" and words[1] == "inet":
                    words[0] = f"127.0.0.1:{self.port}"
                words[4] = "n"  # no chroot
                line = " ".join(words)
            lines.append(line)
        (config / "master.cf").write_text("\n".join(lines) + "\n")
        self._config = str(config)

    def start(self) -> None:
        self._run("start")
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise SystemExit(
                        f"Postfix did not start:\n{(self._place / 'log').read_text()}"
                    ) from None
                time.sleep(0.05)

    def kill_servers(self) -> int:
        """kill -9 of the processes that talk SMTP with us. Returns how many there were."""
        killed = 0
        for process in Path("/proc").iterdir():
            if not process.name.isdigit():
                continue
            try:
                mine = os.fsencode(self._place / "spool") == os.fsencode(
                    (process / "cwd").readlink()
                )
                if mine and (process / "comm").read_text().strip() == "smtpd":
                    os.kill(int(process.name), signal.SIGKILL)
                    killed += 1
            except OSError:  # it has ended meanwhile
                continue
        return killed

    def stop(self) -> None:
        self._run("stop", check=False)

    def _run(self, word: str, *, check: bool = True) -> None:
        done = subprocess.run(
            [_SBIN / "postfix", "-c", self._config, word], capture_output=True, text=True
        )
        if check and done.returncode:
            raise SystemExit(f"postfix {word}:\n{done.stdout}{done.stderr}")
