"""Connects a Ghost, and ends the connection. Each change is one transaction, and in the log."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.accounts.models import Editor, Role
from morefollows.api.keys import create_key, revoke_key
from morefollows.api.models import GhostConnection
from morefollows.api.scopes import Scope
from morefollows.api.webhooks.signatures import open_webhook_secret, seal_webhook_secret
from morefollows.audience.models import Topic
from morefollows.audit.actions import record

_BYTES = 24
_ALWAYS = (Scope.STORIES_READ, Scope.STORIES_WRITE, Scope.ALERTS_READ, Scope.ALERTS_SEND)


class NewConnection(NamedTuple):
    """What has to be entered in Ghost. It can't be shown again."""

    connection: GhostConnection
    token: str  #: the last part of the address
    secret: str


def connect_ghost(
    name: str,
    *,
    by: Editor | None,
    topic: Topic,
    tags: Mapping[str, Topic],
    send_alone: bool = False,
    on_edit: str = GhostConnection.OnEdit.DRAFT,
    on_unpublish: str = GhostConnection.OnUnpublish.NOTHING,
    whole_text: bool = False,
) -> NewConnection:
    """Connects a Ghost, with a key of its own whose text nobody has.

    `by`: an administrator; None for a command. `topic`: of posts without a tag in `tags` (slug of a
    tag → topic) and without a tag that has a topic's slug. `send_alone`: alerts go out without
    approval; otherwise posts become drafts, which an editor sends.

    Raises `ValidationError` with errors by field.
    """
    if on_unpublish == GhostConnection.OnUnpublish.RETRACT and not send_alone:
        raise ValidationError(
            {"on_unpublish": _("Retracting needs the right to send without approval.")}
        )
    token, secret = secrets.token_urlsafe(_BYTES), secrets.token_urlsafe(_BYTES)
    scopes = [*_ALWAYS, *([Scope.ALERTS_SEND_ALONE] if send_alone else [])]
    with transaction.atomic():
        key, _text = create_key(name, created_by=by, role=Role.EDITOR, scopes=scopes)
        connection = GhostConnection.objects.create(
            key=key,
            token_digest=token_digest(token),
            secret=seal_webhook_secret(secret),
            topic=topic.slug,
            tags={tag: one.slug for tag, one in tags.items()},
            on_edit=on_edit,
            on_unpublish=on_unpublish,
            whole_text=whole_text,
            created_at=timezone.now(),
        )
        record(by, "connect Ghost", subject=key.name, connection=str(connection.uuid))
    return NewConnection(connection, token, secret)


def disconnect_ghost(connection: GhostConnection, by: Editor | None) -> None:
    """Ends the connection at once, and its key. What was sent stays."""
    with transaction.atomic():
        revoke_key(connection.key, by)
        GhostConnection.objects.filter(pk=connection.pk).delete()
        record(by, "disconnect Ghost", subject=connection.key.name)


def connection_with(token: str) -> GhostConnection | None:
    """The connection that has this token; None if there is none, or if its key has ended."""
    found = (
        GhostConnection.objects.select_related("key__account")
        .filter(token_digest=token_digest(token), key__revoked_at=None)
        .first()
    )
    return found if found is not None and found.key.account.is_active else None


def secret_of(connection: GhostConnection) -> str | None:
    """The secret that Ghost signs with; None if the key that sealed it is gone."""
    return open_webhook_secret(bytes(connection.secret))


def token_digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
