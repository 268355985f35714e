"""What the server answers when a draft saves itself: JSON, in the editor's words, for the line below the buttons.

The status is always 200: that a story is not ready yet, or that somebody else was faster, is no failure of the page.
The save is the ordinary one, with its version: nothing is overwritten by it that was not on the editor's screen.
"""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from morefollows.stories.actions import Refused
from morefollows.stories.drafts.actions import Conflict, last_saved_by
from morefollows.stories.models import Story


def asked(request: HttpRequest) -> bool:
    """The form was sent by the page itself, not by a button."""
    return "auto" in request.POST


def saved(story: Story, address: str) -> JsonResponse:
    """`revision` is what the form has to go on with, `address` where it is sent from now on."""
    time = date_format(timezone.localtime(), "H:i:s")
    said = _("Saved %(time)s") % {"time": time}
    return JsonResponse({"said": said, "revision": story.revision, "address": address})


def not_yet(form: forms.Form) -> JsonResponse:
    """Not wrong: not ready."""
    name, errors = next(iter(form.errors.items()))
    label = form.fields[name].label if name in form.fields else None
    words = f"{label}: {errors[0]}" if label else str(errors[0])
    return JsonResponse({"said": _("Not saved yet: %(words)s") % {"words": words}})


def refused(refused: Refused) -> JsonResponse:
    """It does not try again: an editor has to look first."""
    said = str(refused)
    if isinstance(refused, Conflict):
        said = _(
            "%(name)s saved this story while you wrote. Yours is not saved by itself any more: press Save to see both."
        ) % {"name": last_saved_by(refused.theirs)}
    return JsonResponse({"said": said, "stop": True})
