"""`bench distance`: the cost of a distant relay, by its SMTP extensions."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from morefollows.cli.output import CommandFailed, json_option, tell_json

_ENOUGH = 0.8  # of the rate to a near relay
_MOST = 1000  # connections
_ROUND_TRIPS = 12  # mails for each connection in a run that is limited by round trips


@click.command("distance")
@click.option("--readers", type=click.IntRange(100, 1_000_000), default=40_000, show_default=True)
@click.option(
    "--delay-ms",
    type=click.FloatRange(1, 10_000),
    default=80,
    show_default=True,
    help="There and back.",
)
@click.option("--connections", type=click.IntRange(1, _MOST), default=20, show_default=True)
@click.option(
    "--body-kb", metavar="KB", type=click.FloatRange(1, 100), default=10.0, show_default=True
)
@json_option
def bench_distance(
    readers: int, delay_ms: float, connections: int, body_kb: float, as_json: bool
) -> None:
    """What a relay far away costs.

    The whole way, to a relay with CHUNKING and PIPELINING: beside us, and far away behind a proxy.
    Then our SMTP client alone, to a relay with PIPELINING only and to one with neither: each mail
    costs round trips, whatever sends it. Connections are doubled until they reach 0.8 of the rate
    beside us.
    """
    from bench.race import BenchFailed, peer
    from bench.relays import relay
    from bench.rivals import plain_message

    message = plain_message(int(body_kb * 1024))
    try:
        near, far = (
            _whole_way(readers, body_kb, connections, delay) for delay in (0.001, delay_ms)
        )
        report: dict[str, Any] = {
            "readers": readers,
            "delay_ms": delay_ms,
            "connections": connections,
            "near": near,
        }
        report["chunking"] = {"far": far, "ratio": round(far / near, 3)}
        for offers in ("pipelining", "plain"):
            with tempfile.TemporaryDirectory(prefix="morefollows-") as folder:
                with relay(offers, Path(folder), delay_ms) as there:
                    enough = connections
                    far = now = peer("client", there, _ROUND_TRIPS * enough, enough, message).rate
                    while now < _ENOUGH * near and enough < _MOST:
                        enough = min(2 * enough, _MOST)
                        now = peer("client", there, _ROUND_TRIPS * enough, enough, message).rate
            found = {
                "far": round(far, 1),
                "ratio": round(far / near, 3),
                "most": round(now, 1),
                "most_with": enough,
            }
            report[offers] = {**found, "reached": now >= _ENOUGH * near}
    except BenchFailed as error:
        raise CommandFailed(str(error)) from None
    if as_json:
        tell_json(report)
    else:
        _table(report)


def _whole_way(readers: int, body_kb: float, connections: int, delay_ms: float) -> float:
    """Returns mails a second of the whole product.

    Django starts only once in a process, so it runs another.
    """
    from bench.race import BenchFailed

    words = {
        "readers": readers,
        "body-kb": body_kb,
        "connections": connections,
        "delay-ms": delay_ms,
    }
    options = [f"--{name}={value}" for name, value in words.items()]
    command = [sys.executable, "-m", "bench", "send", "--relay=chunking", "--alone", "--rounds=1"]
    done = subprocess.run([*command, *options, "--json"], capture_output=True, text=True)  # noqa: S603 - our own command
    if done.returncode:
        raise BenchFailed(done.stderr.strip().splitlines()[-1])
    return float(json.loads(done.stdout)["rate"])


def _table(report: dict[str, Any]) -> None:
    click.echo(f"beside us{report['near']:>18,.0f}/s with {report['connections']} connections")
    click.echo(f"{report['delay_ms']:g} ms away, there and back:")
    for offers in ("chunking", "pipelining", "plain"):
        found = report[offers]
        line = f"{offers:<18}{found['far']:>9,.0f}/s: {found['ratio']:.2f} ×"
        if "reached" in found:
            line += f"; {found['most_with']} connections {found['most']:,.0f}/s"
        click.echo(line)
