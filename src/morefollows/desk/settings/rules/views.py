"""Pages of rules, limits of sign-ups and retention."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from morefollows.accounts.rights import Right
from morefollows.desk.common import editor_of, needs
from morefollows.desk.settings.common import page, tell_saved
from morefollows.desk.settings.rules.forms import SettingsForm
from morefollows.desk.settings.rules.retention import retention


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def group_page(request: HttpRequest, group: str) -> HttpResponse:
    """Shows and saves the settings of a group: `rules`, `sign-ups` or `retention`."""
    form = SettingsForm(group)
    if request.method == "POST":
        form = SettingsForm(group, request.POST)
        if form.is_valid() and form.apply(editor_of(request)):
            tell_saved(request)
            return redirect(f"settings-{group}")
    context, template = page(group, form=form), "settings/rules.html"
    if group == "retention":
        context["kept"], template = retention(), "settings/retention.html"
    return render(request, template, context, status=422 if form.errors else 200)
