"""Page of suppressions: counts by time, reason and domain, and lifting them in bulk."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from morefollows.accounts.rights import Right
from morefollows.audience.addresses import BadAddress
from morefollows.audience.models import Consent, Suppression
from morefollows.audience.statistics.count_cache import kept
from morefollows.audience.suppression import bulk_lift
from morefollows.audience.suppression.bulk_lift import Lifted, SuppressionFilter
from morefollows.audit.actions import record
from morefollows.desk.common import editor_of, needs

_MOST_GROUPS = 50
_MOMENT = {"type": "datetime-local"}


class Filter(forms.Form):
    """The filter of suppressions. Times are in the newsroom's zone."""

    since = forms.DateTimeField(
        label=gettext_lazy("Suppressed from"),
        required=False,
        widget=forms.DateTimeInput(attrs=_MOMENT, format="%Y-%m-%dT%H:%M"),
    )
    until = forms.DateTimeField(
        label=gettext_lazy("Suppressed before"),
        required=False,
        widget=forms.DateTimeInput(attrs=_MOMENT, format="%Y-%m-%dT%H:%M"),
    )
    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"),
        required=False,
        choices=[("", gettext_lazy("bounced here")), *Suppression.Reason.choices],
    )
    domain = forms.CharField(label=gettext_lazy("Domain"), required=False, max_length=255)

    def clean_domain(self) -> str:
        try:
            return bulk_lift.domain_of(self.cleaned_data["domain"])
        except BadAddress as reason:
            raise forms.ValidationError(str(reason)) from None

    def which(self) -> SuppressionFilter:
        """The filter as `SuppressionFilter`, with now as the default of `until`."""
        given = self.cleaned_data
        reasons = (given["reason"],) if given["reason"] else ()
        return SuppressionFilter(
            given["since"], given["until"] or timezone.now(), reasons, given["domain"]
        )


@needs(Right.ADMINISTER)
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Counts of the suppressions that match the query. Administrators only."""
    form = Filter(request.GET)
    context: dict[str, Any] = {"form": form, "here": "readers"}
    if form.is_valid():
        which = form.which()
        found = bulk_lift.matching(which)
        groups = bulk_lift.groups(found)
        total = sum(group.number for group in groups)
        # Counted anew as soon as another number of suppressions matches.
        given = repr([str(form.cleaned_data[name] or "") for name in form.fields])
        figure = f"readers back: {total} of {sha256(given.encode()).hexdigest()}"
        context |= {
            "groups": [
                (Suppression.Reason(group.reason).label, group) for group in groups[:_MOST_GROUPS]
            ],
            "more": len(groups) - _MOST_GROUPS,
            "total": total,
            "readers": int(kept(figure, lambda: bulk_lift.readers_back(found))),
            # The button must not lift suppressions that are added after the page was rendered.
            "until": which.until.isoformat() if which.until else "",
        }
    return render(request, "readers/suppressions.html", context, status=422 if form.errors else 200)


@needs(Right.ADMINISTER)
@require_POST
def lift(request: HttpRequest) -> HttpResponse:
    """Lifts the suppressions that match the form. Administrators only."""
    editor = editor_of(request)
    form = Filter(request.POST)
    if not form.is_valid() or "sure" not in request.POST:
        messages.error(request, _("Nothing was lifted: tick that you are sure."))
        return redirect("suppressions")
    which = form.which()

    def note(lifted: Lifted) -> None:
        counts = {"lifted": lifted.suppressions, "readers": lifted.readers}
        record(
            editor,
            "lift suppressions",
            story=None,
            alert=None,
            subject="",
            **counts,
            **which.as_details(),
        )

    lifted = bulk_lift.lift(which, Consent.How.DESK, note)
    text = ngettext(
        "%(count)s suppression lifted.", "%(count)s suppressions lifted.", lifted.suppressions
    )
    messages.success(request, text % {"count": lifted.suppressions})
    return redirect("suppressions")
