"""Resumes sending after the database was restored to an older state."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from morefollows.courier.restore import actions
from morefollows.desk.common import at_desk, editor_of


@at_desk
@require_POST
def go_on(request: HttpRequest) -> HttpResponse:
    """Resumes sending. Running alerts then need an answer. Needs the right to send."""
    editor = editor_of(request)
    if not editor.may_send:
        raise PermissionDenied
    if actions.go_on(editor):
        messages.success(
            request, _("Mail is sent again. Alerts that were on their way wait for your answer.")
        )
    return redirect("desk")
