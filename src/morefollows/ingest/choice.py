"""What is to become of an item, as matching and rules have it. `pipeline` carries it out."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from morefollows.audience.models import Topic
from morefollows.ingest.models import ItemRule, ReceivedItem, Source
from morefollows.stories.models import Story

Decision = ReceivedItem.Decision


@dataclass(frozen=True)
class Choice:
    """What is to become of one item, and why."""

    decision: Decision  #: `DRAFT`, `UPDATE`, `IGNORED` or `KEPT`
    why: str  #: for editors
    story: Story | None = None  #: of an update: the running story, or another item's draft
    topic: Topic | None = None  #: of the draft; None: the item's or the source's
    rule: ItemRule | None = None


def without_rule(source: Source) -> Choice:
    """What becomes of an item that no rule is for, as the source is set."""
    if source.unmatched == Source.Unmatched.KEEP:
        return Choice(Decision.KEPT, _("No rule is for it."))
    return Choice(Decision.DRAFT, _("No rule is for it: each item of this source is a draft."))
