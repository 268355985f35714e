"""Pages of the local inbox, which stores all mail while no relay is set. 404 otherwise."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from morefollows.accounts.models import Editor
from morefollows.audience.models import Newsroom
from morefollows.desk.accounts.signing_in import lacks_second_factor
from morefollows.helpers import public_addresses
from morefollows.local_inbox import reading
from morefollows.local_inbox.store import Shelf, StoredMail, inbox_path

View = Callable[..., HttpResponse]

_PAGE = 50  # mails
_MOST_SOURCE = 500_000  # bytes shown

# A mail's HTML is untrusted: it may have styles and stored images, but no scripts, forms or other
# resources. Its links open in new windows.
_FRAME_POLICY = (
    f"default-src 'none'; style-src 'unsafe-inline'; img-src {settings.MOREFOLLOWS.url}/images/;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'self';"
    " sandbox allow-popups allow-popups-to-escape-sandbox"
)


def _guarded(view: View) -> View:
    """Decorates a view: 404 if a relay is set, and never cached.

    The inbox has the mail of all readers, and links by which colleagues sign in. So it is for
    administrators, unless the request comes from a browser of this machine (`_is_local`).
    """

    @wraps(view)
    def guard(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        config = settings.MOREFOLLOWS
        if not config.inbox:
            raise Http404("mail goes to a relay")
        if not _is_local(request):
            if not isinstance(request.user, Editor):
                return redirect_to_login(request.get_full_path())
            if lacks_second_factor(request, request.user):
                return redirect("account")
            if not request.user.may_administer:
                raise PermissionDenied
        response = view(request, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    return guard


def may_open(request: HttpRequest) -> bool:
    """Whether this client may open these pages, for a link to them."""
    editor = getattr(request, "user", None)
    return _is_local(request) or (isinstance(editor, Editor) and editor.may_administer)


_PROXIES = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")


def _is_local(request: HttpRequest) -> bool:
    """Returns whether a request comes from this machine, and was meant to.

    The address that we listen on, the public URL, the peer and Host are all loopback, and no proxy
    has been passed. Another site's page must not have made the request, apart from a link that was
    clicked (Fetch Metadata).
    """
    config = settings.MOREFOLLOWS
    places = (
        config.host,
        urlsplit(config.url).hostname or "",
        str(request.META.get("REMOTE_ADDR", "")),
        split_domain_port(request.get_host())[0],
    )
    if config.trusted_proxies or not all(map(public_addresses.is_loopback, places)):
        return False
    if any(name in request.headers for name in _PROXIES):
        return False
    site = request.headers.get("Sec-Fetch-Site", "none")
    clicked = (request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest"))
    if site not in ("none", "same-origin") and clicked != ("navigate", "document"):
        return False
    origin = request.headers.get("Origin", "")
    return origin in ("", f"{request.scheme}://{request.get_host()}")


@require_safe
@_guarded
def inbox(request: HttpRequest) -> HttpResponse:
    """The list of mails, the newest first."""
    before = _number(request.GET.get("before"))
    return render(request, "local_inbox/list.html", _listed(before))


@require_safe
@_guarded
def rows(request: HttpRequest) -> HttpResponse:
    """The rows of the list's first page; 204 if the total is still `after`.

    The page polls this.
    """
    if _shelf().total() == (_number(request.GET.get("after")) or 0):
        return HttpResponse(status=204)
    return render(request, "local_inbox/rows.html", _listed(None))


@require_safe
@_guarded
def mail(request: HttpRequest, number: int, part: str = "html") -> HttpResponse:
    """One mail: its HTML in a frame, its plain text, or its source."""
    kept = _kept(number)
    read = reading.read_mail(kept.content)
    if part == "html" and read.html is None:
        part = "text" if read.text is not None else "source"
    source = kept.content[:_MOST_SOURCE].decode("utf-8", "replace")
    context = {
        "mail": kept,
        "at": _moment(kept.at_ms, _zone()),
        "size": len(kept.content),
        "part": part,
        "has_html": read.html is not None,
        "text": read.text,
        "head": read.head,
        "body": source[len(read.head) :].lstrip("\r\n"),
        "cut": len(kept.content) > _MOST_SOURCE,
    }
    return render(request, "local_inbox/mail.html", context)


@require_safe
@_guarded
def frame(request: HttpRequest, number: int) -> HttpResponse:
    """The mail's HTML for the frame of its page."""
    html = reading.read_mail(_kept(number).content).html
    if html is None:
        raise Http404("no HTML in this mail")
    return HttpResponse(reading.for_frame(html), headers={"Content-Security-Policy": _FRAME_POLICY})


def _listed(before: int | None) -> dict[str, Any]:
    shelf, zone = _shelf(), _zone()
    total = shelf.total()
    lines = shelf.newest(_PAGE + 1, before=before)
    return {
        "lines": [(line, _moment(line.at_ms, zone)) for line in lines[:_PAGE]],
        "older": lines[_PAGE - 1].id if len(lines) > _PAGE else None,
        "first_page": before is None,
        "total": total,
        "total_words": f"{total:,}",
    }


def _shelf() -> Shelf:
    return Shelf(inbox_path(settings.MOREFOLLOWS.data))


def _kept(number: int) -> StoredMail:
    kept = _shelf().mail(number)
    if kept is None:
        raise Http404("no such mail, or no longer kept")
    return kept


def _number(given: str | None) -> int | None:
    return int(given) if given and given.isascii() and given.isdigit() and len(given) < 20 else None


def _zone() -> datetime.tzinfo:
    newsroom = Newsroom.objects.filter(pk=1).first()
    try:
        return ZoneInfo(newsroom.time_zone) if newsroom else datetime.UTC
    except (ZoneInfoNotFoundError, ValueError):
        return datetime.UTC


def _moment(at_ms: int, zone: datetime.tzinfo) -> datetime.datetime:
    """`at_ms` in the zone, but naive, so that templates do not convert it again."""
    return datetime.datetime.fromtimestamp(at_ms / 1000, zone).replace(tzinfo=None)
