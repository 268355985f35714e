"""`sources`: where news comes in from; and `ingest`, the process that takes it in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from morefollows.cli.output import CommandFailed, error_line, json_option, tell_json
from morefollows.cli.processes import _child_option, _watch_parent

if TYPE_CHECKING:
    from morefollows.audience.models import Topic
    from morefollows.ingest.models import Source
    from morefollows.ingest.sources.feeds.feed_parser import FeedDocument

_KINDS = ("feed", "page", "push", "folder", "imap")


@click.command(short_help="Run the process that takes in news, by itself.")
@_child_option
def ingest(parent_pipe: int | None) -> None:
    """Take in news from all sources, and make drafts of it. `up` runs it while there are sources.

    It ends when there is none.
    """
    _watch_parent(parent_pipe)
    from morefollows.processes import bootstrap

    checked = bootstrap.start_django()
    from morefollows.database import connections
    from morefollows.processes.ingest import run_ingest

    connections.set_service_timeouts(8)
    if not checked:
        bootstrap.wait_for_keys()
    run_ingest()


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def sources(context: click.Context, as_json: bool) -> None:
    """Where news comes in from: feeds, pages, programs, folders and mailboxes.

    Without a subcommand: list them.
    """
    if context.invoked_subcommand is None:
        _list(as_json)


@sources.command("list")
@json_option
def list_sources(as_json: bool) -> None:
    """List the sources, how each is, and how much came of it."""
    _list(as_json)


def _list(as_json: bool) -> None:
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from django.db.models import Count

    from morefollows.ingest.models import Source

    found = Source.objects.filter(removed_at=None).annotate(count=Count("items"))
    rows = [_row(source) | {"items": source.count} for source in found]
    if as_json:
        tell_json(rows)
        return
    for row in rows:
        trouble = f"; {row['error']}" if row["error"] else ""
        click.echo(
            f"{row['name']}  {row['kind']}  {row['address']}  {row['state']}{trouble}; "
            f"{row['items']:,} items"
        )


def _row(source: Source) -> dict[str, Any]:
    return {
        "id": str(source.uuid),
        "name": source.name,
        "kind": source.kind,
        "address": source.address,
        "state": _state(source),
        "error": source.error,
        "ok_at": source.ok_at.isoformat() if source.ok_at else None,
        "interval_seconds": source.interval_seconds,
        "websub": source.websub or "none",
        "moved_to": source.moved_to,
    }


def _state(source: Source) -> str:
    if source.paused_at is not None:
        return "paused"
    if source.gone_at is not None:
        return "gone"
    if source.error:
        return "failing"
    return "works" if source.ok_at or source.kind == "push" else "new"


@sources.command("add")
@click.argument("name")
@click.argument("address", default="")
@click.option("--kind", type=click.Choice(_KINDS), default="feed", show_default=True)
@click.option("--topic", metavar="SLUG", default="", help="Of its drafts, if an item has none.")
@click.option("--language", default="", help="Of items that name none, such as `en`.")
@click.option("--agency", default="", help="Whose conventions its items follow, such as `dpa`.")
@click.option("--every", type=int, default=300, show_default=True, help="Seconds between polls.")
@click.option("--full-text", is_flag=True, help="Read the page that each item links to.")
@click.option("--no-drafts", is_flag=True, help="Without a rule no draft is made.")
@click.option("--password", prompt=False, default="", help="Of a mailbox, or of a feed’s user.")
@json_option
def add_source(
    name: str,
    address: str,
    kind: str,
    topic: str,
    language: str,
    agency: str,
    every: int,
    full_text: bool,
    no_drafts: bool,
    password: str,
    as_json: bool,
) -> None:
    """Add a source: NAME is what drafts call it, ADDRESS where it is.

    A feed or page has a web address, a folder its whole path, a mailbox imaps://user@host/folder.
    Programs push to us: `--kind push` has no address.
    """
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from django.core.exceptions import ValidationError

    from morefollows.ingest.sources import actions

    try:
        source = actions.add_source(
            name,
            kind,
            address=address,
            by=None,
            password=password,
            topic=_topic(topic),
            language=language,
            profile=agency,
            interval_seconds=every,
            text_from="page" if full_text else "item",
            unmatched="keep" if no_drafts else "draft",
        )
    except ValidationError as error:
        raise CommandFailed(f"{name}: {error_line(error)}") from None
    if as_json:
        tell_json(_row(source))
    elif kind == "push":
        click.echo(f"Programs can push to /api/v1/ingest/{source.uuid} now, with a key that has")
        click.echo("the scope ingest:write: `morefollows keys add NAME --scope ingest:write`.")
    else:
        click.echo(f"{source.name} is taken in from now on.")


@sources.command("change")
@click.argument("name")
@click.option("--name", "new_name", default=None, help="Its new name.")
@click.option("--address", default=None, help="Where it is now. What came of it stays.")
@click.option("--topic", metavar="SLUG", default=None, help='Of its drafts; "": the first.')
@click.option("--language", default=None, help="Of items that name none.")
@click.option("--agency", default=None, help="Whose conventions its items follow.")
@click.option("--every", type=int, default=None, help="Seconds between polls.")
@click.option("--full-text/--item-text", default=None, help="Read the page behind each item.")
@click.option("--no-drafts/--drafts", default=None, help="Without a rule no draft is made.")
@click.option("--password", default=None, help="Of a mailbox, or of a feed’s user.")
@json_option
def change_source(
    name: str,
    new_name: str | None,
    address: str | None,
    topic: str | None,
    language: str | None,
    agency: str | None,
    every: int | None,
    full_text: bool | None,
    no_drafts: bool | None,
    password: str | None,
    as_json: bool,
) -> None:
    """Change a source. What is not named stays as it is."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from django.core.exceptions import ValidationError

    from morefollows.ingest.sources import actions

    chosen: dict[str, Any] = {
        "name": new_name,
        "language": language,
        "profile": agency,
        "interval_seconds": every,
        "text_from": None if full_text is None else ("page" if full_text else "item"),
        "unmatched": None if no_drafts is None else ("keep" if no_drafts else "draft"),
    }
    fields = {field: value for field, value in chosen.items() if value is not None}
    if topic is not None:
        fields["topic"] = _topic(topic)
    if not fields and address is None and password is None:
        raise CommandFailed("nothing to change; `morefollows sources change --help` lists options")
    try:
        source = actions.change_source(
            _source(name), None, address=address, password=password, **fields
        )
    except ValidationError as error:
        raise CommandFailed(f"{name}: {error_line(error)}") from None
    _tell(source.name, f"{source.name} is changed.", as_json)


def _topic(slug: str) -> Topic | None:
    from morefollows.audience.models import Topic

    if not slug:
        return None
    found = Topic.objects.filter(slug=slug).first()
    if found is None:
        raise CommandFailed(f"--topic: there is no topic {slug}; `morefollows topics` lists them")
    return found


def _source(name: str) -> Source:
    from morefollows.ingest.models import Source

    found = Source.objects.filter(name=name, removed_at=None).first()
    if found is None:
        raise CommandFailed(f"there is no source {name}; `morefollows sources` lists them")
    return found


@sources.command("pause")
@click.argument("name")
@json_option
def pause_source(name: str, as_json: bool) -> None:
    """Take nothing in from a source for now."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.ingest.sources import actions

    actions.pause_source(_source(name), None)
    _tell(name, f"{name} is paused.", as_json)


@sources.command("resume")
@click.argument("name")
@json_option
def resume_source(name: str, as_json: bool) -> None:
    """Let a source go on, and try it at once, also one that was gone or failed."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.ingest.sources import actions

    actions.resume_source(_source(name), None)
    _tell(name, f"{name} goes on.", as_json)


@sources.command("remove")
@click.argument("name")
@json_option
def remove_source(name: str, as_json: bool) -> None:
    """Take nothing in from a source any more. What came of it stays."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.ingest.sources import actions

    source = _source(name)
    actions.remove_source(source, None)
    if as_json:
        tell_json({"id": str(source.uuid), "name": name, "state": "removed"})
    else:
        click.echo(f"{name} is removed. What came of it stays.")


def _tell(name: str, text: str, as_json: bool) -> None:
    if as_json:
        tell_json(_row(_source(name)))
    else:
        click.echo(text)


@sources.command("check")
@click.argument("address")
@json_option
def check_source(address: str, as_json: bool) -> None:
    """Fetch a feed once, and say what it would bring. Keeps nothing.

    ADDRESS is a web address, or the name of a source.
    """
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.ingest.models import Source

    known = Source.objects.filter(name=address, removed_at=None).first()
    document = _fetched(known, address)
    if as_json:
        tell_json(
            {
                "title": document.title,
                "items": [one.item.headline for one in document.items],
                "hub": document.hub,
                "trouble": document.trouble,
            }
        )
        return
    click.echo(document.title or "(without a title)")
    for one in reversed(document.items[-10:]):
        click.echo(f"  {one.item.headline or '(without a headline)'}")
    hub = f"; pushed by {document.hub}" if document.hub else "; polled"
    trouble = f"; {document.trouble}" if document.trouble else ""
    click.echo(f"{len(document.items)} items{hub}{trouble}")


def _fetched(known: Source | None, address: str) -> FeedDocument:
    """Raises `CommandFailed`."""
    from django.conf import settings
    from django.core.exceptions import ValidationError

    from morefollows.ingest.models import Source
    from morefollows.ingest.sources.addresses import checked_address
    from morefollows.ingest.sources.feeds.polling import poll

    source = known or Source(kind="feed")
    if known is None:
        try:
            source.address, _password = checked_address(source.kind, address, by_command=True)
        except ValidationError as error:
            raise CommandFailed(f"{address}: {error_line(error)}") from None
    if source.kind not in ("feed", "page"):
        raise CommandFailed(f"{source.name}: only feeds and pages are fetched")
    source.etag = source.last_modified = source.digest = ""
    result = asyncio.run(poll(source, inside=settings.MOREFOLLOWS.sources_inside))
    if result.document is None:
        raise CommandFailed(f"{address}: {result.changed.get('error', 'nothing came')}")
    return result.document
