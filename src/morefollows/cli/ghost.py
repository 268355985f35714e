"""`ghost`: Ghost sites whose posts become stories."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import click

from morefollows.cli.output import CommandFailed, error_line, json_option, tell_json

if TYPE_CHECKING:
    from morefollows.audience.models import Topic


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def ghost(context: click.Context, as_json: bool) -> None:
    """Ghost sites whose posts become stories. Without a subcommand: list them."""
    if context.invoked_subcommand is not None:
        return
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.api.models import GhostConnection
    from morefollows.api.scopes import Scope

    found = [
        {
            "id": str(one.uuid),
            "name": one.key.name,
            "topic": one.topic,
            "tags": one.tags,
            "sends": Scope.ALERTS_SEND_ALONE in one.key.scopes,
            "edits": one.on_edit,
            "unpublished": one.on_unpublish,
            "last_heard_at": one.last_heard_at,
            "last_result": one.last_result,
        }
        for one in GhostConnection.objects.select_related("key").order_by("pk")
    ]
    if as_json:
        tell_json(found)
        return
    for one in found:
        sends = "sends alone" if one["sends"] else "writes drafts"
        heard = f"last heard {one['last_heard_at'] or 'never'} {one['last_result']}".rstrip()
        click.echo(f"{one['id']}  {one['name']} ({one['topic']}): {sends}; {heard}")


@ghost.command("add")
@click.argument("name")
@click.option("--topic", "slug", metavar="SLUG", help="Of posts without a tag of its own.")
@click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="TAG=TOPIC",
    help="Posts with this tag go to this topic. May be given several times.",
)
@click.option("--send-alone", is_flag=True, help="Alerts go out without approval.")
@click.option(
    "--edits",
    type=click.Choice(("nothing", "draft", "update")),
    default="draft",
    show_default=True,
    help="What a later edit of a post does.",
)
@click.option(
    "--unpublished",
    type=click.Choice(("nothing", "retract")),
    default="nothing",
    show_default=True,
    help="What becomes of the story of a post that is unpublished.",
)
@click.option("--whole-text", is_flag=True, help="Alerts have the whole post.")
@json_option
def add_ghost(
    name: str,
    slug: str | None,
    tags: tuple[str, ...],
    send_alone: bool,
    edits: str,
    unpublished: str,
    whole_text: bool,
    as_json: bool,
) -> None:
    """Connect the Ghost NAME. Address and secret are shown once."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from django.conf import settings
    from django.core.exceptions import ValidationError

    from morefollows.api.ghost.connections import connect_ghost
    from morefollows.audience.models import Topic

    topics = {topic.slug: topic for topic in Topic.objects.all()}
    try:
        made = connect_ghost(
            name,
            by=None,
            topic=_chosen_topic(slug, topics),
            tags=_topics_by_tag(tags, topics),
            send_alone=send_alone,
            on_edit=edits,
            on_unpublish=unpublished,
            whole_text=whole_text,
        )
    except ValidationError as error:
        raise CommandFailed(error_line(error)) from None
    url = f"{settings.MOREFOLLOWS.url}/hooks/ghost/{made.token}/"
    if as_json:
        tell_json({"id": str(made.connection.uuid), "url": url, "secret": made.secret})
        return
    click.echo(
        "In Ghost: Settings, Integrations, Add custom integration. Add three webhooks, for the\n"
        "events Post published, Published post updated and Post unpublished, each with this\n"
        "address and secret. They can’t be shown again:",
        err=True,
    )
    click.echo(f"{url}\n{made.secret}")


def _chosen_topic(slug: str | None, topics: dict[str, Topic]) -> Topic:
    chosen = topics.get(slug) if slug else next(iter(topics.values()), None)
    if chosen is None:
        raise CommandFailed(f"--topic: there is no topic {slug or 'yet'}")
    return chosen


def _topics_by_tag(tags: tuple[str, ...], topics: dict[str, Topic]) -> dict[str, Topic]:
    found = {}
    for one in tags:
        tag, equals, target = one.partition("=")
        if not tag or not equals or target not in topics:
            raise CommandFailed(f"--tag {one}: write TAG=TOPIC, with the slug of a topic")
        found[tag] = topics[target]
    return found


@ghost.command("catch-up")
@click.argument("connection_id", metavar="ID", type=click.UUID)
@click.option("--site", required=True, metavar="URL", help="Of the Ghost.")
@click.option("--content-key", required=True, metavar="KEY", help="Its Content API key.")
@click.option(
    "--hours",
    type=click.IntRange(1, 720),
    default=24,
    show_default=True,
    help="Of posts published or edited so long ago, or less.",
)
@json_option
def catch_up_ghost(
    connection_id: uuid.UUID, site: str, content_key: str, hours: int, as_json: bool
) -> None:
    """Take what the Ghost ID published while nobody was here to be told.

    A post that is known is done once, also if this is run several times. What was unpublished is
    not seen.
    """
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.api.ghost import catch_up
    from morefollows.api.models import GhostConnection

    found = GhostConnection.objects.select_related("key__account")
    connection = found.filter(uuid=connection_id, key__revoked_at=None).first()
    if connection is None:
        raise CommandFailed(f"There is no Ghost {connection_id}; `morefollows ghost` lists them.")
    try:
        done = catch_up.catch_up(connection, site, content_key, hours=hours)
    except catch_up.NotRead as error:
        raise CommandFailed(str(error)) from None
    if as_json:
        tell_json([{"headline": one.headline, "done": one.done} for one in done])
        return
    for one in done:
        click.echo(f"{one.headline}: {one.done}")


@ghost.command("remove")
@click.argument("connection_id", metavar="ID", type=click.UUID)
@json_option
def remove_ghost(connection_id: uuid.UUID, as_json: bool) -> None:
    """Disconnect the Ghost ID at once. `morefollows ghost` lists them."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.api.ghost.connections import disconnect_ghost
    from morefollows.api.models import GhostConnection

    found = GhostConnection.objects.select_related("key").filter(uuid=connection_id).first()
    if found is None:
        raise CommandFailed(f"There is no Ghost {connection_id}; `morefollows ghost` lists them.")
    disconnect_ghost(found, None)
    if as_json:
        tell_json({"id": str(connection_id)})
    else:
        click.echo(f"{found.key.name} is disconnected.")
