"""`housekeeping`."""

from __future__ import annotations

import click

from morefollows.cli.output import json_option, tell_json


@click.command(short_help="Clear away what is kept long enough, as `up` does once an hour.")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@json_option
def housekeeping(dry_run: bool, as_json: bool) -> None:
    """Clear away what is kept long enough, as `up` does once an hour.

    Where `send` and `web` run without `up`, call it once an hour, such as from cron. It gives way
    to an alert that is being sent, and goes on the next time.
    """
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.housekeeping import rounds

    counts = rounds.would_go() if dry_run else rounds.run_tasks()
    if as_json:
        tell_json({"dry_run": dry_run, "counts": counts})
        return
    for name, count in counts.items():
        click.echo(f"{count:>10,}  {name}")
