"""`keys`: keys with which programs use the API."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import click

from morefollows.cli.output import CommandFailed, error_line, json_option, tell_json

_ROLES = ("reporter", "editor", "administrator")


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def keys(context: click.Context, as_json: bool) -> None:
    """Keys of programs that use the API. Without a subcommand: list them."""
    if context.invoked_subcommand is not None:
        return
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.api.models import ApiKey

    found = [
        {
            "id": str(key.uuid),
            "name": key.name,
            "role": key.account.role,
            "scopes": key.scopes,
            "created_at": key.created_at,
            "expires_at": key.expires_at,
            "last_used_at": key.last_used_at,
            "revoked_at": key.revoked_at,
        }
        for key in ApiKey.objects.select_related("account")
    ]
    if as_json:
        tell_json(found)
        return
    for one in found:
        state = "revoked" if one["revoked_at"] else f"last used {one['last_used_at'] or 'never'}"
        scopes = " ".join(one["scopes"])
        click.echo(f"{one['id']}  {one['name']} ({one['role']}): {scopes}; {state}")


@keys.command("add")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    metavar="SCOPE",
    help="What the program may do, such as `alerts:send`. May be given several times.",
)
@click.option(
    "--role",
    type=click.Choice(_ROLES),
    default="editor",
    show_default=True,
    help="Whose rights the program has.",
)
@click.option(
    "--topic",
    "slugs",
    multiple=True,
    metavar="SLUG",
    help="It writes and sends for this topic alone. May be given several times.",
)
@click.option("--offers", is_flag=True, help="It may write offers, too.")
@click.option("--days", type=click.IntRange(1, 3650), help="After which the key expires.")
@json_option
def add_key(
    name: str,
    scopes: tuple[str, ...],
    role: str,
    slugs: tuple[str, ...],
    offers: bool,
    days: int | None,
    as_json: bool,
) -> None:
    """Make a key for the program NAME. The key is shown once."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from django.core.exceptions import ValidationError

    from morefollows.accounts.models import Role
    from morefollows.api.keys import create_key
    from morefollows.audience.models import Topic

    topics = list(Topic.objects.filter(slug__in=slugs)) if slugs else None
    if topics is not None and len(topics) < len(set(slugs)):
        missing = ", ".join(sorted(set(slugs) - {topic.slug for topic in topics}))
        raise CommandFailed(f"--topic: there is no topic {missing}")
    try:
        key, text = create_key(
            name,
            created_by=None,
            role=Role(role),
            scopes=scopes,
            topics=topics,
            offers=offers,
            expires_at=datetime.now(UTC) + timedelta(days=days) if days else None,
        )
    except ValidationError as error:
        raise CommandFailed(error_line(error)) from None
    if as_json:
        tell_json({"id": str(key.uuid), "name": key.name, "key": text})
        return
    click.echo("The key of this program. It can’t be shown again:", err=True)
    click.echo(text)


@keys.command("revoke")
@click.argument("key_id", metavar="ID", type=click.UUID)
@json_option
def revoke(key_id: uuid.UUID, as_json: bool) -> None:
    """End the key ID at once. `morefollows keys` lists them."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.api.keys import revoke_key
    from morefollows.api.models import ApiKey

    found = ApiKey.objects.filter(uuid=key_id).first()
    if found is None:
        raise CommandFailed(f"There is no key {key_id}; `morefollows keys` lists them.")
    revoke_key(found, None)
    if as_json:
        tell_json({"id": str(key_id)})
    else:
        click.echo(f"The key of {found.name} is revoked.")
