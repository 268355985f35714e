"""Relays to measure with: Postfix, its smtp-sink, our own sinks, or another; near or distant."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from bench.postfix import postfix
from bench.race import BenchFailed, smtp_sink

#: SMTP extensions of our own sinks.
OFFERS = {
    "chunking": ("CHUNKING", "PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"),
    "pipelining": ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"),
    "plain": ("8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"),
}


@contextlib.contextmanager
def relay(where: str, folder: Path, delay_ms: float = 0) -> Iterator[tuple[str, int]]:
    """Yields host and port of a relay. Raises `BenchFailed`.

    `where`: smtp-sink, postfix, one of `OFFERS`, or HOST:PORT.
    """
    with contextlib.ExitStack() as stack:
        if where == "smtp-sink":
            host, port = stack.enter_context(smtp_sink())
        elif where == "postfix":
            host, port = stack.enter_context(postfix(folder))
        elif where in OFFERS:
            host, port = stack.enter_context(listening("sink", *OFFERS[where]))
        else:
            host, colon, digits = where.rpartition(":")
            if not colon or not digits.isdecimal() or not host:
                raise click.UsageError(
                    f"--relay must be HOST:PORT, smtp-sink, postfix, {', '.join(OFFERS)}"
                )
            host, port = host.strip("[]"), int(digits)
        if delay_ms:
            host, port = stack.enter_context(
                listening("delay", host, str(port), str(delay_ms / 1000))
            )
        yield host, port


@contextlib.contextmanager
def listening(module: str, *arguments: str) -> Iterator[tuple[str, int]]:
    """Runs one of our own servers in a process that prints its port."""
    command = [sys.executable, "-m", f"bench.{module}", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own command
    assert process.stdout is not None
    try:
        port = process.stdout.readline().strip()
        if not port:
            raise BenchFailed(f"{module} does not start")
        yield "127.0.0.1", int(port)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
