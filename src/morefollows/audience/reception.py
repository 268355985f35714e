"""Takes sign-ups in, however many come at once: what waits is judged and noted together, in one transaction.

An answer is there when the sign-up is on disk, and after the same time whoever it was: a group gets its own at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from django.db import transaction

from morefollows.audience import actions, limits, newcomers, origins
from morefollows.audience.addresses import Address
from morefollows.audience.form_tokens import Shown
from morefollows.audience.group_commit import GroupCommit
from morefollows.audience.limits import Attempt, Demand
from morefollows.audience.models import Site, Topic, Wording
from morefollows.audience.newcomers import Newcomer, Place
from morefollows.audience.wordings import InForce
from morefollows.audience.work import Done

_MOST = 256  # sign-ups in one transaction
_APART = 0.025  # seconds between two: on SQLite one process writes at a time, and alerts have to write their outcomes


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
    """Blocks until it is on disk. Whether the address was known, or must never be mailed, makes no difference.

    Raises `group_commit.Busy` when too many come at once: nothing was noted.
    """
    return _group.submit(asked)


async def sign_up_async(asked: SignUp) -> Verdict:
    """The same in an event loop."""
    return await _group.submit_async(asked)


def _receive(asked: Sequence[SignUp]) -> list[Verdict | Exception]:
    sites = {origins.own(), *Site.objects.values_list("origin", flat=True)}
    topics = Topic.objects.in_bulk({one.shown.topic for one in asked})
    words = Wording.objects.in_bulk({key for one in asked for key in one.shown[1:4]})
    with transaction.atomic():
        demands = limits.demands([Attempt(one.client, one.address.domain, one.work) for one in asked])
        verdicts: list[Verdict | Exception] = [
            _judge(one, demand, sites, topics, words) for one, demand in zip(asked, demands, strict=True)
        ]
        # In one order for everybody, as in `limits`: so nobody waits for someone who waits for him.
        counting = [at for at, verdict in enumerate(verdicts) if verdict is Verdict.NOTED]
        counting.sort(key=lambda at: asked[at].address.key)
        wanted = [_newcomer(asked[at], topics, words) for at in counting]
        for at, one, noted in zip(counting, wanted, newcomers.note(wanted), strict=True):
            if not noted:
                verdicts[at] = _sign_up_alone(one)
        return verdicts


def _judge(
    one: SignUp, demand: Demand, sites: set[str], topics: dict[int, Topic], words: dict[int, Wording]
) -> Verdict:
    if one.origin not in sites:
        return Verdict.UNKNOWN_SITE
    if one.shown.topic not in topics or not all(key in words for key in one.shown[1:4]):
        return Verdict.UNKNOWN_FORM
    return {Demand.NOTHING: Verdict.NOTED, Demand.WORK: Verdict.WORK, Demand.LATER: Verdict.LATER}[demand]


def _newcomer(one: SignUp, topics: dict[int, Topic], words: dict[int, Wording]) -> Newcomer:
    shown = one.shown
    return Newcomer(
        one.address,
        topics[shown.topic],
        one.offers,
        shown.language,
        Place(one.page, one.form_version, one.client),
        InForce(words[shown.alerts], words[shown.offers], words[shown.privacy]),
    )


def _sign_up_alone(one: Newcomer) -> Verdict | Exception:
    """Whoever is known, or comes twice. What goes wrong is undone by itself, and only its own caller hears of it."""
    try:
        actions.sign_up(
            one.address.text,
            topic=one.topic,
            offers=one.offers,
            language=one.language,
            page=one.place.page,
            client_address=one.place.client_address,
            form_version=one.place.form_version,
            shown=one.shown,
        )
    except Exception as error:
        return error
    return Verdict.NOTED


_group: GroupCommit[SignUp, Verdict] = GroupCommit(_receive, _MOST, _APART)
