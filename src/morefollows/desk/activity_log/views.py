"""The desk's activity log: the page and the export."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.request import QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Right, has_right
from morefollows.audit import entry_names
from morefollows.audit.actions import record
from morefollows.audit.models import AuditEntry
from morefollows.desk.accounts.fresh_sign_in import fresh
from morefollows.desk.activity_log import entries
from morefollows.desk.activity_log.entries import LogFilter
from morefollows.desk.common import editor_of, needs

_LINES_A_PAGE = 50
_MOST_LINES = 100_000  # of one export; `morefollows log export` has no limit
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _who() -> list[tuple[str, Any]]:
    editors = Editor.objects.order_by("name").values_list("pk", "name")
    return [
        ("", _("everybody")),
        *((str(pk), name) for pk, name in editors),
        (entries.COMMANDS, _("by a command")),
        (entries.SYSTEM, _("by itself")),
    ]


class Search(forms.Form):
    """The filter of the log. All fields are optional."""

    who = forms.ChoiceField(label=_("Who"), choices=_who, required=False)
    what = forms.ChoiceField(
        label=_("What"),
        choices=[
            ("", _("everything")),
            *((name, words) for name, words in entry_names.WHAT.items()),
        ],
        required=False,
    )
    about = forms.CharField(
        label=_("Story or subject"),
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": _("headline, topic, relay …")}),
    )
    since = forms.DateField(label=_("From"), widget=_DAY, required=False)
    until = forms.DateField(label=_("Until"), widget=_DAY, required=False)

    def which(self) -> LogFilter:
        """The filter. Invalid fields are ignored."""
        self.is_valid()
        return LogFilter(**{name: value for name, value in self.cleaned_data.items() if value})


@needs(Right.LOG)
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The log, filtered by the query."""
    form, _which, found = _asked(request, request.GET)
    before, after = (_number(request.GET.get(name, "")) for name in ("before", "after"))
    shown = entries.page(found, _LINES_A_PAGE, before=before, after=after)
    asked = {name: value for name in form.fields if (value := request.GET.get(name))}
    context = {
        "form": form,
        "lines": entries.in_words(shown.entries),
        "newer": shown.entries[0].pk if shown.newer and shown.entries else None,
        "older": shown.entries[-1].pk if shown.older and shown.entries else None,
        "asked": urlencode(asked),
        "fields": asked.items(),
        "here": "log",
    }
    return render(request, "activity_log/log.html", context, status=422 if form.errors else 200)


@needs(Right.LOG)
@require_POST
@fresh
def export(request: HttpRequest) -> HttpResponse:
    """The entries of the page as CSV. POST, as the export is itself an entry."""
    _form, which, found = _asked(request, request.POST)
    out = io.BytesIO()
    with transaction.atomic():
        record(editor_of(request), "export log", filter=which.as_details())
        entries.write_log_csv(out, found, _MOST_LINES)
    name = f"log-{timezone.localdate().isoformat()}.csv"
    return HttpResponse(
        out.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _asked(
    request: HttpRequest, given: QueryDict
) -> tuple[Search, LogFilter, QuerySet[AuditEntry]]:
    """Returns the form, its filter and the matching entries."""
    form = Search(given)
    which = form.which()
    offers = has_right(editor_of(request), Right.OFFERS)
    return form, which, entries.search(which, offers=offers)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
