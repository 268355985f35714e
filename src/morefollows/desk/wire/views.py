"""The Wire: the page, its list for renewal, one item beside its draft, and what is done with it."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from morefollows.accounts.rights import Right
from morefollows.desk.common import editor_of, needs
from morefollows.desk.wire.listing import WireFilter, wire_page
from morefollows.ingest import editing
from morefollows.ingest.item_json import item_from_json
from morefollows.ingest.matching.match import story_of_event
from morefollows.ingest.models import ReceivedItem, Source
from morefollows.stories.errors import ActionRefused

_RAW_SHOWN = 50_000  # octets
_OF_EVENT = 20


def _listing(request: HttpRequest) -> dict[str, Any]:
    form = WireFilter(request.GET or None, initial={"decision": "all"})
    if not form.is_bound:
        form = WireFilter({"decision": "all"})
    before = request.GET.get("before", "")
    asked = {name: value for name in form.fields if (value := request.GET.get(name))}
    page = wire_page(form.found(), int(before) if before.isdecimal() else None)
    return {"form": form, "page": page, "asked": urlencode(asked), "before": before}


@needs(Right.WRITE)
@require_safe
def wire(request: HttpRequest) -> HttpResponse:
    """What came in, newest first, grouped by event."""
    context = _listing(request)
    context["sources"] = Source.objects.filter(removed_at=None).count()
    context["failing"] = Source.objects.filter(removed_at=None).exclude(error="").count()
    return render(request, "wire/wire.html", {**context, "here": "wire"})


@needs(Right.WRITE)
@require_safe
def wire_rows(request: HttpRequest) -> HttpResponse:
    """The list alone, for the page to renew itself. 304 if it is as the ETag says."""
    body = render_to_string("wire/rows.html", _listing(request), request)
    steady = "".join(line for line in body.split("\n") if "csrfmiddlewaretoken" not in line)
    tag = f'"{hashlib.sha256(steady.encode()).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified(headers={"ETag": tag})
    return HttpResponse(body, headers={"ETag": tag})


@needs(Right.WRITE)
@require_safe
def wire_item(request: HttpRequest, pk: int) -> HttpResponse:
    """One item: as it came, as it was read, what it became and why, beside its draft."""
    found = ReceivedItem.objects.select_related(
        "source", "rule", "draft__topic", "matched_story", "decided_by"
    )
    row = get_object_or_404(found, pk=pk)
    running = story_of_event(row.event) if row.event else None
    versions = ReceivedItem.objects.filter(source=row.source, item_id=row.item_id)
    of_event = ReceivedItem.objects.filter(event=row.event) if row.event else versions
    raw = bytes(row.raw)
    context = {
        "row": row,
        "item": item_from_json(row.item),
        "running": running,
        "raw": raw[:_RAW_SHOWN].decode("utf-8", "replace"),
        "raw_cut": len(raw) > _RAW_SHOWN,
        "related": of_event.exclude(pk=row.pk)
        .select_related("source")
        .defer("raw", "item")
        .order_by("-pk")[:_OF_EVENT],
        "open": row.draft is None and row.status == "usable",
        "score": round(100 * row.match.get("score", 0)),
        "here": "wire",
    }
    return render(request, "wire/item.html", context)


@needs(Right.WRITE)
@require_POST
def wire_do(request: HttpRequest, pk: int) -> HttpResponse:
    """Makes a draft or an update's draft of the item, or ignores it."""
    row = get_object_or_404(ReceivedItem, pk=pk)
    do = request.POST.get("do", "")
    try:
        if do not in (editing.DRAFT, editing.UPDATE, editing.IGNORE):
            raise ActionRefused(_("Choose what to do with it."))
        story = editing.decide_by_hand(
            row, editor_of(request), do, headline=request.POST.get("headline", "")
        )
    except ActionRefused as refused:
        messages.error(request, str(refused))
        return redirect("wire-item", pk=pk)
    if story is None:
        messages.success(request, _("It is ignored."))
        return redirect("wire")
    return redirect("story-edit", story.uuid)
