"""`bench signup`: how many readers a second can sign up when a story draws a crowd, and what that costs an alert."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from morefollows.run.commands.said import Failure, json_option, tell_json

if TYPE_CHECKING:
    from morefollows.run.bench_stage import Stage

_HOLD = 2.0  # seconds
_HEAD_START = 1.0  # seconds by which the crowd is there before the alert
_SETTINGS = {
    "MOREFOLLOWS_SIGN_UP_SECONDS": "0",  # the crowd is quicker than people are
    "MOREFOLLOWS_TRUSTED_PROXIES": "1",  # each visitor has a network of its own
}


@click.command("signup")
@click.option("--at-once", type=click.IntRange(1, 1000), default=50, show_default=True, help="Visitors at any moment.")
@click.option("--seconds", type=click.FloatRange(1, 600), default=10.0, show_default=True, help="Of the rush alone.")
@click.option("--readers", type=click.IntRange(10, 5_000_000), default=50_000, show_default=True, help="Of the alert.")
@click.option("--rounds", type=click.IntRange(1, 20), default=3, show_default=True, help="Alerts without and with it.")
@json_option
def bench_signup(at_once: int, seconds: float, readers: int, rounds: int, as_json: bool) -> None:
    """A flash crowd signs up: sign-ups a second, and how long an answer takes; then the same while an alert goes out.

    Each visitor opens the box and sends it, over HTTP, from a network of its own; an answer counts when the sign-up is
    on disk. Confirmations are mailed meanwhile, into Postfix's smtp-sink. In turns an alert is sent without and with a
    crowd. Afterwards every answered sign-up must be in the database.
    """
    from morefollows.run.bench_race import BenchFailed, smtp_sink
    from morefollows.run.bench_stage import stage

    try:
        with smtp_sink() as relay, tempfile.TemporaryDirectory(prefix="morefollows-") as folder:
            with stage(Path(folder), relay, settings=_SETTINGS) as product:
                product.fill(readers, lambda done: None)
                report = _measure(product, at_once, seconds, rounds)
    except BenchFailed as error:
        raise Failure(str(error)) from None
    if as_json:
        tell_json(report)
        return
    alone, beside = report["alone"], report["beside_an_alert"]
    click.echo(
        f"{alone['rate']:,.0f} sign-ups a second, half of them in {alone['p50_ms']:.0f} ms, 99 % in "
        f"{alone['p99_ms']:.0f} ms; {at_once} visitors at any moment"
    )
    click.echo(f"beside an alert: {beside['rate']:,.0f} a second, 99 % in {beside['p99_ms']:.0f} ms")
    click.echo(
        f"alert: {report['alert_rate']:,.0f}/s without and {report['alert_rate_beside']:,.0f}/s with the crowd, "
        f"{report['slowed_by']:.0%} slower"
    )


def _measure(product: Stage, at_once: int, seconds: float, rounds: int) -> dict[str, Any]:
    from morefollows.run.bench_race import BenchFailed

    text, _ = product.message(10_240)
    alone = _came(_crowd(product.url, at_once, seconds, "alone"))
    without, beside, crowds = [], [], []
    for number in range(rounds):
        without.append(product.send(text, _HOLD).run)
        expected = without[-1].seconds + _HEAD_START + _HOLD
        crowd = _crowd(product.url, at_once, expected, f"round{number}")
        time.sleep(_HEAD_START)
        beside.append(product.send(text, _HOLD).run)
        crowds.append(_came(crowd))
    thanked, kept = sum(one["signed_up"] for one in (alone, *crowds)), _signed_up()
    if kept < thanked:
        raise BenchFailed(f"{thanked} were thanked, {kept} are in the database")
    rates = [statistics.median(run.rate for run in runs) for runs in (without, beside)]
    return {
        "at_once": at_once,
        "alone": alone,
        "beside_an_alert": _middle(crowds),
        "alert_rate": round(rates[0], 1),
        "alert_rate_beside": round(rates[1], 1),
        "slowed_by": round(1 - rates[1] / rates[0], 3),
        "thanked": thanked,
        "kept": kept,
    }


def _middle(crowds: list[dict[str, Any]]) -> dict[str, Any]:
    return sorted(crowds, key=lambda one: one["rate"])[len(crowds) // 2]


def _crowd(url: str, at_once: int, seconds: float, tag: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "morefollows.run.bench_crowd", url, str(at_once), str(seconds), tag]
    return subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603 - our own command


def _came(crowd: subprocess.Popen[bytes]) -> dict[str, Any]:
    from morefollows.run.bench_race import BenchFailed

    said, _ = crowd.communicate()
    if crowd.returncode:
        raise BenchFailed("the crowd fell over")
    found: dict[str, Any] = json.loads(said)
    if found["failed"] or not found["signed_up"]:
        raise BenchFailed(f"{found['failed']} of the crowd were not signed up")
    return {**found, "rate": round(found["signed_up"] / found["seconds"], 1)}


def _signed_up() -> int:
    """Readers who came by the box, with the evidence and the letter that belong to a sign-up."""
    from morefollows.audience.models import Letter, Reader

    found = Reader.objects.filter(consents__form_version__startswith="box", address__startswith="visitor-")
    return found.filter(letters__kind=Letter.Kind.CONFIRMATION).distinct().count()
