"""Editors' actions on updates and alerts. Each action is one transaction.

Drafts: `stories.drafts.actions`. What the system does itself: `stories.alerts.publication`.

Invariant: a story has at most one alert in its hold. `send` and `withdraw` lock the story,
then its alerts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
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
from morefollows.stories import checks
from morefollows.stories.alerts import alert_audience as audiences
from morefollows.stories.alerts import alert_times, transitions
from morefollows.stories.alerts.overtaking import is_overtaken
from morefollows.stories.alerts.transition_table import Event
from morefollows.stories.drafts import approval
from morefollows.stories.errors import ActionRefused as ActionRefused
from morefollows.stories.errors import NotApproved as NotApproved
from morefollows.stories.first_headline import first_headline
from morefollows.stories.images.actions import hold_on_to
from morefollows.stories.models import Alert, Story, Update, UpdateKind

#: Fields of the draft that its update takes over.
_FROZEN = (
    "headline",
    "standfirst",
    "text",
    "byline",
    "place",
    "own_subject",
    "note",
    "answers",
)


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
    `stories.alerts.alert_audience.offered`; None: the first of them. `at`: the earliest time to
    send. `alone_reason`: why it goes out without approval.

    Raises `ActionRefused`, `ValidationError` with errors by field, and `NotApproved` if approval is
    missing and no reason given. A correction stops the alerts of the updates that it corrects.
    """
    transitions.check_right(Event.SEND, story, editor)
    with transaction.atomic():
        story = Story.objects.select_for_update(no_key=True).get(pk=story.pk)
        # Under the lock of the story's row: two editors who press Send at once get one alert.
        _check_may_go(story, revision)
        alone = approval.check_four_eyes(story, editor, alone_reason)
        update = Update(
            story=story,
            kind=story.kind,
            **{name: getattr(story, name) for name in _FROZEN},
        )
        alert = _hold(Event.SEND, update, editor, hold=hold, audience=audience, flash=flash, at=at)
        # What was asked and sent back was about this draft, which is frozen now.
        Story.objects.filter(pk=story.pk).update(approval_asked_of=None, sent_back_by=None)
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
            raise ActionRefused(_("This story has been retracted already."))
        if story.state == Story.State.DRAFT:
            raise ActionRefused(_("Nothing of this story has been told yet. Take its alert back."))
        # Nothing of an alert in its hold was mailed. It leaves no trace, and its number goes to the
        # withdrawal.
        for held in list(transitions.in_hold(story).values_list("pk", flat=True)):
            transitions.apply(Event.RETRACT, held, editor)
            free_number(held)
        update = Update(
            story=story,
            kind=UpdateKind.WITHDRAWAL,
            headline=first_headline(story),
            text=text,
            note=reason,
        )
        # A withdrawal answers all that was published, so that everybody who was sent any of it gets
        # it.
        update.answers = sorted(
            number for number in story.updates.values_list("number", flat=True) if number
        )
        alert = _hold(Event.WITHDRAW, update, editor, hold=hold, audience=audience, reason=reason)
        transaction.on_commit(announce_on_commit("alert"))
    return alert


def _check_may_go(story: Story, revision: int | None) -> None:
    """Raises `ActionRefused` or `ValidationError` if the draft can't be sent now."""
    if story.deleted_at is not None:
        raise ActionRefused(_("This draft has been deleted. Bring it back to send it."))
    if story.state == Story.State.WITHDRAWN:
        raise ActionRefused(_("This story has been retracted: nothing more is sent of it."))
    if transitions.in_hold(story).exists():
        raise ActionRefused(_("An alert of this story is on its way."))
    if not story.has_draft:
        raise ActionRefused(_("This story has been sent already. Write an update first."))
    # What was checked is what is sent: an autosave of somebody else meanwhile is a change.
    if revision is not None and story.revision != revision:
        raise ActionRefused(
            _("The story was changed since you looked at it. Check it again, then send.")
        )
    checks.update(story.kind, story.headline, story.standfirst, story.text, story.note)
    if story.purpose == Purpose.OFFERS and not story.text.strip():
        raise ValidationError(
            {"text": ValidationError(_("An offer needs a text."), code="required")}
        )
    # The same headline again, without a text, would tell readers nothing new.
    if story.kind in (UpdateKind.UPDATE, UpdateKind.FINAL) and not (
        story.text.strip() or story.standfirst.strip()
    ):
        same = story.updates.filter(published_at__isnull=False, headline=story.headline)
        if same.exists():
            raise ActionRefused(_("This headline has been sent already. Write what is new."))


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
    # Safe without a retry, as the caller holds the story's lock.
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
        **alert_times.of_new_alert(update, hold, at),
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


def free_number(alert: int) -> None:
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
        fields = {"expires_at_ms": alert_times.lives_until(kept, from_now=in_hold)}
        if in_hold:
            fields["held_until_ms"] = max(now_ms(), kept.not_before_ms or 0)
        transitions.apply(Event.RESUME, kept.pk, editor, fields)
        transaction.on_commit(announce_on_commit("alert"))


def _locked(alert: int) -> Alert:
    return Alert.objects.select_for_update().select_related("update__story").get(pk=alert)


def reopen(event: Event, alert_id: int, editor: Editor) -> None:
    """Continues an ended alert for some of its readers. `event`: `RETRY` or `REPEAT`.

    Called by the courier inside its transaction. Raises `ActionRefused` if the alert has not ended,
    was stopped or taken back, ended too long ago, or was overtaken.
    """
    alert = _locked(alert_id)
    transitions.check(event, alert, editor)
    if not may_go_on(alert):
        raise ActionRefused(_("This alert ended too long ago to be sent again."))
    if is_overtaken(alert):
        raise ActionRefused(
            _("A newer update of this story has overtaken this alert: it does not go on.")
        )
    transitions.apply(
        event,
        alert_id,
        editor,
        {"expires_at_ms": alert_times.lives_until(alert, from_now=False), "curve": None},
    )
    transaction.on_commit(announce_on_commit("alert"))


def may_go_on(alert: Alert) -> bool:
    """Whether the ended alert's outcomes per reader are still stored: see `keep_sending_days`."""
    oldest = timezone.now() - timedelta(days=settings.MOREFOLLOWS.keep_sending_days)
    return (alert.ended_at or alert.frozen_at) > oldest


def announce_on_commit(word: str) -> Callable[[], None]:
    """Returns a callback for `on_commit` that notifies the other processes."""
    return lambda: notify.announce(settings.MOREFOLLOWS.data, word)
