"""What becomes of drafts beside being written and sent: approval, deletion; and closed stories."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from ninja import Field, Router, Schema, Status

from morefollows.accounts.models import Editor
from morefollows.api.fields import Line, Whole
from morefollows.api.http.preconditions import WITH_IF_MATCH, expected_revision, set_etag
from morefollows.api.http.problems import FieldError, ProblemDetails
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import account, story_of
from morefollows.api.resources.stories import StoryOut, story_out
from morefollows.api.resources.stories import router as story_router
from morefollows.api.scopes import Scope
from morefollows.courier.outbox import to_editors
from morefollows.stories import checks
from morefollows.stories.drafts import actions as drafts
from morefollows.stories.drafts import approval, deletion
from morefollows.stories.drafts.approval_requests import request_approval

router = Router()


class ApproverOut(Schema):
    id: int
    name: str


class ApproverList(Schema):
    items: list[ApproverOut]


class ApprovalIn(Schema):
    """A request for approval. It is mailed, and stands on Home."""

    approver: Whole = Field(ge=1, le=2**31 - 1, description="The id, of `GET …/approvers`.")
    note: Line = Field("", max_length=checks.NOTE_LIMIT)


@router.get(
    "/{uuid:story_id}/approvers",
    auth=KeyWith(Scope.STORIES_READ),
    response=ApproverList,
    operation_id="listApprovers",
)
def list_approvers(request: ApiRequest, story_id: uuid.UUID) -> Any:
    """List who may approve the story’s draft."""
    found = approval.approvers(story_of(request, story_id))
    return {"items": [ApproverOut(id=one.pk, name=one.name) for one in found]}


@router.post(
    "/{uuid:story_id}/approval-request",
    auth=KeyWith(Scope.STORIES_WRITE),
    response={202: StoryOut},
    operation_id="requestApproval",
    openapi_extra=WITH_IF_MATCH,
)
def ask_for_approval(
    request: ApiRequest, response: HttpResponse, story_id: uuid.UUID, payload: ApprovalIn
) -> Any:
    """Ask a colleague to approve the draft. With that it can be sent by `alerts:send` alone."""
    with transaction.atomic():
        story = story_of(request, story_id)
        asked = request_approval(
            story,
            account(request),
            of=_colleague(payload.approver),
            revision=expected_revision(request, story.revision),
            note=payload.note,
        )
        to_editors.ask_for_approval(asked)
    return Status(202, _shown(request, response, story_id))


def _colleague(number: int) -> Editor:
    found = Editor.objects.people().filter(pk=number, is_active=True).first()
    if found is None:
        detail = "there is nobody with this id; GET …/approvers lists who may approve"
        raise ProblemDetails(
            404, "not-found", f"approver: {detail}", errors=[FieldError("approver", detail)]
        )
    return found


@story_router.delete(
    "/{uuid:story_id}",
    auth=KeyWith(Scope.STORIES_WRITE),
    response={204: None},
    operation_id="deleteDraft",
)
def delete_draft(request: ApiRequest, story_id: uuid.UUID) -> Any:
    """Delete the draft of a story that was never sent. `…/restore` brings it back for a while."""
    deletion.delete_draft(story_of(request, story_id), account(request))
    return Status(204, None)


@router.post(
    "/{uuid:story_id}/restore",
    auth=KeyWith(Scope.STORIES_WRITE),
    response=StoryOut,
    operation_id="restoreDraft",
)
def restore_draft(request: ApiRequest, response: HttpResponse, story_id: uuid.UUID) -> Any:
    """Bring back a draft that was deleted."""
    deletion.bring_back(story_of(request, story_id), account(request))
    return _shown(request, response, story_id)


@router.post(
    "/{uuid:story_id}/close",
    auth=KeyWith(Scope.ALERTS_SEND),
    response=StoryOut,
    operation_id="closeStory",
)
def close_story(request: ApiRequest, response: HttpResponse, story_id: uuid.UUID) -> Any:
    """Close the story: its page no longer says that more follows. Nothing is mailed."""
    drafts.finish_story(story_of(request, story_id), account(request))
    return _shown(request, response, story_id)


@router.post(
    "/{uuid:story_id}/reopen",
    auth=KeyWith(Scope.ALERTS_SEND),
    response=StoryOut,
    operation_id="reopenStory",
)
def reopen_story(request: ApiRequest, response: HttpResponse, story_id: uuid.UUID) -> Any:
    """Reopen a closed story: more may follow, and its page says so. Nothing is mailed."""
    drafts.reopen_story(story_of(request, story_id), account(request))
    return _shown(request, response, story_id)


def _shown(request: ApiRequest, response: HttpResponse, story_id: uuid.UUID) -> StoryOut:
    story = story_of(request, story_id)
    set_etag(response, story.revision)
    return story_out(story)
