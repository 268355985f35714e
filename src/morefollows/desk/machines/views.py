"""Page of the machines: each process, its version, clock and state; forgetting a silent one."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from morefollows.accounts.rights import Right
from morefollows.courier import actions as courier
from morefollows.desk.common import at_desk, editor_of, needs
from morefollows.nodes import actions


@at_desk
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The list. It reloads every few seconds, unless the query has `still` (WCAG 2.2, 2.2.2)."""
    lines = actions.node_lines()
    context = {
        "lines": lines,
        "versions": len({line.process.version for line in lines}),
        "may_forget": editor_of(request).may_run_relays,
        "still": "still" in request.GET,
        "here": "relays",
    }
    return render(request, "machines/page.html", context)


@needs(Right.RELAYS)
@require_POST
def forget(request: HttpRequest) -> HttpResponse:
    """Takes a silent process off the list, and releases what it held. Needs the right to relays."""
    try:
        with transaction.atomic():
            row = actions.forget_process(request.POST.get("name", ""), editor_of(request))
    except actions.UnknownProcess:
        messages.error(request, _("That process is at work, or off the list already."))
        return redirect("machines")
    courier.note_deaths([row.name])
    messages.success(request, _("%(host)s is off the list.") % {"host": row.host})
    return redirect("machines")
