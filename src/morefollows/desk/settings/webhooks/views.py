"""Pages of the webhooks. A secret is shown once: in the answer to the form that made it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Right
from morefollows.api.models import WebhookDelivery, WebhookEndpoint
from morefollows.api.webhooks import endpoints
from morefollows.desk.accounts.fresh_sign_in import fresh
from morefollows.desk.common import editor_of, needs
from morefollows.desk.settings.common import page, tell_saved
from morefollows.desk.settings.webhooks.forms import WebhookForm

_ROWS = 25  # deliveries in a page
State = WebhookDelivery.State


@needs(Right.ADMINISTER)
@require_safe
def webhooks_page(request: HttpRequest) -> HttpResponse:
    """All webhooks, with what waits for each."""
    found = WebhookEndpoint.objects.annotate(
        waiting=Count("deliveries", Q(deliveries__state=State.WAITING)),
        failed=Count("deliveries", Q(deliveries__state=State.FAILED)),
        last_at=Max("deliveries__delivered_at"),
    )
    return render(request, "webhooks/page.html", page("webhooks", webhooks=found.order_by("pk")))


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def webhook_new(request: HttpRequest) -> HttpResponse:
    """Adds a webhook, and shows its secret once."""
    form = WebhookForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and (made := form.apply(editor_of(request))):
        return _secret_shown(request, *made)
    context = page("webhooks", form=form)
    return render(request, "webhooks/new.html", context, status=422 if form.errors else 200)


def _secret_shown(request: HttpRequest, endpoint: WebhookEndpoint, secret: str) -> HttpResponse:
    context = page("webhooks", webhook=endpoint, secret=secret)
    return render(request, "webhooks/secret.html", context)


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def webhook_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One webhook: its deliveries, newest first, and its events, which can be changed."""
    endpoint = get_object_or_404(WebhookEndpoint, pk=pk)
    form = WebhookForm(request.POST if request.method == "POST" else None, endpoint=endpoint)
    if request.method == "POST" and form.is_valid() and form.apply(editor_of(request)):
        tell_saved(request)
        return redirect("webhook", pk=pk)
    context = page("webhooks", form=form, webhook=endpoint, **_deliveries(request, endpoint))
    return render(request, "webhooks/webhook.html", context, status=422 if form.errors else 200)


def _deliveries(request: HttpRequest, endpoint: WebhookEndpoint) -> dict[str, Any]:
    """A page of deliveries by the query: `state`, and `before`, the last row's number."""
    rows = endpoint.deliveries.select_related("event").order_by("-pk")
    state, before = request.GET.get("state", ""), request.GET.get("before", "")
    if state in State.values:
        rows = rows.filter(state=state)
    else:
        state = ""
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: _ROWS + 1])
    older = found[_ROWS - 1].pk if len(found) > _ROWS else None
    states = [(value, word) for value, word in State.choices]
    return {"deliveries": found[:_ROWS], "older": older, "state": state, "states": states}


def _actions() -> dict[str, tuple[Callable[[WebhookEndpoint, Editor], Any], str]]:
    """What the buttons do, and what the page says then."""
    return {
        "test": (endpoints.send_test, _("A test event is on its way.")),
        "pause": (
            lambda endpoint, by: endpoints.change_endpoint(endpoint, by, active=False),
            _("Paused. What happens meanwhile is not sent to it, also later."),
        ),
        "resume": (
            lambda endpoint, by: endpoints.change_endpoint(endpoint, by, active=True),
            _("Resumed. What waits is sent at once."),
        ),
        "remove": (endpoints.remove_endpoint, _("The webhook is removed.")),
    }


@needs(Right.ADMINISTER)
@require_POST
@fresh
def webhook_do(request: HttpRequest, pk: int) -> HttpResponse:
    """Does what the button says, by `do`, or sends the delivery `again`."""
    endpoint, by = get_object_or_404(WebhookEndpoint, pk=pk), editor_of(request)
    do = request.POST.get("do", "")
    if again := request.POST.get("again", ""):
        if not (again.isascii() and again.isdigit() and len(again) < 19):
            raise BadRequest("no such delivery")
        found = endpoint.deliveries.select_related("endpoint")
        endpoints.send_again(get_object_or_404(found, pk=int(again)), by)
        messages.success(request, _("It is sent again, under the same id."))
        return redirect("webhook", pk=pk)
    if do == "rotate":
        return _secret_shown(request, endpoint, endpoints.rotate_secret(endpoint, by))
    action, text = _actions().get(do, (None, ""))
    if action is None:
        raise BadRequest("no such action")
    action(endpoint, by)
    messages.success(request, text)
    return redirect("webhooks") if do == "remove" else redirect("webhook", pk=pk)
