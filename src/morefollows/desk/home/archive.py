"""The archive: search in all stories, with filters, paged by key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from morefollows.accounts.models import Editor
from morefollows.audience.models import Purpose, Topic
from morefollows.desk.widgets import TopicField
from morefollows.feedback.latest_alerts import Glance, glances
from morefollows.stories.models import Story, Update, UpdateKind

A_PAGE = 20
#: What a row shows. Each further column takes time.
_COLUMNS = ("uuid", "headline", "state", "drill", "changed_at", "topic__name", "author__name")
_WORDS = 6  # of a search; more are ignored
_DAYS = {"week": 7, "month": 31, "year": 366}
#: Characters that go into an address of the next page: time in microseconds, then primary key.
_KEY = re.compile(r"(\d{1,18})-(\d{1,18})\Z", re.ASCII)


class ArchiveForm(forms.Form):
    """What is searched for. What is not valid is ignored."""

    q = forms.CharField(required=False, max_length=100)
    mine = forms.BooleanField(required=False)
    state = forms.ChoiceField(
        required=False,
        choices=[
            ("", _("Any state")),
            ("draft", _("Draft")),
            ("live", _("Live")),
            ("final", _("Final")),
            ("corrected", _("Corrected")),
            ("retracted", _("Retracted")),
        ],
    )
    topic = TopicField(Topic.objects.order_by("name"), required=False, empty_label=_("Any topic"))
    date = forms.ChoiceField(
        required=False,
        choices=[
            ("", _("Any date")),
            ("week", _("Last 7 days")),
            ("month", _("Last month")),
            ("year", _("Last year")),
        ],
    )

    def topic_select(self) -> SafeString:
        """The HTML of the topics' select, with the one chosen that is searched for."""
        topic, attrs = self.cleaned_data.get("topic"), {"aria-label": _("Topic")}
        html: SafeString = self.fields["topic"].widget.render("topic", topic and topic.pk, attrs)
        return html


@dataclass
class ArchiveRow:
    """A story in the archive's table."""

    story: Story
    glance: Glance | None
    corrected: bool
    retracted_at: datetime | None

    @property
    def changed_at(self) -> datetime:
        """When it was retracted, else when its words last changed."""
        return self.retracted_at or self.story.changed_at

    @property
    def share(self) -> float | None:
        """Percent of the latest alert's readers whose mail was accepted."""
        if self.glance is None or not self.glance.readers:
            return None
        return 100 * self.glance.accepted / self.glance.readers


@dataclass
class ArchivePage:
    """Rows, and the query of the next page; "" for the last."""

    rows: list[ArchiveRow]
    older: str


def search_archive(form: ArchiveForm, editor: Editor, before: str = "") -> ArchivePage:
    """The stories that the form asks for, newest first. Without a filter: those that ended.

    `before`: the key of the last row of the page before.
    """
    form.full_clean()
    asked = {name: value for name, value in form.cleaned_data.items() if value}
    found = _filtered(asked, editor)
    key = _KEY.match(before)
    if key:
        at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(key[1]))
        found = found.filter(
            Q(changed_at__lt=at) | Q(changed_at=at, pk__lt=int(key[2])), changed_at__lte=at
        )
    stories = list(found.select_related("topic", "author").only(*_COLUMNS)[: A_PAGE + 1])
    shown = stories[:A_PAGE]
    seen = glances(one.pk for one in shown)
    put_right = Update.objects.filter(
        story__in=shown,
        kind__in=(UpdateKind.CORRECTION, UpdateKind.WITHDRAWAL),
        published_at__isnull=False,
    )
    corrected: set[int] = set()
    retracted: dict[int, datetime | None] = {}
    for story, kind, published_at in put_right.values_list("story", "kind", "published_at"):
        if kind == UpdateKind.CORRECTION:
            corrected.add(story)
        else:
            retracted[story] = published_at
    rows = [
        ArchiveRow(one, seen.get(one.pk), one.pk in corrected, retracted.get(one.pk))
        for one in shown
    ]
    return ArchivePage(rows, _next(asked, shown[-1]) if len(stories) > A_PAGE else "")


def _filtered(asked: dict[str, Any], editor: Editor) -> QuerySet[Story]:
    found = Story.objects.filter(purpose=Purpose.ALERTS, deleted_at__isnull=True, canary=False)
    if not asked:
        found = found.filter(state__in=(Story.State.FINAL, Story.State.WITHDRAWN))
    if words := str(asked.get("q", "")).split()[:_WORDS]:
        for word in words:
            found = found.filter(_has(word))
    if asked.get("mine"):
        found = found.filter(author=editor)
    if topic := asked.get("topic"):
        found = found.filter(topic=topic)
    if date := asked.get("date"):
        found = found.filter(changed_at__gt=timezone.now() - timedelta(days=_DAYS[str(date)]))
    correction = Update.objects.filter(
        story=OuterRef("pk"), kind=UpdateKind.CORRECTION, published_at__isnull=False
    )
    match asked.get("state"):
        case "draft":
            found = found.filter(state=Story.State.DRAFT)
        case "live":
            found = found.filter(state__in=Story.OPEN)
        case "final":
            found = found.filter(state=Story.State.FINAL)
        case "corrected":
            found = found.exclude(state=Story.State.WITHDRAWN).filter(Exists(correction))
        case "retracted":
            found = found.filter(state=Story.State.WITHDRAWN)
    return found.order_by("-changed_at", "-pk")


def _has(word: str) -> Q:
    """Whether a story or one of its published updates has the word, in any case.

    SQLite folds the case of ASCII letters only, so that others are looked for in three spellings.
    """
    found = Q()
    for one in {word} if word.isascii() else {word, word.lower(), word.capitalize(), word.upper()}:
        published = Update.objects.filter(story=OuterRef("pk"), published_at__isnull=False).filter(
            Q(headline__icontains=one) | Q(text__icontains=one)
        )
        found |= Q(headline__icontains=one) | Q(standfirst__icontains=one)
        found |= Q(text__icontains=one) | Q(Exists(published))
    return found


def _next(asked: dict[str, Any], last: Story) -> str:
    since = last.changed_at - datetime.fromtimestamp(0, UTC)
    query = {
        name: value.pk if isinstance(value, Topic) else "on" if value is True else value
        for name, value in asked.items()
    }
    return urlencode({**query, "before": f"{since // timedelta(microseconds=1)}-{last.pk}"})
