"""`stories` and `alerts`: sends a story from the command line, and shows the state of an alert."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from morefollows.cli import checking_before_sending, reading_files
from morefollows.cli.output import CommandFailed, error_line, json_option, tell_json

if TYPE_CHECKING:
    from morefollows.accounts.models import Editor
    from morefollows.audience.models import Topic
    from morefollows.feedback.progress import Progress, RelayState
    from morefollows.ingest.story_file import StoryFile
    from morefollows.stories.models import Alert

_LOOK_EVERY = 0.2  # seconds
_TAKEN_UP_WITHIN = 5.0  # seconds after the hold; a running sender needs milliseconds
_ON_ITS_WAY = ("held", "sending")


@click.group()
def stories() -> None:
    """What we tell our readers."""


@stories.command("draft")
@click.argument("file", metavar="FILE")
@click.option("--topic", "slug", help="The file's topic, or the first one, when left out.")
@click.option(
    "--as",
    "email",
    metavar="EMAIL",
    help="The editor whose draft it is; the first administrator when left out.",
)
@click.option("--headline", default="", help="The headline, if the file's is not certain.")
@json_option
def draft_story(
    file: str, slug: str | None, email: str | None, headline: str, as_json: bool
) -> None:
    """Make a draft of the story in FILE, which may be a web address, for the desk to look at.

    What can be read: text, Markdown, pages, mails, .docx, .odt, .rtf, ninjs, NewsML-G2 and NITF.
    What was dropped, what is for editors only and what is doubtful is named.
    """
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from django.core.exceptions import ValidationError

    from morefollows.ingest.drafts.file_drafts import save_draft
    from morefollows.stories.errors import ActionRefused

    read = reading_files.read_story_of(file, headline)
    editor, topic = _editor(email), _topic(slug or read.topic)
    reading_files.tell_what_was_read(read)
    try:
        story = save_draft(read, editor, topic, origin=file)
    except ValidationError as error:
        raise CommandFailed(f"{file}: {error_line(error)}") from None
    except ActionRefused as error:
        raise CommandFailed(str(error)) from None
    if as_json:
        tell_json({"story": str(story.uuid), "sure": read.sure, **reading_files.read_report(read)})
    else:
        click.echo(f"Draft “{story.headline}”: {reading_files.desk_address(story)}")


@stories.command("break")
@click.argument("file", metavar="FILE")
@click.option(
    "--topic",
    "slug",
    help="Whose readers get it; the file's topic, or the first one, when left out.",
)
@click.option(
    "--as",
    "email",
    metavar="EMAIL",
    help="The editor who sends; the first administrator when left out.",
)
@click.option(
    "--hold",
    type=click.FloatRange(0, 600),
    help="Seconds before the first mail; MOREFOLLOWS_HOLD if not.",
)
@click.option(
    "--alone",
    metavar="REASON",
    default="",
    help="Why nobody else has to see it; where four eyes are asked for.",
)
@click.option(
    "--key",
    metavar="TEXT",
    help="A name for this sending: with the same one nothing is sent twice.",
)
@click.option(
    "--again",
    is_flag=True,
    help="Send it though the same headline went to the topic in the last 24 hours.",
)
@click.option("--headline", default="", help="The headline, if the file's is not certain.")
@click.option(
    "--doubts-seen",
    is_flag=True,
    help="With --yes: somebody has looked at the doubts that were named.",
)
@click.option("--yes", is_flag=True, help="Do not ask before sending.")
@json_option
def break_story(
    file: str,
    slug: str | None,
    email: str | None,
    hold: float | None,
    alone: str,
    key: str | None,
    again: bool,
    headline: str,
    doubts_seen: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Send the story in FILE, which may be a web address, as an alert, and watch it go.

    The headline stands on the first line and the text below it, or in front matter (`headline:`,
    `standfirst:`, `language:`, `topic:`). Pages, mails, .docx, .odt, .rtf, ninjs, NewsML-G2 and
    NITF are read, too. What is not the story is dropped and named.

    If the headline is not certain you are asked for it, and with --yes nothing is sent without
    --headline. Nor is anything sent with --yes while there are doubts, without --doubts-seen.

    The alert goes on by itself when this command is ended.

    Run twice, it sends once: the same headline goes to the same topic only with --again within 24
    hours. With --key, the second run tells how the first one's alert stands.
    """
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.stories.alerts import alert_audience

    read = checking_before_sending.read_to_send(file, headline, yes=yes, doubts_seen=doubts_seen)
    editor, topic = _editor(email), _topic(slug or read.topic)
    readers = alert_audience.count_readers(topic)
    reading_files.check_key(key)
    whom = f"{readers:,} readers of {topic.name}"
    alert = _earlier(read, topic, key, again)
    if alert is None:
        if not yes:
            checking_before_sending.ask_to_send(read, whom)
        try:
            alert = _send(read, editor, topic, key, again, hold=hold, alone_reason=alone)
        except ValueError as error:
            raise CommandFailed(f"{file}: {error}") from None
        click.echo(f"Alert {alert.pk} to {whom}.", err=True)
    progress, of_file = _watch(alert), reading_files.read_report(read)
    _tell({"alert": alert.pk, "readers": readers, **progress, **of_file}, alert, as_json)
    if progress["state"] != "sent":
        raise CommandFailed(_why_not_sent(progress))


def _begin_tracing() -> None:
    from django.conf import settings

    from morefollows.helpers.telemetry.tracing import begin_tracing

    begin_tracing(settings.MOREFOLLOWS.derived_key("traces"), "command")


def _send(
    read: StoryFile, editor: Editor, topic: Topic, key: str | None, again: bool, **how: Any
) -> Alert:
    """Sends an alert; `how` goes to `stories.actions.send`.

    Raises `CommandFailed`, and `ValueError` for errors in the file.
    """
    _begin_tracing()
    from django.core.exceptions import ValidationError
    from django.db import transaction

    from morefollows.ingest.drafts.file_drafts import save_draft
    from morefollows.stories import actions
    from morefollows.stories.alerts import idempotency
    from morefollows.stories.models import Alert

    try:
        with transaction.atomic():  # a refused alert leaves no draft behind
            idempotency.one_at_a_time()
            if earlier := _earlier(read, topic, key, again):
                return earlier  # another run of this command was faster
            alert = actions.send(save_draft(read, editor, topic), editor, **how)
            Alert.objects.filter(pk=alert.pk).update(idempotency_key=key)
            return alert
    except ValidationError as error:
        raise ValueError(error_line(error)) from None
    except actions.NotApproved:
        raise CommandFailed(
            "Four eyes are asked for here: say with --alone why nobody else has to see it, "
            "or send it at the desk."
        ) from None
    except actions.ActionRefused as error:
        raise CommandFailed(str(error)) from None


def _earlier(read: StoryFile, topic: Topic, key: str | None, again: bool) -> Alert | None:
    """Returns the alert that was sent with this key, if any.

    Raises `CommandFailed` if the key was used for another story, or if the same headline was sent
    without a key and `again` is false.
    """
    from django.utils import timezone

    from morefollows.stories.alerts import idempotency, same_headline

    found = idempotency.sent_with(key) if key else None
    if found is not None:
        if (
            same_headline.comparable_words(found.update.headline)
            != same_headline.comparable_words(read.headline)
            or found.topic != topic
        ):
            raise CommandFailed(
                f"--key: alert {found.pk}, “{found.update.headline}”, was sent with it; take "
                f"another one"
            )
        click.echo(
            f"Alert {found.pk} was sent with this key already; nothing more is sent.", err=True
        )
        return found
    like = None if key or again else same_headline.sent_before(read.headline, topic)
    if like is not None:
        when = timezone.localtime(like.frozen_at).strftime("%Y-%m-%d %H:%M %Z")
        raise CommandFailed(
            f"“{like.update.headline}” went to {topic.name} as alert {like.pk}, {when}; it "
            f"is {like.state}. Nothing "
            f"was sent. To send it once more: --again. `morefollows alerts show {like.pk}` "
            f"tells how it stands."
        )
    return None


def _editor(email: str | None) -> Editor:
    from morefollows.accounts.models import Editor, Role

    active = Editor.objects.filter(is_active=True)
    if email is None:
        found = active.filter(role=Role.ADMINISTRATOR).order_by("pk").first()
        if found is None:
            raise CommandFailed(
                "There is no administrator yet. `morefollows editors add` makes one; or name "
                "one with --as."
            )
        return found
    found = active.filter(email__iexact=email.strip()).first()
    if found is None:
        raise CommandFailed(
            f"--as {email}: nobody at the desk has this address; `morefollows editors list` "
            f"shows who has."
        )
    return found


def _topic(slug: str | None) -> Topic:
    from morefollows.audience.topics.actions import in_use

    found = in_use().filter(slug=slug).first() if slug else in_use().first()
    if found is None and slug:
        known = ", ".join(in_use().values_list("slug", flat=True))
        raise CommandFailed(
            f"There is no topic {slug}. There are: "
            f"{known or 'none; `morefollows topics add` makes one'}"
        )
    if found is None:
        raise CommandFailed("There is no topic yet. `morefollows topics add` makes one.")
    return found


def _watch(alert: Alert) -> Progress:
    """Follows an alert until it ends, or until it is clear that no sender runs."""
    from morefollows.feedback.progress import progress

    now = progress(alert)
    if now["state"] == "held" and now["held_until_ms"] > now["now"]:
        click.echo(
            f"Held for {(now['held_until_ms'] - now['now']) / 1000:.0f} s;"
            " the desk can take it back.",
            err=True,
        )
    trouble = ""
    with click.progressbar(length=1, label="Accepted", file=sys.stderr, show_pos=True) as bar:
        while True:
            now = progress(alert)
            if trouble != (trouble := _trouble(now["relays"])) and trouble:
                click.echo(f"\n{trouble}", err=True)
            bar.length = max(now["size"], 1)
            bar.update(now["accepted"] + now["refused"] + now["skipped"] - bar.pos)
            if now["state"] not in _ON_ITS_WAY:
                return now
            if (
                now["state"] == "held"
                and now["now"] > now["held_until_ms"] + _TAKEN_UP_WITHIN * 1000
            ):
                return now
            time.sleep(_LOOK_EVERY)


def _why_not_sent(progress: Progress) -> str:
    from morefollows.courier.restore.actions import hold_reason

    if progress["state"] == "held" and hold_reason():
        return (
            "The database is older than what a sender last saw, so nothing is mailed. The "
            "alert goes out when somebody "
            "says so, at the desk or by `morefollows restores go-on`."
        )
    if progress["state"] == "held":
        return (
            "No sender process is running, so the alert waits. It goes out as soon as one "
            "does: start `morefollows up`."
        )
    return f"The alert was not sent to everybody: it is {progress['state']}."


@click.group()
def alerts() -> None:
    """What went out."""


@alerts.command("show")
@click.argument("number", type=click.IntRange(1, 2**63 - 1))
@json_option
def show_alert(number: int, as_json: bool) -> None:
    """Show how alert NUMBER stands."""
    from morefollows.processes import bootstrap

    bootstrap.start_django()
    from morefollows.feedback.progress import progress
    from morefollows.stories.models import Alert

    alert = Alert.objects.select_related("update", "topic").filter(pk=number).first()
    if alert is None:
        raise CommandFailed(f"There is no alert {number}.")
    _tell({"alert": alert.pk, **progress(alert)}, alert, as_json)


def _tell(report: dict[str, Any], alert: Alert, as_json: bool) -> None:
    if as_json:
        tell_json(report)
        return
    click.echo(f"{alert.update.headline}")
    click.echo(
        f"Alert {alert.pk} to {alert.topic or alert.get_audience_display()}: {report['state']}"
    )
    counts = ("accepted", "deferred", "refused", "skipped", "uncertain", "expired", "waiting")
    click.echo(
        f"{report['size']:,} readers: "
        + ", ".join(
            f"{report[name]:,} {name}" for name in counts if report[name] or name == "accepted"
        )
        + (f"; {report['repeated']:,} sent again" if report["repeated"] else "")
    )
    reached = report["seconds"]
    marks = {"first": "first", "p50": "50 %", "p90": "90 %", "p99": "99 %", "last": "last"}
    times = [
        f"{words} {reached[mark]:.3f} s"
        for mark, words in marks.items()
        if reached[mark] is not None
    ]
    if times:
        click.echo(f"From the end of the hold: {', '.join(times)}; {report['rate']:,.0f} a second")
    for verdict in report["reply_counts"]:
        click.echo(
            f"  {verdict['count']:,} {verdict['outcome']} at {verdict['domain']}: "
            f"{verdict['code']} {verdict['status']} {verdict['text']}"
        )
    if trouble := _trouble(report["relays"]):
        click.echo(trouble)


def _trouble(relays: list[RelayState]) -> str:
    return "\n".join(words for relay in relays if (words := _trouble_of(relay)))


def _trouble_of(relay: RelayState) -> str:
    if relay["paused"]:
        why = relay["reason"] or f"{relay['paused_by']} paused it"
        return f"Sending to {relay['name']} is paused until an editor resumes it at the desk: {why}"
    if relay["trouble"]:
        return f"{relay['name']} can't be reached just now: {relay['trouble']}"
    return ""
