"""One sign-up's way from a form that was sent to its answer, the same for our own pages and for boxes elsewhere."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import NamedTuple

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import translation
from django.utils.translation import gettext_noop

from morefollows.audience import addresses
from morefollows.audience.consent import texts
from morefollows.audience.models import Topic
from morefollows.audience.signup import forms, mail_domains, origins, proof_of_work, typos, writer
from morefollows.audience.signup.form_tokens import FormTokens, Shown, words_of
from morefollows.audience.signup.group_commit import Busy
from morefollows.audience.signup.writer import Verdict
from morefollows.config.settings import Settings

_ANSWER_AFTER = (
    0.05  # seconds; longer than noting a new reader takes, so that the time tells nothing either
)
_LOOK_UPS = 16  # at once
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
    said: str = ""  #: what is wrong, in the reader's language


class Fit(NamedTuple):
    """A form with which nothing is wrong, as far as it can be told without asking anybody."""

    asked: writer.SignUp
    not_before: float


_MEANT = {
    Verdict.NOTED: Answer.THANKS,
    Verdict.WORK: Answer.WORK,
    Verdict.LATER: Answer.LATER,
    Verdict.UNKNOWN_SITE: Answer.UNKNOWN_SITE,
    Verdict.UNKNOWN_FORM: Answer.RENEW,
}


def tokens() -> FormTokens:
    config: Settings = settings.MOREFOLLOWS
    return FormTokens(*config.derived_keys("forms"))


def statement(topic: Topic, shown: texts.InForce, language: str) -> str:
    """For a form that shows these words around this topic."""
    alerts, offers, privacy = shown.alerts, shown.offers, shown.privacy
    words = words_of(topic.uid, alerts.digest, offers.digest, privacy.digest)
    return tokens().statement(Shown(topic.pk, alerts.pk, offers.pk, privacy.pk, language, words))


def ticket(origin: str) -> str:
    return tokens().ticket(origin, time.time())


def challenge() -> dict[str, str | int]:
    """A proof of work to be done (ALTCHA)."""
    config: Settings = settings.MOREFOLLOWS
    return proof_of_work.challenge(config.derived_key("work"), config.work, time.time())


def _work(config: Settings, altcha: str, now: float) -> proof_of_work.Done | None:
    """Also by the key of before, in the minutes after a rotation."""
    return next(
        filter(None, (proof_of_work.done(key, altcha, now) for key in config.derived_keys("work"))),
        None,
    )


def judge(
    posted: Mapping[str, str], *, origin: str, here: str, client: str, form_version: str
) -> Entered | Fit:
    """Judges a form as it was sent, as far as neither the DNS nor the database is needed. Blocks nobody.

    `origin`: the site whose page showed it. `here`: that page's path, if the form does not say.
    """
    config: Settings = settings.MOREFOLLOWS
    try:
        address = addresses.parse(posted.get("instead") or posted.get("email", ""))
    except addresses.BadAddress as reason:
        if reason.suggestion and not posted.get("sure"):
            return Entered(Answer.SUGGEST, reason.suggestion, refused=True)
        return Entered(Answer.WRONG, said=forms.wrong(forms.reason_with_suggestion(reason)))
    not_before = time.monotonic() + _ANSWER_AFTER
    if posted.get("website", "").strip():
        return Entered(Answer.THANKS, not_before=not_before)
    now = time.time()
    ours = tokens()
    shown = ours.read_statement(posted.get("shown", "").strip())
    age = ours.age(posted.get("ticket", "").strip(), origin, now)
    if shown is None or age is None or age > LIFETIME:
        return Entered(Answer.RENEW)
    suggestion = typos.suggestion(address)
    if suggestion and posted.get("sure") != address.text:
        return Entered(Answer.SUGGEST, suggestion=suggestion)
    if age < config.sign_up_seconds:
        return Entered(Answer.AGAIN, wait=config.sign_up_seconds - age)
    altcha = posted.get("altcha", "").strip()
    asked = writer.SignUp(
        address=address,
        offers=posted.get("offers", "").lower() not in ("", "0", "false"),
        shown=shown,
        origin=origin,
        page=(config.url if origin == origins.own() else origin) + (forms.page(posted) or here),
        form_version=form_version,
        client=client,
        work=_work(config, altcha, now) if altcha else None,
    )
    return Fit(asked, not_before)


def enter(
    posted: Mapping[str, str], *, origin: str, here: str, client: str, form_version: str
) -> Entered:
    """Judges a form and, if all is well, signs its reader up. Blocks until that is on disk."""
    judged = judge(posted, origin=origin, here=here, client=client, form_version=form_version)
    if isinstance(judged, Entered):
        return judged
    if reason := mail_domains.refusal(judged.asked.address.domain):
        return Entered(Answer.WRONG, said=forms.wrong(reason))
    try:
        return Entered(_MEANT[writer.sign_up(judged.asked)], not_before=judged.not_before)
    except (Busy, OperationalError, InterfaceError):
        return _busy()


async def enter_async(
    posted: Mapping[str, str],
    *,
    origin: str,
    here: str,
    client: str,
    form_version: str,
    language: str,
) -> Entered:
    """The same in an event loop, which it never blocks. `language`: of what is told."""
    with translation.override(language):
        judged = judge(posted, origin=origin, here=here, client=client, form_version=form_version)
    if isinstance(judged, Entered):
        return judged
    if reason := await _refusal(judged.asked.address.domain, language):
        return Entered(Answer.WRONG, said=reason)
    try:
        return Entered(
            _MEANT[await writer.sign_up_async(judged.asked)], not_before=judged.not_before
        )
    except (Busy, OperationalError, InterfaceError):
        return _busy()


def _busy() -> Entered:
    return Entered(Answer.BUSY, wait=random.uniform(*_COME_BACK))  # noqa: S311 - so that not all come back at once


async def _refusal(domain: str, language: str) -> str:
    """Asks the DNS in a thread, if it has to be asked. Nobody waits for that while very many questions are open."""
    if mail_domains.is_known(domain):
        reason = mail_domains.refusal(domain)
    elif _asking.locked():
        return ""
    else:
        async with _asking:
            reason = await asyncio.get_running_loop().run_in_executor(
                _resolvers, mail_domains.refusal, domain
            )
    with translation.override(language):
        return forms.wrong(mail_domains.refusal(domain)) if reason else ""


_asking = asyncio.BoundedSemaphore(_LOOK_UPS)
_resolvers = ThreadPoolExecutor(_LOOK_UPS, "dns")
