"""Sends an item's draft without an editor, by a rule that an administrator has switched on.

`not_alone` says which items may be sent so, and `why_not` whether the rule may send now. The draft
goes by `stories.actions.send`, as a person's does, with its hold and all its checks, in the name of
the administrator. What `send` refuses stays a draft.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from morefollows.accounts.rights import Right, has_right
from morefollows.audit.actions import record
from morefollows.ingest.item import SURE, ItemStatus, NewsItem
from morefollows.ingest.models import ItemRule, ReceivedItem, Source
from morefollows.stories import actions
from morefollows.stories.drafts import similar_alerts
from morefollows.stories.errors import ActionRefused
from morefollows.stories.models import Story

#: A rule may send items alone of this urgency or more urgent ones.
MOST_URGENCY_ALONE = 2
#: Limits of a rule's options.
LEAST_HOLD_SECONDS, MOST_HOLD_SECONDS, MOST_A_DAY = 10, 3600, 50
_DAY = timedelta(days=1)


def is_drill(rule: ItemRule) -> bool:
    """Whether the rule sends to the drill's readers only, as it does until it goes live."""
    return not rule.options.get("live")


def not_alone(rule: ItemRule, item: NewsItem, source: Source) -> str:
    """Why the item is not sent without an editor; "" if it may be. More is checked on sending."""
    if not source.sends_alone:
        return _("Its source may not send alone.")
    if item.urgency is None or item.urgency > MOST_URGENCY_ALONE:
        return _("Only items of urgency 1 and 2 are sent alone.")
    if item.status != ItemStatus.USABLE or item.embargo is not None:
        return _("Items with an embargo are not sent alone.")
    if item.doubts or item.confidence < SURE:
        return _("Something in it is doubtful: an editor looks at it first.")
    return ""


def why_not(rule: ItemRule) -> str:
    """Why this rule must not send now; "" if it may. Locks the rule, so that the cap holds."""
    rule = ItemRule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
    if not rule.active:
        return _("The rule was switched off.")
    if rule.created_by is None or not has_right(rule.created_by, Right.ADMINISTER):
        return _("Whoever made the rule is no administrator any more.")
    if settings.MOREFOLLOWS.four_eyes == "always":
        return _("Every alert needs approval here.")
    sent = ReceivedItem.objects.filter(
        rule=rule, decision=ReceivedItem.Decision.SENT, decided_at__gt=timezone.now() - _DAY
    )
    if sent.count() >= int(rule.options.get("most_a_day", 1)):
        return _("The rule has sent its most of today.")
    return ""


def send_alone(rule: ItemRule, story: Story) -> str:
    """Sends the draft. Returns "", or why it was not sent. Called in the deciding transaction."""
    if reason := why_not(rule):
        return reason
    assert rule.created_by is not None
    if (like := similar_alerts.most_resembling(story)) is not None:
        return _("It is like an alert that was sent: “%(headline)s”.") % {
            "headline": like.alert.update.headline
        }
    try:
        with transaction.atomic():
            alert = actions.send(
                story,
                rule.created_by,
                hold=float(rule.options.get("hold", LEAST_HOLD_SECONDS)),
                revision=story.revision,
            )
            record(
                rule.created_by,
                "send by rule",
                story=story,
                alert=alert,
                subject=rule.name,
                drill=story.drill,
            )
    except ValidationError as error:
        return " ".join(error.messages)
    except ActionRefused as error:
        return str(error)
    if story.drill:
        note_drill(rule)
    return ""


def note_drill(rule: ItemRule) -> None:
    """Notes that the rule, as it is now, has sent a drill: it may go live."""
    changed: dict[str, Any] = {**rule.options, "drilled_at": timezone.now().isoformat()}
    ItemRule.objects.filter(pk=rule.pk).update(options=changed)
    rule.options = changed
