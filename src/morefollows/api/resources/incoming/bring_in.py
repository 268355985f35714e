"""Files and pages that become drafts, as by dropping a file or pasting an address at the desk."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from ninja import Field, Query, Router, Schema, Status

from morefollows.accounts.models import Editor
from morefollows.api.fields import Line, Slug, SomeLine
from morefollows.api.http.problems import FieldError, ProblemDetails
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import account, check_may_write, topic_by_slug
from morefollows.api.resources.stories import StoryOut, story_out
from morefollows.api.scopes import Scope
from morefollows.audience.models import Topic
from morefollows.audience.topics.actions import in_use
from morefollows.ingest import story_file, web_pages
from morefollows.ingest.drafts.file_drafts import save_draft, shown_lists
from morefollows.ingest.story_file import StoryFile, StoryFileError
from morefollows.stories import checks

router = Router()

_HEADLINE = Field(
    "", max_length=checks.HEADLINE_LIMIT, description="Empty: it is looked for in what is read."
)
_TOPIC = Field(None, description="Of the draft. null: the one that is named in it, or the first.")


class FileQuery(Schema):
    file_name: Line = Field("", max_length=200, description="Its ending helps to tell what it is.")
    headline: Line = _HEADLINE
    topic: Slug | None = _TOPIC


class PageIn(Schema):
    address: SomeLine = Field(max_length=2000, description="A web address.")
    headline: Line = _HEADLINE
    topic: Slug | None = _TOPIC


class BroughtInOut(Schema):
    """The draft, and what was seen while it was read."""

    story: StoryOut
    doubts: list[str] = Field(description="What somebody should look at before it is sent.")
    for_editors: list[str] = Field(description="Its own notes. They are not in the text.")
    left_out: list[str]


_KINDS = (
    *("text/plain", "text/markdown", "text/html", "message/rfc822", "application/json"),
    *("application/xml", "application/octet-stream"),
)
_BODY = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _KINDS},
    }
}


@router.post(
    "/file",
    auth=KeyWith(Scope.STORIES_WRITE),
    response={201: BroughtInOut},
    operation_id="bringInFile",
    openapi_extra=_BODY,
)
def bring_in_file(request: ApiRequest, response: HttpResponse, query: Query[FileQuery]) -> Any:
    """Make a draft of a text, page, mail, Word file, ninjs, NewsML-G2 or NITF of up to 2.5 MB.

    409 with `headlines`: it is not certain which line is the headline. Send it again with one.
    """
    try:
        read = story_file.parse_story(
            request.body,
            file_name=query.file_name,
            media_type=(request.content_type or "")[:100],
            headline=query.headline,
        )
    except StoryFileError as error:
        raise _unreadable(error) from None
    return _drafted(request, response, read, query.file_name or "file", query.topic)


@router.post(
    "/page",
    auth=KeyWith(Scope.STORIES_WRITE),
    response={201: BroughtInOut},
    operation_id="bringInPage",
)
def bring_in_page(request: ApiRequest, response: HttpResponse, payload: PageIn) -> Any:
    """Make a draft of a page on the web. Its robots.txt is respected. It may take a minute."""
    given = payload.address.strip()
    address = given if "://" in given else f"https://{given}"
    try:
        read = web_pages.read_address(address, payload.headline)
    except StoryFileError as error:
        raise _unreadable(error) from None
    return _drafted(request, response, read, address, payload.topic)


def _unreadable(error: StoryFileError) -> ProblemDetails:
    return ProblemDetails(
        409, "unreadable", str(error), errors=[FieldError(error.field, error.remedy)]
    )


def _drafted(
    request: ApiRequest, response: HttpResponse, read: StoryFile, origin: str, wanted: str | None
) -> Any:
    if not read.sure:
        found = [one for one in (*read.candidates, read.headline) if one]
        detail = "it is not certain which line it is; send it again with `headline`"
        raise ProblemDetails(
            409,
            "invalid",
            f"headline: {detail}",
            errors=[FieldError("headline", detail)],
            headlines=list(dict.fromkeys(found))[:20],
        )
    by = account(request)
    topic = topic_by_slug(wanted) if wanted is not None else _topic_for(by, read.topic)
    check_may_write(by, None, topic)
    story = save_draft(read, by, topic, origin)
    response["Location"] = f"/api/v1/stories/{story.uuid}"
    lists = shown_lists(read.notes, read.for_editors, read.dropped)
    return Status(
        201,
        BroughtInOut(
            story=story_out(story),
            doubts=lists["doubts"],
            for_editors=lists["for_editors"],
            left_out=lists["dropped"],
        ),
    )


def _topic_for(by: Editor, named: str | None) -> Topic:
    """The topic that the story names, or the first that the account writes for."""
    topics = in_use()
    if by.topic_ids is not None:
        topics = topics.filter(pk__in=by.topic_ids)
    found = (topics.filter(slug=named).first() if named else None) or topics.first()
    if found is None:
        raise ProblemDetails(409, "state", "There is no topic that this key may write for.")
    return found
