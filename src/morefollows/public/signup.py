"""The public pages for signing up, confirming and unsubscribing, and the privacy notice.

Invariant: none of these pages sets a cookie. So they need no CSRF token. Anyone can send a sign-up
anyway, and the token in the URL authenticates the other forms.
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
from morefollows.audience.signup.entry import EntryResult, FormAnswer
from morefollows.audience.signup.forms import SignUpForm
from morefollows.helpers.client_address import client_address
from morefollows.stories import markdown

FORM_VERSION = "2"
# The key of the ASGI scope under which `processes.web.signup_endpoint` leaves a form's result.
ENTERED = "morefollows.entered"

View = Callable[..., HttpResponse]


def in_wanted_language(view: View) -> View:
    """Decorates a view: ``?lang=de`` overrides the browser's language.

    The view answers 503 while the newsroom is not set up.
    """

    @wraps(view)
    def answer(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        wanted = request.GET.get("lang", "")
        if wanted in dict(settings.LANGUAGES):
            translation.activate(wanted)  # LocaleMiddleware resets it at the next request
            request.LANGUAGE_CODE = wanted
        if not Newsroom.objects.filter(pk=1).exists():
            return render(request, "public/not_set_up.html", status=503)
        return view(request, **kwargs)

    return answer


def box(topic: Topic, form: SignUpForm | None = None) -> dict[str, Any]:
    """Returns the context for `public/box.html`: the form for `topic`, and the wordings shown.

    The same wordings are stored as evidence.
    """
    language = translation.get_language() or settings.LANGUAGE_CODE
    shown = texts.in_force(language)
    return {
        "form": form or SignUpForm(),
        "topic": topic,
        "alerts": texts.shown_text(shown.alerts, topic),
        "words_language": shown.alerts.language,
        "offers": texts.shown_text(shown.offers, topic),
        "shown": entry.statement(topic, shown, language),
        "ticket": entry.ticket(origins.own()),
    }


@csrf_exempt
@in_wanted_language
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest, topic: str) -> HttpResponse:
    """The page with the sign-up box. It also accepts plain forms posted from other sites."""
    # The topic of the address is for the page only. A posted form names its own in the statement.
    chosen = get_object_or_404(Topic, slug=topic)
    if request.method != "POST":
        return _sign_up_page(request, chosen)
    posted = request.POST.dict()
    form = SignUpForm(posted)
    here = {"origin": origins.own(), "here": request.path, "client": client_address(request)}
    entered = _judged(request) or entry.enter(posted, form_version=FORM_VERSION, **here)
    # The form checks the address again here. It only fills in the page: `entry` has judged already.
    if form.is_valid() and entered.error:
        form.add_error("email", entered.error)
    time.sleep(max(0.0, entered.not_before - time.monotonic()))
    match entered.answer:
        case FormAnswer.THANKS:
            return _see_other(reverse("thanks", args=[topic]), request)
        case FormAnswer.WRONG:
            return _sign_up_page(request, chosen, form, status=422)
        case FormAnswer.LATER:
            return _sign_up_page(request, chosen, form, status=429, answer=entered)
        case FormAnswer.BUSY:
            page = _sign_up_page(request, chosen, form, status=503, answer=entered)
            page["Retry-After"] = str(math.ceil(entered.wait))
            return page
        case _:
            return _sign_up_page(request, chosen, form, answer=entered)


def _judged(request: HttpRequest) -> EntryResult | None:
    """Returns the result of `processes.web.signup_endpoint`, None if it did not run."""
    found: EntryResult | None = getattr(request, "scope", {}).get(ENTERED)
    return found


def _sign_up_page(
    request: HttpRequest,
    topic: Topic,
    form: SignUpForm | None = None,
    *,
    status: int = 200,
    answer: EntryResult | None = None,
) -> HttpResponse:
    shown = box(topic, form)
    if (
        answer is not None
        and answer.answer in (FormAnswer.AGAIN, FormAnswer.BUSY)
        and form is not None
    ):
        shown["ticket"] = form.cleaned_data["ticket"]  # keeps its age, which is checked again
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
    """Shows the confirmation page, and confirms on POST only, as link scanners follow links."""
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
    # 410 Gone (RFC 9110 §15.5.11): the link was good once, perhaps, and will not be again.
    return render(request, "public/confirm_too_late.html", context, status=410)


@csrf_exempt
@in_wanted_language
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """Unsubscribes on POST, as by a click in a mail program (RFC 8058 §3.2).

    Such a POST carries no cookies, and must not be answered with a redirect.
    """
    leaving = links.leaving(token)
    if leaving is None:
        return render(request, "public/leave_unknown.html", status=404)
    if leaving.reader is not None:
        speak_to(request, leaving.reader)
    # Known or left before: the page is the same, so that a second click is no error.
    left = request.method == "POST" and actions.unsubscribe(token, _how(request))
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
    """Returns `LINK` if the button on our page was pressed, else `ONE_CLICK`.

    A body that cannot be read counts as one-click.
    """
    try:
        button = "button" in request.POST
    except (BadRequest, MultiPartParserError, SuspiciousOperation, UnreadablePostError):
        button = False
    return Consent.How.LINK if button else Consent.How.ONE_CLICK


def speak_to(request: HttpRequest, reader: Reader) -> None:
    """Activates the reader's language, which is that of the mail, unless ``?lang=`` is given."""
    if "lang" not in request.GET and reader.language in dict(settings.LANGUAGES):
        translation.activate(reader.language)
        request.LANGUAGE_CODE = reader.language


def _see_other(address: str, request: HttpRequest) -> HttpResponse:
    """Returns a 303 redirect, so that reloading the next page does not post again."""
    lang = request.GET.get("lang", "")
    query = f"?lang={lang}" if lang in dict(settings.LANGUAGES) else ""
    return HttpResponseRedirect(address + query, status=303)
