"""Checklist items that need the network: the sites that a story links to, and the spam score."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from morefollows.courier.message.preview import Preview
from morefollows.courier.preflight import LOOK, OK, WRONG, Item, guarded_visit, in_order, spamd
from morefollows.stories import markdown
from morefollows.stories.models import Story

LINKS = 10  #: are asked, at most
SECONDS = 10.0  #: for all of it
_AT_ONCE = 4

Found = TypeVar("Found")


def web_links(text: str) -> list[str]:
    """The addresses on the web that a story links to, each once, in order."""
    return [
        link
        for link in dict.fromkeys(markdown.links(text))
        if link.lower().startswith(("http://", "https://"))
    ]


def asks_by_itself(story: Story) -> bool:
    """Whether the page may run these checks without a request by the editor.

    Not with the local inbox, as nothing may leave the machine then. Not under an embargo, as the
    sites would see the visit.
    """
    return not settings.MOREFOLLOWS.inbox and story.embargo_until is None


def outside_items(story: Story, preview: Preview) -> list[Item]:
    """Runs all checks at once, for at most `SECONDS`. Does not use the database."""
    until = time.monotonic() + SECONDS
    links = web_links(story.text)
    scorer: str = settings.MOREFOLLOWS.spamd
    pool = ThreadPoolExecutor(_AT_ONCE + 1, thread_name_prefix="checklist")
    try:
        score = None
        if scorer:
            host, _colon, port = scorer.rpartition(":")
            score = pool.submit(spamd.score_mail, host, int(port), preview.message)
        visits = [pool.submit(guarded_visit.visit, link) for link in links[:LINKS]]
        items = []
        if links:
            answers = [
                _result(one, until) or guarded_visit.VisitResult(trouble="late") for one in visits
            ]
            items.append(_links(links, answers))
        if score is not None:
            items.append(_score(_result(score, until)))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return in_order(items)


def _result(future: Future[Found], until: float) -> Found | None:
    """Returns the result, or None if it is not there by `until`."""
    try:
        return future.result(max(until - time.monotonic(), 0))
    except TimeoutError:
        return None


def _links(links: list[str], answers: list[guarded_visit.VisitResult]) -> Item:
    judged = [(link, *_judged(answer)) for link, answer in zip(links, answers, strict=False)]
    lines = tuple((link, words) for link, state, words in judged if state != OK)
    unasked = len(links) - len(answers)
    if unasked:
        lines += ((links[len(answers)], _and_more(unasked)),)
    states = [state for _link, state, _words in judged] + [LOOK] * bool(unasked)
    worst = max(states, key=(OK, LOOK, WRONG).index)
    well = sum(state == OK for state in states)
    words = ngettext(
        "%(well)s of %(all)s link answers", "%(well)s of %(all)s links answer", len(links)
    )
    remedy = (
        _("Open it and see for yourself; change it if it leads nowhere.") if worst != OK else ""
    )
    return Item(_("Links"), worst, words % {"well": well, "all": len(links)}, remedy, lines)


def _and_more(unasked: int) -> str:
    if unasked == 1:
        return _("not asked: only the first %(most)s are") % {"most": LINKS}
    return _("not asked, as all that follow: only the first %(most)s are") % {"most": LINKS}


def _judged(answer: guarded_visit.VisitResult) -> tuple[str, str]:
    match answer.trouble:
        case "":
            return _status(answer.status)
        case "private":
            return WRONG, _("leads into a private network, where readers can’t follow")
        case "port":
            return LOOK, _("not asked: it has a password in it, or a port that is not the web’s")
        case "name":
            return WRONG, _("there is no such site")
        case "late":
            return LOOK, _("does not answer in time")
        case "certificate":
            return WRONG, _("its certificate is not valid: browsers warn of it")
        case "redirects":
            return LOOK, _("redirects again and again")
        case "unreachable":
            return WRONG, _("can’t be reached")
        case _:
            return LOOK, _("answers in a way that can’t be understood")


def _status(status: int) -> tuple[str, str]:
    code = {"status": status}
    if status < 400:
        return OK, ""
    if status in (404, 410):
        return WRONG, _("there is no such page (%(status)s)") % code
    if status in (401, 402, 403, 429, 451, 999):
        return LOOK, _("does not let us look (%(status)s)") % code
    return LOOK, _("answers with an error (%(status)s)") % code


def _score(found: spamd.Score | None) -> Item:
    name = _("Spam score")
    if found is None:
        remedy = _(
            "Whoever runs this service can see whether spamd runs where MOREFOLLOWS_SPAMD says."
        )
        return Item(name, LOOK, _("The scorer does not answer."), remedy)
    words = _("%(score)s of %(limit)s") % {
        "score": _figure(found.score),
        "limit": _figure(found.limit),
    }
    if found.score >= found.limit:
        return Item(
            name, WRONG, words, _("SpamAssassin would take it for spam: say it in plainer words.")
        )
    if found.score >= found.limit / 2:
        return Item(name, LOOK, words, _("More than half of what makes a mail spam."))
    return Item(name, OK, words)


def _figure(value: float) -> str:
    return number_format(value, 1, use_l10n=True).replace("-", "\N{MINUS SIGN}")
