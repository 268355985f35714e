"""`doctor`."""

from __future__ import annotations

import click

from morefollows.cli.output import json_option, tell_json

_MARKS = {"ok": ("✓", "green"), "note": ("·", "yellow"), "wrong": ("✗", "red")}


@click.command(short_help="Check settings, data folder, database, relay and DNS.")
@click.option(
    "--dns",
    is_flag=True,
    help="Also look up what DNS says of the sending domain and addresses, and what it lacks.",
)
@click.option(
    "--nameserver",
    metavar="HOST[:PORT]",
    help="Ask this name server, not that of MOREFOLLOWS_RESOLVER; with --dns.",
)
@click.option(
    "--evidence",
    is_flag=True,
    help="Compare every row of the evidence with its seal; a million take a minute.",
)
@json_option
@click.pass_context
def doctor(
    context: click.Context, dns: bool, nameserver: str | None, evidence: bool, as_json: bool
) -> None:
    """Check settings, data folder, database, relay and, when asked, DNS. Exit code 1 if something
    is wrong."""
    from morefollows.cli.doctor.checks import examine

    findings = examine(dns=dns, nameserver=nameserver, evidence=evidence)
    healthy = all(finding.state != "wrong" for finding in findings)
    if as_json:
        tell_json({"ok": healthy, "checks": [finding._asdict() for finding in findings]})
    else:
        for finding in findings:
            mark, colour = _MARKS[finding.state]
            click.echo(f"{click.style(mark, fg=colour)} {finding.check}: {finding.message}")
    if not healthy:
        context.exit(1)
