"""The key of the request itself: what a program asks to test its connection."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from ninja import Field, Router, Schema

from morefollows.api.requests import AnyKey, ApiRequest
from morefollows.api.resources.access import account
from morefollows.audience.models import Newsroom, Topic

router = Router()


class KeyOut(Schema):
    """What the key may be used for. The key itself is never shown again."""

    id: uuid.UUID
    name: str
    role: str
    scopes: list[str]
    topics: list[str] | None = Field(description="Slugs that it is bound to; null: all topics.")
    expires_at: datetime | None
    newsroom: str = Field(description="Whose alerts these are.")
    hold_seconds: float = Field(description="How long alerts are held, unless the request says.")


@router.get("", auth=AnyKey(), response=KeyOut, operation_id="getKey")
def get_key(request: ApiRequest) -> Any:
    """Show what the key of this request may be used for. It needs no scope."""
    key = request.api_key
    assert key is not None
    bound_to = account(request).topic_ids
    newsroom = Newsroom.objects.filter(pk=1).first()
    return KeyOut(
        id=key.uuid,
        name=key.name,
        role=key.account.role,
        scopes=key.scopes,
        topics=None
        if bound_to is None
        else list(Topic.objects.filter(pk__in=bound_to).values_list("slug", flat=True)),
        expires_at=key.expires_at,
        newsroom=newsroom.name if newsroom else "",
        hold_seconds=settings.MOREFOLLOWS.hold,
    )
