"""The rows of the Wire page: filtered, newest first, and grouped by event."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from morefollows.audience.models import Topic
from morefollows.desk.widgets import TopicField
from morefollows.ingest.models import ReceivedItem, Source

_A_PAGE = 60
#: Words, topic and urgency are looked for in the items of this time only.
_SEARCHED = timedelta(days=30)
_NARROW = ("q", "topic", "urgency")


class WireFilter(forms.Form):
    """What is shown. All fields are optional."""

    q = forms.CharField(
        label=_("Words"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    source = forms.ModelChoiceField(
        Source.objects.all(), label=_("Source"), required=False, empty_label=_("all")
    )
    topic = TopicField(
        Topic.objects.all(),
        label=_("Topic"),
        required=False,
        empty_label=_("all"),
    )
    urgency = forms.TypedChoiceField(
        label=_("Urgency"),
        choices=(
            ("", _("any")),
            *((str(one), f"1–{one}" if one > 1 else "1") for one in (1, 2, 4)),
        ),
        coerce=int,
        empty_value=None,
        required=False,
    )
    decision = forms.ChoiceField(
        label=_("Became"),
        choices=[("all", _("anything")), *ReceivedItem.Decision.choices],
        required=False,
    )

    def found(self) -> QuerySet[ReceivedItem]:
        """The items that match, newest first. Fields that are wrong are ignored."""
        self.is_valid()
        wanted = {name: value for name, value in self.cleaned_data.items() if value}
        rows = ReceivedItem.objects.order_by("-received_at", "-pk")
        if any(name in wanted for name in _NARROW):
            rows = rows.filter(received_at__gte=timezone.now() - _SEARCHED)
        if source := wanted.get("source"):
            rows = rows.filter(source=source)
        if (decision := self.cleaned_data.get("decision")) and decision != "all":
            rows = rows.filter(decision=decision)
        if urgency := wanted.get("urgency"):
            rows = rows.filter(urgency__lte=urgency)
        if topic := wanted.get("topic"):
            rows = rows.filter(
                Q(draft__topic=topic) | Q(draft=None, source__in=Source.objects.filter(topic=topic))
            )
        for word in wanted.get("q", "").split():
            rows = rows.filter(headline__icontains=word)
        return rows


@dataclass
class EventGroup:
    """The items of one event on a page, newest first."""

    items: list[ReceivedItem] = field(default_factory=list)

    @property
    def newest(self) -> ReceivedItem:
        return self.items[0]

    @property
    def others(self) -> list[ReceivedItem]:
        return self.items[1:]


@dataclass
class WirePage:
    """One page of groups. `before`: the key of the last item, if there are more."""

    groups: list[EventGroup]
    before: int | None


def wire_page(rows: QuerySet[ReceivedItem], before: int | None) -> WirePage:
    """Returns the items from `before` on (the primary key of the last item of a page)."""
    if before is not None:
        last = ReceivedItem.objects.filter(pk=before).values_list("received_at", flat=True).first()
        if last is not None:
            older = Q(received_at=last, pk__lt=before)
            rows = rows.filter(received_at__lte=last).filter(Q(received_at__lt=last) | older)
    # First the keys: for words an index is enough, and no row is read in vain.
    keys = list(rows.values_list("pk", flat=True)[: _A_PAGE + 1])
    shown = list(
        ReceivedItem.objects.filter(pk__in=keys)
        .order_by("-received_at", "-pk")
        .select_related("source", "draft", "rule")
        .defer("raw", "item", "draft__text", "source__pace", "source__position")
    )
    groups: dict[object, EventGroup] = {}
    for row in shown[:_A_PAGE]:
        groups.setdefault(row.event or row.pk, EventGroup()).items.append(row)
    more = len(shown) > _A_PAGE
    return WirePage(list(groups.values()), shown[_A_PAGE - 1].pk if more else None)
