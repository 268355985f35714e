"""Serves the images of stories, and the logo. Who may see which: `live.public_images`."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from morefollows.live import cache_control
from morefollows.live.public_images import is_public_image
from morefollows.setup.brand.look import is_logo
from morefollows.stories.images import address, storing


@require_safe
def image(request: HttpRequest, file: str) -> HttpResponse:
    """Serves an image of a published story. It never changes, so browsers keep it.

    Shared caches revalidate it each minute, so that they soon drop images of withdrawn stories.
    At the desk, where drafts show images, also those that are not published; never cached.
    """
    picture = address.parse_picture(request.path)
    shown = picture is not None and (is_logo(picture.path) or is_public_image(picture))
    if picture is None or not (shown or _is_draft(request, picture)):
        # Not cached, as the story may be published soon.
        return HttpResponse(
            status=404, headers={"Cache-Control": "no-store"}, content_type="text/plain"
        )
    # The content type is the one that we wrote the file as, and never one that an uploader named.
    content = storing.read_picture(picture)
    if content is None:
        return HttpResponse(
            status=404, headers={"Cache-Control": "no-store"}, content_type="text/plain"
        )
    response = HttpResponse(content, picture.content_type)
    if not shown:
        response["Cache-Control"] = "private, no-store"
        return response
    response["Cache-Control"] = (
        "public, max-age=31536000, s-maxage=60, immutable"  # RFC 9111 §5.2.2.10, RFC 8246
    )
    response["ETag"] = f'"{picture.file}"'
    answer = get_conditional_response(request, etag=response["ETag"], response=response)
    assert isinstance(answer, HttpResponse)
    return cache_control.for_any_site(answer)


def _is_draft(request: HttpRequest, picture: address.Picture) -> bool:
    """Whether a signed-in editor asks for a kept image."""
    return (
        bool(getattr(request, "user", None) and request.user.is_authenticated)
        and storing.picture_size(picture) is not None
    )
