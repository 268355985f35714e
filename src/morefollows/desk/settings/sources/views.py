"""Pages of the sources: the list with their state, and one source."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from morefollows.accounts.rights import Right
from morefollows.desk.accounts.fresh_sign_in import fresh
from morefollows.desk.common import editor_of, needs
from morefollows.desk.settings.common import page, tell_saved
from morefollows.desk.settings.sources.forms import SourceForm
from morefollows.ingest.models import Source
from morefollows.ingest.sources import actions
from morefollows.stories.errors import ActionRefused


def _kept() -> Q:
    return Q(removed_at=None)


@needs(Right.ADMINISTER)
@require_safe
def sources_page(request: HttpRequest) -> HttpResponse:
    """All sources, how each is, and how much came in since midnight."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    found = Source.objects.filter(_kept()).select_related("topic")
    rows = found.annotate(today=Count("items", filter=Q(items__received_at__gte=today)))
    return render(request, "settings/sources.html", page("sources", rows=rows))


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def source_page(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Adds a source, or changes one."""
    source = get_object_or_404(Source, _kept(), pk=pk) if pk is not None else None
    form = SourceForm(request.POST if request.method == "POST" else None, source=source)
    if request.method == "POST" and form.is_valid() and (saved := form.apply(editor_of(request))):
        tell_saved(request)
        return redirect("source", saved.pk) if saved.kind == "push" else redirect("sources")
    context = page("sources", form=form, source=source)
    return render(request, "settings/source.html", context, status=422 if form.errors else 200)


@needs(Right.ADMINISTER)
@require_POST
@fresh
def source_do(request: HttpRequest, pk: int) -> HttpResponse:
    """Pauses, resumes or removes a source, or has it tried at once."""
    source, by = get_object_or_404(Source, _kept(), pk=pk), editor_of(request)
    try:
        match request.POST.get("do"):
            case "pause":
                actions.pause_source(source, by)
            case "resume":
                actions.resume_source(source, by)
            case "test":
                actions.poll_source_now(source, by)
                messages.success(
                    request, _("It is tried now. Its state is here in a few seconds: reload.")
                )
            case "remove":
                actions.remove_source(source, by)
                messages.success(request, _("It is removed. What came of it stays."))
    except ActionRefused as refused:
        messages.error(request, str(refused))
    return redirect("sources")
