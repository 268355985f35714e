"""`brand`: how mails and readers' pages look."""

from __future__ import annotations

from pathlib import Path

import click

from morefollows.cli.output import CommandFailed, error_line, json_option, tell_json

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--main", help="Main colour, such as `#0b5563`; empty: the default one.")
@click.option("--main-dark", help="The same in dark mode; empty: follows from the main colour.")
@click.option("--notice", help="Colour of corrections.")
@click.option("--link", help="Colour of links; empty: the main colour.")
@click.option("--typeface", type=click.Choice(["serif", "sans", "own"]), help="Of the news.")
@click.option("--own-typeface", help="Its name, with `--typeface own`.")
@click.option("--footer", help="A sentence at the foot of mails and pages.")
@click.option("--site-url", help="Your own website, linked there.")
@click.option("--logo", type=_FILE, help="PNG, JPEG or WebP, 1 MB at the most.")
@click.option("--logo-dark", type=_FILE, help="For dark grounds.")
@click.option("--hides-product/--shows-product", default=None, help="“Sent with More Follows”.")
@json_option
def brand(
    as_json: bool,
    logo: Path | None,
    logo_dark: Path | None,
    hides_product: bool | None,
    **given: str | None,
) -> None:
    """Show how mails and readers' pages look, or change it with the options."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from django.core.exceptions import ValidationError

    from morefollows.setup.brand import actions
    from morefollows.setup.brand.look import brand_in_force
    from morefollows.stories.images.logos import store_logo

    changed: dict[str, str | bool] = {
        name: value for name, value in given.items() if value is not None
    }
    if hides_product is not None:
        changed["hides_product"] = hides_product
    try:
        for name, file in (("logo", logo), ("logo_dark", logo_dark)):
            if file is not None:
                changed[name] = store_logo(file.read_bytes())
        now = actions.change_brand(None, **changed) if changed else brand_in_force()
    except ValidationError as error:
        raise CommandFailed(error_line(error)) from None
    shown = {name: getattr(now, name) for name in actions.FIELDS}
    if as_json:
        tell_json(shown)
        return
    for name, value in shown.items():
        click.echo(f"{name.replace('_', ' ')}: {value}")
