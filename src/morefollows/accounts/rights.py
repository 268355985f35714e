"""Roles and rights: the one place that answers what somebody may do, and with which story.

Every view and action asks `has_right`. A right counts at the moment when it is asked for: an editor
whose account is disabled has none, whatever page is open.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, Protocol

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What somebody may do, as far as no right of their own says otherwise."""

    REPORTER = "reporter", _("reporter")
    EDITOR = "editor", _("editor")
    ADMINISTRATOR = "administrator", _("administrator")


class Right(Enum):
    """What can be asked for. The first three can be about one story."""

    SEE = "see"  #: open its pages at the desk
    WRITE = "write"  #: write and change its draft
    SEND = "send"  #: approve, send, schedule, take back, pause, stop, retract and close it
    OFFERS = "offers"  #: see, write and send offers
    DRILLS = "drills"  #: send drills, and choose who takes part
    READERS = "readers"  #: look readers up, withdraw consent at their request, export
    LOG = "log"  #: read the activity log
    RELAYS = "relays"  #: pause and resume relays, and sending after a restore
    ADMINISTER = "administer"  #: people, settings, sites, texts of consent, suppressions, erasure


class Person(Protocol):
    """Whose rights are asked for; see `accounts.models.Editor`."""

    @property
    def is_active(self) -> bool: ...
    @property
    def role(self) -> str: ...
    @property
    def writes_offers(self) -> bool: ...
    @property
    def runs_drills(self) -> bool | None: ...
    @property
    def sees_readers(self) -> bool | None: ...
    @property
    def topic_ids(self) -> frozenset[int] | None: ...


class StoryLike(Protocol):
    """The story that a right is asked for. Without a topic it is an offer."""

    @property
    def topic_id(self) -> int | None: ...
    @property
    def drill(self) -> bool: ...


class NewStory(NamedTuple):
    """A story that does not exist yet, or is to be changed so."""

    topic_id: int | None
    drill: bool = False


def has_right(who: Person | None, right: Right, about: StoryLike | None = None) -> bool:
    """Whether this person has the right. None is the system, which has none of an editor's.

    `about`: the story, for `SEE`, `WRITE` and `SEND`. Without it the answer is whether the person
    may do it with any story at all, which is for menus.
    """
    if who is None or not who.is_active:
        return False
    if who.role == Role.ADMINISTRATOR:
        return True
    if about is None:
        return _in_general(who, right)
    if about.topic_id is None:
        return who.writes_offers
    match right:
        case Right.SEE:
            return True
        case Right.WRITE:
            return _has_topic(who, about.topic_id)
        case Right.SEND:
            sends = _in_general(who, Right.DRILLS if about.drill else Right.SEND)
            return sends and _has_topic(who, about.topic_id)
        case _other:
            return _in_general(who, right)


def _in_general(who: Person, right: Right) -> bool:
    edits = who.role == Role.EDITOR
    match right:
        case Right.SEE | Right.WRITE:
            return True
        case Right.SEND | Right.LOG:
            return edits
        case Right.RELAYS:  # a relay carries the mail of every topic
            return edits and who.topic_ids is None
        case Right.OFFERS:
            return who.writes_offers
        case Right.DRILLS:
            return edits if who.runs_drills is None else who.runs_drills
        case Right.READERS:
            return edits if who.sees_readers is None else who.sees_readers
        case Right.ADMINISTER:
            return False


def _has_topic(who: Person, topic: int) -> bool:
    return who.topic_ids is None or topic in who.topic_ids
