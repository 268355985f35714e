"""``bench direct``: delivery to many providers, beside a relay. ``bench apis``: providers' APIs."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import click

from morefollows.cli.output import CommandFailed, json_option, tell_json

_COUNTED = {
    "ses": rb'"Destination"',
    "postmark": rb'"To":',
    "resend": rb'"to":',
    "brevo": rb'"to":',
}


@click.command("direct")
@click.option("--readers", type=click.IntRange(10, 5_000_000), default=20_000, show_default=True)
@click.option("--providers", "count", type=click.IntRange(1, 200), default=8, show_default=True)
@click.option("--rounds", type=click.IntRange(1, 20), default=3, show_default=True)
@json_option
def bench_direct(readers: int, count: int, rounds: int, as_json: bool) -> None:
    """Direct delivery to smtp-sinks as providers, in turns with one smtp-sink as the relay."""
    from bench.providers import providers
    from bench.race import BenchFailed, smtp_sink

    rates: dict[str, list[float]] = {"relay": [], "direct": []}
    try:
        with smtp_sink() as relay, providers(count) as (port, dns):
            ways = {
                "relay": f"smtp://{relay[0]}:{relay[1]}?tls=never",
                "direct": f"mx://localhost:{port}?private=yes&sts=no&resolver={dns}",
            }
            for _ in range(rounds):
                for name, url in ways.items():
                    folder = Path(tempfile.mkdtemp(prefix="morefollows-"))
                    command = [sys.executable, "-m", "bench.direct", str(folder), url, str(readers)]
                    try:
                        done = subprocess.run(  # noqa: S603
                            command, stdout=subprocess.PIPE, text=True, check=False
                        )
                    finally:
                        shutil.rmtree(folder, ignore_errors=True)
                    if done.returncode:
                        raise BenchFailed(f"the way {name} failed")
                    rates[name].append(float(done.stdout.split()[-1]))
                    click.echo(f"{name} {rates[name][-1]:,.0f}/s", err=True)
    except BenchFailed as error:
        raise CommandFailed(str(error)) from None
    ratio = median(rates["direct"]) / median(rates["relay"])
    if as_json:
        tell_json(
            {"readers": readers, "providers": count, "rates": rates, "ratio": round(ratio, 3)}
        )
        return
    for name, found in rates.items():
        click.echo(f"{name:<10}{median(found):>9,.0f}/s")
    click.echo(f"direct delivery is {ratio:.2f} × the relay")


def _one_run(folder: Path, url: str, readers: int) -> float:
    """Sends one alert by this way, and returns the rate. In a process of its own."""
    from bench.stage import stage

    with stage(folder, ("127.0.0.1", 1), settings={"MOREFOLLOWS_RELAY": url}) as product:
        product.fill(readers, lambda done: None)
        text, _ = product.message(10 * 1024)
        return product.send(text, 2.0).run.rate


@click.command("apis")
@click.option("--mails", type=click.IntRange(100, 5_000_000), default=50_000, show_default=True)
@click.option("--delay-ms", type=click.FloatRange(0, 10_000), default=200, show_default=True)
@click.option(
    "--calls", type=click.IntRange(1, 500), default=40, show_default=True, help="At once."
)
@json_option
def bench_apis(mails: int, delay_ms: float, calls: int, as_json: bool) -> None:
    """Each provider's API, against a server that answers each call after a delay."""
    from bench.api_calls import measure

    found: dict[str, float] = {}
    for scheme in ("ses", "mailgun", "postmark", "sendgrid", "brevo", "resend"):
        command = [sys.executable, "-m", "bench.api_calls", scheme, str(delay_ms / 1000)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            seconds, accepted = asyncio.run(measure(url, mails, 10 * 1024, calls))
        finally:
            server.terminate()
            server.wait()
        if accepted != mails:
            raise CommandFailed(f"{scheme}: {accepted} of {mails} accepted")
        found[scheme] = round(mails / seconds, 1)
        click.echo(f"{scheme:<10}{found[scheme]:>9,.0f}/s", err=as_json)
    if as_json:
        tell_json({"mails": mails, "delay_ms": delay_ms, "calls": calls, "rates": found})


def counted(scheme: str, body: bytes) -> int:
    """How many readers a call names, without reading all of it."""
    pattern = _COUNTED.get(scheme)
    return len(re.findall(pattern, body)) if pattern else 1


if __name__ == "__main__":
    print(_one_run(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
