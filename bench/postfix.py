"""A real Postfix on a free port, in a folder of its own. It queues each mail, then discards it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from bench.race import BenchFailed, tool

_STARTS = 10.0  # seconds

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.example
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps =
default_transport = discard
relay_transport = discard
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = reject_non_fqdn_recipient
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
default_process_limit = 200
"""
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
proxymap  unix - - n - - proxymap
retry     unix - - n - - error
error     unix - - n - - error
discard   unix - - n - - discard
anvil     unix - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""


@contextlib.contextmanager
def postfix(folder: Path) -> Iterator[tuple[str, int]]:
    """Runs Postfix. Yields host and port. Raises `BenchFailed` without Postfix or without root."""
    program = tool("postfix")
    if program is None:
        raise BenchFailed("postfix is not installed; `apt-get install postfix` has it")
    if os.geteuid() != 0:
        raise BenchFailed("a Postfix of our own can be started by root only")
    with socket.socket() as ear:
        ear.bind(("127.0.0.1", 0))
        port: int = ear.getsockname()[1]
    home = folder / "postfix"
    (home / "spool").mkdir(parents=True)
    (home / "data").mkdir()
    for path in (folder, home, home / "spool"):
        path.chmod(0o755)  # umask makes files private, but Postfix's programs run as another user
    subprocess.run(["chown", "postfix", str(home / "data")], check=True)  # noqa: S603, S607
    (home / "main.cf").write_text(_MAIN.format(folder=home))
    (home / "master.cf").write_text(_MASTER.format(port=port))
    command = [program, "-c", str(home)]
    started = subprocess.run([*command, "start"], capture_output=True, text=True, umask=0o022)  # noqa: S603
    if started.returncode:
        raise BenchFailed(f"Postfix does not start: {started.stderr.strip().splitlines()[-1]}")
    try:
        deadline = time.monotonic() + _STARTS
        while True:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", port), 1) as line,
            ):
                if line.recv(3) == b"220":
                    break
            if time.monotonic() > deadline:
                raise BenchFailed("Postfix does not answer")
            time.sleep(0.05)
        yield "127.0.0.1", port
    finally:
        subprocess.run([*command, "stop"], capture_output=True)  # noqa: S603
