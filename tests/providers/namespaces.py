"""A small internet in network namespaces: our machine and some providers on one switch."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

NETWORK = "10.78.1"
US = f"{NETWORK}.1"


def run(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(command, check=check, capture_output=True, text=True)


@contextlib.contextmanager
def hosts(names: Sequence[str]) -> Iterator[dict[str, str]]:
    """Makes a namespace ``mf-NAME`` for each name. Yields name → IP address. "us" is `US`."""
    made = ["mf-switch", *(f"mf-{name}" for name in names)]
    remove(made)
    try:
        run("ip", "netns", "add", "mf-switch")
        run("ip", "-n", "mf-switch", "link", "add", "br0", "type", "bridge")
        run("ip", "-n", "mf-switch", "link", "set", "br0", "up")
        found: dict[str, str] = {}
        for number, name in enumerate(names):
            space, address = f"mf-{name}", US if name == "us" else f"{NETWORK}.{10 + number}"
            run("ip", "netns", "add", space)
            peer = ("peer", "name", f"p-{name}", "netns", "mf-switch")
            run("ip", "link", "add", "v0", "netns", space, "type", "veth", *peer)
            run("ip", "-n", "mf-switch", "link", "set", f"p-{name}", "master", "br0", "up")
            run("ip", "-n", space, "addr", "add", f"{address}/24", "dev", "v0")
            run("ip", "-n", space, "link", "set", "v0", "up")
            run("ip", "-n", space, "link", "set", "lo", "up")
            found[name] = address
        yield found
    finally:
        remove(made)


def remove(spaces: Sequence[str]) -> None:
    """Ends the processes in these namespaces, and removes them."""
    for space in spaces:
        pids = run("ip", "netns", "pids", space, check=False).stdout.split()
        if pids:
            run("kill", "-9", *pids, check=False)
        run("ip", "netns", "del", space, check=False)


def start(name: str, log: Path, *command: str) -> None:
    """Starts a server in a namespace. It ends with the namespace."""
    with log.open("w") as out:
        subprocess.Popen(
            ["ip", "netns", "exec", f"mf-{name}", *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
