"""Topics, and how many readers would get an alert."""

from __future__ import annotations

import uuid
from typing import Any, Literal, cast

from django.db import transaction
from django.http import HttpResponse
from ninja import Field, Router, Schema, Status

from morefollows.api.fields import Line, Slug, SomeLine, YesNo
from morefollows.api.http.problems import ProblemDetails, not_found
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import administrator, topic_by_slug
from morefollows.api.scopes import Scope
from morefollows.audience.models import Topic
from morefollows.audience.topics import actions, merging
from morefollows.stories.alerts import alert_audience

router = Router()
_MAY = "change topics"  # with the role administrator alone

Access = Literal["open", "invited", "retired"]


class TopicOut(Schema):
    id: uuid.UUID
    slug: str
    name: str
    description: str
    position: int
    access: Access = Field(description="Who can sign up: everybody, who has the link, nobody.")


class TopicIn(Schema):
    name: SomeLine = Field(max_length=100)
    description: Line = Field("", max_length=300)
    slug: Slug | None = Field(None, description="In web addresses; made of the name if left out.")
    access: Literal["open", "invited"] = "open"


class TopicChange(Schema):
    """What is left out, or null, stays."""

    name: SomeLine | None = Field(None, max_length=100)
    description: Line | None = Field(None, max_length=300)
    access: Access | None = None


class OrderIn(Schema):
    slugs: list[Slug] = Field(min_length=1, max_length=1000)


class TopicList(Schema):
    items: list[TopicOut]


class MergeIn(Schema):
    into: Slug = Field(description="The topic whose readers they become.")
    dry_run: YesNo = Field(False, description="Only count.")


class MergeOut(Schema):
    """Readers of the topic that is merged."""

    moved: int = Field(description="Become readers of the other topic.")
    both: int = Field(description="Have both already.")
    left: int = Field(description="Unsubscribed from the other topic before: they are not moved.")
    unconfirmed: int = Field(description="Were asked, and have not confirmed yet.")


class InvitationLinkOut(Schema):
    url: str = Field(description="For those who may sign up.")


class CountsOut(Schema):
    """Confirmed readers who can be mailed."""

    readers: int
    by_language: dict[str, int]


class AudienceOut(CountsOut):
    topic: str = Field(description="The slug.")


def topic_out(topic: Topic) -> TopicOut:
    return TopicOut(
        id=uuid.UUID(bytes=bytes(topic.uid)),
        slug=topic.slug,
        name=topic.name,
        description=topic.description,
        position=topic.position,
        access=cast(Access, topic.access),
    )


def _topic(slug: str) -> Topic:
    found = Topic.objects.filter(slug=slug).first()
    if found is None:
        raise not_found(f"topic {slug}")
    return found


@router.get("", auth=KeyWith(Scope.TOPICS_READ), response=TopicList, operation_id="listTopics")
def list_topics(request: ApiRequest) -> Any:
    """List the topics that readers can choose, in their order."""
    return {"items": [topic_out(topic) for topic in Topic.objects.all()]}


@router.post(
    "", auth=KeyWith(Scope.TOPICS_WRITE), response={201: TopicOut}, operation_id="addTopic"
)
def add_topic(request: ApiRequest, response: HttpResponse, payload: TopicIn) -> Any:
    """Add a topic after the others."""
    by = administrator(request, _MAY)
    made = actions.create_topic(
        by,
        payload.name,
        payload.description,
        slug=payload.slug or "",
        invited=payload.access == "invited",
    )
    response["Location"] = f"/api/v1/topics/{made.slug}"
    return Status(201, topic_out(made))


@router.put("", auth=KeyWith(Scope.TOPICS_WRITE), response=TopicList, operation_id="orderTopics")
def order_topics(request: ApiRequest, payload: OrderIn) -> Any:
    """Put these topics first, in this order; the others follow as they were."""
    by = administrator(request, _MAY)
    # `actions.order_topics` would skip an unknown one silently.
    for slug in payload.slugs:
        topic_by_slug(slug, "slugs")
    actions.order_topics(by, payload.slugs)
    return list_topics(request)


@router.patch(
    "/{slug:slug}",
    auth=KeyWith(Scope.TOPICS_WRITE),
    response=TopicOut,
    operation_id="changeTopic",
)
def change_topic(request: ApiRequest, slug: str, payload: TopicChange) -> Any:
    """Change a topic, retire it or bring it back. The slug stays."""
    by, topic = administrator(request, _MAY), _topic(slug)
    with transaction.atomic():
        if payload.access == "retired":
            actions.retire_topic(by, topic)
        elif payload.access is not None and topic.access == Topic.Access.RETIRED:
            # First: `change_topic` leaves who signs up to a retired topic as it is.
            actions.bring_topic_back(by, topic)
        actions.change_topic(
            by,
            topic,
            name=payload.name,
            description=payload.description,
            invited=None if payload.access in (None, "retired") else payload.access == "invited",
        )
    return topic_out(_topic(slug))


@router.post(
    "/{slug:slug}/merge",
    auth=KeyWith(Scope.TOPICS_WRITE),
    response=MergeOut,
    operation_id="mergeTopic",
)
def merge_topic(request: ApiRequest, slug: str, payload: MergeIn) -> Any:
    """Retire a topic and move its readers, with their consents, to another one. No way back."""
    by, topic, into = (
        administrator(request, _MAY),
        _topic(slug),
        topic_by_slug(payload.into, "into"),
    )
    if payload.dry_run:
        return merging.count_merge(topic, into)._asdict()
    return merging.merge_topics(by, topic, into)._asdict()


@router.get(
    "/{slug:slug}/invitation",
    auth=KeyWith(Scope.TOPICS_READ),
    response=InvitationLinkOut,
    operation_id="getInvitation",
)
def get_invitation(request: ApiRequest, slug: str) -> Any:
    """Show the link by which readers sign up to a topic by invitation."""
    administrator(request, _MAY)
    return {"url": actions.topic_invitation(_by_invitation(slug))}


@router.post(
    "/{slug:slug}/invitation",
    auth=KeyWith(Scope.TOPICS_WRITE),
    response=InvitationLinkOut,
    operation_id="renewInvitation",
)
def renew_invitation(request: ApiRequest, slug: str) -> Any:
    """Make a new invitation link. The one before no longer works."""
    by = administrator(request, _MAY)
    actions.renew_invitation(by, _by_invitation(slug))
    return {"url": actions.topic_invitation(_topic(slug))}


def _by_invitation(slug: str) -> Topic:
    topic = _topic(slug)
    if topic.access != Topic.Access.INVITED:
        raise ProblemDetails(409, "state", f"{topic.name} is not by invitation.")
    return topic


@router.get(
    "/{slug:slug}", auth=KeyWith(Scope.TOPICS_READ), response=TopicOut, operation_id="getTopic"
)
def get_topic(request: ApiRequest, slug: str) -> Any:
    """Show a topic."""
    return topic_out(_topic(slug))


@router.get(
    "/{slug:slug}/audience",
    auth=KeyWith(Scope.TOPICS_READ),
    response=AudienceOut,
    operation_id="getAudience",
)
def get_audience(request: ApiRequest, slug: str) -> Any:
    """Count the readers whom an alert to this topic would reach."""
    topic = _topic(slug)
    languages = alert_audience.by_language(topic)
    return {"topic": topic.slug, "readers": sum(languages.values()), "by_language": languages}
