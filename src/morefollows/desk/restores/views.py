"""Resumes sending after the database was restored to an older state."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from morefollows.accounts.rights import Right
from morefollows.courier.restore import actions
from morefollows.desk.common import editor_of, needs


@needs(Right.RELAYS)
@require_POST
def go_on(request: HttpRequest) -> HttpResponse:
    """Resumes sending. Running alerts then need an answer. Needs the right to relays."""
    if actions.go_on(editor_of(request)):
        messages.success(
            request, _("Mail is sent again. Alerts that were on their way wait for your answer.")
        )
    return redirect("desk")
