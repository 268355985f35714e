"""Adds an image: on a page of its own, or in a dialog of the write page."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from morefollows.desk.common import at_desk, editor_of
from morefollows.desk.images.forms import ImageForm
from morefollows.stories.images import figure
from morefollows.stories.images.actions import add


@at_desk
@require_http_methods(["GET", "HEAD", "POST"])
def image_add(request: HttpRequest) -> HttpResponse:
    """Stores the image and returns its line of Markdown. Needs no right but to write."""
    if request.method != "POST":
        return _page(request, ImageForm())
    form = ImageForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            picture = add(form.cleaned_data["file"], editor_of(request))
        except ValidationError as error:
            form.add_error("file", error)
        else:
            return _page(request, ImageForm(), markdown=figure.markdown(picture, **form.wording()))
    return _page(request, form, status=422)


def _page(
    request: HttpRequest, form: ImageForm, *, markdown: str = "", status: int = 200
) -> HttpResponse:
    context = {"form": form, "markdown": markdown, "here": "write"}
    if request.headers.get("HX-Request"):  # htmx swaps only responses with status 200
        return render(request, "images/image_form.html", context)
    return render(request, "images/image.html", context, status=status)
