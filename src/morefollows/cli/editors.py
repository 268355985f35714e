"""`editors`: who works at the desk, what they may do, and how they get in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from morefollows.cli.output import CommandFailed, error_line, json_option, tell_json

if TYPE_CHECKING:
    from morefollows.accounts.models import Editor

_ROLES = click.Choice(["reporter", "editor", "administrator"])
_RIGHT = click.Choice(["yes", "no", "role"])
_ANSWERS = {"yes": True, "no": False, "role": None}
_role_help = (
    "A reporter drafts; an editor also sends; an administrator also manages people and settings."
)


@click.group()
def editors() -> None:
    """Who works at the desk."""


@editors.command("add")
@click.argument("email")
@click.option("--name", required=True, help="As colleagues know them.")
@click.option("--role", type=_ROLES, default="reporter", show_default=True, help=_role_help)
@json_option
def add(email: str, name: str, role: str, as_json: bool) -> None:
    """Add somebody, and print the link that they sign in with for the first time."""
    _start()
    from django.core.exceptions import ValidationError
    from django.db import transaction

    from morefollows.accounts import actions
    from morefollows.audit.actions import record

    try:
        with transaction.atomic():
            editor = actions.add_editor(email, name, role)
            record(None, "add editor", subject=editor.email, name=editor.name, role=editor.role)
    except ValidationError as error:
        raise CommandFailed(f"{email}: {error_line(error)}") from None
    _tell_link(editor, as_json, "can sign in for the first time with this link.")


@editors.command("invite")
@click.argument("email")
@click.option("--name", default="", help="As colleagues know them; they can change it.")
@click.option("--role", type=_ROLES, default="reporter", show_default=True, help=_role_help)
@json_option
def invite(email: str, name: str, role: str, as_json: bool) -> None:
    """Invite somebody by mail. The link in it is good once, for three days.

    Somebody who was invited and has not come yet gets a new link.
    """
    _start()
    from django.core.exceptions import ValidationError

    from morefollows.accounts import people
    from morefollows.audience.addresses import BadAddress
    from morefollows.courier.outbox import to_editors

    found = people.find_editor(email)
    try:
        if found is not None and found.is_active and found.last_login is None:
            to_editors.invite_again(found, None)
        else:
            found = to_editors.invite(email, name, role, None)
    except (ValidationError, BadAddress) as error:
        text = error_line(error) if isinstance(error, ValidationError) else str(error)
        raise CommandFailed(f"{email}: {text}") from None
    _tell(found, as_json, f"{found.email} is sent an invitation, as {found.role}.")


@editors.command("role")
@click.argument("email")
@click.argument("role", type=_ROLES, metavar="ROLE")
@json_option
def change_role(email: str, role: str, as_json: bool) -> None:
    """Change somebody's role."""
    _start()
    from morefollows.accounts import people

    editor = _editor(email)
    _do(lambda: people.change_role(editor, role, None))
    _tell(editor, as_json, f"{editor.name} is {role} now.")


@editors.command("rights")
@click.argument("email")
@click.option("--offers", type=_RIGHT, help="Sees, writes and sends offers.")
@click.option("--drills", type=_RIGHT, help="Sends drills, and chooses who takes part.")
@click.option("--readers", type=_RIGHT, help="Looks readers up, and acts at their request.")
@click.option("--topics", metavar="SLUGS", help="Writes and sends for these alone, or `all`.")
@json_option
def rights(email: str, topics: str | None, as_json: bool, **given: str | None) -> None:
    """Give or take rights beside the role. `role` is as the role has it.

    Several topics are given with commas between them.
    """
    _start()
    from morefollows.accounts import people
    from morefollows.audience.models import Topic

    editor = _editor(email)
    fields = {"offers": "writes_offers", "drills": "runs_drills", "readers": "sees_readers"}
    wanted = {fields[name]: _ANSWERS[value] for name, value in given.items() if value}
    chosen: dict[str, Any] = {}
    if topics is not None:
        slugs = [] if topics == "all" else [one.strip() for one in topics.split(",")]
        known = dict(Topic.objects.values_list("slug", "pk"))
        if unknown := [slug for slug in slugs if slug not in known]:
            raise CommandFailed(
                f"--topics: there is no topic {unknown[0]}; there are {', '.join(known)}."
            )
        chosen = {"all_topics": topics == "all", "topics": [known[slug] for slug in slugs]}
    _do(lambda: people.grant(editor, wanted, None, **chosen))
    _tell(editor, as_json, f"{editor.name}: {_rights_line(editor)}")


@editors.command("offers")
@click.argument("email")
@click.option("--no", "denied", is_flag=True, help="Take the right away.")
@json_option
def offers(email: str, denied: bool, as_json: bool) -> None:
    """Let somebody write offers and send them. Administrators may anyway."""
    _start()
    from morefollows.accounts import people

    editor = _editor(email)
    _do(lambda: people.grant(editor, {"writes_offers": not denied}, None))
    text = f"{editor.name} may {'no longer ' if denied else ''}write offers and send them."
    _tell(editor, as_json, text)


@editors.command("disable")
@click.argument("email")
@json_option
def disable(email: str, as_json: bool) -> None:
    """Close the desk to somebody. Their sessions end at once; their stories stay."""
    _start()
    from morefollows.accounts import people

    editor = _editor(email)
    _do(lambda: people.disable(editor, None))
    _tell(editor, as_json, f"{editor.name} is signed out, and can't sign in any more.")


@editors.command("enable")
@click.argument("email")
@json_option
def enable(email: str, as_json: bool) -> None:
    """Open the desk to somebody again who was disabled."""
    _start()
    from morefollows.accounts import people

    editor = _editor(email)
    _do(lambda: people.enable(editor, None))
    _tell(editor, as_json, f"{editor.name} can sign in again.")


@editors.command("reset")
@click.argument("email")
@click.option("--mail", is_flag=True, help="Mail the link instead of printing it.")
@json_option
def reset(email: str, mail: bool, as_json: bool) -> None:
    """Take password, second factors and sessions away, and print a new link to sign in.

    For a lost phone, or a password that somebody else knows.
    """
    _start()
    from morefollows.accounts import people
    from morefollows.courier.outbox import to_editors

    editor = _editor(email)
    if mail:
        _do(lambda: to_editors.reset_access(editor, None))
        _tell(editor, as_json, f"{editor.email} is sent a link for a new password.")
        return
    _do(lambda: people.reset(editor, None))
    _tell_link(_editor(email), as_json, "can sign in with this link alone.")


@editors.command("sessions")
@click.argument("email")
@click.option("--end", is_flag=True, help="Sign them out everywhere.")
@json_option
def sessions(email: str, end: bool, as_json: bool) -> None:
    """List where somebody is signed in, or sign them out everywhere."""
    _start()
    from morefollows.accounts import people
    from morefollows.accounts.sign_in import sessions as kept

    editor = _editor(email)
    if end:
        ended = people.end_sessions(editor, None)
        _tell(editor, as_json, f"{editor.name} is signed out everywhere: {ended} sessions.")
        return
    found = [
        {
            "device": session.device.name if session.device else "",
            "place": session.place,
            "since": session.begun_at.isoformat(timespec="seconds"),
            "seen": session.seen_at.isoformat(timespec="seconds"),
        }
        for session in kept.of_editor(editor)
    ]
    if as_json:
        tell_json(found)
        return
    for row in found:
        click.echo(f"{row['seen']}  {row['device'] or 'unknown device'}  {row['place']}")


@editors.command("list")
@json_option
def list_all(as_json: bool) -> None:
    """List everybody."""
    _start()
    from morefollows.accounts.models import Editor

    found = [_row(editor) for editor in Editor.objects.people().order_by("email")]
    if as_json:
        tell_json(found)
        return
    for row in found:
        click.echo(
            f"{row['email']}  {row['name']}  {row['role']}{'' if row['active'] else '  (disabled)'}"
        )


def _start() -> None:
    from morefollows.processes import bootstrap

    bootstrap.start_django()


def _editor(email: str) -> Editor:
    """The account with this address. Raises `CommandFailed`."""
    from morefollows.accounts import people

    if (found := people.find_editor(email)) is None:
        raise CommandFailed(
            f"{email}: there is no account with this address; `morefollows editors list` has "
            f"them all."
        )
    return found


def _do(action: Any) -> None:
    from morefollows.accounts.people import PeopleRefused

    try:
        action()
    except PeopleRefused as refused:
        raise CommandFailed(str(refused)) from None


def _row(editor: Editor) -> dict[str, Any]:
    topics = None if editor.topic_ids is None else [topic.slug for topic in editor.topics.all()]
    return {
        "email": editor.email,
        "name": editor.name,
        "role": editor.role,
        "offers": editor.may_offer,
        "drills": editor.may_drill,
        "readers": editor.may_see_readers,
        "topics": topics,
        "active": editor.is_active,
        "signed_in_before": editor.last_login is not None or editor.has_usable_password(),
    }


def _rights_line(editor: Editor) -> str:
    row = _row(type(editor).objects.get(pk=editor.pk))
    has = ", ".join(name for name in ("offers", "drills", "readers") if row[name]) or "none"
    topics = "all" if row["topics"] is None else ", ".join(row["topics"]) or "none"
    return f"rights: {has}; topics: {topics}"


def _tell(editor: Editor, as_json: bool, line: str) -> None:
    """Reports the account as it is now, or one line."""
    if as_json:
        tell_json(_row(type(editor).objects.get(pk=editor.pk)))
    else:
        click.echo(line)


def _tell_link(editor: Editor, as_json: bool, text: str) -> None:
    from morefollows.accounts.actions import invitation_link

    link = invitation_link(editor)
    if as_json:
        tell_json({"email": editor.email, "name": editor.name, "role": editor.role, "link": link})
        return
    click.echo(f"{editor.name} {text} It is good once, for three days:")
    click.echo(link)
