"""Endpoints of the sign-up box on other sites: script, texts, ticket, and sign-up.

Invariant: only origins that the newsroom has allowed can read the answers (CORS, exact match), and
credentials are never allowed. The script itself is public.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import time
from collections.abc import Callable, Mapping
from functools import cache, wraps
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from morefollows.audience.consent import texts
from morefollows.audience.models import Newsroom, Site, Topic
from morefollows.audience.signup import entry, site_origins
from morefollows.audience.signup.entry import BUSY, EntryResult, FormAnswer
from morefollows.audience.topics.actions import successor
from morefollows.helpers.client_address import client_address
from morefollows.setup.brand.look import look

FORM_VERSION = "box 1"
FORM_TYPE = "application/x-www-form-urlencoded"  # needs no CORS preflight

_SCRIPT = Path(__file__).with_name("static") / "public" / "box.js"
_WORDS_FOR = 60  # seconds for which caches keep the texts before they revalidate

View = Callable[..., HttpResponse]


class _Script(NamedTuple):
    plain: bytes
    compressed: bytes
    etag: str


@require_safe
def script(request: HttpRequest) -> HttpResponse:
    """Serves /box.js to any site.

    Caches keep it for an hour. For another day they may use it while revalidating (RFC 5861 §3).
    """
    found = _script()
    if request.headers.get("If-None-Match") == found.etag:
        response = HttpResponse(status=304)
    else:
        zipped = "gzip" in request.headers.get("Accept-Encoding", "")
        response = HttpResponse(
            found.compressed if zipped else found.plain,
            content_type="text/javascript; charset=utf-8",
        )
        if zipped:
            response["Content-Encoding"] = "gzip"
    response["ETag"] = found.etag
    response["Cache-Control"] = "public, max-age=3600, stale-while-revalidate=86400"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Access-Control-Allow-Origin"] = "*"
    patch_vary_headers(response, ("Accept-Encoding",))
    return response


def for_allowed_sites(view: View) -> View:
    """Decorates a view: only pages of allowed sites may call it (CORS: Fetch §3.2).

    Other origins get 403. The view gets the argument `origin`.
    """

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        origin = _origin(request)
        response = (
            view(request, origin=origin, **kwargs) if _allowed(request, origin) else _not_allowed()
        )
        if origin != site_origins.own():
            # A refusal is readable everywhere, so that the script can say why the box does not
            # appear.
            response["Access-Control-Allow-Origin"] = "*" if response.status_code == 403 else origin
        patch_vary_headers(response, ("Origin",))
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


@for_allowed_sites
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, topic: str, origin: str) -> HttpResponse:
    """Returns the texts of the box on GET, and signs up on POST."""
    return _sign_up(request, origin) if request.method == "POST" else _texts_page(request, topic)


@for_allowed_sites
@require_safe
def ticket(request: HttpRequest, topic: str, origin: str) -> HttpResponse:
    """Returns a ticket. The script fetches it when a reader begins to type, not on page load."""
    return JsonResponse({"ticket": entry.ticket(origin)})


def _texts_page(request: HttpRequest, topic: str) -> HttpResponse:
    """Returns the texts of the box, in the page's language if supported, else the newsroom's."""
    found = get_object_or_404(Topic.objects.select_related("merged_into"), slug=topic)
    chosen = successor(found)
    if chosen.access != Topic.Access.OPEN:
        raise Http404
    with translation.override(_language(request.GET.get("lang", ""))):
        response = JsonResponse(_texts(chosen))
    response["Cache-Control"] = f"public, max-age={_WORDS_FOR}, stale-while-revalidate=600"
    return response


def _sign_up(request: HttpRequest, origin: str) -> HttpResponse:
    """Signs up. The topic is taken from the signed statement in the form, not from the URL."""
    # Other types than those of a form would need a preflight request (Fetch §3.2.2), which is not
    # answered.
    if request.content_type != FORM_TYPE:
        return JsonResponse({"state": "no form"}, status=415)
    try:
        posted = request.POST.dict()
    except (BadRequest, SuspiciousOperation, UnreadablePostError):
        return JsonResponse({"state": "no form"}, status=400)
    with translation.override(language_of(posted)):
        entered = entry.enter(
            posted,
            origin=origin,
            here="/",
            client=client_address(request),
            form_version=FORM_VERSION,
        )
        response = JsonResponse(
            answer_fields(entered, client_address(request)), status=status(entered)
        )
    time.sleep(max(0.0, entered.not_before - time.monotonic()))
    if entered.answer is FormAnswer.BUSY:
        response["Retry-After"] = str(math.ceil(entered.wait))
    return response


def language_of(posted: Mapping[str, str]) -> str:
    """Returns the language of a posted form."""
    shown = entry.form_tokens().read_statement(posted.get("shown", ""))
    return shown.language if shown else _language("")


def status(entered: EntryResult) -> int:
    """Returns the HTTP status of an answer.

    Input errors get 200, as browsers would log 4xx in the console of the embedding site.
    """
    return {FormAnswer.UNKNOWN_SITE: 403, FormAnswer.BUSY: 503}.get(entered.answer, 200)


def answer_fields(entered: EntryResult, client: str) -> dict[str, Any]:
    """Returns the answer as JSON for the box, in the active language.

    The thanks are in the box's texts already.
    """
    more: dict[str, Any] = {}
    match entered.answer:
        case FormAnswer.WRONG:
            more = {"said": entered.error}
        case FormAnswer.SUGGEST:
            more = {
                "said": _("Did you mean %(address)s?") % {"address": entered.suggestion},
                "address": entered.suggestion,
                "yes": _("Yes, use that"),
            }
            if not entered.refused:
                more["no"] = _("No, it is right as typed")
        case FormAnswer.AGAIN:
            more = {"wait": entered.wait}
        case FormAnswer.BUSY:
            more = {"wait": entered.wait, "said": _(BUSY)}
        case FormAnswer.RENEW:
            more = {"wait": settings.MOREFOLLOWS.sign_up_seconds}  # minimum age of the new ticket
        case FormAnswer.WORK:
            more = {"challenge": entry.challenge(client)}
        case FormAnswer.LATER:
            more = {
                "said": _("Very many sign-ups come from your network. Please try again in an hour.")
            }
    return {"state": entered.answer.value, **more}


def _texts(topic: Topic) -> dict[str, Any]:
    language = translation.get_language() or settings.LANGUAGE_CODE
    shown = texts.in_force(language)
    site = settings.MOREFOLLOWS.url
    return {
        "language": language,
        "colours": box_colours(),
        "shown": entry.statement(topic, shown, language),
        "headline": topic.local_name,
        "alerts": texts.shown_text(shown.alerts, topic),
        "offers": texts.shown_text(shown.offers, topic),
        "words_language": shown.alerts.language,
        "email": _("Email address"),
        "button": _("Sign up"),
        "privacy": _("Read our privacy notice."),
        "privacy_page": f"{site}{reverse('privacy')}?lang={language}",
        "free": _("Free, and no account needed. Unsubscribe any time with one click."),
        "trap": _("Leave this empty"),
        "busy": _("One moment …"),
        "thanks": _("Thanks for signing up to the %(topic)s emails.") % {"topic": topic.local_name},
        "next": _(
            "One more step: open the email that we have sent you, "
            "and press the button behind its link."
        ),
        "failed": _("That did not work. Please try again in a moment."),
        "elsewhere": _("Or sign up on our own page."),
        "page": f"{site}{reverse('sign-up', args=[topic.slug])}?lang={language}",
    }


def box_colours() -> dict[str, str]:
    """Custom properties of the box for the newsroom's brand; empty for the default one."""
    shown = look()
    if not shown.version:
        return {}
    light, dark = shown.palette
    return {
        name: f"light-dark({light[token]}, {dark[token]})"
        for name, token in (
            ("--accent", "main"),
            ("--label", "on"),
            ("--head", "main"),
            ("--ground", "soft"),
            ("--ink", "ink"),
            ("--soft", "ink-2"),
            ("--field", "paper"),
        )
    }


def _origin(request: HttpRequest) -> str:
    """Returns the origin of the request.

    Browsers omit the header in same-origin GET requests. The host of the request counts as our own
    origin, whatever its name.
    """
    given = request.headers.get("Origin", "")
    ours = ("", f"{request.scheme}://{request.get_host()}")
    return site_origins.own() if given in ours else given


def _allowed(request: HttpRequest, origin: str) -> bool:
    """Returns whether the origin may call the view.

    A posted form is allowed here: its ticket names the origin, and `signup.writer` checks it.
    """
    if request.method == "POST" or origin == site_origins.own():
        return True
    return Site.objects.filter(origin=origin).exists()


def _not_allowed() -> HttpResponse:
    return JsonResponse({"state": FormAnswer.UNKNOWN_SITE.value}, status=403)


def _language(wanted: str) -> str:
    """Returns a supported language. `wanted`: a page's language tag (RFC 5646), such as de-AT."""
    spoken = settings.MOREFOLLOWS.languages
    for tag in (wanted, wanted.partition("-")[0].lower()):
        if tag in spoken:
            return tag
    newsroom = Newsroom.objects.filter(pk=1).first()
    return newsroom.language if newsroom and newsroom.language in spoken else settings.LANGUAGE_CODE


@cache
def _script() -> _Script:
    plain = _SCRIPT.read_bytes()
    return _Script(
        # mtime=0: the same bytes from each process and after each start.
        plain,
        gzip.compress(plain, 9, mtime=0),
        f'"{hashlib.sha256(plain).hexdigest()[:20]}"',
    )
