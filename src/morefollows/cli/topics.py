"""`topics`: what readers can sign up to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from morefollows.cli.output import CommandFailed, error_line, json_option, tell_json

if TYPE_CHECKING:
    from morefollows.audience.models import Topic


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
    from morefollows.stories.alerts import alert_audience

    found = [
        {
            "slug": topic.slug,
            "name": topic.name,
            "access": topic.access,
            "readers": alert_audience.count_readers(topic),
        }
        for topic in Topic.objects.all()
    ]
    if as_json:
        tell_json(found)
        return
    for row in found:
        click.echo(f"{row['slug']}  {row['name']}  {row['readers']:,} readers{_access(row)}")


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


def _access(row: dict[str, Any]) -> str:
    return "" if row["access"] == "open" else f"  ({row['access']})"


_IN_LANGUAGE = "In another language, such as `--name-in de Wetter`."


@topics.command("change")
@click.argument("slug")
@click.option("--name", help="As readers see it.")
@click.option("--description", help="What it brings, in a sentence.")
@click.option("--name-in", multiple=True, nargs=2, help=_IN_LANGUAGE)
@click.option("--description-in", multiple=True, nargs=2, help="Likewise.")
@click.option("--access", type=click.Choice(["open", "invited"]), help="Who can sign up.")
@json_option
def change_topic(
    slug: str,
    name: str | None,
    description: str | None,
    name_in: tuple[tuple[str, str], ...],
    description_in: tuple[tuple[str, str], ...],
    access: str | None,
    as_json: bool,
) -> None:
    """Rename, describe or translate a topic, or change who can sign up."""
    topic = _topic(slug)
    from morefollows.audience.topics import actions

    known = topic.translated()
    texts = {language: known.get(language, ("", "")) for language, _ in (*name_in, *description_in)}
    for language, text in name_in:
        texts[language] = (text, texts[language][1])
    for language, text in description_in:
        texts[language] = (texts[language][0], text)
    topic = _done(
        slug,
        lambda: actions.change_topic(
            None,
            topic,
            name=name,
            description=description,
            translations=texts or None,
            invited=None if access is None else access == "invited",
        ),
    )
    _tell_topic(topic, as_json)


@topics.command("order")
@click.argument("slugs", nargs=-1, required=True)
@json_option
def order_topics(slugs: tuple[str, ...], as_json: bool) -> None:
    """Put these topics first, in this order."""
    for slug in slugs:
        _topic(slug)
    from morefollows.audience.topics import actions

    actions.order_topics(None, slugs)
    if as_json:
        tell_json(list(actions.in_use().values_list("slug", flat=True)))


@topics.command("retire")
@click.argument("slug")
@json_option
def retire_topic(slug: str, as_json: bool) -> None:
    """End sign-ups and new stories. The readers' consents stay on record."""
    topic = _topic(slug)
    from morefollows.audience.topics import actions

    _done(slug, lambda: actions.retire_topic(None, topic))
    topic.refresh_from_db()
    _tell_topic(topic, as_json)


@topics.command("bring-back")
@click.argument("slug")
@json_option
def bring_topic_back(slug: str, as_json: bool) -> None:
    """Let readers sign up to a retired topic again."""
    topic = _topic(slug)
    from morefollows.audience.topics import actions

    _done(slug, lambda: actions.bring_topic_back(None, topic))
    topic.refresh_from_db()
    _tell_topic(topic, as_json)


@topics.command("invitation")
@click.argument("slug")
@click.option("--renew", is_flag=True, help="End the link given out so far.")
@json_option
def invitation_link(slug: str, renew: bool, as_json: bool) -> None:
    """Print the link that lets somebody sign up to a topic by invitation."""
    topic = _topic(slug)
    from morefollows.audience.topics import actions

    if renew:
        actions.renew_invitation(None, topic)
        topic.refresh_from_db()
    link = actions.topic_invitation(topic)
    if as_json:
        tell_json({"topic": slug, "link": link})
    else:
        click.echo(link)


@topics.command("merge")
@click.argument("slug")
@click.argument("into")
@click.option("--yes", is_flag=True, help="Do it. Without it only the counts are told.")
@json_option
def merge_topics(slug: str, into: str, yes: bool, as_json: bool) -> None:
    """Move a topic's readers to another one, and retire it. It can't be undone."""
    old, new = _topic(slug), _topic(into)
    from morefollows.audience.topics import merging

    if yes:
        counts = _done(slug, lambda: merging.merge_topics(None, old, new))
        merging.move_all()
    else:
        counts = merging.count_merge(old, new)
    if as_json:
        tell_json({"topic": slug, "into": into, "done": yes, **counts._asdict()})
        return
    was = "were" if yes else "would be"
    click.echo(f"{counts.moved:,} readers {was} moved to {new.name}.")
    click.echo(f"{counts.both:,} have both topics; for them only {old.name} ends.")
    click.echo(f"{counts.left:,} unsubscribed from {new.name} before, and stay out.")
    click.echo(f"{counts.unconfirmed:,} have not confirmed yet, and are moved when they do.")
    if not yes:
        click.echo("Nothing is changed. `--yes` does it; it can’t be undone.")


def _topic(slug: str) -> Topic:
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.audience.models import Topic

    found = Topic.objects.filter(slug=slug).first()
    if found is None:
        known = ", ".join(Topic.objects.values_list("slug", flat=True))
        raise CommandFailed(f"There is no topic {slug}. There are: {known or 'none'}")
    return found


def _done(slug: str, action: Any) -> Any:
    from django.core.exceptions import ValidationError

    try:
        return action()
    except ValidationError as error:
        raise CommandFailed(f"{slug}: {error_line(error)}") from None


def _tell_topic(topic: Topic, as_json: bool) -> None:
    if as_json:
        tell_json(
            {
                "slug": topic.slug,
                "name": topic.name,
                "description": topic.description,
                "access": topic.access,
                "translations": topic.translated(),
            }
        )
    else:
        click.echo(f"{topic.slug}: {topic.name} ({topic.access})")
