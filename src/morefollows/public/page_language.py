"""The language of a reader's page: of ``?lang=``, of the reader, or of the browser."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation

from morefollows.audience.models import Newsroom, Reader

View = Callable[..., HttpResponse]


def in_wanted_language(view: View) -> View:
    """Decorates a view: ``?lang=de`` overrides the browser's language.

    The view answers 503 while the newsroom is not set up.
    """

    @wraps(view)
    def answer(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        wanted = request.GET.get("lang", "")
        if wanted in settings.MOREFOLLOWS.languages:
            translation.activate(wanted)  # LocaleMiddleware resets it at the next request
            request.LANGUAGE_CODE = wanted
        if not Newsroom.objects.filter(pk=1).exists():
            return render(request, "public/not_set_up.html", status=503)
        return view(request, **kwargs)

    return answer


def speak_to(request: HttpRequest, reader: Reader) -> None:
    """Activates the reader's language, which is that of the mail, unless ``?lang=`` is given."""
    if "lang" not in request.GET and reader.language in settings.MOREFOLLOWS.languages:
        translation.activate(reader.language)
        request.LANGUAGE_CODE = reader.language
