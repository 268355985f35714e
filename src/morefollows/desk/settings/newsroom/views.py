"""The page of the newsroom."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from morefollows.accounts.rights import Right
from morefollows.audience.models import Newsroom, Topic
from morefollows.desk.common import editor_of, needs
from morefollows.desk.settings.common import page, tell_saved
from morefollows.desk.settings.newsroom.forms import NewsroomForm
from morefollows.setup.in_force import given_by_environment


@needs(Right.ADMINISTER)
@require_safe
def settings_page(request: HttpRequest) -> HttpResponse:
    """Leads to the first page of the settings."""
    return redirect("settings-newsroom")


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def newsroom_page(request: HttpRequest) -> HttpResponse:
    """Shows and saves who publishes."""
    form = NewsroomForm.of(Newsroom.objects.filter(pk=1).first())
    if request.method == "POST":
        form = NewsroomForm(request.POST)
        if form.is_valid() and form.apply(editor_of(request)):
            tell_saved(request)
            return redirect("settings-newsroom")
    context = page(
        "newsroom",
        form=form,
        topic=Topic.objects.first(),
        url_given=given_by_environment_url(),
    )
    return render(request, "settings/newsroom.html", context, status=422 if form.errors else 200)


def given_by_environment_url() -> bool:
    """Whether the environment gives the public address."""
    return given_by_environment("url")
