"""Decides what becomes of an item: the first active rule that fits, or the source's setting.

`choose_for_item` is pure. `pipeline` carries out what it returns.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from morefollows.ingest.choice import Choice, without_rule
from morefollows.ingest.item import NewsItem
from morefollows.ingest.matching.match import How, Match
from morefollows.ingest.models import ItemRule, ReceivedItem, Source
from morefollows.ingest.rules.alone import not_alone
from morefollows.ingest.rules.conditions import Conditions, fits

Decision = ReceivedItem.Decision
Action = ItemRule.Action


@dataclass(frozen=True)
class ReadyRule:
    """A rule with its sources and conditions, read from the database once."""

    rule: ItemRule
    sources: frozenset[int]  #: primary keys; empty: all
    conditions: Conditions


def ready_rules(rules: Iterable[ItemRule]) -> list[ReadyRule]:
    """Reads rules, in order. Prefetch `sources`."""
    return [
        ReadyRule(
            one,
            frozenset(source.pk for source in one.sources.all()) if one.pk else frozenset(),
            Conditions.from_json(one.conditions),
        )
        for one in rules
    ]


def active_rules() -> list[ReadyRule]:
    """The rules that apply, in order."""
    rules = ItemRule.objects.filter(active=True).select_related("topic", "created_by")
    return ready_rules(rules.prefetch_related("sources"))


def rule_for(rules: Iterable[ReadyRule], item: NewsItem, source: Source) -> ItemRule | None:
    """The first rule that fits this item, or None."""
    for one in rules:
        if one.sources and source.pk not in one.sources:
            continue
        if fits(one.conditions, item, source.language):
            return one.rule
    return None


def choose_for_item(
    rules: Iterable[ReadyRule], item: NewsItem, source: Source, match: Match
) -> Choice:
    """Decides what becomes of a usable item whose headline is sure."""
    rule = rule_for(rules, item, source)
    # The order matters: what was withdrawn, or is nearly a copy, is stopped whatever the rule.
    if rule is not None and rule.action == Action.IGNORE:
        return Choice(Decision.IGNORED, _("Rule “%(rule)s”.") % {"rule": rule.name}, rule=rule)
    if match.withdrawn:
        why = _("It is like “%(like)s”, which was withdrawn. Look at it yourself.")
        return Choice(Decision.KEPT, why % {"like": match.like[:150]}, rule=rule)
    if match.how is How.COPY and match.story is not None:
        why = _("Nearly the same text as “%(like)s”: nothing new in it.")
        return Choice(Decision.OLDER, why % {"like": match.like[:150]}, match.story, rule=rule)
    # An item of a running story is an update of it, also under a rule that sends alone.
    if match.story is not None:
        return Choice(Decision.UPDATE, _why(rule, match), match.story, rule=rule)
    if rule is None:
        return without_rule(source)
    if rule.action == Action.UPDATE:
        why = _("Rule “%(rule)s”: no running story is about it.")
        return Choice(Decision.KEPT, why % {"rule": rule.name}, rule=rule)
    if rule.action == Action.SEND_ALONE and not (reason := not_alone(rule, item, source)):
        why = _("Rule “%(rule)s” sends it.")
        return Choice(Decision.SENT, why % {"rule": rule.name}, topic=rule.topic, rule=rule)
    why = _("Rule “%(rule)s”.") % {"rule": rule.name}
    if rule.action == Action.SEND_ALONE:
        why = f"{why} {reason}"
    return Choice(Decision.DRAFT, why, topic=rule.topic, rule=rule)


def _why(rule: ItemRule | None, match: Match) -> str:
    named = _("Rule “%(rule)s”.") % {"rule": rule.name} + " " if rule is not None else ""
    if match.how is How.ID:
        return named + _("It takes the place of “%(like)s”.") % {"like": match.like[:150]}
    return named + _("The same event as “%(like)s” (%(score)d %%).") % {
        "like": match.like[:150],
        "score": round(100 * match.score),
    }
