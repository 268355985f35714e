"""A real Postfix on a free port, in a folder of its own. It queues each mail, then discards it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from bench.race import BenchFailed, tool
from tests.support.private_postfix import PrivatePostfix

_SETTINGS = """
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.example
alias_database =
default_transport = discard
relay_transport = discard
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = reject_non_fqdn_recipient
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
default_process_limit = 200
"""


@contextlib.contextmanager
def postfix(folder: Path) -> Iterator[tuple[str, int]]:
    """Runs Postfix. Yields host and port. Raises `BenchFailed` without Postfix or without root."""
    if tool("postfix") is None:
        raise BenchFailed("postfix is not installed; `apt-get install postfix` has it")
    if os.geteuid() != 0:
        raise BenchFailed("a Postfix of our own can be started by root only")
    folder.chmod(0o755)
    server = PrivatePostfix(folder / "postfix", _SETTINGS)
    try:
        try:
            server.start()
        except RuntimeError as error:
            raise BenchFailed(str(error)) from None
        yield "127.0.0.1", server.port
    finally:
        server.stop()
