"""`bench`: measures speed, beside other programs. Compare ratios: machines differ and are noisy."""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.api import bench_api
from bench.backup import bench_backup
from bench.desk import bench_desk
from bench.direct import bench_apis, bench_direct
from bench.distance import bench_distance
from bench.intake import bench_intake
from bench.postfix_relay import bench_postfix
from bench.readers_import import bench_import
from bench.scale import bench_scale
from bench.siege import bench_siege
from bench.signup import bench_signup
from bench.sources import bench_sources
from bench.stream import bench_stream
from morefollows.cli.main import run as run_command
from morefollows.cli.output import CommandFailed, json_option, tell_json

if TYPE_CHECKING:
    from bench.race import Run
    from bench.stage import Sent

_relay_option = click.option(
    "--relay",
    "where",
    metavar="RELAY",
    default="smtp-sink",
    show_default=True,
    help="Where mail goes: smtp-sink is Postfix's, postfix a real one that discards (root "
    "only); chunking, "
    "pipelining and plain are sinks of our own that offer so much; or HOST:PORT.",
)
_delay_option = click.option(
    "--delay-ms",
    type=click.FloatRange(0, 10_000),
    default=0,
    show_default=True,
    help="Puts the relay so many milliseconds away, there and back, behind a proxy.",
)
_body_option = click.option(
    "--body-kb",
    metavar="KB",
    type=click.FloatRange(1, 100),
    default=10.0,
    show_default=True,
    help="Size of one mail on the wire, about; not less than the empty mail has.",
)
_rounds_option = click.option(
    "--rounds",
    type=click.IntRange(1, 20),
    default=3,
    show_default=True,
    help="Runs of each, in turns; medians count.",
)


@click.group()
def bench() -> None:
    """Measure. Nothing else should run on the machine meanwhile."""


bench.add_command(bench_api)
bench.add_command(bench_backup)
bench.add_command(bench_desk)
bench.add_command(bench_distance)
bench.add_command(bench_import)
bench.add_command(bench_intake)
bench.add_command(bench_scale)
bench.add_command(bench_signup)
bench.add_command(bench_sources)
bench.add_command(bench_stream)
bench.add_command(bench_siege)
bench.add_command(bench_direct)
bench.add_command(bench_apis)
bench.add_command(bench_postfix)


@bench.command("send")
@click.option(
    "--readers",
    type=click.IntRange(10, 5_000_000),
    default=20_000,
    show_default=True,
    help="Fictional ones.",
)
@_body_option
@_relay_option
@_delay_option
@click.option(
    "--dkim",
    type=click.Choice(["none", "rsa", "ed25519", "both"]),
    default="none",
    show_default=True,
    help="Sign with fresh keys. The peers send mail that was signed once.",
)
@click.option(
    "--hold", type=click.FloatRange(0, 600), default=2.0, show_default=True, help="Seconds."
)
@click.option(
    "--connections",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="Ours, to the relay.",
)
@click.option(
    "--senders",
    type=click.IntRange(0, 64),
    default=0,
    show_default=True,
    help="Processes; 0: as `up` has.",
)
@click.option("--alone", is_flag=True, help="Leave the peers out.")
@_rounds_option
@json_option
def bench_send(
    readers: int,
    body_kb: float,
    where: str,
    delay_ms: float,
    dkim: str,
    hold: float,
    connections: int,
    senders: int,
    alone: bool,
    rounds: int,
    as_json: bool,
) -> None:
    """The whole way: database, composition, SMTP, ledger; and in turns with it, peers on the same
    relay and bytes.

    Starts More Follows in a temporary folder (in a database of its own on the server, when
    DATABASE_URL names one) with fictional readers. Memory and processor time are those of all its
    processes, also of the web server; processor time counts from *Send*, with all that is done in
    the hold.
    """
    from bench.race import BenchFailed, rsa_signatures
    from bench.relays import relay as started
    from bench.rivals import Rivals
    from bench.stage import stage

    tell = _teller()
    signatures = rsa_signatures() if dkim in ("rsa", "both") else None
    try:
        with _folder() as folder, started(where, folder, delay_ms) as relay:
            with stage(
                folder, relay, dkim=dkim, connections=connections, senders=senders
            ) as product:
                product.fill(readers, lambda done: tell(f"\r{done:,} readers", end=done == readers))
                text, message = product.message(int(body_kb * 1024))
                peers = {} if alone else Rivals(relay, message, folder, readers, tell).ready()
                ours: list[Sent] = []
                runs: dict[str, list[Run]] = {name: [] for name in peers}
                for number in range(1, rounds + 1):
                    ours.append(product.send(text, hold))
                    tell(f"round {number} of {rounds}: more follows {ours[-1].run.rate:,.0f}/s")
                    for name, run in peers.items():
                        runs[name].append(run())
                        tell(f"round {number} of {rounds}: {name} {runs[name][-1].rate:,.0f}/s")
    except BenchFailed as error:
        raise CommandFailed(str(error)) from None
    facts = {
        "readers": readers,
        "wire_octets": len(message),
        "dkim": dkim,
        "hold": hold,
        "relay": where,
    }
    report = _report(ours, runs, {**facts, "delay_ms": delay_ms})
    if signatures is not None:
        report["rsa"] = _rsa(ours, signatures)
    if as_json:
        tell_json(report)
    else:
        _table(report)


@bench.command("smtp")
@click.option(
    "--mails",
    type=click.IntRange(100, 5_000_000),
    default=20_000,
    show_default=True,
    help="In one run.",
)
@_body_option
@_relay_option
@_delay_option
@_rounds_option
@json_option
def bench_smtp(
    mails: int, body_kb: float, where: str, delay_ms: float, rounds: int, as_json: bool
) -> None:
    """Our SMTP client alone, beside the same peers: what the courier around it can reach at
    best."""
    from bench.race import BenchFailed, peer
    from bench.relays import relay as started
    from bench.rivals import CONNECTIONS, Rivals, plain_message

    tell = _teller()
    message = plain_message(int(body_kb * 1024))
    runs: dict[str, list[Run]] = {}
    try:
        with _folder() as folder, started(where, folder, delay_ms) as relay:
            peers = Rivals(relay, message, folder, mails, tell).ready()
            best = max(
                CONNECTIONS,
                key=lambda count: peer("client", relay, mails // 4, count, message).rate,
            )
            peers = {"client": lambda: peer("client", relay, mails, best, message), **peers}
            runs = {name: [] for name in peers}
            for _ in range(rounds):
                for name, run in peers.items():
                    runs[name].append(run())
    except BenchFailed as error:
        raise CommandFailed(str(error)) from None
    ratios = _ratios(_median([run.rate for run in runs["client"]]), runs)
    report = {
        "mails": mails,
        "wire_octets": len(message),
        "machine": _machine(),
        "peers": {name: _figures(found) for name, found in runs.items()},
        "ratios": ratios,
    }
    if as_json:
        tell_json(report)
    else:
        for name, found in runs.items():
            click.echo(_line(name, _figures(found), ratios[name]))


def _report(ours: list[Sent], runs: dict[str, list[Run]], facts: dict[str, Any]) -> dict[str, Any]:
    rate = _median([sent.run.rate for sent in ours])
    return {
        **facts,
        "machine": _machine(),
        "rate": round(rate, 1),
        "rates": [round(sent.run.rate, 1) for sent in ours],
        "first_ms": round(_median([sent.first_ms for sent in ours]), 1),
        "end_to_end_seconds": round(_median([sent.end_to_end for sent in ours]), 3),
        "cpu_seconds_per_1000": round(_median([sent.run.cpu_per_thousand for sent in ours]), 4),
        "memory_mb": round(max(sent.memory for sent in ours) / 1e6, 1),
        "memory_kind": "PSS" if Path("/proc/self/smaps_rollup").exists() else "RSS",
        "peers": {name: _figures(found) for name, found in runs.items()},
        "ratios": _ratios(rate, runs),
    }


def _rsa(ours: list[Sent], signatures: float) -> dict[str, float]:
    """Returns our rate as a share of what the machine could sign on the cores that were free."""
    cores = os.cpu_count() or 1
    free = _median([cores - sent.elsewhere / sent.run.seconds for sent in ours])
    return {
        "signatures_per_core": round(signatures, 1),
        "free_cores": round(free, 2),
        "of_what_they_allow": round(
            _median([sent.run.rate for sent in ours]) / max(free * signatures, 1), 3
        ),
    }


def _figures(runs: list[Run]) -> dict[str, Any]:
    return {
        "rate": round(_median([run.rate for run in runs]), 1),
        "rates": [round(run.rate, 1) for run in runs],
        "cpu_seconds_per_1000": round(_median([run.cpu_per_thousand for run in runs]), 4),
    }


def _ratios(rate: float, runs: dict[str, list[Run]]) -> dict[str, float]:
    """Returns our rate as a multiple of each peer's."""
    return {
        name: round(rate / _median([run.rate for run in found]), 3) for name, found in runs.items()
    }


def _table(report: dict[str, Any]) -> None:
    mine = {name: report[name] for name in ("rate", "cpu_seconds_per_1000")}
    click.echo(
        f"{report['readers']:,} readers, {report['wire_octets']:,} octets a mail, DKIM "
        f"{report['dkim']}"
    )
    click.echo(_line("more follows", mine, None))
    for name, figures in report["peers"].items():
        click.echo(_line(name, figures, report["ratios"][name]))
    if "rsa" in report:
        click.echo(
            "openssl signs {signatures_per_core:,.0f}/s a core; {free_cores:.2f} cores were free: "
            "ours is {of_what_they_allow:.2f} × what they allow".format(**report["rsa"])
        )
    click.echo(
        f"first mail {report['first_ms']:,.0f} ms after the hold, last "
        f"{report['end_to_end_seconds']:,.2f} s; "
        f"{report['memory_mb']:,.0f} MB of memory in all ({report['memory_kind']})"
    )


def _line(name: str, figures: dict[str, Any], ratio: float | None) -> str:
    line = (
        f"{name:<14}{figures['rate']:>9,.0f}/s{figures['cpu_seconds_per_1000']:>9.3f} CPU s a 1,000"
    )
    return line if ratio is None else f"{line}   ours is {ratio:.2f} × this"


def _median(values: list[float]) -> float:
    return statistics.median(values)


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def _teller() -> Callable[..., None]:
    def tell(words: str, *, end: bool = True) -> None:
        click.echo(words, err=True, nl=end)

    return tell


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="morefollows-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(run_command(sys.argv[1:], bench, "python -m bench"))
