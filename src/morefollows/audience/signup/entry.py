"""Handles a submitted sign-up form: checks it, has the sign-up written, returns the answer.

The same code serves our own pages and forms embedded in other sites.

Invariant: the answer and its timing do not tell whether an address was known before.
"""

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
from morefollows.audience.signup import (
    forms,
    mail_domains,
    proof_of_work,
    site_origins,
    typos,
    writer,
)
from morefollows.audience.signup.form_tokens import FormStatement, FormTokens, digest_of
from morefollows.audience.signup.group_commit import Busy
from morefollows.audience.signup.record import SignUp
from morefollows.audience.signup.writer import SignUpResult
from morefollows.config.settings import Settings
from morefollows.helpers import networks

# Seconds before an answer is sent. Longer than writing a new reader takes, so that the timing
# does not tell whether anything was written.
_ANSWER_AFTER = 0.05
_LOOK_UPS = 16  # concurrent DNS queries
_LONGEST_PAGE = 500  # characters of a page's URL in the evidence
_COME_BACK = (3.0, 8.0)  # minimum and maximum seconds before a retry
BUSY = gettext_noop("Very many people are signing up right now. Please try again in a moment.")
LIFETIME = 2 * 3600  #: seconds for which a ticket is valid


class FormAnswer(Enum):
    """The kind of answer to a submitted form."""

    THANKS = "thanks"
    WRONG = "wrong"  #: the address is not valid; see `EntryResult.error`
    SUGGEST = "suggest"  #: the domain looks mistyped; ask the reader
    AGAIN = "again"  #: sent too early; send the same form again in `wait` seconds
    RENEW = "renew"  #: the form is too old, or its signature is not valid; show a new one
    WORK = "work"  #: a proof of work is required
    LATER = "later"  #: the network's hourly limit is reached
    UNKNOWN_SITE = "unknown site"
    BUSY = "busy"  #: nothing was written; send the same form again in `wait` seconds


class EntryResult(NamedTuple):
    """The answer to a submitted form, with its details."""

    answer: FormAnswer
    suggestion: str = ""
    refused: bool = False  #: with a suggestion: the address as typed is not valid
    wait: float = 0.0  #: seconds
    #: The earliest time to send the answer (`time.monotonic`). It is the same for robots and
    #: readers, so that a robot can't tell that its form was dropped.
    not_before: float = 0.0
    error: str = ""  #: what is wrong, in the reader's language


_ANSWERS = {
    SignUpResult.NOTED: FormAnswer.THANKS,
    SignUpResult.WORK: FormAnswer.WORK,
    SignUpResult.LATER: FormAnswer.LATER,
    SignUpResult.UNKNOWN_SITE: FormAnswer.UNKNOWN_SITE,
    SignUpResult.UNKNOWN_FORM: FormAnswer.RENEW,
}


def form_tokens() -> FormTokens:
    """The signer of statements and tickets, with the keys from the settings."""
    config: Settings = settings.MOREFOLLOWS
    return FormTokens(*config.derived_keys("forms"))


def statement(topic: Topic, shown: texts.InForce, language: str) -> str:
    """The signed statement for a form that shows this topic with these wordings."""
    return form_tokens().sign_statement(what_is_shown(topic, shown, language))


def what_is_shown(topic: Topic, shown: texts.InForce, language: str) -> FormStatement:
    """The statement for a form that shows this topic with these wordings."""
    digest = digest_of(
        topic.uid, topic.name_in(shown.alerts.language), *(wording.digest for wording in shown)
    )
    alerts, offers, privacy = shown
    return FormStatement(topic.pk, alerts.pk, offers.pk, privacy.pk, language, digest)


def ticket(origin: str) -> str:
    """A ticket for a form shown now by a page of this origin."""
    return form_tokens().ticket(origin, time.time())


def challenge(client: str) -> dict[str, str | int]:
    """A new proof-of-work challenge (ALTCHA), for this client's network."""
    config: Settings = settings.MOREFOLLOWS
    key, place = config.derived_key("work"), networks.shortened(client)
    return proof_of_work.challenge(key, config.work, time.time(), place)


def _work(
    config: Settings, altcha: str, now: float, client: str
) -> proof_of_work.SolvedChallenge | None:
    """Check a proof of work; None if it is not valid. The key before a rotation is accepted too."""
    return next(
        filter(
            None,
            (
                proof_of_work.done(key, altcha, now, networks.shortened(client))
                for key in config.derived_keys("work")
            ),
        ),
        None,
    )


def check_form(
    posted: Mapping[str, str], *, origin: str, here: str, client: str, form_version: str
) -> EntryResult | SignUp:
    """Run all checks that need neither DNS nor database. Does not block.

    `posted`: the fields of `forms.SignUpForm`. `origin`: of the page that showed the form. `here`:
    that page's path, used if the form has none. `client`: network address, "" if unknown.
    Returns a `SignUp` if the form passed, else the answer. A filled `website` field marks a
    robot: it gets the usual thanks, and nothing is written.
    """
    config: Settings = settings.MOREFOLLOWS
    try:
        address = addresses.parse(posted.get("instead") or posted.get("email", ""))
    except addresses.BadAddress as reason:
        if reason.suggestion and not posted.get("sure"):
            return EntryResult(FormAnswer.SUGGEST, reason.suggestion, refused=True)
        return EntryResult(
            FormAnswer.WRONG, error=forms.wrong(forms.reason_with_suggestion(reason))
        )
    if posted.get("website", "").strip():
        return EntryResult(FormAnswer.THANKS)
    now = time.time()
    ours = form_tokens()
    statement = ours.read_statement(posted.get("shown", "").strip())
    age = ours.age(posted.get("ticket", "").strip(), origin, now)
    if statement is None or age is None or age > LIFETIME:
        return EntryResult(FormAnswer.RENEW)
    suggestion = typos.suggestion(address)
    if suggestion and posted.get("sure") != address.text:
        return EntryResult(FormAnswer.SUGGEST, suggestion=suggestion)
    if age < config.sign_up_seconds:
        return EntryResult(FormAnswer.AGAIN, wait=config.sign_up_seconds - age)
    altcha = posted.get("altcha", "").strip()
    page = (config.url if origin == site_origins.own() else origin) + (
        forms.page_path(posted) or here
    )
    return SignUp(
        address=address,
        offers=posted.get("offers", "").lower() not in ("", "0", "false"),
        statement=statement,
        origin=origin,
        page=page.partition("?")[0][:_LONGEST_PAGE],
        form_version=form_version,
        client_address=client,
        work=_work(config, altcha, now, client) if altcha else None,
    )


def enter(
    posted: Mapping[str, str], *, origin: str, here: str, client: str, form_version: str
) -> EntryResult:
    """Check a form and sign its reader up. Blocks until the sign-up is committed.

    Parameters as for `check_form`.
    """
    began = time.monotonic()
    checked = check_form(posted, origin=origin, here=here, client=client, form_version=form_version)
    if isinstance(checked, EntryResult):
        return _not_before(checked, began)
    if reason := mail_domains.refusal(checked.address.domain):
        return EntryResult(FormAnswer.WRONG, error=forms.wrong(reason))
    try:
        return _not_before(EntryResult(_ANSWERS[writer.sign_up(checked)]), began)
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
) -> EntryResult:
    """Like `enter`, without blocking the event loop. `language`: of the texts in the answer."""
    began = time.monotonic()
    form = {"origin": origin, "here": here, "client": client, "form_version": form_version}
    checked = check_form(posted, **form)
    if isinstance(checked, EntryResult) and checked.error:  # switching the language is slow
        with translation.override(language):
            checked = check_form(posted, **form)
    if isinstance(checked, EntryResult):
        return _not_before(checked, began)
    if reason := await _refusal(checked.address.domain, language):
        return EntryResult(FormAnswer.WRONG, error=reason)
    try:
        return _not_before(EntryResult(_ANSWERS[await writer.sign_up_async(checked)]), began)
    except (Busy, OperationalError, InterfaceError):
        return _busy()


def _not_before(result: EntryResult, began: float) -> EntryResult:
    """Set when the answer may be sent. Errors that the reader corrects are answered at once."""
    if result.answer in (FormAnswer.WRONG, FormAnswer.SUGGEST, FormAnswer.AGAIN, FormAnswer.RENEW):
        return result
    return result._replace(not_before=began + _ANSWER_AFTER)


def _busy() -> EntryResult:
    """The answer when nothing could be written in time."""
    # Random, so that the retries are spread over time.
    return EntryResult(FormAnswer.BUSY, wait=random.uniform(*_COME_BACK))  # noqa: S311


async def _refusal(domain: str, language: str) -> str:
    """Why the domain takes no mail, in this language; "" if it does or if that is unknown.

    Queries the DNS in a thread. The check is skipped while `_LOOK_UPS` queries are running.
    """
    if mail_domains.is_known(domain):
        reason = mail_domains.refusal(domain)
    elif _asking.locked():
        return ""
    else:
        async with _asking:
            reason = await asyncio.get_running_loop().run_in_executor(
                _resolvers, mail_domains.refusal, domain
            )
    if not reason:
        return ""
    with translation.override(language):
        return forms.wrong(mail_domains.refusal(domain))


_asking = asyncio.BoundedSemaphore(_LOOK_UPS)
_resolvers = ThreadPoolExecutor(_LOOK_UPS, "dns")
