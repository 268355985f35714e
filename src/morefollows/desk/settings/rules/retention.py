"""What is kept, for how long, and how much of it the next run of housekeeping deletes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from morefollows.api.http import repeated_requests
from morefollows.api.imports import actions as imports
from morefollows.api.webhooks import delivery
from morefollows.audience.suppression import hard_bounces
from morefollows.desk.settings.rules.forms import WORDS
from morefollows.housekeeping import rounds, tasks
from morefollows.nodes import actions as nodes
from morefollows.setup.shown_settings import ShownSetting, shown_settings
from morefollows.stories.alerts import canary
from morefollows.stories.drafts import deletion

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class _Kind(NamedTuple):
    """A kind of data. `task`: the name of its task. `kept`: a setting, or a fixed time."""

    task: str
    label: Promise
    kept: str | timedelta
    then: Promise | str = ""  #: what stays of it


_KINDS = (
    _Kind(
        "unconfirmed sign-ups",
        _("Sign-ups that nobody confirmed"),
        "confirmation_days",
        _("Their evidence stays, without the address."),
    ),
    _Kind(
        "unanswered invitations to drills",
        _("Invitations to drills without an answer"),
        "confirmation_days",
    ),
    _Kind(
        "whole client addresses",
        _("Network addresses in the evidence of consent"),
        "client_address_days",
        _("Their network stays."),
    ),
    _Kind(
        "alerts whose sending is packed",
        _("Times of an alert’s single mails, and its composed mail"),
        "keep_sending_days",
        _("Who was sent it, and with which outcome, stays."),
    ),
    _Kind(
        "alerts whose recipients are forgotten",
        _("Who was sent an alert"),
        "keep_recipients_days",
        _("The counts stay."),
    ),
    _Kind("replies of relays", _("Why mails were deferred or refused"), "keep_replies_days"),
    _Kind("times of providers", _("How soon each provider accepted an alert"), "keep_replies_days"),
    _Kind("brakes of old alerts", _("Brakes on an alert’s refusals"), "keep_replies_days"),
    _Kind(
        "letters that are done with", _("Confirmations, thanks and digests"), "keep_letters_days"
    ),
    _Kind("mails that came back", _("Mails that came back, in full"), "keep_incoming_days"),
    _Kind(
        "what mails that came back meant",
        _("What mails that came back meant"),
        "keep_replies_days",
    ),
    _Kind("old bounces", _("Bounces of an address"), hard_bounces.FORGOTTEN),
    _Kind("daily counts of relays", _("Daily counts of relays and providers"), "keep_relay_days"),
    _Kind("WebSub pings", _("Notes that a hub was told"), "keep_pings_days"),
    _Kind(
        "events that were posted to webhooks",
        _("Events that were posted to webhooks"),
        delivery.KEPT_FOR,
    ),
    _Kind(
        "answers to repeated requests", _("Answers to requests of programs"), repeated_requests.KEPT
    ),
    _Kind("places of broken imports", _("The place of a broken import"), "keep_imports_days"),
    _Kind("results of uploaded imports", _("Results of uploaded imports"), imports.KEPT_FOR),
    _Kind("images that nothing shows", _("Images that nothing shows"), "image_days"),
    _Kind("texts of deleted drafts", _("Texts of deleted drafts"), deletion.KEPT),
    _Kind("old canaries", _("Canaries"), canary.KEPT_FOR),
    _Kind(
        "sessions",
        _("Sessions at the desk"),
        timedelta(seconds=settings.SESSION_COOKIE_AGE),
    ),
    _Kind("tallies and spent proofs of work", _("Counts that limit sign-ups"), _HOUR),
    _Kind("sender processes of before", _("Senders that have ended"), _DAY),
    _Kind(
        "processes of machines that are gone",
        _("Processes of machines that are gone"),
        timedelta(milliseconds=nodes.FORGOTTEN_MS),
    ),
)
#: Kinds that another setting may keep for longer.
_LONGER: dict[str, Callable[[], int]] = {
    "letters that are done with": tasks.letter_days,
    "what mails that came back meant": tasks.incoming_days,
}
#: What no run deletes, and until when it is kept.
_FOR_GOOD = (
    (_("Readers, subscriptions and suppressions"), _("until they are erased")),
    (_("Evidence of consent"), _("until its reader is erased")),
    (_("Published updates, counts of alerts, and the activity log"), _("for good")),
)


class RetentionRow(NamedTuple):
    """One kind of data, for the page."""

    what: Any
    kept: Any
    variable: str = ""  #: of the setting; empty: there is none
    link: str = ""  #: to the setting's field
    then: Any = ""
    number: int | None = None  #: None: not known yet


class Retention(NamedTuple):
    """The table of the page. `counted_at`: None while it is being counted for the first time."""

    rows: Sequence[RetentionRow]
    for_good: Sequence[RetentionRow]
    counted_at: datetime | None


def retention() -> Retention:
    """Returns the table, with the settings in force. Waits for no count if there are many readers.

    The numbers are those of `morefollows housekeeping --dry-run`.
    """
    counts, at = rounds.would_go_as_counted()
    in_force = {one.name: one for one in shown_settings()}
    rows = []
    for kind in _KINDS:
        number = None if counts is None else counts[kind.task]
        kept, variable, link = _how_long(kind), "", ""
        if isinstance(kind.kept, str):
            variable, link = in_force[kind.kept].variable, _link(in_force[kind.kept])
        rows.append(RetentionRow(kind.label, kept, variable, link, kind.then, number))
    for_good = [RetentionRow(what, until) for what, until in _FOR_GOOD]
    return Retention(rows, for_good, None if counts is None else at)


def _link(setting: ShownSetting) -> str:
    """Returns where the setting is changed; empty if the desk can't."""
    if setting.locked or setting.name not in WORDS:
        return ""
    page = "" if setting.group == "retention" else reverse(f"settings-{setting.group}")
    return f"{page}#id_{setting.name}"


def _how_long(kind: _Kind) -> str:
    kept = kind.kept
    if isinstance(kept, str):
        longer = _LONGER.get(kind.task)
        days: int = longer() if longer else getattr(settings.MOREFOLLOWS, kept)
        kept = timedelta(days=days)
    if kept < _DAY:
        hours = kept // _HOUR
        return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours}
    return ngettext("%(count)s day", "%(count)s days", kept.days) % {"count": kept.days}
