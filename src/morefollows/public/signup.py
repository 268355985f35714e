"""The public pages for signing up and confirming, and the privacy notice.

Invariant: none of these pages sets a cookie. So they need no CSRF token. Anyone can send a sign-up
anyway, and the token in the URL authenticates the other forms.
"""

from __future__ import annotations

import math
import time
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from morefollows.audience.consent import confirmation, texts
from morefollows.audience.link_tokens import links
from morefollows.audience.models import Purpose, Topic, Wording
from morefollows.audience.signup import entry, site_origins
from morefollows.audience.signup.entry import EntryResult, FormAnswer
from morefollows.audience.signup.forms import SignUpForm
from morefollows.audience.topics import actions as topics
from morefollows.helpers.client_address import client_address
from morefollows.public.page_language import in_wanted_language, speak_to
from morefollows.stories import markdown

FORM_VERSION = "2"
# The key of the ASGI scope under which `processes.web.signup_endpoint` leaves a form's result.
ENTERED = "morefollows.entered"


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
        "ticket": entry.ticket(site_origins.own()),
    }


@csrf_exempt
@in_wanted_language
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest, topic: str) -> HttpResponse:
    """The page with the sign-up box. It also accepts plain forms posted from other sites."""
    # The topic of the address is for the page only. A posted form names its own in the statement.
    chosen = get_object_or_404(Topic.objects.select_related("merged_into"), slug=topic)
    if chosen.merged_into is not None:
        return _see_other(reverse("sign-up", args=[topics.successor(chosen).slug]), request)
    if not _may_sign_up(request, chosen):
        # 410 Gone (RFC 9110 §15.5.11): it was open before, or the invitation was withdrawn.
        open_now = {"topics": topics.offered_topics()}
        return render(request, "public/topic_closed.html", open_now, status=410)
    if request.method != "POST":
        return _sign_up_page(request, chosen)
    posted = request.POST.dict()
    form = SignUpForm(posted)
    here = {"origin": site_origins.own(), "here": request.path, "client": client_address(request)}
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


def _may_sign_up(request: HttpRequest, topic: Topic) -> bool:
    """Whether the topic is open, or the request has its invitation."""
    if topic.access == Topic.Access.INVITED:
        # A posted form was shown to somebody invited: its statement is signed.
        return request.method == "POST" or topics.is_invited(
            topic, request.GET.get("invitation", "")
        )
    return topic.access == Topic.Access.OPEN


def _shows_it(request: HttpRequest) -> bool:
    """Whether this client has seen a topic's form before, or has been invited."""
    if request.method != "POST":
        return True
    return entry.form_tokens().read_statement(request.POST.get("shown", "").strip()) is not None


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
    if topic.access == Topic.Access.INVITED and not _shows_it(request):
        raise Http404  # a form without our statement, posted by somebody without the invitation
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
        done = confirmation.confirm(token, client_address(request))
        if done is not None:
            return render(request, "public/confirmed.html", {"done": done, "topic": done.topic})
    elif asked is not None:
        to_alerts = any(one.purpose == Purpose.ALERTS for one in asked.unconfirmed)
        context = {"asked": asked, "topic": asked.topic, "to_alerts": to_alerts}
        return render(request, "public/confirm.html", context)
    context = {"topics": topics.offered_topics(), "days": settings.MOREFOLLOWS.confirmation_days}
    # 410 Gone (RFC 9110 §15.5.11): the link was good once, perhaps, and will not be again.
    return render(request, "public/confirm_too_late.html", context, status=410)


@in_wanted_language
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    notice = texts.current(
        Wording.Kind.PRIVACY, translation.get_language() or settings.LANGUAGE_CODE
    )
    context = {"notice": notice, "html": markdown.to_html(notice.text)}
    return render(request, "public/privacy.html", context)


def _see_other(address: str, request: HttpRequest) -> HttpResponse:
    """Returns a 303 redirect, so that reloading the next page does not post again."""
    lang = request.GET.get("lang", "")
    query = f"?lang={lang}" if lang in settings.MOREFOLLOWS.languages else ""
    return HttpResponseRedirect(address + query, status=303)
