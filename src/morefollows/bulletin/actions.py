"""The only code that changes stories, updates and alerts; each action is one transaction."""

from __future__ import annotations

import time
import uuid as uuids
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows import line
from morefollows.accounts.models import Editor
from morefollows.audience.models import Purpose, Reader, Topic
from morefollows.bulletin import checks
from morefollows.bulletin.models import Alert, Deed, Interest, Story, Update

_OFFER_TTL_MS = 24 * 3_600_000  # long enough to wait for the end of anybody's quiet hours


class Refused(Exception):
    """The action is not possible as things stand. ``str()`` says why and what to do, in the editor's words."""


class Conflict(Refused):
    """Somebody else has saved the story since this version of it was opened. `theirs` is what is kept now."""

    def __init__(self, theirs: Story) -> None:
        super().__init__(_("This story was saved by somebody else while you wrote."))
        self.theirs = theirs


def may_send(editor: Editor, story: Story) -> bool:
    """May send its alert, pause it, take it back and stop it. For an offer that is a right of its own."""
    return editor.may_offer if story.purpose == Purpose.OFFERS else editor.may_send


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def save_story(
    uuid: uuids.UUID,
    editor: Editor,
    *,
    revision: int,
    headline: str,
    standfirst: str,
    text: str,
    topic: Topic | None,
    language: str,
) -> Story:
    """Keeps a draft. `revision` is the one that the editor began with: 0 for a new story, whose `uuid` is then free.

    Without a topic it is an offer, which needs that right and never becomes a story.

    Raises `ValidationError` by field if the wording won't do, `Conflict` if somebody else saved meanwhile, and
    `Refused` once the story is on its way. Saving the same again, as a double click does, changes nothing.
    """
    wording = {"headline": headline, "standfirst": standfirst, "text": text, "language": language}
    _check_wording(wording)
    purpose = Purpose.OFFERS if topic is None else Purpose.ALERTS
    if topic is None and not editor.may_offer:
        raise Refused(_("You may not write offers. Ask an administrator."))
    with transaction.atomic():
        story, made = Story.objects.select_for_update().get_or_create(
            uuid=uuid, defaults={**wording, "topic": topic, "purpose": purpose, "author": editor}
        )
        if story.purpose != purpose:
            raise Refused(_("An offer is no story, and can’t become one."))
        if not made and all(getattr(story, name) == value for name, value in {**wording, "topic": topic}.items()):
            return story
        if not made:
            _check_still_a_draft(story)
            if story.revision != revision:
                raise Conflict(story)
            for name, value in wording.items():
                setattr(story, name, value)
            story.topic, story.revision = topic, revision + 1
            story.save()
        record(editor, "save", story=story, revision=story.revision)
    return story


def _check_wording(wording: dict[str, str]) -> None:
    errors = {}
    for name, check in (("headline", checks.headline), ("standfirst", checks.standfirst), ("text", checks.text)):
        try:
            check(wording[name])
        except ValidationError as error:
            errors[name] = error
    if wording["language"] not in dict(settings.LANGUAGES):
        errors["language"] = ValidationError(_("This language is not set up here."), code="language")
    if errors:
        raise ValidationError(errors)


def _check_still_a_draft(story: Story) -> None:
    alert = Alert.objects.filter(update__story=story, state__in=Alert.UNDER_WAY).first()
    if alert and alert.state == Alert.State.HELD:
        raise Refused(_("The alert of this story is in its hold. Take it back to change the story."))
    if alert or story.state != Story.State.DRAFT:
        raise Refused(_("This story has been sent. What was mailed can’t be changed any more."))


def send(story: Story, editor: Editor, *, hold: float | None = None, revision: int | None = None) -> Alert:
    """Freezes the story's draft as an update and starts the hold: *Send*.

    `hold` in seconds, the setting's when None. The first mail leaves when it is over, unless it is taken back.
    `revision`, when given, is the one that the editor has checked: no other is sent.
    """
    if not may_send(editor, story):
        raise Refused(_("Your role can’t send alerts. Ask an editor."))
    offer = story.purpose == Purpose.OFFERS
    with transaction.atomic():
        story = Story.objects.select_for_update().get(pk=story.pk)
        if story.state != Story.State.DRAFT:
            raise Refused(_("This story has been sent already."))
        if Alert.objects.filter(update__story=story, state__in=Alert.UNDER_WAY).exists():
            raise Refused(_("An alert of this story is on its way."))
        if revision is not None and story.revision != revision:
            raise Refused(_("The story was changed since you looked at it. Check it again, then send."))
        frozen_at = timezone.now()
        held_until = now_ms() + int((settings.MOREFOLLOWS.hold if hold is None else hold) * 1000)
        update = Update.objects.create(
            story=story,
            number=1 + story.updates.filter(number__isnull=False).count(),
            kind=Update.Kind.FIRST,
            headline=story.headline,
            standfirst=story.standfirst,
            text=story.text,
            language=story.language,
            author=editor,
        )
        alert = Alert.objects.create(
            update=update,
            topic=story.topic,
            audience=Alert.Audience.OFFERS if offer else Alert.Audience.TOPIC,
            lane=Alert.Lane.BULK if offer else Alert.Lane.ALERT,
            sent_by=editor,
            frozen_at=frozen_at,
            held_until=held_until,
            expires_at=held_until + (_OFFER_TTL_MS if offer else int(settings.MOREFOLLOWS.alert_ttl * 1000)),
        )
        record(editor, "send", story=story, alert=alert)
        transaction.on_commit(_announce("alert"))
    return alert


def take_back(alert: Alert, editor: Editor) -> None:
    """Within the hold: nothing was mailed, and the story is a draft again."""
    if not may_send(editor, alert.update.story):
        raise Refused(_("Your role can’t take an alert back. Ask an editor."))
    with transaction.atomic():
        taken = Alert.objects.filter(
            pk=alert.pk,
            state__in=(Alert.State.HELD, Alert.State.PAUSED, Alert.State.ASKING),
            update__published_at=None,
        ).update(state=Alert.State.TAKEN_BACK, ended_at=timezone.now(), ended_by=editor)
        if not taken:
            raise Refused(_why_not_taken_back(Alert.objects.get(pk=alert.pk).state))
        Update.objects.filter(alerts=alert.pk).update(number=None)
        record(editor, "take back", story=alert.update.story, alert=alert)
        transaction.on_commit(_announce("alert"))


def _why_not_taken_back(state: str) -> str:
    if state == Alert.State.TAKEN_BACK:
        return _("This alert has been taken back already. Nothing was mailed.")
    if state in Alert.UNDER_WAY:
        return _("The hold is over: the first mails have left. You can still stop the rest.")
    return _("This alert is over: it can’t be taken back.")


def stop(alert: Alert, editor: Editor) -> None:
    """Stops what has not been mailed yet. What has left can't be called back."""
    if not may_send(editor, alert.update.story):
        raise Refused(_("Your role can’t stop an alert. Ask an editor."))
    with transaction.atomic():
        stopped = Alert.objects.filter(
            pk=alert.pk,
            state__in=(Alert.State.SENDING, Alert.State.PAUSED, Alert.State.ASKING),
            update__published_at__isnull=False,
        ).update(state=Alert.State.STOPPED, ended_at=timezone.now(), ended_by=editor)
        if not stopped:
            raise Refused(_("This alert is not being sent now."))
        record(editor, "stop", story=alert.update.story, alert=alert)
        transaction.on_commit(_announce("alert"))


def pause(alert: Alert, editor: Editor) -> None:
    """Hands out no more of it until `resume`. In the hold it stops the countdown."""
    if not may_send(editor, alert.update.story):
        raise Refused(_("Your role can’t pause an alert. Ask an editor."))
    with transaction.atomic():
        paused = Alert.objects.filter(pk=alert.pk, state__in=(Alert.State.HELD, Alert.State.SENDING)).update(
            state=Alert.State.PAUSED
        )
        if not paused:
            raise Refused(_("This alert is not being sent now."))
        record(editor, "pause", story=alert.update.story, alert=alert)
        transaction.on_commit(_announce("alert"))


def resume(alert: Alert, editor: Editor) -> None:
    """Goes on with an alert that is paused or asks: with whom it has not reached yet.

    One that was still in its hold goes out now. If its time to live is over, it begins again: the editor has said
    that it is still news.
    """
    if not may_send(editor, alert.update.story):
        raise Refused(_("Your role can’t send alerts. Ask an editor."))
    with transaction.atomic():
        kept = Alert.objects.select_for_update().select_related("update__story").get(pk=alert.pk)
        if kept.state not in (Alert.State.PAUSED, Alert.State.ASKING):
            raise Refused(_("This alert is neither paused nor does it ask."))
        published = kept.update.published_at is not None
        _live_on(kept, from_now=not published)
        if not published:
            kept.held_until = now_ms()
        kept.state = Alert.State.SENDING if published else Alert.State.HELD
        kept.save(update_fields=["state", "held_until", "expires_at"])
        record(editor, "resume", story=kept.update.story, alert=kept)
        transaction.on_commit(_announce("alert"))


def _live_on(alert: Alert, *, from_now: bool) -> None:
    """Its time to live begins again if it is over, or anew `from_now`."""
    now = now_ms()
    if from_now or alert.expires_at <= now:
        alert.expires_at = now + alert.expires_at - alert.held_until


def ask(before: int) -> list[int]:
    """No sender was at work for long: alerts whose hold was over by `before` (ms since 1970) go on only if told to.

    Returns them. Called by the courier inside its own transaction.
    """
    found = Alert.objects.select_for_update().select_related("update__story").filter(held_until__lt=before)
    alerts = list(found.filter(state__in=(Alert.State.HELD, Alert.State.SENDING)))
    for alert in alerts:
        Alert.objects.filter(pk=alert.pk).update(state=Alert.State.ASKING)
        record(None, "ask", story=alert.update.story, alert=alert)
    return [alert.pk for alert in alerts]


def reopen(alert_id: int, editor: Editor, what: str, **details: Any) -> None:
    """An ended alert goes on with a part of its readers; `what` is the deed's name.

    Raises `Refused` if it has not ended, or was stopped or taken back. Called by the courier inside its transaction.
    """
    alert = Alert.objects.select_for_update().select_related("update__story").get(pk=alert_id)
    if not may_send(editor, alert.update.story):
        raise Refused(_("Your role can’t send alerts. Ask an editor."))
    if alert.state in Alert.UNDER_WAY:
        raise Refused(_("This alert is still on its way. Wait for its end, or stop it."))
    if alert.state not in (Alert.State.SENT, Alert.State.EXPIRED):
        raise Refused(_("This alert was stopped or taken back: it does not go on."))
    _live_on(alert, from_now=False)
    alert.state, alert.ended_at, alert.curve = Alert.State.SENDING, None, None
    alert.save(update_fields=["state", "expires_at", "ended_at", "curve"])
    record(editor, what, story=alert.update.story, alert=alert, **details)
    transaction.on_commit(_announce("alert"))


def release(alert_id: int, *, early: bool = False) -> bool:
    """The hold is over: publishes the update. False if the alert was taken back, or another sender was first.

    `early`: over it is, but the clock was set back and does not say so. Called by the courier inside its transaction.
    """
    held = Alert.objects.filter(pk=alert_id, state=Alert.State.HELD)
    if early:
        released = held.update(state=Alert.State.SENDING, held_until=now_ms())
    else:
        released = held.filter(held_until__lte=now_ms()).update(state=Alert.State.SENDING)
    if not released:
        return False
    Update.objects.filter(alerts=alert_id, published_at__isnull=True).update(published_at=timezone.now())
    drafts = Story.objects.filter(updates__alerts=alert_id, state=Story.State.DRAFT)
    drafts.filter(purpose=Purpose.ALERTS).update(state=Story.State.DEVELOPING)
    drafts.filter(purpose=Purpose.OFFERS).update(state=Story.State.FINAL)
    transaction.on_commit(_announce("story"))
    return True


def give_up(alert_id: int, reason: str) -> None:
    """The alert can't be mailed as it is worded: nothing of it leaves, and the log says why."""
    with transaction.atomic():
        alert = Alert.objects.select_related("update__story").get(pk=alert_id)
        stopped = Alert.objects.filter(pk=alert_id, state__in=(Alert.State.HELD, Alert.State.SENDING)).update(
            state=Alert.State.STOPPED, ended_at=timezone.now()
        )
        if stopped:
            record(None, "give up", story=alert.update.story, alert=alert, reason=reason)


def finish(alert_id: int, state: str, curve: dict[str, Any]) -> bool:
    """Every reader's outcome is final, or the time to live is over. False if the alert had ended already."""
    return bool(
        Alert.objects.filter(pk=alert_id, state=Alert.State.SENDING).update(
            state=state, ended_at=timezone.now(), curve=curve
        )
    )


def wish(reader: Reader, story: Story, wanted: str | None) -> None:
    """Notes that a reader follows or mutes a story (`Interest.Wish`); None: neither. Again, it changes nothing."""
    with transaction.atomic():
        if wanted is None:
            Interest.objects.filter(reader=reader, story=story).delete()
        else:
            Interest.objects.update_or_create(
                reader=reader, story=story, defaults={"wish": Interest.Wish(wanted), "at": timezone.now()}
            )


def record(
    editor: Editor | None,
    what: str,
    *,
    story: Story | None = None,
    alert: Alert | None = None,
    **details: Any,
) -> None:
    """Writes who did what into the log that nobody can edit."""
    Deed.objects.create(editor=editor, what=what, story=story, alert=alert, details=details)


def _announce(word: str) -> Callable[[], None]:
    return lambda: line.announce(settings.MOREFOLLOWS.data, word)
