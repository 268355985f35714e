"""Acts on items that their source takes back (`canceled`) or holds (`withheld`).

What is under way stops at once. A draft is put away; for a story that was sent the words of a
withdrawal are ready, and an editor sends it. Each function is called in a transaction.
"""

from __future__ import annotations

from typing import NamedTuple

from django.utils import translation
from django.utils.translation import gettext as _

from morefollows.ingest.item import ItemStatus, NewsItem
from morefollows.ingest.models import ReceivedItem, Source
from morefollows.stories.alerts import transitions
from morefollows.stories.alerts.transition_table import Event
from morefollows.stories.drafts import deletion
from morefollows.stories.models import Alert, Story, Update
from morefollows.stories.prepared_withdrawal import prewritten

_PUBLISHED = (*Story.OPEN, Story.State.FINAL)


class ReadyWithdrawal(NamedTuple):
    """The words of a withdrawal that an editor can send as they are."""

    reason: str
    text: str
    source: Source


def take_back_item(row: ReceivedItem, item: NewsItem) -> str:
    """Stops and puts away what the item has become. Returns what was done, for editors."""
    stories = list(stories_of(row, item))
    if not stories:
        return _("Nothing had been made of it.")
    done = []
    for story in stories:
        story = Story.objects.select_for_update(no_key=True).get(pk=story.pk)
        stopped = _stop_alerts(story)
        if story.state == Story.State.DRAFT and not _is_reported(story):
            deletion.delete_draft(story, row.source.account)
            done.append(_("Its draft was put away."))
        elif story.state in _PUBLISHED:
            done.append(_("Its story was sent. The retraction is ready: check it and send it."))
        if stopped:
            done.append(_("Its alert was stopped."))
    return " ".join(done) or _("Its story has been retracted already.")


def hold_item(row: ReceivedItem, item: NewsItem) -> str:
    """Holds alerts of what the item has become, until an editor decides. Returns what was done."""
    held = 0
    for story in stories_of(row, item):
        alerts = Alert.objects.filter(update__story=story, state__in=Alert.UNDER_WAY)
        for alert in alerts.values_list("pk", flat=True):
            held += transitions.attempt(Event.ASK, alert, details={"by": "withheld"})
    if held:
        return _("Its source withholds it. Its alert waits until somebody decides.")
    return _("Its source withholds it. Do not use it yet.")


def stories_of(row: ReceivedItem, item: NewsItem) -> list[Story]:
    """The stories that versions of this item, or of those that it replaces, were made into."""
    ids = {row.item_id, *(item.replaces if item.status == ItemStatus.CANCELED else ())}
    became = ReceivedItem.objects.filter(
        source=row.source, item_id__in=ids, draft__isnull=False, received_at__lte=row.received_at
    )
    found = Story.objects.filter(pk__in=became.values("draft"), deleted_at=None)
    return list(found.order_by("pk"))


def _stop_alerts(story: Story) -> int:
    """Takes back the alert in its hold, and stops those that are being sent."""
    stopped = 0
    alerts = Alert.objects.filter(update__story=story, state__in=Alert.UNDER_WAY)
    for alert in list(alerts):
        if alert.update.kind == Update.Kind.WITHDRAWAL:
            continue
        if transitions.attempt(Event.RETRACT, alert.pk, details={"by": "canceled"}):
            stopped += 1
            # As `take_back` does: the next update gets the number.
            Update.objects.filter(pk=alert.update_id, published_at=None).update(number=None)
    return stopped


def _is_reported(story: Story) -> bool:
    return story.updates.filter(published_at__isnull=False).exists()


def ready_withdrawal(story: Story) -> ReadyWithdrawal | None:
    """The withdrawal that a source's cancellation calls for; None if there is no such."""
    if story.state not in _PUBLISHED:
        return None
    taken_back = ReceivedItem.objects.filter(
        decision=ReceivedItem.Decision.WITHDRAWN, draft=story
    ).select_related("source")
    row = taken_back.order_by("-received_at").first()
    if row is None:
        return None
    with translation.override(story.language):
        reason = _("%(source)s has withdrawn the report that this story was based on.") % {
            "source": row.item.get("source") or row.source.name
        }
    return ReadyWithdrawal(reason, prewritten(story).text, row.source)
