"""Adds, changes, pauses and removes sources. Each is one transaction, with its audit entry."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows import notify
from morefollows.accounts.models import PROGRAMS, Editor, Role
from morefollows.audience.models import Topic
from morefollows.audit.actions import changes, record
from morefollows.helpers import plain_text
from morefollows.ingest.models import Source
from morefollows.ingest.reading import profiles
from morefollows.ingest.sources import secrets
from morefollows.ingest.sources.addresses import account_of, checked_address, shown_host
from morefollows.stories.errors import ActionRefused

LEAST_SECONDS = 10  #: between two polls
MOST_SECONDS = 7 * 24 * 3600
#: Said on `notify` when sources have changed.
CHANGED = "sources"
#: Said on `notify` when items wait to be decided on.
RECEIVED = "items"
#: Fields that an administrator may change, beside address and password.
_CHANGEABLE = (
    *("name", "profile", "topic", "language", "text_from", "unmatched", "sends_alone"),
    "interval_seconds",
)


def add_source(
    name: str,
    kind: str,
    *,
    address: str = "",
    by: Editor | None,
    password: str = "",
    **fields: Any,
) -> Source:
    """Adds a source, and the account that its drafts are written by.

    `by`: None for a command. `fields`: others of `Source` that can be changed. Raises
    `ValidationError` with errors by field.
    """
    plain, inside = checked_address(kind, address, by_command=by is None)
    source = Source(name=name.strip(), kind=kind, address=plain, created_by=by)
    _set_fields(source, fields)
    source.sealed_password = secrets.seal_secret(password or inside, source.uuid)
    with transaction.atomic():
        account = Editor(
            email=f"{uuid.uuid4()}{PROGRAMS}", name=source.name, role=Role.REPORTER, all_topics=True
        )
        account.set_unusable_password()
        source.account = account
        _check(source)
        account.save()
        source.account = account
        source.save()
        record(by, "add source", subject=source.name, kind=kind, of=shown_host(source))
        _tell_on_commit()
    return source


def change_source(
    source: Source,
    by: Editor | None,
    *,
    address: str | None = None,
    password: str | None = None,
    **fields: Any,
) -> Source:
    """Changes a source; None leaves a part as it is. Raises `ValidationError` as `add_source`.

    A password is for one host: with another one in the address it has to be given again.
    """
    with transaction.atomic():
        source = Source.objects.select_for_update(of=("self",)).get(pk=source.pk)
        before = _summary(source)
        _set_fields(source, fields)
        if address is not None:
            plain, inside = checked_address(source.kind, address, by_command=by is None)
            password = inside or password
            if plain != source.address:
                if password is None and account_of(plain) != account_of(source.address):
                    password = ""  # it was entered for another host or mailbox
                _forget_address(source)
                source.address = plain
        if password is not None:
            source.sealed_password = secrets.seal_secret(password, source.uuid)
        _check(source)
        source.save()
        Editor.objects.filter(pk=source.account_id).update(name=source.name)
        changed = changes(before, _summary(source))
        if changed or password is not None:
            record(by, "change source", subject=source.name, changed=changed)
        _tell_on_commit()
    return source


def _set_fields(source: Source, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        if name not in _CHANGEABLE:
            raise TypeError(f"{name} can't be set")
        setattr(source, name, value.strip() if isinstance(value, str) else value)


def _check(source: Source) -> None:
    """Raises `ValidationError` with errors by field."""
    if not source.name:
        raise ValidationError({"name": _("Give the source a name.")})
    plain_text.check_names(name=source.name)
    if not LEAST_SECONDS <= source.interval_seconds <= MOST_SECONDS:
        raise ValidationError(
            {
                "interval_seconds": _("Choose from %(least)d seconds to seven days.")
                % {"least": LEAST_SECONDS}
            }
        )
    if source.profile and profiles.profile_of(source.profile) is None:
        raise ValidationError(
            {
                "profile": _("There are no conventions of this agency. Choose from: %(names)s.")
                % {"names": ", ".join(profiles.NAMES)}
            }
        )
    if source.language and source.language not in dict(settings.LANGUAGES):
        raise ValidationError({"language": _("This language is not set up here.")})
    if source.topic is not None and source.topic.access == Topic.Access.RETIRED:
        raise ValidationError({"topic": _("This topic is retired.")})
    checked = {"name", "kind", "address", *_CHANGEABLE}
    source.full_clean(exclude=[one.name for one in Source._meta.fields if one.name not in checked])


def _forget_address(source: Source) -> None:
    """What was learned of the address before."""
    source.moved_to = source.etag = source.last_modified = source.digest = source.error = ""
    source.gone_at = source.error_since = source.due_at = None
    source.failures, source.pace, source.position = 0, {}, {}
    source.websub, source.websub_hub, source.websub_topic = Source.WebSub.NONE, "", ""
    source.websub_token, source.websub_secret = "", b""
    source.websub_until = source.websub_due_at = None


def _summary(source: Source) -> dict[str, str]:
    """What the activity log says of a source. Addresses may hold secrets: only the host."""
    values = {name: str(getattr(source, name) or "") for name in _CHANGEABLE}
    return values | {"of": shown_host(source)}


def pause_source(source: Source, by: Editor | None) -> None:
    """Takes nothing in from it until `resume_source`. Idempotent."""
    with transaction.atomic():
        active = Source.objects.filter(pk=source.pk, paused_at=None, removed_at=None)
        if active.update(paused_at=timezone.now()):
            record(by, "pause source", subject=source.name)
            _tell_on_commit()


def resume_source(source: Source, by: Editor | None) -> None:
    """Lets it go on, and tries it at once. Idempotent. Raises `ActionRefused` if it was removed."""
    with transaction.atomic():
        kept = Source.objects.select_for_update(of=("self",)).get(pk=source.pk)
        if kept.removed_at is not None:
            raise ActionRefused(_("This source has been removed. Add it again."))
        if kept.paused_at is None and kept.gone_at is None and not kept.failures:
            return
        kept.paused_at = kept.gone_at = kept.due_at = None
        kept.failures = 0
        kept.save()
        record(by, "resume source", subject=source.name)
        _tell_on_commit()


def poll_source_now(source: Source, by: Editor | None) -> None:
    """Has it polled at once. Raises `ActionRefused` if it is paused, removed or not polled."""
    with transaction.atomic():
        kept = Source.objects.select_for_update(of=("self",)).get(pk=source.pk)
        if not kept.is_active or kept.kind == Source.Kind.PUSH:
            raise ActionRefused(_("It is not looked at now. Resume it first."))
        kept.due_at = kept.gone_at = None
        kept.failures = 0
        kept.save(update_fields=["due_at", "gone_at", "failures"])
        record(by, "try source", subject=source.name)
        _tell_on_commit()


def remove_source(source: Source, by: Editor | None) -> None:
    """Takes nothing in from it any more. What came of it stays. Its name is free. Idempotent."""
    with transaction.atomic():
        kept = Source.objects.select_for_update(of=("self",)).get(pk=source.pk)
        if kept.removed_at is not None:
            return
        name, kept.removed_at = kept.name, timezone.now()
        kept.name = f"{kept.name[:80]} ({kept.uuid.hex[:12]})"
        kept.sealed_password = kept.websub_secret = b""
        kept.websub_token = ""
        kept.save()
        Editor.objects.filter(pk=kept.account_id).update(is_active=False)
        record(by, "remove source", subject=name)
        _tell_on_commit()


def _tell_on_commit() -> None:
    transaction.on_commit(tell_processes)


def tell_processes() -> None:
    """Has `up` start the ingest process, if it does not run, and that look at its sources."""
    data = settings.MOREFOLLOWS.data
    if Source.objects.filter(removed_at=None).exists():
        wanted_file(data).touch()
    notify.announce(data, CHANGED)


def wanted_file(data: Path) -> Path:
    """A file that exists while there are sources: `up` runs the ingest process then."""
    return data / "ingest-wanted"
