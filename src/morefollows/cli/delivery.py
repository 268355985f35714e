"""`relays` and `dkim`: what mail is handed to, and the keys that it is signed with."""

from __future__ import annotations

import socket
import sys
from typing import Any

import click

from morefollows.cli.output import CommandFailed, error_line, json_option, tell_json


@click.group()
def relays() -> None:
    """The relays that mail is handed to."""


@relays.command("list")
@json_option
def list_relays(as_json: bool) -> None:
    """List them, without their passwords."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from django.conf import settings

    from morefollows.setup.relays import is_given_by_environment

    origin = "environment" if is_given_by_environment() else "desk"
    found = [
        {
            "name": one.name,
            "kind": one.scheme,
            "host": one.host_and_port,
            "user": one.user,
            "purpose": one.purpose,
            "weight": one.weight,
            "rate": one.rate,
            "origin": origin,
        }
        for one in settings.MOREFOLLOWS.relays
    ]
    if as_json:
        tell_json(found)
        return
    for row in found:
        click.echo(f"{row['name']}  {row['kind']}  {row['host']}  ({row['origin']})")
    if not found:
        click.echo("None: mail goes to the local inbox, and nothing leaves this machine.")


@relays.command("add")
@click.argument("url", required=False)
@click.option("--replaces", default="", help="The name of the relay that it takes the place of.")
@json_option
def add_relay(url: str | None, replaces: str, as_json: bool) -> None:
    """Add a relay. Without URL it is read from stdin: use that for one with a password."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.setup.relays import save_relay

    text = sys.stdin.read() if url is None else url
    address = _done(lambda: save_relay(None, text, replaces))
    _tell(
        as_json,
        {"name": address.name},
        f"Mail goes to {address.name} now. `morefollows relays test {address.name}` tries it.",
    )


@relays.command("remove")
@click.argument("name")
@json_option
def remove_relay(name: str, as_json: bool) -> None:
    """Remove a relay. Without any, mail goes to the local inbox."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.setup import relays as stored

    if not _done(lambda: stored.remove_relay(None, name)):
        raise CommandFailed(f"There is no relay {name}; `morefollows relays list` has them.")
    _tell(as_json, {"name": name, "state": "removed"}, f"Nothing goes to {name} any more.")


@relays.command("test")
@click.argument("name")
@json_option
def test_relay(name: str, as_json: bool) -> None:
    """Connect, sign in and disconnect. No mail is sent."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from django.conf import settings

    from morefollows.courier.checkup.relay_checks import examine_relay

    config = settings.MOREFOLLOWS
    address = next((one for one in config.relays if one.name == name), None)
    if address is None:
        raise CommandFailed(f"There is no relay {name}; `morefollows relays list` has them.")
    findings = list(examine_relay(address, config.helo or socket.getfqdn()))
    if as_json:
        tell_json([one._asdict() for one in findings])
    else:
        for one in findings:
            click.echo(f"{one.state}: {one.message}")
    if any(one.state == "wrong" for one in findings):
        click.get_current_context().exit(1)


@click.group()
def dkim() -> None:
    """The key that mail is signed with, and its DNS record."""


@dkim.command("show")
@json_option
def show_dkim(as_json: bool) -> None:
    """Show the selectors, and the DNS records to publish. Never the private key."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from django.conf import settings

    from morefollows.audience.models import Newsroom
    from morefollows.courier.checkup.dns_records import wanted_records
    from morefollows.setup import dkim_keys

    used, waiting = dkim_keys.key_in_use(), dkim_keys.waiting_key()
    newsroom = Newsroom.objects.filter(pk=1).first()
    domain = newsroom.sender_address.rpartition("@")[2].lower() if newsroom else "example.org"
    records = wanted_records(settings.MOREFOLLOWS, domain, waiting or used)
    if as_json:
        tell_json(
            {
                "in_use": used.selector if used else None,
                "waiting": waiting.selector if waiting else None,
                "locked": dkim_keys.is_locked(),
                "records": [{"name": one.name, "value": one.value} for one in records],
            }
        )
        return
    click.echo(f"in use: {used.selector if used else 'none'}")
    click.echo(f"new, not used yet: {waiting.selector if waiting else 'none'}")
    for one in records:
        click.echo(f"\n{one.name}. TXT\n{one.value}")


@dkim.command("new")
@click.option("--selector", default="", help="Empty: made of the month, such as mf202611.")
@json_option
def new_dkim_key(selector: str, as_json: bool) -> None:
    """Make an RSA key of 2048 bits. It is used once you say so, when its record is published."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.setup import dkim_keys

    made = _done(lambda: dkim_keys.make_key(None, selector))
    _tell(
        as_json,
        {"selector": made.selector, "in_use": False},
        f"The key {made.selector} is made. Publish its record (`morefollows dkim show`), check it "
        "(`morefollows doctor --dns`), then `morefollows dkim use`.",
    )


@dkim.command("use")
@json_option
def use_dkim_key(as_json: bool) -> None:
    """Sign with the new key from now on. Leave the old record in DNS for a week."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.setup import dkim_keys

    used = _done(lambda: dkim_keys.use_new_key(None))
    words = f"Mail is signed with {used.selector} now, within seconds."
    _tell(as_json, {"selector": used.selector, "in_use": True}, words)


def _tell(as_json: bool, report: dict[str, Any], words: str) -> None:
    if as_json:
        tell_json(report)
    else:
        click.echo(words)


def _done(action: Any) -> Any:
    from django.core.exceptions import ValidationError

    try:
        return action()
    except ValidationError as error:
        raise CommandFailed(error_line(error)) from None
