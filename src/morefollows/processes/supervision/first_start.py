"""The first start: creates the database, a newsroom, and an administrator account."""

from __future__ import annotations

from pathlib import Path

import click

from morefollows.config.settings import SettingsError
from morefollows.processes import bootstrap
from morefollows.processes.supervision import up_jobs

SAMPLE_STORY = Path(__file__).with_name("sample_story.md")  #: a fictional story of our own


def prepare_data(*, sample: bool, administrator: str) -> str | None:
    """Brings the database up to date, creates what is missing, and releases claims of the last run.

    Returns the link for the first sign-in until an administrator has signed in. Raises
    `SettingsError` if `administrator` is not a valid address.
    """
    bootstrap.start_django(check=False)
    bootstrap.migrate()
    bootstrap.replay_departures()
    up_jobs.release_claims_of_last_run()
    from django.core.exceptions import ValidationError
    from django.db import transaction

    from morefollows.accounts import actions as accounts
    from morefollows.accounts.models import Editor, Role
    from morefollows.audience import newsroom, placeholders, seeds
    from morefollows.audience.models import Newsroom, Topic
    from morefollows.audit.actions import record

    if not Newsroom.objects.exists():
        if sample:
            newsroom.ensure_sample()
        else:
            newsroom.set_up_newsroom()
    people = Editor.objects.people()
    administrators = people.filter(role=Role.ADMINISTRATOR, is_active=True).order_by("pk")
    if not Editor.objects.exists():
        try:
            with transaction.atomic():
                editor = accounts.add_editor(administrator, accounts.UNNAMED, Role.ADMINISTRATOR)
                record(None, "add editor", name=editor.name, role=editor.role)
        except ValidationError as error:
            raise SettingsError("--administrator", " ".join(error.messages)) from None
        topic = Topic.objects.first()
        if sample and topic is not None:
            from morefollows.ingest import story_file
            from morefollows.ingest.drafts.file_drafts import save_draft

            save_draft(story_file.read_story(SAMPLE_STORY), editor, topic)
    from morefollows.ingest.sources.actions import tell_processes

    tell_processes()
    seeds.want_watcher()  # an objective may be set by the environment alone
    for one in placeholders.blocking():
        click.echo(f"No mail is handed to the relay yet. {one.text}", err=True)
    waiting = [editor for editor in administrators if not editor.has_usable_password()]
    if not waiting or len(waiting) < len(administrators):
        return None
    return accounts.invitation_link(waiting[0])
