"""An alert's figures to take along: CSV, the curve as a picture, and a comparison of two alerts."""

from __future__ import annotations

import io
import uuid as uuids
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from morefollows.desk.common import alert_of, at_desk
from morefollows.desk.templatetags.desk import percent_words
from morefollows.feedback.progress import Progress, progress
from morefollows.helpers import spreadsheet
from morefollows.stories.models import Alert

_WIDTH, _HEIGHT = 1200, 630  # pixels, as in previews of links (Open Graph)
_LEFT, _TOP, _RIGHT, _BOTTOM = 120, 190, 60, 90
_LISTED = 30  # alerts that can be chosen to compare with


@at_desk
@require_safe
def figures(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """The report as CSV: one line for each figure, then the curve."""
    alert = alert_of(request, uuid)
    file = io.BytesIO()
    spreadsheet.write_csv(file, ("figure", "value"), _rows(alert, progress(alert)))
    name = f"alert-{alert.frozen_at:%Y-%m-%d-%H%M}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(file.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _rows(alert: Alert, now: Progress) -> Iterator[tuple[str, object]]:
    yield "headline", alert.update.headline
    yield "kind", alert.update.kind
    yield "audience", alert.audience
    yield "state", alert.state
    yield "sent at", timezone.localtime(alert.frozen_at).isoformat(timespec="seconds")
    counts: dict[str, Any] = dict(now)
    for name in ("size", "accepted", "deferred", "refused", "skipped", "uncertain", "expired"):
        yield f"readers {name}", counts[name]
    yield "per second", now["rate"]
    for name, seconds in now["seconds"].items():
        yield f"seconds to {name}", "" if seconds is None else seconds
    for seconds, count in now["curve"]:
        yield f"accepted after {seconds:g} s", count


@at_desk
@require_safe
def picture(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """The curve as a picture to share (SVG), with headline and figures."""
    alert = alert_of(request, uuid)
    now = progress(alert)
    context = {
        **_drawn([now]),
        "title": alert.update.headline,
        "facts": _facts(alert, now),
        "width": _WIDTH,
        "height": _HEIGHT,
    }
    content = render(request, "alerts/curve.svg", context).content
    headers = {"Content-Disposition": 'inline; filename="alert.svg"'}
    response = HttpResponse(content, content_type="image/svg+xml", headers=headers)
    # A picture of its own: it has a stylesheet inside, and runs nothing.
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response


def _facts(alert: Alert, now: Progress) -> str:
    last = now["seconds"]["last"]
    known = {
        "accepted": number_format(now["accepted"], use_l10n=True, force_grouping=True),
        "size": number_format(now["size"], use_l10n=True, force_grouping=True),
        "day": date_format(timezone.localtime(alert.frozen_at), "j F Y, H:i"),
    }
    words = _("%(accepted)s of %(size)s readers, %(day)s") % known
    if last is None:
        return words
    return words + " · " + _("all within %(seconds)s s") % {"seconds": number_format(last, 1)}


def _drawn(all_of: list[Progress]) -> dict[str, Any]:
    """The paths of the curves on one pair of axes, and the axes' marks."""
    # Both are divided by, so never 0: an alert may have no curve yet, or no recipients.
    longest = max([now["curve"][-1][0] for now in all_of if now["curve"]] or [1.0]) or 1.0
    most = max([now["size"] - now["skipped"] for now in all_of] + [1])
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def x(seconds: float) -> float:
        return round(_LEFT + seconds / longest * wide, 1)

    def y(count: float) -> float:
        # SVG counts from the top down.
        return round(_TOP + high - count / most * high, 1)

    paths = [
        "M" + "L".join(f"{x(seconds)} {y(count)}" for seconds, count in [(0, 0), *now["curve"]])
        for now in all_of
    ]
    marks = [most * part / 4 for part in range(5)]
    return {
        "paths": paths,
        "rows": [(y(one), number_format(round(one), force_grouping=True)) for one in marks],
        "columns": [
            (x(longest * part / 4), number_format(longest * part / 4, 1)) for part in range(5)
        ],
        "left": _LEFT,
        "right": _WIDTH - _RIGHT,
        "base": _TOP + high,
    }


@at_desk
@require_safe
def compare(request: HttpRequest, uuid: uuids.UUID) -> HttpResponse:
    """Two alerts beside each other. `with`: the other one's UUID."""
    alert = alert_of(request, uuid)
    others = Alert.objects.exclude(pk=alert.pk).exclude(state=Alert.State.TAKEN_BACK)
    others = others.exclude(audience=Alert.Audience.PAGE).filter(
        update__story__canary=False,
        update__published_at__isnull=False,
        update__story__purpose=alert.update.story.purpose,
        update__story__drill=alert.update.story.drill,
    )
    listed = list(others.select_related("update")[:_LISTED])
    asked = request.GET.get("with", "")
    other = next((one for one in listed if str(one.uuid) == asked), listed[0] if listed else None)
    # Read again by `alert_of`, which checks the right to its story.
    shown = [alert, *([alert_of(request, other.uuid)] if other else [])]
    found = [progress(one) for one in shown]
    context = {
        "alert": alert,
        "story": alert.update.story,
        "other": other,
        "listed": listed,
        "columns_of": shown,
        "lines": _lines(found),
        **_drawn(found),
        "width": _WIDTH,
        "height": _HEIGHT,
        "here": "alert",
    }
    return render(request, "alerts/compare.html", context)


def share_labels() -> dict[str, str]:
    """The labels of the times by which so many readers were reached."""
    return {f"p{share}": percent_words(share) for share in (50, 90, 99)}


def _lines(found: list[Progress]) -> list[tuple[str, list[object]]]:
    names = {
        "size": _("Readers"),
        "accepted": _("Accepted"),
        "refused": _("Refused"),
        "skipped": _("Skipped"),
        "expired": _("Expired"),
        "uncertain": _("Uncertain"),
        "rate": _("Per second"),
    }
    lines: list[tuple[str, list[object]]] = [
        (label, [dict(now)[name] for now in found]) for name, label in names.items()
    ]
    steps = {"first": _("Seconds to the first"), **share_labels()}
    for name, label in steps.items():
        lines.append((label, [dict(now["seconds"])[name] for now in found]))
    return lines
