"""Stories, their drafts and updates; sending and withdrawing them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from ninja import Field, Query, Router, Schema, Status

from morefollows.api.fields import (
    Language,
    Line,
    Moment,
    Number,
    Slug,
    SomeLine,
    SomeMarkdown,
    Whole,
    YesNo,
)
from morefollows.api.http.paging import PageQuery, page
from morefollows.api.http.preconditions import (
    WITH_IF_MATCH,
    expected_revision,
    is_unchanged,
    set_etag,
)
from morefollows.api.http.problems import FieldError, ProblemDetails
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import (
    account,
    check_may_write,
    story_of,
    topic_by_slug,
    visible_stories,
)
from morefollows.api.resources.alerts import AlertOut, alert_out, send_story
from morefollows.api.scopes import Scope
from morefollows.audience.models import Topic
from morefollows.stories import actions, checks
from morefollows.stories.drafts import actions as drafts
from morefollows.stories.models import Alert, Story, Update

router = Router()


class StoryIn(Schema):
    """The draft of a new story."""

    headline: SomeLine = Field(max_length=checks.HEADLINE_LIMIT, description="One line.")
    standfirst: Line = Field("", max_length=checks.STANDFIRST_LIMIT, description="One line.")
    text: SomeMarkdown = Field(max_length=checks.TEXT_LIMIT, description="Markdown.")
    topic: Slug | None = Field(None, description="The slug of a topic; the first one if left out.")
    language: Language | None = Field(None, description="null: the newsroom’s first.")
    embargo_until: Moment | None = Field(None, description="Nothing is published before.")
    drill: YesNo = Field(False, description="It goes to the drill’s readers only.")
    offer: YesNo = Field(False, description="For those who agreed to offers; it has no topic.")
    id: uuid.UUID | None = Field(None, description="Of your choice; made if left out.")


class StoryChange(Schema):
    """What changes in the draft of a story that has not been sent. What is left out stays."""

    headline: SomeLine | None = Field(None, max_length=checks.HEADLINE_LIMIT)
    standfirst: Line | None = Field(None, max_length=checks.STANDFIRST_LIMIT)
    text: SomeMarkdown | None = Field(None, max_length=checks.TEXT_LIMIT)
    topic: Slug | None = None
    language: Language | None = None
    embargo_until: Moment | None = None


class UpdateIn(Schema):
    """The draft of a later update."""

    kind: Literal["update", "correction", "final"] = "update"
    headline: SomeLine = Field(max_length=checks.HEADLINE_LIMIT)
    standfirst: Line = Field("", max_length=checks.STANDFIRST_LIMIT)
    text: SomeMarkdown = Field(max_length=checks.TEXT_LIMIT)
    note: Line = Field(
        "", max_length=checks.NOTE_LIMIT, description="Of a correction: what was wrong."
    )
    corrects: list[Annotated[Whole, Field(ge=1, le=2**31 - 1)]] = Field(
        default_factory=list, max_length=100, description="Numbers of the updates it puts right."
    )


class WithdrawalIn(Schema):
    """A withdrawal. It is mailed to those who were sent any of the story."""

    reason: SomeLine = Field(max_length=checks.NOTE_LIMIT, description="One line, published.")
    text: SomeMarkdown = Field(max_length=checks.TEXT_LIMIT, description="Markdown, published.")
    hold_seconds: Number | None = Field(None, ge=0, le=600)


class SendIn(Schema):
    """How the story’s draft is sent."""

    hold_seconds: Number | None = Field(
        None, ge=0, le=600, description="In which it can be taken back; null: as set."
    )
    audience: Literal["topic", "followers", "recipients", "drill", "offers", "page"] | None = None
    flash: YesNo = Field(False, description="Passes the quiet hours of readers who allow it.")
    at: Moment | None = Field(None, description="Not before this time.")
    again: YesNo = Field(False, description="Though the same headline went out within 24 hours.")


class StoryOut(Schema):
    id: uuid.UUID
    state: str
    purpose: str
    drill: bool
    kind: str = Field(description="Of the draft’s update.")
    headline: str
    standfirst: str
    text: str
    note: str
    corrects: list[int]
    language: str
    topic: str | None
    embargo_until: datetime | None
    revision: int = Field(description="Raised by each save; it is the ETag.")
    approved: bool
    deleted: bool = Field(description="It can be restored for a while.")
    author: str
    created_at: datetime
    changed_at: datetime
    page_url: str = Field(description="Empty for a topic by invitation: it has no public page.")


class UpdateOut(Schema):
    number: int | None
    kind: str
    headline: str
    standfirst: str
    text: str
    note: str
    corrects: list[int]
    language: str
    published_at: datetime | None


class StoryPage(Schema):
    items: list[StoryOut]
    next_cursor: str | None


class UpdatePage(Schema):
    items: list[UpdateOut]
    next_cursor: str | None


class StoryQuery(PageQuery):
    state: Literal["draft", "live", "developing", "final", "withdrawn"] | None = None
    topic: Slug | None = None
    deleted: bool = Field(False, description="Only drafts that were deleted.")


def story_out(story: Story) -> StoryOut:
    return StoryOut(
        id=story.uuid,
        state=story.state,
        purpose=story.purpose,
        drill=story.drill,
        kind=story.kind,
        headline=story.headline,
        standfirst=story.standfirst,
        text=story.text,
        note=story.note,
        corrects=story.answers,
        language=story.language,
        topic=story.topic.slug if story.topic else None,
        embargo_until=story.embargo_until,
        revision=story.revision,
        approved=story.approved_by_id is not None,
        deleted=story.deleted_at is not None,
        author=story.author.name,
        created_at=story.created_at,
        changed_at=story.changed_at,
        page_url=f"{settings.MOREFOLLOWS.url}/story/{story.uuid}/" if story.has_page else "",
    )


def update_out(update: Update) -> UpdateOut:
    return UpdateOut(
        number=update.number,
        kind=update.kind,
        headline=update.headline,
        standfirst=update.standfirst,
        text=update.text,
        note=update.note,
        corrects=update.answers,
        language=update.language,
        published_at=update.published_at,
    )


def _shown(response: HttpResponse, story: Story) -> StoryOut:
    set_etag(response, story.revision)
    return story_out(story)


@router.get("", auth=KeyWith(Scope.STORIES_READ), response=StoryPage, operation_id="listStories")
def list_stories(request: ApiRequest, response: HttpResponse, query: Query[StoryQuery]) -> Any:
    """List stories, newest first."""
    found = visible_stories(account(request)).filter(deleted_at__isnull=not query.deleted)
    if query.state:
        found = found.filter(state=query.state)
    if query.topic is not None:
        found = found.filter(topic=topic_by_slug(query.topic))
    return page(request, response, found, query, story_out)


@router.post(
    "", auth=KeyWith(Scope.STORIES_WRITE), response={201: StoryOut}, operation_id="createStory"
)
def create_story(request: ApiRequest, response: HttpResponse, payload: StoryIn) -> Any:
    """Write the draft of a new story. Nothing is mailed."""
    story = save_new(request, payload)
    response["Location"] = f"/api/v1/stories/{story.uuid}"
    return Status(201, _shown(response, story))


def save_new(request: ApiRequest, payload: StoryIn) -> Story:
    """Saves a new story. Raises `ProblemDetails`, `ValidationError` and `ActionRefused`."""
    topic = _topic_of(payload)
    check_may_write(account(request), None, topic)
    if payload.id is not None and Story.objects.filter(uuid=payload.id).exists():
        detail = "there is a story with this id already"
        raise ProblemDetails(409, "state", f"id: {detail}", errors=[FieldError("id", detail)])
    return drafts.save_story(
        payload.id or uuid.uuid4(),
        account(request),
        revision=0,
        headline=payload.headline,
        standfirst=payload.standfirst,
        text=payload.text,
        topic=topic,
        language=payload.language or settings.MOREFOLLOWS.languages[0],
        embargo_until=payload.embargo_until,
        drill=payload.drill,
    )


def _topic_of(payload: StoryIn) -> Topic | None:
    if payload.offer and (payload.topic is not None or payload.drill):
        detail = "an offer has no topic, and is no drill"
        raise ProblemDetails(
            409, "invalid", f"offer: {detail}", errors=[FieldError("offer", detail)]
        )
    if payload.offer:
        return None
    return topic_by_slug(payload.topic) if payload.topic is not None else _first_topic()


def _first_topic() -> Topic:
    found = Topic.objects.first()
    if found is None:
        raise ProblemDetails(409, "state", "There is no topic yet. An administrator makes one.")
    return found


@router.get(
    "/{uuid:story_id}",
    auth=KeyWith(Scope.STORIES_READ),
    response={200: StoryOut, 304: None},
    operation_id="getStory",
)
def get_story(request: ApiRequest, response: HttpResponse, story_id: uuid.UUID) -> Any:
    """Show a story with its draft."""
    story = story_of(request, story_id)
    shown = _shown(response, story)
    return Status(304, None) if is_unchanged(request, story.revision) else Status(200, shown)


@router.patch(
    "/{uuid:story_id}",
    auth=KeyWith(Scope.STORIES_WRITE),
    response=StoryOut,
    operation_id="changeStory",
    openapi_extra=WITH_IF_MATCH,
)
def change_story(
    request: ApiRequest, response: HttpResponse, story_id: uuid.UUID, payload: StoryChange
) -> Any:
    """Change the draft of a story that has not been sent. Send `If-Match` to overwrite nobody."""
    given = payload.dict(exclude_unset=True)
    with transaction.atomic():
        story = story_of(request, story_id)
        topic = topic_by_slug(given["topic"]) if given.get("topic") else story.topic
        check_may_write(account(request), story, topic)
        draft = {
            name: given[name] if given.get(name) is not None else getattr(story, name)
            for name in ("headline", "standfirst", "text", "language")
        }
        story = drafts.save_story(
            story.uuid,
            account(request),
            revision=expected_revision(request, story.revision),
            topic=topic,
            embargo_until=given.get("embargo_until", story.embargo_until),  # null ends it
            drill=story.drill,
            **draft,
        )
    return _shown(response, story)


@router.put(
    "/{uuid:story_id}/draft",
    auth=KeyWith(Scope.STORIES_WRITE),
    response=StoryOut,
    operation_id="draftUpdate",
    openapi_extra=WITH_IF_MATCH,
)
def draft_update(
    request: ApiRequest, response: HttpResponse, story_id: uuid.UUID, payload: UpdateIn
) -> Any:
    """Write the draft of the next update, correction or final update. Nothing is mailed."""
    with transaction.atomic():
        story = story_of(request, story_id)
        check_may_write(account(request), story, None)  # its topic stays
        story = drafts.save_update(
            story,
            account(request),
            revision=expected_revision(request, story.revision),
            kind=payload.kind,
            headline=payload.headline,
            standfirst=payload.standfirst,
            text=payload.text,
            note=payload.note,
            answers=payload.corrects,
        )
    return _shown(response, story)


@router.get(
    "/{uuid:story_id}/updates",
    auth=KeyWith(Scope.STORIES_READ),
    response=UpdatePage,
    operation_id="listUpdates",
)
def list_updates(
    request: ApiRequest, response: HttpResponse, story_id: uuid.UUID, query: Query[PageQuery]
) -> Any:
    """List what was sent or published of a story, newest first."""
    updates = Update.objects.filter(story=story_of(request, story_id), number__isnull=False)
    return page(request, response, updates, query, update_out)


@router.post(
    "/{uuid:story_id}/alerts",
    auth=KeyWith(Scope.ALERTS_SEND),
    response={202: AlertOut},
    operation_id="sendAlert",
    openapi_extra=WITH_IF_MATCH,
)
def send_alert(
    request: ApiRequest, response: HttpResponse, story_id: uuid.UUID, payload: SendIn
) -> Any:
    """Send the draft. The hold begins, in which it can be taken back."""
    story = story_of(request, story_id)
    alert = send_story(
        request,
        story,
        again=payload.again,
        revision=expected_revision(request, story.revision),
        hold=payload.hold_seconds,
        audience=payload.audience,
        flash=payload.flash,
        at=payload.at,
    )
    return _accepted(response, alert)


@router.post(
    "/{uuid:story_id}/withdrawal",
    auth=KeyWith(Scope.ALERTS_SEND_ALONE),  # nobody has to approve it
    response={202: AlertOut},
    operation_id="withdrawStory",
)
def withdraw_story(
    request: ApiRequest, response: HttpResponse, story_id: uuid.UUID, payload: WithdrawalIn
) -> Any:
    """Withdraw the story: on its page, and by mail to all who were sent any of it."""
    alert = actions.withdraw(
        story_of(request, story_id),
        account(request),
        reason=payload.reason,
        text=payload.text,
        hold=payload.hold_seconds,
    )
    return _accepted(response, alert)


def _accepted(response: HttpResponse, alert: Alert) -> Any:
    response["Location"] = f"/api/v1/alerts/{alert.uuid}"
    return Status(202, alert_out(alert))
