"""``bench postfix``: what the recipe in `deploy/postfix` is worth, step by step.

Each time smtp-source hands mails over as fast as they are taken, and Postfix carries them on to
smtp-sink. Two rates count: taken by Postfix, and arrived behind it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from bench.race import BenchFailed, smtp_sink, tool
from morefollows.cli.output import CommandFailed, json_option, tell_json

_RECIPE = Path(__file__).parent.parent / "deploy" / "postfix"
_STOCK = """
compatibility_level = 3.6
myhostname = relay.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
alias_maps =
alias_database =
local_recipient_maps =
smtpd_relay_restrictions = permit_mynetworks, reject
"""
_PATIENCE = 300.0  # seconds until all mails have left
_QUEUES = ("incoming", "active", "deferred", "maildrop")


@click.command("postfix")
@click.option("--mails", type=click.IntRange(100, 1_000_000), default=5_000, show_default=True)
@click.option("--disk", type=click.Path(file_okay=False), default="/var/tmp", show_default=True)  # noqa: S108
@click.option("--fast", type=click.Path(file_okay=False), default="/dev/shm", show_default=True)  # noqa: S108
@json_option
def bench_postfix(mails: int, disk: str, fast: str, as_json: bool) -> None:
    """A Postfix as relay: as it comes, with the recipe, on fast storage, and several of them."""
    if os.geteuid() != 0 or tool("postfix") is None or tool("smtp-source") is None:
        raise CommandFailed("needs root, Postfix and its smtp-source")
    steps = {
        "as it comes": (disk, 1, False),
        "recipe": (disk, 1, True),
        "recipe, fast storage": (fast, 1, True),
        "recipe, fast storage, 2 instances": (fast, 2, True),
    }
    found: dict[str, tuple[float, float]] = {}
    try:
        for name, (place, instances, tuned) in steps.items():
            found[name] = _measure(Path(place), instances, mails, tuned=tuned)
            taken, arrived = found[name]
            click.echo(f"{name:<36}{taken:>8,.0f}/s taken{arrived:>8,.0f}/s arrived", err=as_json)
    except BenchFailed as error:
        raise CommandFailed(str(error)) from None
    if as_json:
        tell_json(
            {"mails": mails, "rates": {name: list(map(round, one)) for name, one in found.items()}}
        )


def _measure(place: Path, instances: int, mails: int, *, tuned: bool) -> tuple[float, float]:
    folder = Path(tempfile.mkdtemp(prefix="morefollows-postfix-", dir=place))
    try:
        with contextlib.ExitStack() as stack:
            _, sink = stack.enter_context(smtp_sink())
            folder.chmod(0o755)
            homes = [folder / str(number) for number in range(instances)]
            ports = [
                stack.enter_context(
                    _instance(home, sink, 40_000 + os.getpid() % 9_000 + number, tuned)
                )
                for number, home in enumerate(homes)
            ]
            share = mails // instances
            begun = time.monotonic()
            sources = [_source(port, share) for port in ports]
            for source in sources:
                if source.wait():
                    raise BenchFailed("smtp-source failed")
            taken = time.monotonic() - begun
            while any(_waiting(home) for home in homes):
                if time.monotonic() - begun > _PATIENCE:
                    raise BenchFailed("mail is left in the queue")
                time.sleep(0.05)
            return share * instances / taken, share * instances / (time.monotonic() - begun)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _source(port: int, mails: int) -> subprocess.Popen[bytes]:
    command = [str(tool("smtp-source")), "-s", "20", "-l", "10000", "-m", str(mails), "-d"]
    envelope = ["-f", "b@bounces.example", "-t", "reader@reader.example", f"127.0.0.1:{port}"]
    return subprocess.Popen([*command, *envelope])  # noqa: S603


def _waiting(home: Path) -> bool:
    return any(any(files for _, _, files in os.walk(home / "spool" / queue)) for queue in _QUEUES)


@contextlib.contextmanager
def _instance(home: Path, sink: int, port: int, tuned: bool) -> Iterator[int]:
    (home / "spool").mkdir(parents=True)
    (home / "data").mkdir()
    subprocess.run(["chown", "postfix", str(home / "data")], check=True)  # noqa: S603, S607
    ours = {
        "queue_directory": f"{home}/spool",
        "data_directory": f"{home}/data",
        "maillog_file": f"{home}/maillog",
        "maillog_file_prefixes": str(home),
        "myhostname": "relay.example",
        "inet_protocols": "ipv4",
        "relayhost": f"[127.0.0.1]:{sink}",
        "disable_dns_lookups": "yes",
        "mail_owner": "postfix",
        "setgid_group": "postdrop",
    }
    (home / "main.cf").write_text(
        _main((_RECIPE / "main.cf").read_text() if tuned else _STOCK, ours)
    )
    (home / "master.cf").write_text(
        (_RECIPE / "master.cf").read_text().replace("127.0.0.1:PORT", f"127.0.0.1:{port}")
    )
    subprocess.run(["chmod", "-R", "a+rX", str(home)], check=True)  # noqa: S603, S607
    command = [str(tool("postfix")), "-c", str(home)]
    started = subprocess.run([*command, "start"], capture_output=True, text=True, umask=0o022)  # noqa: S603
    if started.returncode:
        raise BenchFailed(f"Postfix does not start: {started.stderr.strip().splitlines()[-1]}")
    try:
        time.sleep(1)
        yield port
    finally:
        subprocess.run([*command, "stop"], capture_output=True)  # noqa: S603


def _main(text: str, ours: Mapping[str, str]) -> str:
    """The configuration with our own values in place of those of the same name."""
    lines = [line for line in text.splitlines() if line.partition("=")[0].strip() not in ours]
    return "\n".join([*lines, *(f"{name} = {value}" for name, value in ours.items())]) + "\n"
