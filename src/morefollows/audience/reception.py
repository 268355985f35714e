"""Takes sign-ups in, however many come at once: what waits is judged and noted together, in one transaction.

An answer is given when the sign-up is on disk, and after the same time whoever it was: all of a group get theirs at
once, and no group's before `_ANSWER_AFTER`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from django.db import transaction

from morefollows.audience import actions, limits, origins
from morefollows.audience.addresses import Address
from morefollows.audience.form_tokens import Shown
from morefollows.audience.group_commit import GroupCommit
from morefollows.audience.limits import Attempt, Demand
from morefollows.audience.models import Site, Topic, Wording
from morefollows.audience.wordings import InForce
from morefollows.audience.work import Done

_MOST = 64  # sign-ups in one transaction
_ANSWER_AFTER = 0.12  # seconds; longer than noting a new reader takes, so that the time tells nothing either


class SignUp(NamedTuple):
    """A form that somebody has sent, as far as it can be judged without the database."""

    address: Address
    offers: bool
    shown: Shown
    origin: str  #: of the page that showed the form
    page: str  #: that page, without a query
    form_version: str
    client: str  #: network address; "" if unknown
    work: Done | None


class Verdict(Enum):
    NOTED = "noted"
    WORK = "work"
    LATER = "later"
    UNKNOWN_SITE = "unknown site"
    UNKNOWN_FORM = "unknown form"


def sign_up(asked: SignUp) -> Verdict:
    """Blocks until it is on disk. Whether the address was known, or must never be mailed, makes no difference."""
    began = time.monotonic()
    verdict = _group.submit(asked)
    time.sleep(max(0.0, began + _ANSWER_AFTER - time.monotonic()))
    return verdict


def pretend() -> None:
    """For a robot: takes as long as a sign-up."""
    time.sleep(_ANSWER_AFTER)


def _receive(asked: Sequence[SignUp]) -> list[Verdict | Exception]:
    with transaction.atomic():
        sites = {origins.own(), *Site.objects.values_list("origin", flat=True)}
        topics = Topic.objects.in_bulk({one.shown.topic for one in asked})
        wordings = Wording.objects.in_bulk({key for one in asked for key in one.shown[1:4]})
        demands = limits.demands([Attempt(one.client, one.address.domain, one.work) for one in asked])
        verdicts: dict[int, Verdict | Exception] = {}
        # In one order for everybody, as in `limits`.
        for at in sorted(range(len(asked)), key=lambda at: asked[at].address.key):
            verdicts[at] = _judge(asked[at], demands[at], sites, topics, wordings)
        return [verdicts[at] for at in range(len(asked))]


def _judge(
    one: SignUp, demand: Demand, sites: set[str], topics: dict[int, Topic], wordings: dict[int, Wording]
) -> Verdict | Exception:
    if one.origin not in sites:
        return Verdict.UNKNOWN_SITE
    topic = topics.get(one.shown.topic)
    words = [wordings.get(key) for key in one.shown[1:4]]
    if topic is None or None in words:
        return Verdict.UNKNOWN_FORM
    if demand is not Demand.NOTHING:
        return Verdict.WORK if demand is Demand.WORK else Verdict.LATER
    try:
        actions.sign_up(
            one.address.text,
            topic=topic,
            offers=one.offers,
            language=one.shown.language,
            page=one.page,
            client_address=one.client,
            form_version=one.form_version,
            shown=InForce(*words),  # type: ignore[arg-type]  # none of them is None
        )
    except Exception as error:  # undone by itself: only this one's caller hears of it
        return error
    return Verdict.NOTED


_group: GroupCommit[SignUp, Verdict] = GroupCommit(_receive, _MOST)
