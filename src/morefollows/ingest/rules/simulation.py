"""What a rule would have done with the items of the last 30 days. Changes nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from morefollows.ingest.item_json import item_from_json
from morefollows.ingest.models import ItemRule, ReceivedItem, Source
from morefollows.ingest.rules.alone import not_alone
from morefollows.ingest.rules.deciding_rule import ReadyRule, rule_for

WITHIN = timedelta(days=30)
#: The most items that are looked at, the newest first.
MOST = 5_000
_SHOWN = 20

Action = ItemRule.Action
Decision = ReceivedItem.Decision
_JUDGED_BY_SOURCE = (Decision.OLDER, Decision.WITHDRAWN, Decision.UNREADABLE, Decision.HELD)


@dataclass
class Simulated:
    """The counts by what the items would have become, and the newest of them."""

    looked_at: int = 0
    more: bool = False  #: there were more than `MOST`
    became: Counter[str] = field(default_factory=Counter)  #: by `ReceivedItem.Decision`
    newest: list[tuple[ReceivedItem, str]] = field(default_factory=list)

    @property
    def fitted(self) -> int:
        """How many the rule is for."""
        return sum(self.became.values())


def simulate(rules: list[ReadyRule], of: ItemRule) -> Simulated:
    """Applies the rules, in order, to the items of the last 30 days; counts those of rule `of`.

    `of` need not be saved; it is in `rules` as the same object. What an event's first item began
    counts as a running story for those that followed.
    """
    items = ReceivedItem.objects.filter(received_at__gte=timezone.now() - WITHIN)
    items = items.exclude(decision__in=_JUDGED_BY_SOURCE)
    newest_first = items.order_by("-received_at", "-pk").defer("raw")
    rows = list(newest_first[: MOST + 1])
    sources = Source.objects.in_bulk({row.source_id for row in rows})
    simulated = Simulated(more=len(rows) > MOST)
    running: set[UUID] = set()
    for row in reversed(rows[:MOST]):
        simulated.looked_at += 1
        source, item = sources[row.source_id], item_from_json(row.item)
        rule = rule_for(rules, item, source)
        if rule is not None and rule.action == Action.IGNORE:
            became = Decision.IGNORED
        elif row.event in running:
            became = Decision.UPDATE
        elif (
            rule.action == Action.UPDATE
            if rule is not None
            else source.unmatched == Source.Unmatched.KEEP
        ):
            became = Decision.KEPT
        elif (
            rule is not None
            and rule.action == Action.SEND_ALONE
            and not not_alone(rule, item, source)
        ):
            became = Decision.SENT
        else:
            became = Decision.DRAFT
        if became in (Decision.DRAFT, Decision.SENT) and row.event is not None:
            running.add(row.event)
        if rule is of:
            simulated.became[became] += 1
            simulated.newest.append((row, str(became.label)))
    simulated.newest = simulated.newest[: -_SHOWN - 1 : -1]
    return simulated
