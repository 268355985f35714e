"""The desk's activity log: the page and the export."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from morefollows.accounts.models import Editor
from morefollows.audit.models import AuditEntry
from morefollows.desk.activity_log import entries
from morefollows.desk.common import at_desk, editor_of

_LINES_A_PAGE = 50
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class Search(forms.Form):
    """The filter of the log. All fields are optional."""

    editor = forms.ModelChoiceField(
        label=_("Who"),
        queryset=Editor.objects.order_by("name"),
        empty_label=_("everybody"),
        required=False,
    )
    what = forms.ChoiceField(
        label=_("What"),
        choices=[("", _("everything")), *((name, words) for name, words in entries.WHAT.items())],
        required=False,
    )
    story = forms.CharField(label=_("Story"), max_length=150, required=False)
    since = forms.DateField(label=_("From"), widget=_DAY, required=False)
    until = forms.DateField(label=_("Until"), widget=_DAY, required=False)


@at_desk
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The log, filtered by the query."""
    form, audit_entries = _asked(request)
    shown = Paginator(audit_entries, _LINES_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "lines": entries.in_words(shown),
        "page": shown,
        "asked": urlencode(
            [(name, value) for name in form.fields if (value := request.GET.get(name))]
        ),
        "here": "log",
    }
    return render(request, "activity_log/log.html", context, status=422 if form.errors else 200)


@at_desk
@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """The entries of the page as CSV."""
    _form, audit_entries = _asked(request)
    name = f"log-{timezone.localdate().isoformat()}.csv"
    return HttpResponse(
        entries.as_csv(audit_entries),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _asked(request: HttpRequest) -> tuple[Search, QuerySet[AuditEntry]]:
    """Returns the form and the matching entries. Invalid fields are ignored.

    Raises `PermissionDenied` without the right to see the log.
    """
    editor = editor_of(request)
    if not editor.may_see_log:
        raise PermissionDenied
    form = Search(request.GET)
    form.is_valid()
    given: dict[str, Any] = {name: value for name, value in form.cleaned_data.items() if value}
    return form, entries.search(editor, **given)
