"""Shows which other editors have a story open. The page sends a request every 10 s."""

from __future__ import annotations

import uuid as uuids

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from morefollows.accounts.models import Editor
from morefollows.desk.common import at_desk, editor_of, story_of
from morefollows.stories.drafts import presence
from morefollows.stories.drafts.actions import last_saved_by
from morefollows.stories.models import Presence, Story


@at_desk
@require_POST
def here(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """Records this editor's presence. Returns the others' as JSON.

    Request: `writing` if the editor has typed, `revision` of the page's text, `gone` when the page
    is closed. Response: `present`, a text for each other editor; `newer`, a text if another editor
    has saved since the page was opened, else "".
    """
    editor = editor_of(request)
    story = story_of(request, uuid)
    if "gone" in request.POST:
        presence.leave(story, editor)
        return HttpResponse(status=204)
    others = presence.be_here(story, editor, writing="writing" in request.POST)
    newer = "" if request.POST.get("revision") == str(story.revision) else _newer(story, editor)
    return JsonResponse({"present": [_words(other) for other in others], "newer": newer})


def _words(other: Presence) -> str:
    since = other.writing_since or other.since
    known = {"name": other.editor.name, "time": date_format(timezone.localtime(since), "H:i")}
    if other.writing_since:
        return _("%(name)s is here, writing since %(time)s") % known
    return _("%(name)s is here, since %(time)s") % known


def _newer(story: Story, editor: Editor) -> str:
    """Says who saved a newer version; "" if it was this editor, in another window or just now."""
    saved_by = last_saved_by(story)
    if saved_by == editor:
        return ""
    known = {
        "name": saved_by.name,
        "number": story.revision,
        "time": date_format(timezone.localtime(story.changed_at), "H:i:s"),
    }
    return _("%(name)s saved version %(number)s at %(time)s. This page shows an older one.") % known
