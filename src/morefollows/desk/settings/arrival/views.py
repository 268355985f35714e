"""Pages of seed inboxes, canaries and objectives."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from morefollows.accounts.rights import Right
from morefollows.audience import seeds
from morefollows.audience.models import SeedInbox
from morefollows.desk.accounts.fresh_sign_in import fresh
from morefollows.desk.common import editor_of, needs
from morefollows.desk.settings.arrival.forms import SeedForm
from morefollows.desk.settings.common import page, tell_saved
from morefollows.desk.settings.rules.forms import SettingsForm
from morefollows.feedback.arrival import overview


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def arrival_page(request: HttpRequest) -> HttpResponse:
    """All seed inboxes, the last canaries, and the objectives, which it saves."""
    form = SettingsForm("arrival")
    if request.method == "POST":
        form = SettingsForm("arrival", request.POST)
        if form.is_valid() and form.apply(editor_of(request)):
            seeds.want_watcher()
            tell_saved(request)
            return redirect("arrival")
    context = page(
        "arrival",
        form=form,
        seeds=overview.seed_lines(),
        objectives=overview.objective_lines(),
        plot=overview.canary_plot(),
    )
    return render(request, "settings/arrival.html", context, status=422 if form.errors else 200)


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def seed_new(request: HttpRequest) -> HttpResponse:
    """Adds a seed inbox."""
    form = SeedForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and form.apply(editor_of(request)):
        messages.success(request, _("Added. Whether it can be looked into, the next mail shows."))
        return redirect("arrival")
    context = page("arrival", form=form)
    return render(request, "settings/seed.html", context, status=422 if form.errors else 200)


@needs(Right.ADMINISTER)
@require_POST
def seed_do(request: HttpRequest, pk: int) -> HttpResponse:
    """Pauses, resumes or removes a seed inbox."""
    seed, by = get_object_or_404(SeedInbox, pk=pk), editor_of(request)
    match request.POST.get("do"):
        case "pause":
            seeds.pause_seed(seed, by)
        case "resume":
            seeds.resume_seed(seed, by)
        case "remove":
            seeds.remove_seed(seed, by)
            messages.success(request, _("It is removed. The mailbox itself stays as it is."))
        case _other:
            raise BadRequest("no such action")
    return redirect("arrival")
