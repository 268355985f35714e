"""What a reader meets: the sign-up box, the confirmation, the way out, the privacy notice.

None of these pages sets a cookie. So there is no CSRF token either, and none is needed: whoever can make a
reader's browser send a sign-up can send it himself, and the other forms are proved by the token in their address.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from morefollows.audience import actions, links
from morefollows.audience.consent import texts
from morefollows.audience.models import Consent, Newsroom, Reader, Topic, Wording
from morefollows.audience.signup import entry, origins
from morefollows.audience.signup.entry import Answer, Entered
from morefollows.audience.signup.forms import SignUp
from morefollows.helpers.client_address import client_address
from morefollows.stories import markdown

FORM_VERSION = "2"
ENTERED = "morefollows.entered"
"""The key of a request's ASGI scope under which `processes.web.signup_endpoint` leaves how a form was judged."""

View = Callable[..., HttpResponse]


def in_wanted_language(view: View) -> View:
    """``?lang=de`` goes before what the browser asks for."""

    @wraps(view)
    def answer(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        wanted = request.GET.get("lang", "")
        if wanted in dict(settings.LANGUAGES):
            translation.activate(wanted)  # LocaleMiddleware sets it anew at each request
            request.LANGUAGE_CODE = wanted
        if not Newsroom.objects.filter(pk=1).exists():
            return render(request, "public/not_set_up.html", status=503)
        return view(request, **kwargs)

    return answer


def box(topic: Topic, form: SignUp | None = None) -> dict[str, Any]:
    """What `public/box.html` needs: the form for `topic`, and the very words that will be kept as evidence."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    shown = texts.in_force(language)
    return {
        "form": form or SignUp(),
        "topic": topic,
        "alerts": texts.shown(shown.alerts, topic),
        "words_language": shown.alerts.language,
        "offers": texts.shown(shown.offers, topic),
        "shown": entry.statement(topic, shown, language),
        "ticket": entry.ticket(origins.own()),
    }


@csrf_exempt
@in_wanted_language
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest, topic: str) -> HttpResponse:
    """The page with the box. A plain form on another site may be posted here too: it is shown again as ours."""
    chosen = get_object_or_404(Topic, slug=topic)
    if request.method != "POST":
        return _sign_up_page(request, chosen)
    posted = request.POST.dict()
    form = SignUp(posted)
    here = {"origin": origins.own(), "here": request.path, "client": client_address(request)}
    entered = _judged(request) or entry.enter(posted, form_version=FORM_VERSION, **here)
    if form.is_valid() and entered.said:
        form.add_error("email", entered.said)
    time.sleep(max(0.0, entered.not_before - time.monotonic()))
    match entered.answer:
        case Answer.THANKS:
            return _see_other(reverse("thanks", args=[topic]), request)
        case Answer.WRONG:
            return _sign_up_page(request, chosen, form, status=422)
        case Answer.LATER:
            return _sign_up_page(request, chosen, form, status=429, answer=entered)
        case Answer.BUSY:
            page = _sign_up_page(request, chosen, form, status=503, answer=entered)
            page["Retry-After"] = str(math.ceil(entered.wait))
            return page
        case _:
            return _sign_up_page(request, chosen, form, answer=entered)


def _judged(request: HttpRequest) -> Entered | None:
    """What the sign-up door (`processes.web.signup_endpoint`) has found already."""
    found: Entered | None = getattr(request, "scope", {}).get(ENTERED)
    return found


def _sign_up_page(
    request: HttpRequest,
    topic: Topic,
    form: SignUp | None = None,
    *,
    status: int = 200,
    answer: Entered | None = None,
) -> HttpResponse:
    shown = box(topic, form)
    if answer is not None and answer.answer in (Answer.AGAIN, Answer.BUSY) and form is not None:
        shown["ticket"] = form.cleaned_data["ticket"]  # its age is what counts
    context = {"box": shown, "topic": topic, "entered": answer}
    return render(request, "public/sign_up.html", context, status=status)


@in_wanted_language
@require_safe
def thanks(request: HttpRequest, topic: str) -> HttpResponse:
    context = {
        "topic": get_object_or_404(Topic, slug=topic),
        "days": settings.MOREFOLLOWS.confirmation_days,
    }
    return render(request, "public/thanks.html", context)


@csrf_exempt
@in_wanted_language
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The link in the mail. Only the button changes anything: link scanners follow links."""
    asked = links.confirmation(token)
    if asked is not None:
        speak_to(request, asked.letter.reader)
    if request.method == "POST":
        done = actions.confirm(token, client_address(request))
        if done is not None:
            return render(request, "public/confirmed.html", {"done": done, "topic": done.topic})
    elif asked is not None:
        return render(request, "public/confirm.html", {"asked": asked, "topic": asked.topic})
    context = {"topics": Topic.objects.all(), "days": settings.MOREFOLLOWS.confirmation_days}
    return render(request, "public/confirm_too_late.html", context, status=410)


@csrf_exempt
@in_wanted_language
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """RFC 8058 §3.2: a POST to the address in List-Unsubscribe, without cookies, ends it. No redirect, ever."""
    leaving = links.leaving(token)
    if leaving is None:
        return render(request, "public/leave_unknown.html", status=404)
    if leaving.reader is not None:
        speak_to(request, leaving.reader)
    left = request.method == "POST" and actions.leave(token, _how(request))
    return render(
        request, "public/left.html" if left else "public/leave.html", {"leaving": leaving}
    )


@in_wanted_language
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    notice = texts.current(
        Wording.Kind.PRIVACY, translation.get_language() or settings.LANGUAGE_CODE
    )
    context = {"notice": notice, "html": markdown.to_html(notice.text)}
    return render(request, "public/privacy.html", context)


def _how(request: HttpRequest) -> str:
    """Whether a mail program posted or a person pressed our button. A body that can't be read counts as the former."""
    try:
        button = "button" in request.POST
    except (BadRequest, MultiPartParserError, SuspiciousOperation, UnreadablePostError):
        button = False
    return Consent.How.LINK if button else Consent.How.ONE_CLICK


def speak_to(request: HttpRequest, reader: Reader) -> None:
    """A mailed link opens in the language of its mail, unless the address asks for another."""
    if "lang" not in request.GET and reader.language in dict(settings.LANGUAGES):
        translation.activate(reader.language)
        request.LANGUAGE_CODE = reader.language


def _see_other(address: str, request: HttpRequest) -> HttpResponse:
    """303: the page that follows is fetched by GET, and reloading it posts nothing twice."""
    lang = request.GET.get("lang", "")
    query = f"?lang={lang}" if lang in dict(settings.LANGUAGES) else ""
    return HttpResponseRedirect(address + query, status=303)
