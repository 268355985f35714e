"""`newsroom`: who publishes."""

from __future__ import annotations

import zoneinfo

import click

from morefollows.cli.output import CommandFailed, error_line, json_option, tell_json


@click.command()
@click.option("--name", help="As readers know it.")
@click.option("--sender-name", help="Who alerts come from; the newsroom's name if it is left out.")
@click.option(
    "--sender-address", help="The address that alerts come from; its domain has to be yours."
)
@click.option("--postal-address", help="Stands at the foot of each mail, as the law asks.")
@click.option("--reply-to", help="Where replies go; empty: to the sender's address.")
@click.option("--language", help="Such as `en` or `de`.")
@click.option("--time-zone", help="Such as `Europe/London`.")
@json_option
def newsroom(as_json: bool, **given: str | None) -> None:
    """Show who publishes, or change it with the options."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from django.core.exceptions import ValidationError

    from morefollows.audience import newsroom as audience_newsroom
    from morefollows.audience.addresses import BadAddress
    from morefollows.audience.models import Newsroom

    names = (
        "name",
        "sender_name",
        "sender_address",
        "reply_to",
        "postal_address",
        "language",
        "time_zone",
    )
    known = Newsroom.objects.filter(pk=1).first()
    now = {name: getattr(known, name) for name in names} if known else {}
    if now and now["sender_name"] == now["name"]:
        del now["sender_name"]  # it follows the name
    changed = {name: value for name, value in given.items() if value is not None}
    _check(changed)
    if changed:
        try:
            known = audience_newsroom.set_up_newsroom(**{**now, **changed})
        except ValidationError as error:
            raise CommandFailed(error_line(error)) from None
        except BadAddress as reason:
            raise CommandFailed(
                f"--sender-address: must be an email address such as alerts@example.org: {reason}"
            ) from None
    if known is None:
        raise CommandFailed(
            "No newsroom is set up yet. `morefollows newsroom --name …` does it, or "
            "`morefollows up`."
        )
    now = {name: getattr(known, name) for name in names}
    if as_json:
        tell_json(now)
        return
    for name, value in now.items():
        click.echo(f"{name.replace('_', ' ')}: {value}")


def _check(newsroom: dict[str, str]) -> None:
    from django.conf import settings

    if "time_zone" in newsroom and newsroom["time_zone"] not in zoneinfo.available_timezones():
        raise CommandFailed(
            f"--time-zone: {newsroom['time_zone']} is not one; they look like Europe/London"
        )
    languages = dict(settings.LANGUAGES)
    if "language" in newsroom and newsroom["language"] not in languages:
        raise CommandFailed(f"--language: must be one of {', '.join(languages)}")
