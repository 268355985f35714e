"""JSON responses to automatic saves; the page displays their text below its buttons.

The status is always 200: an incomplete draft or a conflict is no error of the page. An automatic
save uses the same action as the button, with its check of the revision.
"""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from morefollows.stories.actions import ActionRefused
from morefollows.stories.drafts.actions import Conflict, last_saved_by
from morefollows.stories.models import Story


def asked(request: HttpRequest) -> bool:
    """Whether the page's script sent the form, not a button."""
    return "auto" in request.POST


def saved(story: Story, address: str) -> JsonResponse:
    """The draft was saved. `revision` and `address`: for the form's next request."""
    time = date_format(timezone.localtime(), "H:i:s")
    message = _("Saved %(time)s") % {"time": time}
    return JsonResponse({"said": message, "revision": story.revision, "address": address})


def not_yet(form: forms.Form) -> JsonResponse:
    """The draft is not valid yet, and was not saved."""
    name, errors = next(iter(form.errors.items()))
    label = form.fields[name].label if name in form.fields else None
    text = f"{label}: {errors[0]}" if label else str(errors[0])
    return JsonResponse({"said": _("Not saved yet: %(words)s") % {"words": text}})


def refused(refused: ActionRefused) -> JsonResponse:
    """The save was refused. `stop`: the page makes no more automatic saves."""
    message = str(refused)
    if isinstance(refused, Conflict):
        message = _(
            "%(name)s saved this story while you wrote. "
            "Yours is not saved by itself any more: press Save to see both."
        ) % {"name": last_saved_by(refused.theirs)}
    return JsonResponse({"said": message, "stop": True})
