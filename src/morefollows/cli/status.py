"""`status`: how the service is, for a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from morefollows.cli.output import json_option, tell_json

if TYPE_CHECKING:
    from morefollows.monitoring.service_state import ServiceState

_CLEAR = "\x1b[H\x1b[2J"


@click.command(short_help="Senders, lanes, relays and alerts on their way.")
@click.option("--watch", is_flag=True, help="Show it anew each second, until Ctrl-C.")
@json_option
def status(watch: bool, as_json: bool) -> None:
    """Show how the service is: nodes and senders, what waits in each lane and for how long, relays,
    and alerts on their way. Changes nothing."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.monitoring.service_state import read_state, state_as_json

    readers: dict[str, int] | None = None
    while True:
        state = read_state(readers=readers)
        readers = state.readers
        if as_json:
            tell_json(state_as_json(state))
        else:
            clear = _CLEAR if watch and sys.stdout.isatty() else ""
            click.echo(clear + "\n".join(lines_of(state)))
        if not watch:
            return
        time.sleep(1)


def lines_of(state: ServiceState) -> Iterator[str]:
    """The lines that a terminal shows."""
    yield _heading("Nodes")
    for one in state.processes:
        yield (
            f"  {'●' if one.alive and not one.trouble else '✗'} {one.host} {one.node}:"
            f" {one.role} {one.number}, version {one.version}"
            f"{f', leads {one.leads}' if one.leads else ''}"
            f"{f'; must not work: {one.trouble}' if one.trouble else ''}"
        )
    yield _heading("Senders")
    for sender in state.senders:
        trouble = f", waits for the database for {sender.waits_seconds:.0f} s"
        if abs(sender.clock_offset_seconds) > 1:
            yield f"  ! the clock of {sender.host} is {sender.clock_offset_seconds:+.1f} s off"
        yield (
            f"  {'●' if sender.alive else '✗'} {sender.host} {sender.node}/{sender.number}:"
            f" heartbeat {sender.beat_age_seconds:.1f} s ago"
            f"{trouble if sender.waits_seconds else ''}"
        )
    if not state.senders:
        yield "  ✗ none: no mail leaves"
    if state.mail_is_held:
        yield "  ! all mail is held, as an older database was restored: decide at the desk"
    yield _heading("Lanes")
    yield from _lanes(state)
    yield _heading("Relays")
    for relay in state.relays:
        how = "paused" if relay.paused else "can't be reached" if relay.trouble else "works"
        yield (
            f"  {relay.name}: {how}, {relay.connections} connections,"
            f" {relay.in_flight:,} in flight, {relay.rate:,.0f} a second; today (UTC) "
            + ", ".join(f"{number:,} {outcome}" for outcome, number in relay.today.items())
        )
    yield _heading("Alerts on their way")
    for alert in state.underway:
        counts = ", ".join(
            f"{number:,} {name}" for name, number in alert.outcomes.items() if number
        )
        hold = f", leaves in {alert.hold_left_seconds:.1f} s" if alert.hold_left_seconds else ""
        yield (
            f"  alert {alert.id} ({alert.lane}): {alert.state}{hold};"
            f" {alert.size:,} recipients, {alert.waiting:,} waiting{counts}"
        )
    if not state.underway:
        yield "  none"


def _lanes(state: ServiceState) -> Iterator[str]:
    for lane, oldest in state.oldest_due_seconds.items():
        waiting = sum(alert.waiting for alert in state.underway if alert.lane == lane)
        yield f"  {lane}: {waiting:,} waiting{_for(oldest)}"
    for lane, backlog in state.outbox.items():
        yield f"  single mails, {lane}: {backlog.waiting:,} due{_for(backlog.oldest_seconds)}"
    yield f"  webhooks: {state.webhooks.waiting:,} waiting{_for(state.webhooks.oldest_seconds)}"
    ingest = state.ingest
    failing = f", {ingest.sources_failing} of {ingest.sources} sources fail"
    yield (
        f"  came in: {ingest.backlog.waiting:,} items waiting{_for(ingest.backlog.oldest_seconds)}"
        f"{failing if ingest.sources_failing else ''}"
    )
    came = state.came_in
    yield f"  came back: {came.waiting:,} to be judged, {came.held:,} bounces held"


def _for(seconds: float) -> str:
    return f", the oldest for {seconds:.0f} s" if seconds else ""


def _heading(text: str) -> str:
    return click.style(text, bold=True)
