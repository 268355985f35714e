"""`suppressions import`, `suppressions list` and `suppressions lift`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from morefollows.cli.output import (
    Command,
    CommandFailed,
    json_option,
    reading,
    tell_json,
    tell_problems,
)

if TYPE_CHECKING:
    from morefollows.audience.suppression.bulk_lift import SuppressionFilter, SuppressionGroup

_REASONS = ("bounced", "complained", "left elsewhere", "erased", "desk")
_AGO = re.compile(r"(\d{1,5})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_MOST_GROUPS = 20  # shown one by one


@click.group()
def suppressions() -> None:
    """Addresses that must never be mailed. Only keyed hashes are kept, so there is no export."""


@suppressions.command("import")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--reason",
    required=True,
    type=click.Choice(_REASONS),
    help="Why; docs/reference/states.md tells what each means.",
)
@json_option
def import_suppressions(file: BinaryIO, reason: str, as_json: bool) -> None:
    """Suppress the addresses in FILE, or on standard input when FILE is `-`.

    One address a line, or CSV whose first line names a column `email`. Readers who have one of
    these addresses are unsubscribed, bounced or erased, as the reason says. The same file may be
    imported again.
    """
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.audience.lists import NotReadable
    from morefollows.audience.suppression.importing import import_suppressions as take

    try:
        with reading(file) as progress:
            report = take(file, reason=reason, progress=progress)
    except NotReadable as error:
        raise CommandFailed(f"{file.name}: {error}") from None
    if as_json:
        counts = {name: getattr(report, name) for name in ("lines", "suppressed", "known", "bad")}
        tell_json({**counts, "problems": [problem._asdict() for problem in report.problems]})
    else:
        click.echo(f"{report.suppressed:,} addresses suppressed; {report.known:,} were so before.")
        tell_problems(report.problems, report.bad)
    if report.bad:
        raise CommandFailed(f"{report.bad:,} of {report.lines:,} lines hold no address.")


class _Moment(click.ParamType):  # type: ignore[type-arg]  # generic in the stubs only
    """A date or time (ISO 8601), in the newsroom's time zone by default; or a duration ago: 30m,
    2h, 3d."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, datetime | timedelta):
            return value
        if ago := _AGO.fullmatch(value):
            return timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            self.fail(
                f"{value!r} is neither a date nor a time, nor so long ago: 2026-11-28T14:30, "
                f"30m, 2h, 3d."
            )


def _which_options(command: Command) -> Command:
    options: tuple[Callable[[Command], Command], ...] = (
        click.option(
            "--since",
            type=_Moment(),
            help="Suppressed then or later: `2026-11-28T14:30`, or `2h` ago.",
        ),
        click.option("--until", type=_Moment(), help="Suppressed before then."),
        click.option(
            "--reason",
            "reasons",
            multiple=True,
            type=click.Choice(_REASONS),
            help="Why; may be repeated.",
        ),
        click.option("--domain", default="", help="Only addresses of this domain."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@suppressions.command("list")
@_which_options
@json_option
def list_suppressions(
    since: Any, until: Any, reasons: tuple[str, ...], domain: str, as_json: bool
) -> None:
    """Count suppressed addresses, by reason and domain.

    The domain is known of addresses that bounced here, and of readers who are still on record.
    """
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.audience.suppression import bulk_lift

    groups = bulk_lift.groups(
        bulk_lift.matching(_which(since, until, reasons, domain), every_reason=True)
    )
    if as_json:
        tell_json(
            {
                "suppressions": sum(group.number for group in groups),
                "groups": [one._asdict() for one in groups],
            }
        )
    else:
        _tell_groups(groups)


@suppressions.command("lift")
@click.argument("address", required=False)
@_which_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only tell how many there are.")
@json_option
def lift(
    address: str | None,
    since: Any,
    until: Any,
    reasons: tuple[str, ...],
    domain: str,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Let ADDRESS, or many addresses, be mailed again; with `-` the address is read from standard
    input.

    Without ADDRESS, all that --since, --until, --reason and --domain name are lifted, after a
    question. Without --reason those are meant that bounced here: nobody who complained or
    unsubscribed, and nothing that a list brought along.

    A reader whose address had bounced gets what they had agreed to. Who complained or
    was erased may sign up again.
    """
    from morefollows.processes import bootstrap

    narrowed = bool(since or until or reasons or domain)
    if bool(address) == narrowed:
        raise click.UsageError(
            "Give an ADDRESS, or say which by --since, --until, --reason or --domain."
        )
    bootstrap.start_django()
    if address:
        _lift_one(address, as_json)
    else:
        _lift_many(_which(since, until, reasons, domain), yes=yes, dry_run=dry_run, as_json=as_json)


def _lift_one(address: str, as_json: bool) -> None:
    from morefollows.audience.addresses import BadAddress
    from morefollows.audience.consent.declaration import find
    from morefollows.audience.models import Consent
    from morefollows.audience.suppression import actions

    try:
        found = find(sys.stdin.readline().strip() if address == "-" else address)
    except BadAddress as reason:
        raise CommandFailed(f"ADDRESS is no valid email address: {reason}") from None
    if found.suppression is None:
        raise CommandFailed("This address is not suppressed.")
    actions.lift(found.suppression, Consent.How.COMMAND)
    if as_json:
        tell_json({"reason": found.suppression.reason, "at": found.suppression.at.isoformat()})
    else:
        click.echo(
            f"Lifted. It was suppressed since {found.suppression.at:%Y-%m-%d} "
            f"({found.suppression.reason})."
        )


def _lift_many(which: SuppressionFilter, *, yes: bool, dry_run: bool, as_json: bool) -> None:
    from morefollows.audience.models import Consent
    from morefollows.audience.suppression import bulk_lift
    from morefollows.audit import actions as audit

    def record(lifted: bulk_lift.Lifted) -> None:
        counts = {"lifted": lifted.suppressions, "readers": lifted.readers}
        audit.record(
            None,
            "lift suppressions",
            story=None,
            alert=None,
            subject="",
            **counts,
            **which.as_details(),
        )

    found = bulk_lift.matching(which)
    groups, readers = bulk_lift.groups(found), bulk_lift.readers_back(found)
    number = sum(group.number for group in groups)
    if not as_json:
        _tell_groups(groups)
        click.echo(f"{readers:,} of them are readers who get mail again.")
    if dry_run or not number:
        if as_json:
            tell_json({"suppressions": number, "readers": readers, "lifted": 0, "dry_run": dry_run})
        elif dry_run:
            click.echo("Nothing was lifted: this was a dry run.")
        return
    if not yes:
        click.confirm(f"Lift {number:,} suppressions?", abort=True, err=True)
    lifted = bulk_lift.lift(which, Consent.How.COMMAND, record)
    if as_json:
        tell_json(
            {
                "suppressions": number,
                "readers": lifted.readers,
                "lifted": lifted.suppressions,
                "dry_run": False,
            }
        )
    else:
        click.echo(f"Lifted {lifted.suppressions:,}; {lifted.readers:,} readers get mail again.")


def _which(since: Any, until: Any, reasons: tuple[str, ...], domain: str) -> SuppressionFilter:
    from morefollows.audience.addresses import BadAddress
    from morefollows.audience.suppression import bulk_lift

    try:
        domain = bulk_lift.domain_of(domain)
    except BadAddress as reason:
        raise CommandFailed(f"--domain: {reason}") from None
    # Addresses suppressed while the question is open are not included.
    return bulk_lift.SuppressionFilter(
        _moment(since), _moment(until) or _moment(timedelta()), reasons, domain
    )


def _moment(given: datetime | timedelta | None) -> datetime | None:
    from django.utils import timezone

    from morefollows.audience.models import Newsroom
    from morefollows.helpers.local_time import zone

    if given is None:
        return None
    if isinstance(given, timedelta):
        return timezone.now() - given
    if given.tzinfo is not None:
        return given
    newsroom = Newsroom.objects.filter(pk=1).first()
    return given.replace(tzinfo=zone(newsroom.time_zone if newsroom else "UTC"))


def _tell_groups(groups: list[SuppressionGroup]) -> None:
    for group in groups[:_MOST_GROUPS]:
        click.echo(f"{group.number:>9,}  {group.reason}  {group.domain or '(domain not kept)'}")
    rest = groups[_MOST_GROUPS:]
    if rest:
        click.echo(f"{sum(group.number for group in rest):>9,}  in {len(rest):,} more groups")
    click.echo(f"{sum(group.number for group in groups):>9,}  suppressed addresses")
