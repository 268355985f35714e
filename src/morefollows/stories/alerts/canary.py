"""The canary: a drill alert on a schedule, through the whole path, to the seed inboxes only.

All canaries mail the one update of one story, which no list shows. An alert of it makes no entry in
the activity log and no event for webhooks. Nothing is sent while mail must not leave at all.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from morefollows.accounts.models import PROGRAMS, Editor, Role
from morefollows.audience import placeholders
from morefollows.audience.models import Newsroom, Topic
from morefollows.stories.actions import announce_on_commit, now_ms
from morefollows.stories.alerts import transitions
from morefollows.stories.alerts.transition_table import Event
from morefollows.stories.errors import ActionRefused
from morefollows.stories.models import Alert, Story, Update

#: Milliseconds after which a canary that could not be sent is given up.
LIFE_MS = 15 * 60_000
KEPT_FOR = timedelta(days=90)


def send_canary() -> Alert:
    """Starts a canary, without a hold. Raises `ActionRefused` if nothing may be sent."""
    if placeholders.blocking():
        raise ActionRefused(_("Nothing can be sent yet."))
    now = now_ms()
    with transaction.atomic():
        update = _update()
        alert = transitions.start(
            Event.CANARY,
            None,
            {
                "update": update,
                "topic": update.story.topic,
                "audience": Alert.Audience.DRILL,
                "frozen_at": datetime.fromtimestamp(now / 1000, UTC),
                "held_until_ms": now,
                "expires_at_ms": now + LIFE_MS,
                "time_to_live_ms": LIFE_MS,
            },
            {},
            account=update.author,
        )
        transaction.on_commit(announce_on_commit("alert"))
    return alert


def _update() -> Update:
    """The update that canaries mail. Makes it if there is none, or if its story was withdrawn."""
    known = Update.objects.filter(story__canary=True).select_related("story__topic", "author")
    ended = (Story.State.WITHDRAWN, Story.State.FINAL)
    found = known.exclude(story__state__in=ended).order_by("-pk").first()
    return found if found is not None else _new_update()


def _new_update() -> Update:
    language = str(settings.MOREFOLLOWS.languages[0])
    topic = Topic.objects.order_by("pk").first()
    newsroom = Newsroom.objects.filter(pk=1).first()
    if topic is None or newsroom is None:
        raise ActionRefused(_("Nothing can be sent yet."))
    account = Editor.objects.filter(email__startswith="canary-", email__endswith=PROGRAMS).first()
    if account is None:
        account = Editor(
            email=f"canary-{uuid.uuid4()}{PROGRAMS}",
            name="Canary",
            role=Role.REPORTER,
            all_topics=True,
        )
        account.set_unusable_password()
        account.save()
    with translation.override(language):
        headline = _("Canary")
        text = _("This drill is sent by itself, to see whether mail arrives. Nothing has happened.")
    story = Story.objects.create(
        headline=headline,
        text=text,
        topic=topic,
        language=language,
        author=account,
        drill=True,
        canary=True,
    )
    update = Update(story=story, number=1, headline=headline, text=text)
    update.language, update.author = language, account
    update.save()
    return update


def old_canaries() -> QuerySet[Alert]:
    """Canaries that housekeeping deletes. Those with an entry in the activity log are kept."""
    return Alert.objects.filter(
        update__story__canary=True,
        frozen_at__lt=timezone.now() - KEPT_FOR,
        audit_entries=None,
    ).exclude(state__in=Alert.UNDER_WAY)
