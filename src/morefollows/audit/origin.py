"""Where an action comes from: the network of a request, or the operating-system user of a command.

`audit.actions.record` writes it into each entry. Middleware sets it for requests, `cli.main` for
commands. Processes that run by themselves set nothing: their entries are the system's.

There is no Django here, as the command line imports this before it starts Django.
"""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import NamedTuple

from morefollows.helpers.networks import shortened


class Origin(NamedTuple):
    """`operator`: the user of a command, else "". `network`: "" if unknown, or if local."""

    operator: str = ""
    network: str = ""


_UNSET = 4_294_967_295  # /proc/self/loginuid of a process that no login started
_LOGIN = Path("/proc/self/loginuid")

#: Called for each entry, so that a request that writes none costs nothing.
_current: ContextVar[Callable[[], Origin]] = ContextVar("origin", default=Origin)


def of_action() -> Origin:
    """Returns the origin of the action that this thread or task is at."""
    return _current.get()()


@contextlib.contextmanager
def of_client(address: Callable[[], str]) -> Iterator[None]:
    """Actions inside come from this client. The entry has the client's network only.

    `address`: returns the client's address, or "".
    """
    token = _current.set(lambda: Origin(network=shortened(address())))
    try:
        yield
    finally:
        _current.reset(token)


@contextlib.contextmanager
def of_command() -> Iterator[None]:
    """Actions inside come from the operating-system user who runs this process."""
    token = _current.set(lambda: of_process(os.environ))
    try:
        yield
    finally:
        _current.reset(token)


def of_process(environment: Mapping[str, str], login: Path = _LOGIN) -> Origin:
    """Returns the user of this process, such as "morefollows", or "morefollows (login ada)".

    The second name is of who logged in, where the kernel knows it (``loginuid``, which only root
    can set). Else it is what sudo says, "morefollows (sudo ada)". The network is that of the SSH
    client, if the environment names it.
    """
    user = _name(os.geteuid())
    logged_in, claimed = _logged_in(login), environment.get("SUDO_USER", "")
    if logged_in and logged_in != user:
        user = f"{user} (login {logged_in})"
    elif not logged_in and claimed and claimed != user:
        user = f"{user} (sudo {_printable(claimed)})"
    client = (environment.get("SSH_CONNECTION", "") or environment.get("SSH_CLIENT", "")).split()
    network = shortened(client[0]) if client else ""
    return Origin(user[:100], network if "/" in network else "")


def _logged_in(login: Path) -> str:
    try:
        number = int(login.read_text())
    except (OSError, ValueError):
        return ""
    return "" if number == _UNSET else _name(number)


def _name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # a container's user often has no entry
        return f"uid {number}"


def _printable(name: str) -> str:
    return "".join(letter for letter in name if letter.isprintable())[:40]
