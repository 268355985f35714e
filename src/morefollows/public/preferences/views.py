"""The preference page: subscriptions, delivery preferences, and the reader's own data.

Every mail contains the signed link to it. There is no password and no cookie: the token in the URL
authenticates the reader. Each button is a form of its own, posted to that URL.

Invariant: GET changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone, translation
from django.utils.timezone import override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from morefollows.audience import erasure
from morefollows.audience.consent import texts, withdrawal
from morefollows.audience.consent.texts import InForce
from morefollows.audience.link_tokens import links
from morefollows.audience.models import (
    Consent,
    Newsroom,
    Purpose,
    Reader,
    Subscription,
    Suppression,
    Topic,
    Wording,
)
from morefollows.audience.preferences import actions as preferences
from morefollows.audience.preferences import address_change
from morefollows.audience.signup import entry, mail_domains
from morefollows.audience.signup.forms import invalid
from morefollows.audience.topics import actions as topic_actions
from morefollows.config.languages import LANGUAGES
from morefollows.helpers.client_address import client_address
from morefollows.helpers.local_time import zone
from morefollows.public.page_language import in_wanted_language, speak_to
from morefollows.public.preferences.forms import LanguageForm, NewAddressForm, PreferencesForm
from morefollows.public.preferences.own_data import own_data, story_choices
from morefollows.stories.drafts import actions as stories
from morefollows.stories.models import Story

FORM_VERSION = "preferences 1"
_PAUSE = timedelta(days=7)
_SECTIONS = ("topics", "terms", "stories", "offers", "pause", "language", "address", "leave")

Handler = Callable[[HttpRequest, Reader], "forms.Form | str | None"]


# No cookie authenticates anybody here, so that there is nothing for another site to abuse.
@csrf_exempt
@in_wanted_language
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    """Shows the page, and handles its forms.

    An invalid form is shown again with its errors. Otherwise a redirect leads to the changed
    section, which says what was done.
    """
    reader = links.preferences(token)
    if reader is None:
        return render(request, "preferences/unknown.html", status=404)
    speak_to(request, reader)
    if request.method != "POST":
        done = request.GET.get("done", "")
        return _page(request, reader, done=done if done in _SECTIONS else "")
    section = request.POST.get("section", "")
    handler = _HANDLERS.get(section)
    if handler is None:
        raise Http404
    wrong = handler(request, reader)
    if wrong is not None:
        return _page(request, reader, {section: wrong}, status=422)
    # 303: the browser asks with GET (RFC 9110 §15.4.4), and a reload posts nothing again.
    return HttpResponseRedirect(f"{request.path}?done={section}#{section}", status=303)


@in_wanted_language
@require_safe
def data(request: HttpRequest, token: str) -> HttpResponse:
    """Returns the reader's data as a JSON file."""
    reader = links.preferences(token)
    if reader is None:
        return render(request, "preferences/unknown.html", status=404)
    known = own_data(reader)
    response = JsonResponse(known, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response


@csrf_exempt
@in_wanted_language
@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest, token: str) -> HttpResponse:
    """Asks for confirmation, and erases the reader on POST."""
    reader = links.preferences(token)
    if reader is None:
        return render(request, "preferences/unknown.html", status=404)
    speak_to(request, reader)
    if request.method == "POST":
        erasure.erase(reader)
        return render(request, "preferences/erased.html")
    return render(request, "preferences/erase.html", {"reader": reader, "token": token})


@csrf_exempt
@in_wanted_language
@require_http_methods(["GET", "HEAD", "POST"])
def new_address(request: HttpRequest, token: str) -> HttpResponse:
    """The page that the link mailed to a new address opens. Changes the address on POST."""
    letter = links.new_address(token)
    if letter is not None:
        speak_to(request, letter.reader)
    if request.method == "POST":
        moved = address_change.move(token)
        if moved is not None:
            # A new link: the move has raised `links_version`, which ends those in earlier mail.
            link = links.link_tokens().preferences(links.row(moved), moved.links_version).decode()
            return render(request, "preferences/moved.html", {"reader": moved, "token": link})
    elif letter is not None:
        return render(request, "preferences/new_address.html", {"address": letter.address})
    # Most such links were good once, and are used up or too old (RFC 9110 §15.5.11).
    return render(request, "preferences/unknown.html", status=410)


# -- the page -------------------------------------------------------------------------------------


def _page(
    request: HttpRequest,
    reader: Reader,
    wrong: dict[str, Any] | None = None,
    *,
    done: str = "",
    status: int = 200,
) -> HttpResponse:
    wrong = wrong or {}
    newsroom = Newsroom.objects.get(pk=1)
    language = translation.get_language() or settings.LANGUAGE_CODE
    words = texts.in_force(language)
    active = set(
        Subscription.objects.filter(reader=reader, state=Subscription.State.ACTIVE).values_list(
            "topic_id", flat=True
        )
    )
    topics = list(topic_actions.shown_to(reader.pk))
    paused = reader.paused_until is not None and reader.paused_until > timezone.now()
    terms = wrong.get("terms")
    context = {
        "reader": reader,
        "token": request.resolver_match.kwargs["token"] if request.resolver_match else "",
        "done": done,
        "wrong": wrong,
        "may_be_mailed": not Suppression.objects.filter(key=reader.key).exists(),
        "topics": [
            {
                "topic": topic,
                "active": topic.pk in active and reader.state == Reader.State.CONFIRMED,
                "words": texts.shown_text(words.alerts, topic),
                "shown": entry.statement(topic, words, language),
            }
            for topic in topics
        ],
        "words_language": words.alerts.language,
        "offers_words": words.offers.text,
        "offers_language": words.offers.language,
        "offers_shown": entry.statement(topics[0], words, language) if topics else "",
        "terms": terms if isinstance(terms, PreferencesForm) else PreferencesForm.of(reader),
        "digest_time": f"{settings.MOREFOLLOWS.digest_time // 60:02}:"
        f"{settings.MOREFOLLOWS.digest_time % 60:02}",
        "newsroom_zone": newsroom.time_zone,
        "story_preferences": story_choices(reader),
        "paused": paused,
        "languages": [(code, LANGUAGES[code]) for code in settings.MOREFOLLOWS.languages],
        "address": wrong.get("address") or NewAddressForm(),
    }
    with override(zone(reader.time_zone or newsroom.time_zone)):
        return render(request, "preferences/page.html", context, status=status)


# -- handlers of the forms; each returns the invalid form or an error, None if it succeeded -------


def _topics(request: HttpRequest, reader: Reader) -> forms.Form | str | None:
    topic = get_object_or_404(Topic, slug=request.POST.get("topic", ""))
    # A topic can always be left, also when it is retired.
    if request.POST.get("do") == "leave":
        withdrawal.withdraw_consent(reader, Purpose.ALERTS, how=Consent.How.LINK, topic=topic)
    elif topic.access == Topic.Access.RETIRED or not _agree(request, reader, topic):
        return "not possible"
    return None


def _offers(request: HttpRequest, reader: Reader) -> forms.Form | str | None:
    if request.POST.get("do") == "leave":
        withdrawal.withdraw_consent(reader, Purpose.OFFERS, how=Consent.How.LINK)
    elif not _agree(request, reader, None):
        return "not possible"
    return None


def _agree(request: HttpRequest, reader: Reader, topic: Topic | None) -> bool:
    """Records consent with the wordings shown beside the button, even if there are newer ones."""
    statement = entry.form_tokens().read_statement(request.POST.get("shown", ""))
    if statement is None or (topic is not None and statement.topic != topic.pk):
        raise Http404
    found = Wording.objects.in_bulk(statement.wordings)
    words = [found.get(key) for key in statement.wordings]
    if None in words:
        raise Http404
    place = {
        "page": f"{settings.MOREFOLLOWS.url}/preferences/",
        "form_version": FORM_VERSION,
        "client_address": client_address(request),
    }
    # mypy does not see that none of `words` is None.
    return preferences.agree(reader, topic, InForce(*words), place)  # type: ignore[arg-type]


def _terms(request: HttpRequest, reader: Reader) -> forms.Form | str | None:
    form = PreferencesForm(request.POST)
    if not form.is_valid():
        return form
    preferences.choose(reader, form.choice())
    return None


def _stories(request: HttpRequest, reader: Reader) -> forms.Form | str | None:
    try:
        uuid = UUID(request.POST.get("story", ""))
    except ValueError:
        raise Http404 from None
    stories.set_story_preference(reader, get_object_or_404(Story, uuid=uuid), None)
    return None


def _pause(request: HttpRequest, reader: Reader) -> forms.Form | str | None:
    preferences.pause_mail(
        reader, None if request.POST.get("do") == "go on" else timezone.now() + _PAUSE
    )
    return None


def _language(request: HttpRequest, reader: Reader) -> forms.Form | str | None:
    form = LanguageForm(request.POST)
    if not form.is_valid():
        return form
    preferences.speak(reader, form.cleaned_data["language"])
    return None


def _address(request: HttpRequest, reader: Reader) -> forms.Form | str | None:
    form = NewAddressForm(request.POST)
    if not form.is_valid():
        return form
    if reason := mail_domains.refusal(form.cleaned_data["email"].domain):
        form.add_error("email", invalid(reason))
        return form
    address_change.ask_new_address(reader, form.cleaned_data["email"])
    return None


def _leave(request: HttpRequest, reader: Reader) -> forms.Form | str | None:
    preferences.unsubscribe_from_everything(reader)
    return None


_HANDLERS: dict[str, Handler] = {
    "topics": _topics,
    "offers": _offers,
    "terms": _terms,
    "stories": _stories,
    "pause": _pause,
    "language": _language,
    "address": _address,
    "leave": _leave,
}
