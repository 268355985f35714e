"""Page of the relays: the state of each, and pausing and resuming one."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Right
from morefollows.audit.actions import record
from morefollows.backups.schedule import backup_state
from morefollows.courier import relay_pauses
from morefollows.desk.common import at_desk, editor_of, needs
from morefollows.feedback.provider_times import latest_alert, provider_speeds
from morefollows.feedback.relay_overview import relay_rows

_OLD_BACKUP = timedelta(days=2)  # then the page says so


@at_desk
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The page. It reloads every few seconds, unless the query has `still` (WCAG 2.2, 2.2.2)."""
    timed = latest_alert()
    last = backup_state()
    context = {
        "timed_alert": timed,
        "speeds": provider_speeds(timed) if timed is not None else [],
        "relays": relay_rows(),
        "backup": last,
        "backup_is_old": last.made_at is not None and timezone.now() - last.made_at > _OLD_BACKUP,
        "inbox": settings.MOREFOLLOWS.inbox,
        "may_run_relays": editor_of(request).may_run_relays,
        "still": "still" in request.GET,
        "here": "relays",
    }
    return render(request, "relays/page.html", context)


@needs(Right.RELAYS)
@require_POST
def pause(request: HttpRequest) -> HttpResponse:
    """Pauses a relay. Needs the right to relays."""
    editor, name = _who_and_which(request)
    with transaction.atomic():
        relay_pauses.pause_relay(name, by=editor.name)
        record(editor, "pause relay", subject=name, relay=name)
    messages.success(request, _("%(relay)s is paused. Other relays go on.") % {"relay": name})
    return _back(request)


@needs(Right.RELAYS)
@require_POST
def resume(request: HttpRequest) -> HttpResponse:
    """Resumes a relay. Needs the right to relays."""
    editor, name = _who_and_which(request)
    with transaction.atomic():
        relay_pauses.resume_relay(name)
        record(editor, "resume relay", subject=name, relay=name)
    messages.success(request, _("%(relay)s goes on.") % {"relay": name})
    return _back(request)


def _who_and_which(request: HttpRequest) -> tuple[Editor, str]:
    editor = editor_of(request)
    name = request.POST.get("relay", "")
    if name not in {relay.name for relay in settings.MOREFOLLOWS.relays_or_inbox}:
        raise Http404("there is no such relay")
    return editor, name


def _back(request: HttpRequest) -> HttpResponse:
    back = request.POST.get("back", "")
    ours = back.startswith("/") and url_has_allowed_host_and_scheme(back, {request.get_host()})
    return redirect(back if ours else "desk")
