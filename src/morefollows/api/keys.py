"""Makes, checks and revokes keys. Each change is one transaction, with its entry in the log."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.accounts.models import Editor, Role
from morefollows.api.models import ApiKey
from morefollows.api.scopes import Scope
from morefollows.audience.models import Topic
from morefollows.audit.actions import record

_PREFIX = "mf_"  # so that scanners of repositories and people know what it is
_BYTES = 32
_NOTED_EVERY = timedelta(hours=1)  # of `last_used_at`: a read must not be a write each time


def create_key(
    name: str,
    *,
    created_by: Editor | None,
    role: Role,
    scopes: Iterable[str],
    topics: Sequence[Topic] | None = None,
    offers: bool = False,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Makes a key. Returns it with its text, which is not stored and can't be shown again.

    `created_by`: an administrator; None for a command. `role`: whose rights the program has.
    `topics`: it writes and sends for these alone; None: for all. `offers`: it may write offers.

    Raises `ValidationError` with errors by field.
    """
    wanted = sorted(set(scopes))
    if unknown := [scope for scope in wanted if scope not in Scope.values]:
        raise ValidationError(
            {"scopes": _("There is no scope %(names)s.") % {"names": ", ".join(unknown)}}
        )
    if not wanted:
        raise ValidationError({"scopes": _("Choose what the key is for.")})
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationError({"expires_at": _("Choose a time that is still ahead.")})
    text = _PREFIX + secrets.token_urlsafe(_BYTES)
    with transaction.atomic():
        account = _make_account(name, role, topics, offers)
        key = ApiKey.objects.create(
            name=account.name,
            digest=_digest(text),
            account=account,
            scopes=wanted,
            created_by=created_by,
            created_at=timezone.now(),
            expires_at=expires_at,
        )
        record(
            created_by,
            "make API key",
            subject=key.name,
            key=str(key.uuid),
            scopes=", ".join(wanted),
            role=role,
            topics=", ".join(topic.slug for topic in topics) if topics is not None else "",
        )
    return key, text


def _make_account(name: str, role: Role, topics: Sequence[Topic] | None, offers: bool) -> Editor:
    """The editor as whom the program acts. Its address is nobody's, and it has no password."""
    account = Editor(
        email=f"{uuid.uuid4()}@program.invalid",
        name=name.strip(),
        role=role,
        writes_offers=offers,
        all_topics=topics is None,
    )
    account.set_unusable_password()
    account.full_clean()
    account.save()
    if topics is not None:
        account.topics.set(topics)
    return account


def revoke_key(key: ApiKey, editor: Editor | None) -> None:
    """Ends the key at once. Idempotent. `editor`: None for a command."""
    with transaction.atomic():
        if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
            Editor.objects.filter(pk=key.account_id).update(is_active=False)
            record(editor, "revoke API key", subject=key.name, key=str(key.uuid))


def made_by(editor: Editor) -> list[ApiKey]:
    """The usable keys that an editor made, and may have kept, the newest first."""
    now = timezone.now()
    made = ApiKey.objects.filter(created_by=editor, revoked_at=None)
    return [key for key in made if key.is_usable(now)]


def find_key(text: str) -> ApiKey | None:
    """The valid key with this text; None if there is none, or if it has expired or was revoked."""
    now = timezone.now()
    found = (
        ApiKey.objects.select_related("account")
        .filter(Q(expires_at=None) | Q(expires_at__gt=now), digest=_digest(text), revoked_at=None)
        .first()
    )
    if found is None or not found.account.is_active:
        return None
    if found.last_used_at is None or found.last_used_at < now - _NOTED_EVERY:
        ApiKey.objects.filter(pk=found.pk).update(last_used_at=now)
    return found


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
