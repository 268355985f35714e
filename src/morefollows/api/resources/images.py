"""Images: uploaded, then placed in the draft of a story with the text that stands for them."""

from __future__ import annotations

import uuid
from typing import Any, Literal

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from ninja import Field, Router, Schema, Status

from morefollows.api.fields import Line, SomeLine
from morefollows.api.http.preconditions import WITH_IF_MATCH, expected_revision, set_etag
from morefollows.api.http.problems import FieldError, ProblemDetails
from morefollows.api.http.uploads import body_of
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import account, check_may_write, story_of
from morefollows.api.resources.stories import StoryOut, story_out
from morefollows.api.scopes import Scope
from morefollows.stories import checks
from morefollows.stories.drafts import actions as drafts
from morefollows.stories.images import actions, figure
from morefollows.stories.models import Image

router = Router()
attached = Router()


class ImageOut(Schema):
    id: str = Field(description="Of the picture: the same one uploaded again has the same.")
    url: str
    width: int
    height: int


class PlacementIn(Schema):
    """How an image stands in a story."""

    image: SomeLine = Field(max_length=32, description="The id.")
    alt: SomeLine = Field(max_length=checks.ALT_LIMIT, description="For who can’t see it.")
    caption: Line = Field("", max_length=checks.CAPTION_LIMIT)
    credit: Line = Field("", max_length=100)
    place: Literal["top", "end"] = "top"


_KINDS = ("image/jpeg", "image/png", "image/webp", "image/gif")
_BINARY = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _KINDS}


@router.post(
    "",
    auth=KeyWith(Scope.STORIES_WRITE),
    response={201: ImageOut},
    operation_id="uploadImage",
    openapi_extra={"requestBody": {"required": True, "content": _BINARY}},
)
def upload_image(request: ApiRequest) -> Any:
    """Upload an image: JPEG, PNG, WebP or GIF. Its metadata is not kept. No story shows it yet."""
    if request.content_type not in _KINDS:
        raise ProblemDetails(415, "media-type", f"Content-Type: send {', '.join(_KINDS)}.")
    upload = body_of(request)
    most = settings.MOREFOLLOWS.image_size
    if upload.size > most:
        raise ProblemDetails(413, "too-large", f"An image may have {most} bytes.")
    picture = actions.add(upload.file.read(), account(request))
    made = ImageOut(
        id=picture.name, url=figure.link(picture), width=picture.width, height=picture.height
    )
    return Status(201, made)


@attached.post(
    "/{uuid:story_id}/images",
    auth=KeyWith(Scope.STORIES_WRITE),
    response=StoryOut,
    operation_id="placeImage",
    openapi_extra=WITH_IF_MATCH,
)
def place_image(
    request: ApiRequest, response: HttpResponse, story_id: uuid.UUID, payload: PlacementIn
) -> Any:
    """Place an image in the draft of a story that has not been sent."""
    image = Image.objects.filter(name=payload.image).first()
    if image is None:
        detail = "there is no such image; POST /api/v1/images uploads one"
        raise ProblemDetails(
            404, "not-found", f"image: {detail}", errors=[FieldError("image", detail)]
        )
    line = figure.markdown(actions.of(image), payload.alt, payload.caption, payload.credit)
    with transaction.atomic():
        story = story_of(request, story_id)
        check_may_write(account(request), story, story.topic)
        parts = [line, story.text] if payload.place == "top" else [story.text, line]
        story = drafts.save_story(
            story.uuid,
            account(request),
            revision=expected_revision(request, story.revision),
            headline=story.headline,
            standfirst=story.standfirst,
            text="\n\n".join(part for part in parts if part),
            topic=story.topic,
            language=story.language,
            embargo_until=story.embargo_until,
            drill=story.drill,
        )
    set_etag(response, story.revision)
    return story_out(story)
