"""The page that shows the parts of the desk."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

import morefollows
from morefollows.desk.common import at_desk

_STATIC = Path(morefollows.__file__).parent / "static" / "morefollows"


@at_desk
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """All parts in light and dark, with the tokens and icons that there are."""
    return render(request, "style/page.html", {"tokens": _tokens(), "icons": _icons()})


@cache
def _tokens() -> list[tuple[str, str, str]]:
    """(name, light, dark) of each colour."""
    sheet = (_STATIC / "tokens.css").read_text(encoding="utf-8")
    return re.findall(r"--([a-z0-9-]+): light-dark\((#\w+), (#\w+)\);", sheet)


@cache
def _icons() -> list[str]:
    return re.findall(r'id="([^"]+)"', (_STATIC / "icons" / "icons.svg").read_text("utf-8"))
