"""`editors` and `topics`."""

from __future__ import annotations

import zoneinfo

import click

from morefollows.cli.output import CommandFailed, error_line, json_option, tell_json


@click.group()
def editors() -> None:
    """Who works at the desk."""


@editors.command("add")
@click.argument("email")
@click.option("--name", required=True, help="As colleagues know them.")
@click.option(
    "--role",
    type=click.Choice(["reporter", "editor", "administrator"]),
    default="reporter",
    show_default=True,
    help="A reporter drafts; an editor also sends; an administrator also runs the house.",
)
@json_option
def add_editor(email: str, name: str, role: str, as_json: bool) -> None:
    """Add somebody, and print the link that they sign in with for the first time."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from django.core.exceptions import ValidationError
    from django.db import transaction

    from morefollows.accounts import actions
    from morefollows.audit.actions import record

    try:
        with transaction.atomic():
            editor = actions.add_editor(email, name, role)
            record(None, "add editor", name=editor.name, role=editor.role)
    except ValidationError as error:
        raise CommandFailed(f"{email}: {error_line(error)}") from None
    link = actions.invitation_link(editor)
    if as_json:
        tell_json({"email": editor.email, "name": editor.name, "role": editor.role, "link": link})
    else:
        click.echo(
            f"{editor.name} can sign in for the first time with this link. It is good once, "
            f"for three days:"
        )
        click.echo(link)


@editors.command("offers")
@click.argument("email")
@click.option("--no", "denied", is_flag=True, help="Take the right away.")
def let_offer(email: str, denied: bool) -> None:
    """Let somebody write offers and send them. Administrators may anyway."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from django.db import transaction

    from morefollows.accounts import actions
    from morefollows.accounts.models import Editor
    from morefollows.audit.actions import record

    editor = Editor.objects.filter(email=email.strip().lower()).first()
    if editor is None:
        raise CommandFailed(
            f"{email}: there is no account with this address; `morefollows editors list` has "
            f"them all."
        )
    with transaction.atomic():
        actions.let_offer(editor, not denied)
        record(None, "forbid offers" if denied else "let offer", name=editor.name)
    click.echo(f"{editor.name} may {'no longer ' if denied else ''}write offers and send them.")


@editors.command("list")
@json_option
def list_editors(as_json: bool) -> None:
    """List everybody."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.accounts.models import Editor

    found = [
        {
            "email": editor.email,
            "name": editor.name,
            "role": editor.role,
            "offers": editor.may_offer,
            "active": editor.is_active,
            "signed_in_before": editor.has_usable_password(),
        }
        for editor in Editor.objects.order_by("email")
    ]
    if as_json:
        tell_json(found)
        return
    for row in found:
        click.echo(
            f"{row['email']}  {row['name']}  {row['role']}{'' if row['active'] else '  (inactive)'}"
        )


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def topics(context: click.Context, as_json: bool) -> None:
    """What readers can sign up to. Without a subcommand: list them."""
    if context.invoked_subcommand is not None:
        return
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.audience.models import Topic
    from morefollows.stories import alert_audience

    found = [
        {"slug": topic.slug, "name": topic.name, "readers": alert_audience.count_readers(topic)}
        for topic in Topic.objects.all()
    ]
    if as_json:
        tell_json(found)
        return
    for row in found:
        click.echo(f"{row['slug']}  {row['name']}  {row['readers']:,} readers")


@topics.command("add")
@click.argument("slug")
@click.option("--name", required=True, help="As readers see it.")
@click.option("--description", default="", help="What it brings, in a sentence.")
@json_option
def add_topic(slug: str, name: str, description: str, as_json: bool) -> None:
    """Add a topic. SLUG is its name in web addresses, such as `local-news`."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from django.core.exceptions import ValidationError

    from morefollows.audience import newsroom as audience_newsroom

    try:
        topic = audience_newsroom.add_topic(slug, name, description)
    except ValidationError as error:
        raise CommandFailed(f"{slug}: {error_line(error)}") from None
    if as_json:
        tell_json({"slug": topic.slug, "name": topic.name, "readers": 0})
    else:
        click.echo(f"Readers can sign up to {topic.name} now.")


@click.command()
@click.option("--name", help="As readers know it.")
@click.option("--sender-name", help="Who alerts come from; the newsroom's name if it is left out.")
@click.option(
    "--sender-address", help="The address that alerts come from; its domain has to be yours."
)
@click.option("--postal-address", help="Stands at the foot of each mail, as the law asks.")
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

    names = ("name", "sender_name", "sender_address", "postal_address", "language", "time_zone")
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
