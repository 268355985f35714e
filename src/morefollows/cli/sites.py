"""`sites`: which sites may show the sign-up box."""

from __future__ import annotations

import click

from morefollows.cli.output import CommandFailed, json_option, tell_json


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def sites(context: click.Context, as_json: bool) -> None:
    """Which sites may show the sign-up box. Without a subcommand: list them."""
    if context.invoked_subcommand is not None:
        return
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.audience.models import Site

    found = list(Site.objects.values_list("origin", flat=True))
    if as_json:
        tell_json(found)
        return
    for origin in found:
        click.echo(origin)


@sites.command("add")
@click.argument("address")
@json_option
def add_site(address: str, as_json: bool) -> None:
    """Let a site show the box. Each name counts by itself: with and without `www.` are two."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.audience import sites as audience_sites

    origin = audience_sites.add_site(_origin(address)).origin
    if as_json:
        tell_json(origin)
    else:
        click.echo(f"Pages of {origin} may show the box now.")


@sites.command("remove")
@click.argument("address")
@json_option
def remove_site(address: str, as_json: bool) -> None:
    """End that. Boxes that stand there stop working at once."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.audience import sites as audience_sites

    origin = _origin(address)
    if not audience_sites.remove_site(origin):
        raise CommandFailed(f"{origin} is not among the sites; `morefollows sites` lists them")
    if as_json:
        tell_json(origin)
    else:
        click.echo(f"Pages of {origin} may not show the box any more.")


def _origin(address: str) -> str:
    from morefollows.audience.signup import site_origins

    try:
        return site_origins.origin(address)
    except site_origins.BadOrigin as reason:
        raise CommandFailed(f"{address}: {reason}") from None
