"""Whom a key acts for, and which stories, alerts and topics it may see, by their public ids."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from django.db.models import Q, QuerySet

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Right, has_right
from morefollows.api.http.problems import FieldError, ProblemDetails, forbidden, not_found
from morefollows.api.requests import ApiRequest
from morefollows.api.scopes import Scope
from morefollows.audience.models import Purpose, Topic
from morefollows.stories.models import Alert, Story


def account(request: ApiRequest) -> Editor:
    """The editor as whom the key acts. Called behind `requests.KeyWith` only."""
    assert request.api_key is not None
    return request.api_key.account


def administrator(request: ApiRequest, may: str) -> Editor:
    """The account of a key with the role administrator. Raises `ProblemDetails` (403) for others.

    `may`: what only administrators may do, for the message: "change topics".
    """
    by = account(request)
    if not by.may_administer:
        raise forbidden(f"Only a key with the role administrator may {may}.")
    return by


def has_scope(request: ApiRequest, scope: Scope) -> bool:
    return request.api_key is not None and scope.value in request.api_key.scopes


def visible_stories(by: Editor) -> QuerySet[Story]:
    """The stories that the account may see: without offers if it has no right to them."""
    found = Story.objects.filter(canary=False).select_related("topic", "author")
    if not by.may_offer:
        found = found.exclude(purpose=Purpose.OFFERS)
    if by.topic_ids is not None:
        found = found.filter(Q(topic__in=by.topic_ids) | Q(topic=None))
    return found


def story_of(request: ApiRequest, story_id: uuid.UUID) -> Story:
    """Raises `ProblemDetails` (404), also for a story that the account may not see."""
    found = visible_stories(account(request)).filter(uuid=story_id).first()
    if found is None:
        raise not_found(f"story {story_id}")
    return found


def check_may_write(by: Editor, story: Story | None, topic: Topic | None) -> None:
    """Raises `ProblemDetails` (403) unless the account may write this."""
    if topic is not None and by.topic_ids is not None and topic.pk not in by.topic_ids:
        raise ProblemDetails(403, "right", f"topic: this key may not write for {topic.slug}.")
    if story is not None and not has_right(by, Right.WRITE, story):
        raise ProblemDetails(403, "right", "The key’s role can’t change this story.")


def visible_alerts(by: Editor) -> QuerySet[Alert]:
    found = Alert.objects.select_related("update__story__topic", "topic", "sent_by")
    return found.filter(update__story__in=visible_stories(by).order_by().values("pk"))


def alert_of(request: ApiRequest, alert_id: uuid.UUID) -> Alert:
    """Raises `ProblemDetails` (404), also for an alert that the account may not see."""
    found = visible_alerts(account(request)).filter(uuid=alert_id).first()
    if found is None:
        raise not_found(f"alert {alert_id}")
    return found


def topic_by_slug(slug: str, field: str = "topic") -> Topic:
    """Raises `ProblemDetails` (404) that names the field."""
    found = Topic.objects.filter(slug=slug).first()
    if found is None:
        detail = f"there is no topic {slug!r}; GET /api/v1/topics lists them"
        raise ProblemDetails(
            404, "not-found", f"{field}: {detail}", errors=[FieldError(field, detail)]
        )
    return found


def at_ms(value: int | None) -> datetime | None:
    """A time in milliseconds since 1970 as a datetime."""
    return None if value is None else datetime.fromtimestamp(value / 1000, UTC)
