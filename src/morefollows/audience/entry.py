"""One sign-up's way from a form that was sent to its answer, the same for our own pages and for boxes elsewhere."""

from __future__ import annotations

import random
import time
from enum import Enum
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext_noop

from morefollows.audience import origins, reception, typos, wordings, work
from morefollows.audience.form_tokens import FormTokens, Shown
from morefollows.audience.forms import SignUp
from morefollows.audience.group_commit import Busy
from morefollows.audience.models import Topic
from morefollows.audience.reception import Verdict
from morefollows.settings import Settings

_ANSWER_AFTER = 0.05  # seconds; longer than noting a new reader takes, so that the time tells nothing either
_COME_BACK = (3.0, 8.0)  # seconds, from and to
BUSY = gettext_noop("Very many people are signing up right now. Please try again in a moment.")
LIFETIME = 2 * 3600  #: seconds for which a ticket is good


class Answer(Enum):
    THANKS = "thanks"
    WRONG = "wrong"  #: the form's errors say why
    SUGGEST = "suggest"
    AGAIN = "again"  #: the same form, `wait` seconds later
    RENEW = "renew"  #: the form is too old, or none of ours: here is a new one
    WORK = "work"
    LATER = "later"
    UNKNOWN_SITE = "unknown site"
    BUSY = "busy"  #: nothing was noted; the same form, `wait` seconds later


class Entered(NamedTuple):
    answer: Answer
    suggestion: str = ""
    refused: bool = False  #: with a suggestion: the address as typed can't be mailed at all
    wait: float = 0.0  #: seconds
    not_before: float = 0.0  #: when it may be told (`time.monotonic`): a robot and a reader hear after the same time


_MEANT = {
    Verdict.NOTED: Answer.THANKS,
    Verdict.WORK: Answer.WORK,
    Verdict.LATER: Answer.LATER,
    Verdict.UNKNOWN_SITE: Answer.UNKNOWN_SITE,
    Verdict.UNKNOWN_FORM: Answer.RENEW,
}


def tokens() -> FormTokens:
    config: Settings = settings.MOREFOLLOWS
    return FormTokens(config.derived_key("forms"))


def statement(topic: Topic, shown: wordings.InForce, language: str) -> str:
    """For a form that shows these words around this topic."""
    return tokens().statement(Shown(topic.pk, shown.alerts.pk, shown.offers.pk, shown.privacy.pk, language))


def ticket(origin: str) -> str:
    return tokens().ticket(origin, time.time())


def challenge() -> dict[str, str | int]:
    """A proof of work to be done (ALTCHA)."""
    config: Settings = settings.MOREFOLLOWS
    return work.challenge(config.derived_key("work"), config.work, time.time())


def enter(form: SignUp, *, origin: str, here: str, client: str, form_version: str) -> Entered:
    """Judges a form and, if all is well, signs its reader up. Blocks until that is on disk.

    `origin`: the site whose page showed it. `here`: that page's path, if the form does not say.
    """
    config: Settings = settings.MOREFOLLOWS
    if not form.is_valid():
        suggestion = "" if form.data.get("sure") else form.suggestion()
        return Entered(Answer.SUGGEST, suggestion, refused=True) if suggestion else Entered(Answer.WRONG)
    given = form.cleaned_data
    not_before = time.monotonic() + _ANSWER_AFTER
    if given["website"]:
        return Entered(Answer.THANKS, not_before=not_before)
    now = time.time()
    shown, age = tokens().read_statement(given["shown"]), tokens().age(given["ticket"], origin, now)
    if shown is None or age is None or age > LIFETIME:
        return Entered(Answer.RENEW)
    slip = typos.suggestion(form.address)
    if slip and given["sure"] != form.address.text:
        return Entered(Answer.SUGGEST, suggestion=slip)
    if age < config.sign_up_seconds:
        return Entered(Answer.AGAIN, wait=config.sign_up_seconds - age)
    if not form.can_be_mailed():
        return Entered(Answer.WRONG)
    site = config.url if origin == origins.own() else origin
    asked = reception.SignUp(
        address=form.address,
        offers=given["offers"],
        shown=shown,
        origin=origin,
        page=site + (given["page"] or here),
        form_version=form_version,
        client=client,
        work=work.done(config.derived_key("work"), given["altcha"], now),
    )
    try:
        return Entered(_MEANT[reception.sign_up(asked)], not_before=not_before)
    except Busy:
        return Entered(Answer.BUSY, wait=random.uniform(*_COME_BACK))  # noqa: S311 - so that not all come back at once
