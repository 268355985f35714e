"""Editors' actions on updates and alerts. Each action is one transaction.

Actions on drafts: `stories.drafts.actions`. What the system does itself: `stories.publication`.

Invariant: a story has at most one alert in its hold. `send` and `withdraw` lock the story,
then its alerts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows import notify
from morefollows.accounts.models import Editor
from morefollows.audience import placeholders
from morefollows.audience.models import Purpose
from morefollows.audit.actions import record
from morefollows.database import clock
from morefollows.stories import alert_audience as audiences
from morefollows.stories import checks, transitions, withdrawal
from morefollows.stories.drafts import approval
from morefollows.stories.errors import ActionRefused as ActionRefused
from morefollows.stories.images.actions import hold_on_to
from morefollows.stories.models import Alert, Story, Update, UpdateKind
from morefollows.stories.transition_table import Event

#: A scheduled alert is prepared this long before its time (ms). Readers active by then get it.
LEAD_MS = 60_000
#: Time to live (ms) of corrections and withdrawals, instead of the setting's.
CORRECTION_LIFE_MS = 5 * 24 * 3_600_000
_OFFER_TTL_MS = 24 * 3_600_000  # longer than any reader's quiet hours
_FURTHEST_MS = 366 * 24 * 3_600_000


class NotApproved(ActionRefused):
    """The draft needs the approval of an editor who did not write it, or a reason to go without."""


now_ms = clock.now_ms


def send(
    story: Story,
    editor: Editor,
    *,
    hold: float | None = None,
    revision: int | None = None,
    audience: str | None = None,
    flash: bool = False,
    at: datetime | None = None,
    alone_reason: str = "",
) -> Alert:
    """Freezes the story's draft as an update and starts the hold of its alert: *Send*.

    `hold`: in seconds; None: the setting's. The first mail leaves when it ends, unless the alert is
    taken back. `revision`: the one that the editor checked; None: any. `audience`: one of
    `stories.alert_audience.offered`; None: the first of them. `at`: the earliest time to send.
    `alone_reason`: why it goes out without approval.

    Raises `ActionRefused`, `ValidationError` with errors by field, and `NotApproved` if approval is
    missing and no reason given. A correction stops the alerts of the updates that it corrects.
    """
    transitions.check_right(Event.SEND, story, editor)
    with transaction.atomic():
        story = Story.objects.select_for_update(no_key=True).get(pk=story.pk)
        _check_may_go(story, revision)
        alone = _check_four_eyes(story, editor, alone_reason)
        update = Update(
            story=story,
            kind=story.kind,
            headline=story.headline,
            standfirst=story.standfirst,
            text=story.text,
            note=story.note,
            answers=story.answers,
        )
        alert = _hold(Event.SEND, update, editor, hold=hold, audience=audience, flash=flash, at=at)
        if alone:
            record(editor, "send alone", story=story, alert=alert, reason=alone)
        transaction.on_commit(announce_on_commit("alert"))
    return alert


def withdraw(
    story: Story,
    editor: Editor,
    *,
    reason: str,
    text: str,
    hold: float | None = None,
    audience: str | None = None,
) -> Alert:
    """Withdraws the story: on its page, and by mail to those who were sent any of it.

    Stops the story's alerts at once, and takes back one that is in its hold. No approval is needed,
    because a wrong story must be withdrawn quickly. `reason` (one line) and `text` (Markdown) are
    published. The draft is not changed. Raises `ActionRefused` and `ValidationError`.
    """
    transitions.check_right(Event.WITHDRAW, story, editor)
    checks.update(UpdateKind.WITHDRAWAL, story.headline, "", text, reason)
    with transaction.atomic():
        story = Story.objects.select_for_update(no_key=True).get(pk=story.pk)
        if story.state == Story.State.WITHDRAWN:
            raise ActionRefused(_("This story has been withdrawn already."))
        if story.state == Story.State.DRAFT:
            raise ActionRefused(_("Nothing of this story has been told yet. Take its alert back."))
        for held in list(transitions.in_hold(story).values_list("pk", flat=True)):
            transitions.apply(Event.RETRACT, held, editor)
            _free_number(held)
        update = Update(
            story=story,
            kind=UpdateKind.WITHDRAWAL,
            headline=withdrawal.first_headline(story),
            text=text,
            note=reason,
        )
        update.answers = sorted(
            number for number in story.updates.values_list("number", flat=True) if number
        )
        alert = _hold(Event.WITHDRAW, update, editor, hold=hold, audience=audience, reason=reason)
        transaction.on_commit(announce_on_commit("alert"))
    return alert


def _check_may_go(story: Story, revision: int | None) -> None:
    """Raises `ActionRefused` or `ValidationError` if the draft can't be sent now."""
    if story.state == Story.State.WITHDRAWN:
        raise ActionRefused(_("This story has been withdrawn: nothing more is sent of it."))
    if transitions.in_hold(story).exists():
        raise ActionRefused(_("An alert of this story is on its way."))
    if not story.text.strip():
        raise ActionRefused(_("This story has been sent already. Write an update first."))
    if revision is not None and story.revision != revision:
        raise ActionRefused(
            _("The story was changed since you looked at it. Check it again, then send.")
        )
    checks.update(story.kind, story.headline, story.standfirst, story.text, story.note)


def _check_four_eyes(story: Story, editor: Editor, alone_reason: str) -> str:
    """Returns the reason for sending without approval; "" if approval is given or not needed.

    Raises `NotApproved` if it is needed and there is no reason.
    """
    if not approval.asked_for(story) or approval.is_seen(story, editor):
        return ""
    checks.note(alone_reason)
    if not alone_reason.strip():
        raise NotApproved(
            _("You wrote this. Somebody else has to approve it, or you say why you send it alone.")
        )
    return alone_reason.strip()


def _hold(
    event: Event,
    update: Update,
    editor: Editor,
    *,
    hold: float | None,
    audience: str | None,
    flash: bool = False,
    at: datetime | None = None,
    reason: str = "",
) -> Alert:
    """Saves the update, starts its alert's hold, and stops the alerts of updates it answers.

    `event`: `SEND` or `WITHDRAW`. The caller holds the lock on the story's row.
    """
    story = update.story
    _check_placeholders()
    offered = audiences.offered(story, update.kind)
    if audience is not None and audience not in offered:
        raise ActionRefused(_("This update can’t go to this audience."))
    update.number = 1 + (story.updates.aggregate(n=Max("number"))["n"] or 0)
    update.language, update.author = story.language, editor
    update.save()
    hold_on_to(update)
    answers = audiences.alerts_of(story, update.answers) if update.answers else []
    fields = {
        "update": update,
        "topic": story.topic,
        "audience": audience or offered[0],
        "answers": answers,
        "lane": Alert.Lane.BULK if story.purpose == Purpose.OFFERS else Alert.Lane.ALERT,
        "flash": flash,
        **_times(update, hold, at),
    }
    # `attempt`, not `apply`: alerts that have ended already need no stop.
    for wrong in answers:
        transitions.attempt(Event.RETRACT, wrong, editor, details={"by": update.kind})
    details = (
        {"reason": reason} if reason else {"audience": fields["audience"], "kind": update.kind}
    )
    return transitions.start(event, editor, fields, details)


def _check_placeholders() -> None:
    """Raises `ActionRefused` while texts of the newsroom still hold placeholders."""
    if missing := placeholders.blocking():
        raise ActionRefused(
            " ".join([_("Nothing can be sent yet."), *(one.text for one in missing)])
        )


def _times(update: Update, hold: float | None, at: datetime | None) -> dict[str, Any]:
    """The times of a new alert. `hold`: in seconds; None: as set. `at`: the chosen time."""
    now = now_ms()
    hold_ms = int((settings.MOREFOLLOWS.hold if hold is None else hold) * 1000)
    not_before_ms = _not_before(update.story, at, now)
    held_until_ms = max(now + hold_ms, not_before_ms or 0)
    time_to_live_ms = _time_to_live(update.kind, update.story.purpose == Purpose.OFFERS)
    return {
        # A scheduled alert goes to those who are subscribed when it is prepared, not when it was
        # scheduled.
        "frozen_at": _at(max(now, (not_before_ms or 0) - LEAD_MS)),
        "held_until_ms": held_until_ms,
        "not_before_ms": not_before_ms,
        "expires_at_ms": held_until_ms + time_to_live_ms,
        "time_to_live_ms": time_to_live_ms,
    }


def _time_to_live(kind: str, offer: bool) -> int:
    """From the end of the hold, in milliseconds."""
    if offer:
        return _OFFER_TTL_MS
    return (
        CORRECTION_LIFE_MS
        if kind in (UpdateKind.CORRECTION, UpdateKind.WITHDRAWAL)
        else int(settings.MOREFOLLOWS.alert_ttl * 1000)
    )


def _not_before(story: Story, at: datetime | None, now: int) -> int | None:
    """The later of `at` and the embargo's end, in ms since 1970; None if it is not ahead.

    Raises `ActionRefused` if `at` is past or too far ahead.
    """
    chosen = int(at.timestamp() * 1000) if at else 0
    if chosen and not now < chosen < now + _FURTHEST_MS:
        raise ActionRefused(_("Choose a time that is still ahead, and within a year."))
    embargo = int(story.embargo_until.timestamp() * 1000) if story.embargo_until else 0
    latest = max(chosen, embargo)
    return latest if latest > now else None


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def take_back(alert: Alert, editor: Editor) -> None:
    """Takes an alert back within its hold: nothing was mailed, and the story is a draft again."""
    with transaction.atomic():
        transitions.apply(Event.TAKE_BACK, alert.pk, editor)
        _free_number(alert.pk)
        transaction.on_commit(announce_on_commit("alert"))


def _free_number(alert: int) -> None:
    """Clears the number of the alert's update, which was taken back. The next update gets it."""
    Update.objects.filter(alerts=alert).update(number=None)


def stop(alert: Alert, editor: Editor) -> None:
    """Cancels the mails that have not been handed to a relay yet."""
    with transaction.atomic():
        transitions.apply(Event.STOP, alert.pk, editor)
        transaction.on_commit(announce_on_commit("alert"))


def pause(alert: Alert, editor: Editor) -> None:
    """Sends no more mails of the alert until `resume`. Within the hold, stops the countdown."""
    with transaction.atomic():
        transitions.apply(Event.PAUSE, alert.pk, editor)
        transaction.on_commit(announce_on_commit("alert"))


def resume(alert: Alert, editor: Editor) -> None:
    """Continues an alert that is paused or needs an answer, for readers not mailed yet.

    If it was in its hold, the hold ends now, or at its scheduled time. If its time to live is over,
    it starts again, because the editor confirms by resuming that it is still news.
    """
    with transaction.atomic():
        kept = _locked(alert.pk)
        transitions.check(Event.RESUME, kept, editor)
        # The update is published when the hold ends. Until then the alert was paused in its hold.
        in_hold = kept.update.published_at is None
        fields = {"expires_at_ms": _lives_until(kept, from_now=in_hold)}
        if in_hold:
            fields["held_until_ms"] = max(now_ms(), kept.not_before_ms or 0)
        transitions.apply(Event.RESUME, kept.pk, editor, fields)
        transaction.on_commit(announce_on_commit("alert"))


def _locked(alert: int) -> Alert:
    return Alert.objects.select_for_update().select_related("update__story").get(pk=alert)


def _lives_until(alert: Alert, *, from_now: bool) -> int:
    """When the alert expires after it is resumed, in ms since 1970.

    Its original time to live starts again if it is over, or in any case with `from_now`.
    """
    now = now_ms()
    if not from_now and alert.expires_at_ms > now:
        return alert.expires_at_ms
    return max(now, alert.not_before_ms or 0) + (
        alert.time_to_live_ms or alert.expires_at_ms - alert.held_until_ms
    )


def ask_about_late(before: int) -> list[int]:
    """Asks the editors whether to continue alerts whose hold ended by `before` (ms since 1970).

    Called by the courier, inside its transaction, when no sender has run for a long time. Returns
    the ids of the alerts.
    """
    found = Alert.objects.select_for_update().filter(
        held_until_ms__lt=before, state__in=Alert.UNDER_WAY
    )
    return [
        pk for pk in list(found.values_list("pk", flat=True)) if transitions.attempt(Event.ASK, pk)
    ]


def reopen(event: Event, alert_id: int, editor: Editor) -> None:
    """Continues an ended alert for some of its readers. `event`: `RETRY` or `REPEAT`.

    Called by the courier inside its transaction. Raises `ActionRefused` if the alert has not ended,
    was stopped or taken back, ended too long ago, or was overtaken.
    """
    alert = _locked(alert_id)
    transitions.check(event, alert, editor)
    if not may_go_on(alert):
        raise ActionRefused(_("This alert ended too long ago to be sent again."))
    if _is_overtaken(alert):
        raise ActionRefused(
            _("A newer update of this story has overtaken this alert: it does not go on.")
        )
    transitions.apply(
        event,
        alert_id,
        editor,
        {"expires_at_ms": _lives_until(alert, from_now=False), "curve": None},
    )
    transaction.on_commit(announce_on_commit("alert"))


def may_go_on(alert: Alert) -> bool:
    """Whether the ended alert's outcomes per reader are still stored: see `keep_sending_days`."""
    oldest = timezone.now() - timedelta(days=settings.MOREFOLLOWS.keep_sending_days)
    return (alert.ended_at or alert.frozen_at) > oldest


def _is_overtaken(alert: Alert) -> bool:
    """Whether a newer update replaces it; for corrections and withdrawals, one that answers it."""
    story, number = alert.update.story, alert.update.number or 0
    if alert.audience != Alert.Audience.RECIPIENTS:
        return Update.objects.filter(story=story, number__gt=number).exists()
    newer = Alert.objects.filter(update__story=story, update__number__gt=number)
    return any(alert.pk in answers for answers in newer.values_list("answers", flat=True))


def announce_on_commit(word: str) -> Callable[[], None]:
    """Returns a callback for `on_commit` that notifies the other processes."""
    return lambda: notify.announce(settings.MOREFOLLOWS.data, word)
