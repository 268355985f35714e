"""Sessions at the desk: stored with whose they are, and from which device and network.

`SESSION_ENGINE` names this module. Only what an editor's browser does makes a session: readers'
pages neither set nor read one.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest
from django.utils import timezone

from morefollows.accounts.models import DeskSession, Editor

#: Names in a session's data.
DEVICE, PLACE, BEGUN = "device", "place", "begun"
#: seconds since 1970 when its editor last proved who it is
AUTHENTICATED = "authenticated"
_SEEN_EVERY = timedelta(minutes=1)


class SessionStore(DatabaseStore):
    """Django's database sessions, with columns of `DeskSession`."""

    @classmethod
    def get_model_class(cls) -> type[DeskSession]:
        return DeskSession

    #: When the session was last seen, as of its loading.
    seen_at: datetime | None = None

    def _get_session_from_db(self) -> DeskSession | None:
        found: DeskSession | None = super()._get_session_from_db()  # type: ignore[misc]
        if found is not None:
            self.seen_at = found.seen_at
        return found

    def create_model_instance(self, data: dict[str, Any]) -> DeskSession:
        now = timezone.now()
        begun = data.get(BEGUN)
        return DeskSession(
            session_key=self._get_or_create_session_key(),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            editor_id=int(data[SESSION_KEY]) if SESSION_KEY in data else None,
            device_id=data.get(DEVICE),
            place=data.get(PLACE, ""),
            begun_at=datetime.fromisoformat(begun) if begun else now,
            seen_at=now,
        )

    async def acreate_model_instance(self, data: dict[str, Any]) -> DeskSession:
        return await sync_to_async(self.create_model_instance)(data)


def of_editor(editor: Editor) -> list[DeskSession]:
    """The editor's sessions, the last seen first."""
    found = DeskSession.objects.filter(editor=editor, expire_date__gt=timezone.now())
    return list(found.select_related("device").order_by("-seen_at"))


def is_signed_in(session_key: str | None) -> bool:
    """Whether the session has not ended, and its editor is not disabled."""
    now = timezone.now()
    found = DeskSession.objects.filter(session_key=session_key or "", expire_date__gt=now)
    return found.filter(editor__is_active=True).exists()


def seen(session: SessionBase) -> None:
    """Notes that the session is used, about once a minute."""
    now, last = timezone.now(), getattr(session, "seen_at", None)
    if last is not None and now - last > _SEEN_EVERY:
        DeskSession.objects.filter(session_key=session.session_key).update(seen_at=now)


def note_sign_in(request: HttpRequest, **_signal: Any) -> None:
    """Receiver of `user_logged_in`: notes in the session when it began."""
    request.session[AUTHENTICATED] = time.time()
    request.session[BEGUN] = timezone.now().isoformat()
