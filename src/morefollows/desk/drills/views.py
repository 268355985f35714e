"""Page of drills: their drafts, and the drill's readers, who are invited and removed there."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from morefollows.accounts.rights import Right
from morefollows.audience import addresses, drills
from morefollows.audience.models import DrillReader, Newsroom
from morefollows.audit.actions import record
from morefollows.desk.common import at_desk, editor_of, needs
from morefollows.desk.drills.forms import InvitationForm
from morefollows.desk.home import overview


@at_desk
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The list of the drill's readers."""
    newsroom = Newsroom.objects.filter(pk=1).first()
    return _page(
        request, InvitationForm(initial={"language": newsroom.language if newsroom else ""})
    )


@sensitive_post_parameters("address")
@needs(Right.DRILLS)
@require_POST
def invite(request: HttpRequest) -> HttpResponse:
    """Invites a reader. The address is in the body, so that it is in no URL."""
    editor = editor_of(request)
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        with transaction.atomic():
            part = drills.invite_reader(
                addresses.parse(form.cleaned_data["address"]), form.cleaned_data["language"], editor
            )
            number = part.reader_id
            record(editor, "invite to drills", subject=f"reader {number}", reader=number)
    except drills.NotPossible as reason:
        form.add_error("address", str(reason))
        return _page(request, form, status=422)
    if part.confirmed_at:
        messages.success(request, _("This address takes part already."))
    else:
        messages.success(
            request, _("Asked. They take part as soon as they press the button in our email.")
        )
    return redirect("drills")


@needs(Right.DRILLS)
@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    """Removes a reader from drills."""
    editor = editor_of(request)
    key = request.POST.get("reader", "")
    reader = int(key) if key.isascii() and key.isdigit() and len(key) < 19 else 0
    with transaction.atomic():
        if drills.remove_reader(reader):
            record(editor, "remove from drills", subject=f"reader {reader}", reader=reader)
            messages.success(request, _("Removed. No drill goes there any more."))
    return redirect("drills")


def _page(request: HttpRequest, form: InvitationForm, *, status: int = 200) -> HttpResponse:
    """The list of the drill's readers. Only who may run drills sees the addresses."""
    may_change = editor_of(request).may_drill
    readers = DrillReader.objects.prefetch_related("reader", "added_by").order_by("added_at", "pk")
    context = {
        "form": form,
        "readers": readers if may_change else None,
        "willing": readers.filter(confirmed_at__isnull=False).count(),
        "asked": readers.filter(confirmed_at=None).count(),
        "may_change": may_change,
        "drafts": overview.drafts(editor_of(request), drill=True),
        "here": "drill",
    }
    return render(request, "drills/page.html", context, status=status)
