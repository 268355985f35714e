"""Pages of readers: their number, the search by exact address, evidence of consent, and requests.

Invariant: an email address is never in a URL or log line. Each reader found by address, and
each change, is in the activity log.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from morefollows.accounts.rights import Right
from morefollows.audience import erasure
from morefollows.audience.consent import withdrawal
from morefollows.audience.consent.declaration import declaration, find
from morefollows.audience.models import (
    Consent,
    DrillReader,
    Purpose,
    Reader,
    Subscription,
    Suppression,
    Topic,
)
from morefollows.audience.statistics import count_cache, growth
from morefollows.audience.suppression import actions as suppressions
from morefollows.audit.actions import record
from morefollows.audit.models import AuditEntry
from morefollows.courier.ledger import history
from morefollows.desk.common import editor_of, needs
from morefollows.desk.readers.forms import FindReaderForm
from morefollows.desk.readers.growth_plot import plot
from morefollows.stories.alerts import alert_audience
from morefollows.stories.models import Alert

_RANGES = (30, 90, 365)  # days
_ALERTS = 50  # a reader's page lists those of the latest alerts that the reader got
_OPEN = (Subscription.State.PENDING, Subscription.State.ACTIVE)


@needs(Right.READERS)
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """The number of readers, by state, topic and day."""
    return _overview(request, FindReaderForm())


# Else Django's error reports would show the address.
@sensitive_post_parameters("address")
@needs(Right.READERS)
@require_POST
def find_reader(request: HttpRequest) -> HttpResponse:
    """Finds a reader by exact address. POST, so that the address is in no URL."""
    form = FindReaderForm(request.POST)
    if not form.is_valid():
        return _overview(request, form, status=422)
    found = find(form.cleaned_data["address"])
    if found.reader is None:
        # An address may be suppressed without a reader, e.g. after `erasure.erase`.
        return _overview(request, form, status=404, nobody=True, suppression=found.suppression)
    number = found.reader.pk
    record(editor_of(request), "look up reader", subject=f"reader {number}", reader=number)
    return redirect("reader", found.reader.pk)


def _overview(
    request: HttpRequest, form: FindReaderForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    asked = request.GET.get("days", "")
    days = int(asked) if asked in map(str, _RANGES) else _RANGES[0]
    zone = timezone.get_current_timezone()
    figures = {"topics": alert_audience.count_topics, **growth.figures(zone, days)}
    context = {"form": form, "days": days, "ranges": _RANGES, "here": "readers", **more}
    # Where there are many readers, counting takes seconds: the page does not wait for it.
    if count_cache.ready(figures):
        context |= _figures(days, zone)
    return render(request, "readers/overview.html", context, status=status)


def _figures(days: int, zone: tzinfo) -> dict[str, Any]:
    """What the overview counts, as its template takes it."""
    grown, counted = growth.growth(days, zone), alert_audience.by_topic()
    labels = {
        **{state.value: state.label for state in Reader.State},
        "suppressed": _("suppressed addresses"),
    }
    return {
        "tiles": [(name, labels[name], count) for name, count in growth.states().items()],
        "topics": [(topic, counted.get(topic.pk, 0)) for topic in Topic.objects.all()],
        "growth": grown[::-1],
        "came": sum(day.came for day in grown),
        "went": sum(day.went for day in grown),
        "plot": plot(grown),
        "pages": growth.sign_ups_by_page(days),
    }


@needs(Right.READERS)
@require_safe
def reader_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One reader: subscriptions, evidence of consent, preferences and latest alerts."""
    reader = get_object_or_404(Reader, pk=pk)
    context = {
        "reader": reader,
        "told": declaration(reader),
        "subscriptions": reader.subscriptions.select_related("topic").order_by(
            "topic__position", "topic__name"
        ),
        "open": _OPEN,
        "offers_asked": _offers_asked(reader),
        "terms": _terms(reader),
        "alerts": _alerts_of(reader),
        "most_alerts": _ALERTS,
        "letters": reader.letters.select_related("topic").order_by("-pk"),
        "audit_entries": AuditEntry.objects.filter(details__reader=pk).select_related("editor")[
            :20
        ],
        "here": "readers",
    }
    return render(request, "readers/reader.html", context)


def _terms(reader: Reader) -> list[tuple[str, Any]]:
    """The reader's preferences as label and value. They may explain why an alert did not arrive."""
    terms: list[tuple[str, Any]] = [(_("Alerts"), reader.get_frequency_display())]
    if reader.most_a_day is not None:
        terms.append((_("Most a day"), reader.most_a_day))
    if reader.quiet_from is not None and reader.quiet_to is not None:
        hours = f"{_clock(reader.quiet_from)}–{_clock(reader.quiet_to)} {reader.time_zone}".rstrip()
        if reader.flash_passes:
            hours = _("%(hours)s, but a flash passes") % {"hours": hours}
        terms.append((_("Quiet hours"), hours))
    if reader.paused_until is not None and reader.paused_until > timezone.now():
        terms.append((_("Paused until"), reader.paused_until))
    part = DrillReader.objects.filter(reader=reader).first()
    if part is not None:
        terms.append(
            (_("Drills"), _("takes part") if part.confirmed_at else _("invited, no answer yet"))
        )
    return terms


def _expect(request: HttpRequest, row: Reader | Suppression) -> None:
    """Raises `Http404` unless the row is the one of the page.

    After a restore from a backup, another row can have the same primary key.
    """
    if request.POST.get("mark") != row.mark:
        raise Http404("the page showed another one")


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _offers_asked(reader: Reader) -> bool:
    """Whether the reader has a consent to offers, confirmed or not, that can be withdrawn."""
    last = Consent.objects.filter(reader=reader, purpose=Purpose.OFFERS).order_by("pk").last()
    return last is not None and last.event != Consent.Event.WITHDRAWN


def _alerts_of(reader: Reader) -> list[Alert]:
    """Those of the latest alerts that a relay accepted, or may have accepted, for this reader."""
    mailed = Alert.objects.filter(update__story__canary=False).select_related("update__story")
    latest = {alert.pk: alert for alert in mailed[:_ALERTS]}
    had = history.alerts_had_by(list(latest), [reader.pk]).get(reader.pk, [])
    return [latest[pk] for pk in had]


@needs(Right.READERS)
@require_safe
def evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """The evidence of consent, for printing."""
    told = declaration(get_object_or_404(Reader, pk=pk))
    context = {"told": told, "reader": told.reader, "now": timezone.now(), "here": "readers"}
    return render(request, "readers/evidence.html", context)


@needs(Right.READERS)
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraws a consent, at a reader's request by letter or telephone."""
    reader = get_object_or_404(Reader, pk=pk)
    _expect(request, reader)
    purpose, slug = request.POST.get("purpose", ""), request.POST.get("topic", "")
    topic = Topic.objects.filter(slug=slug).first()
    # Alerts need a topic, and offers have none.
    if purpose not in Purpose.values or (topic is None) != (purpose == Purpose.OFFERS):
        raise BadRequest("no purpose, or no topic")
    with transaction.atomic():
        withdrawal.withdraw_consent(reader, purpose, how=Consent.How.DESK, topic=topic)
        editor, subject = editor_of(request), f"reader {pk}"
        record(editor, "withdraw consent", subject=subject, reader=pk, purpose=purpose, topic=slug)
    messages.success(request, _("Unsubscribed. No mail leaves after this."))
    return redirect("reader", pk)


@needs(Right.ADMINISTER)
@require_POST
def erase(request: HttpRequest, pk: int) -> HttpResponse:
    """Erases a reader's data, after a confirmation. Administrators only."""
    editor = editor_of(request)
    reader = get_object_or_404(Reader, pk=pk)
    _expect(request, reader)
    if "sure" not in request.POST:
        messages.error(request, _("Nothing was erased: tick that you are sure."))
        return redirect("reader", pk)
    with transaction.atomic():
        erasure.erase(reader)
        record(editor, "erase reader", subject=f"reader {pk}", reader=pk)
    messages.success(
        request,
        _("Erased. Only the keyed hash of the address is left, so that nobody brings it back."),
    )
    return redirect("audience")


@needs(Right.ADMINISTER)
@require_POST
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    """Lifts a mistaken suppression. `pk`: of the suppression."""
    editor = editor_of(request)
    suppression = get_object_or_404(Suppression, pk=pk)
    _expect(request, suppression)
    reader = Reader.objects.filter(key=suppression.key).first()
    suppressions.lift(suppression, Consent.How.DESK, editor)
    messages.success(
        request, _("Lifted. This address may be mailed again, if its reader has agreed.")
    )
    return redirect("reader", reader.pk) if reader else redirect("audience")
