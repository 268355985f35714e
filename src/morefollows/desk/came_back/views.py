"""Pages of what came back. Raw mail is shown to those alone who may see readers."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from morefollows.accounts.models import Editor
from morefollows.desk.accounts.fresh_sign_in import fresh
from morefollows.desk.common import at_desk, editor_of
from morefollows.feedback.intake import actions, bounce_flood, overview, wording
from morefollows.feedback.models import BounceFlood, IncomingMail

_DAYS = 7
_A_PAGE = 25


@at_desk
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """What came back in the last days, floods that wait for somebody, and the receivers."""
    since = timezone.now() - timedelta(days=_DAYS)
    rows = overview.counts(since)
    context = {
        "receivers": overview.receiver_rows(),
        "counts": [(wording.kind_name(row.kind, row.reason), row) for row in rows],
        "domains": overview.domain_rows(since),
        "floods": overview.open_floods(),
        "days": _DAYS,
        "may_see_readers": editor_of(request).may_see_readers,
        "may_administer": editor_of(request).may_administer,
        "here": "relays",
    }
    return render(request, "came_back/page.html", context)


@at_desk
@require_POST
def flood(request: HttpRequest, pk: int) -> HttpResponse:
    """Counts or dismisses the bounces of a flood. Administrators only."""
    editor = _administrator(request)
    found = get_object_or_404(BounceFlood, pk=pk)
    count = request.POST.get("what") == "count"
    # Counting may suppress the addresses of many readers; dismissing harms nobody.
    if count and "sure" not in request.POST:
        messages.error(request, _("Nothing was counted: tick that you are sure."))
        return redirect("came-back")
    number = bounce_flood.decide_flood(found, editor, count=count)
    text = (
        ngettext("%(count)s bounce counts now.", "%(count)s bounces count now.", number)
        if count
        else ngettext("%(count)s bounce is dismissed.", "%(count)s bounces are dismissed.", number)
    )
    messages.success(request, text % {"count": number})
    return redirect("came-back")


@at_desk
@require_safe
def replies(request: HttpRequest) -> HttpResponse:
    """What readers wrote, newest first. For those who may see readers."""
    if not editor_of(request).may_see_readers:
        raise PermissionDenied
    pages = Paginator(overview.open_replies(), _A_PAGE)
    shown = pages.get_page(request.GET.get("page"))
    context = {
        "rows": [wording.shown_reply(row) for row in shown],
        "shown": shown,
        "here": "readers",
    }
    return render(request, "came_back/replies.html", context)


@at_desk
@require_POST
def reply_done(request: HttpRequest, pk: int) -> HttpResponse:
    """Puts a reply away, or unsubscribes its reader. For those who may see readers."""
    editor = editor_of(request)
    if not editor.may_see_readers:
        raise PermissionDenied
    row = get_object_or_404(IncomingMail, pk=pk)
    unsubscribe = request.POST.get("what") == "unsubscribe"
    if not actions.answer_reply(row, editor, unsubscribe=unsubscribe):
        messages.error(request, _("There is no reader with this address: nobody was unsubscribed."))
    elif unsubscribe:
        messages.success(request, _("The reader is unsubscribed from everything."))
    return redirect("replies")


@at_desk
@require_safe
def judgements(request: HttpRequest) -> HttpResponse:
    """The mails that came back and how they were judged. Administrators only."""
    _administrator(request)
    judged = IncomingMail.objects.filter(state=IncomingMail.State.JUDGED).order_by("-pk")
    if request.GET.get("wrong"):
        judged = judged.exclude(corrected_to="")
    shown = Paginator(judged, _A_PAGE).get_page(request.GET.get("page"))
    context = {
        "rows": [(wording.kind_name(row.kind, row.reason), row) for row in shown],
        "shown": shown,
        "choices": wording.choices(),
        "wrong": request.GET.get("wrong", ""),
        "here": "relays",
    }
    return render(request, "came_back/judgements.html", context)


@at_desk
@require_POST
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Notes what a mail really is. Administrators only."""
    editor = _administrator(request)
    what = request.POST.get("what", "")
    if what in dict(wording.choices()):
        actions.correct(get_object_or_404(IncomingMail, pk=pk), editor, what)
        messages.success(request, _("Noted. The mail counts against nobody any more."))
    return redirect("judgements")


@at_desk
@require_POST
@fresh
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """Returns a mail without addresses, as a file, and logs that. Administrators only."""
    editor = _administrator(request)
    row = get_object_or_404(IncomingMail, pk=pk)
    raw = actions.exported(row, editor)
    if raw is None:
        messages.error(request, _("This mail is no longer kept, or is a person’s own words."))
        return redirect("judgements")
    # A file to save (RFC 6266 §4.2), of no type: no browser may show a stranger's HTML as a page of
    # ours.
    response = HttpResponse(raw, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="came-back-{row.pk}.eml"'
    return response


def _administrator(request: HttpRequest) -> Editor:
    editor = editor_of(request)
    if not editor.may_administer:
        raise PermissionDenied
    return editor
