"""The mail's HTML for the preview's frame: of a draft, of what is typed, of an alert."""

from __future__ import annotations

import re
import uuid as uuids
from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from morefollows.courier.message.preview import Preview, preview, preview_of
from morefollows.desk.common import alert_of, at_desk, story_of
from morefollows.desk.stories.writing import live
from morefollows.stories.images.storing import with_images
from morefollows.stories.models import Story

# For the mail's preview: inline styles and embedded images only. Links open in new windows.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none';"
    " frame-ancestors 'self';"
    " sandbox allow-popups allow-popups-to-escape-sandbox"
)
_SCHEMES = re.compile(
    r'(color-schemes?:\s*|<meta\s+name="(?:supported-)?color-schemes?"\s+content=")light dark'
)


@at_desk
@require_safe
def story_mail(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """The mail of the stored draft, in the light or dark scheme as requested."""
    story = story_of(request, uuid)
    if not story.headline.strip():
        return HttpResponse()
    return _framed(preview(story, _language(request, story)), request.GET.get("scheme", ""))


@at_desk
@require_safe
def alert_mail(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """The mail of an alert."""
    alert = alert_of(request, uuid)
    leaves = datetime.fromtimestamp(alert.held_until_ms / 1000, UTC)
    shown = preview_of(alert.update, _language(request, alert.update.story), leaves)
    return _framed(shown, request.GET.get("scheme", ""))


@at_desk
@require_POST
def typed_mail(request: HttpRequest) -> HttpResponse:
    """The mail of what is being typed. Nothing is saved."""
    story, _form, kind = live.typed(request)
    shown = live.preview_of_typed(request, story, kind)
    return _framed(shown, request.POST.get("scheme", "")) if shown else HttpResponse()


def _framed(shown: Preview, scheme: str) -> HttpResponse:
    dark = scheme == "dark"
    # The frame has the scheme of the editor's system. So the mail's own media query is replaced by
    # one that always or never applies.
    html = shown.html.replace(
        "@media (prefers-color-scheme: dark)", "@media all" if dark else "@media not all"
    )
    html = _SCHEMES.sub(r"\1dark" if dark else r"\1light", html)
    html = with_images(html)
    response = HttpResponse(html.replace("<head>", '<head><base target="_blank">', 1))
    # In place of the desk's policy, which allows no inline styles: a mail has nothing else.
    response.headers["Content-Security-Policy"] = _MAIL_POLICY
    return response


def _language(request: HttpRequest, story: Story) -> str:
    asked = request.GET.get("language", "")
    return asked if asked in dict(settings.LANGUAGES) else story.language
