"""Mails people that a rule has made a draft, or that a source took back what a story is made of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from morefollows.accounts.models import Editor, Role
from morefollows.accounts.rights import Right, has_right
from morefollows.audience.letters import enqueue_to_editor
from morefollows.audience.models import Letter
from morefollows.ingest.models import ItemRule
from morefollows.stories.drafts import approval
from morefollows.stories.models import Alert, Story

#: About one story a person is told once in this time.
_INTERVAL = timedelta(minutes=15)
_MOST_AN_HOUR = 30


def mail_about_draft(rule: ItemRule | None, story: Story) -> int:
    """Enqueues a mail to each person that the rule tells. Returns how many.

    Called in the transaction that makes the draft. Nobody is mailed about a story that is not
    theirs, nor often about the same.
    """
    if rule is None or rule.action != ItemRule.Action.DRAFT_AND_TELL:
        return 0
    now, mailed = timezone.now(), 0
    for editor in rule.tells.filter(is_active=True).prefetch_related("topics"):
        lately = Letter.objects.filter(editor=editor, kind=Letter.Kind.ITEM)
        if (
            not has_right(editor, Right.WRITE, story)
            or lately.filter(about=story.pk, created_at__gt=now - _INTERVAL).exists()
            or lately.filter(created_at__gt=now - timedelta(hours=1)).count() >= _MOST_AN_HOUR
        ):
            continue
        enqueue_to_editor(editor, Letter.Kind.ITEM, story.pk)
        mailed += 1
    return mailed


def mail_about_withdrawal(story: Story) -> int:
    """Enqueues a mail to each person who has to do with the story. Returns how many.

    Called in the transaction in which its source takes the story's item back. Those who wrote the
    draft, sent an alert of it, or were mailed about it by a rule; if there are none and readers
    have seen the story, all administrators. Never left out because of an earlier mail.
    """
    alerts = Alert.objects.filter(update__story=story)
    rules = ItemRule.objects.filter(items__draft=story)
    known = (
        approval.writers(story)
        | set(alerts.values_list("sent_by", flat=True))
        | set(rules.values_list("tells", flat=True))
    )
    people = Editor.objects.people().filter(is_active=True)
    found = list(people.filter(pk__in=known - {None}))
    if not found and alerts.exists():
        found = list(people.filter(role=Role.ADMINISTRATOR))
    for editor in found:
        enqueue_to_editor(editor, Letter.Kind.ITEM, story.pk)
    return len(found)


def mail_about_withdrawals(stories: Iterable[Story]) -> int:
    """The same for each of several stories."""
    return sum(map(mail_about_withdrawal, stories))
