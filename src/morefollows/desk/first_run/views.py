"""The five steps. Each saves its part, so that they can be left and resumed; step 5 goes live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from morefollows.accounts.rights import Right
from morefollows.audience import placeholders
from morefollows.audience.addresses import BadAddress
from morefollows.audience.models import Newsroom, Topic
from morefollows.courier.checkup.trial_alert import KINDS, send_trial_alert
from morefollows.desk.accounts.fresh_sign_in import confirm_first, is_fresh
from morefollows.desk.common import editor_of, needs
from morefollows.desk.first_run.forms import FirstNewsroomForm, FirstTopicForm, TrialMailForm
from morefollows.desk.settings.brand.forms import BrandForm
from morefollows.desk.settings.brand.views import brand_colours
from morefollows.desk.settings.delivery.forms import RelayForm
from morefollows.desk.settings.delivery.views import delivery_facts, try_relay
from morefollows.setup import first_run, relays
from morefollows.setup.brand.look import brand_in_force

_LAST = first_run.STEPS


@needs(Right.ADMINISTER)
@require_safe
def resume(request: HttpRequest) -> HttpResponse:
    """Leads to the step to do next."""
    return redirect("setup-step", step=first_run.next_step() or 1)


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def step_page(request: HttpRequest, step: int) -> HttpResponse:
    """Shows and saves one step, 1 to 5."""
    if not 1 <= step <= first_run.STEPS:
        raise Http404
    if _STEPS[step - 1] is _delivery and not is_fresh(request):
        return confirm_first(request)  # it has secrets, as the page of a relay
    context = _STEPS[step - 1](request)
    if isinstance(context, HttpResponse):
        return context
    done = first_run.STEPS if first_run.is_finished() else first_run.next_step() - 1
    context |= {
        "step": step,
        "done": done,
        "finished": first_run.is_finished(),
        "topic": Topic.objects.first(),
    }
    form = context.get("form")
    status = 422 if form is not None and form.errors else 200
    return render(request, f"first_run/step{step}.html", context, status=status)


def _next(step: int) -> HttpResponse:
    first_run.reach_step(step + 1)
    return redirect("setup-step", step=step + 1)


def _newsroom(request: HttpRequest) -> dict[str, Any] | HttpResponse:
    known = Newsroom.objects.filter(pk=1).first()
    form = FirstNewsroomForm(request.POST if request.method == "POST" else None, newsroom=known)
    if request.method == "POST" and form.is_valid() and form.apply(editor_of(request)):
        return _next(1)
    return {"form": form}


def _brand(request: HttpRequest) -> dict[str, Any] | HttpResponse:
    form = BrandForm.of(brand_in_force())
    if request.method == "POST":
        form = BrandForm(request.POST, request.FILES)
        if form.is_valid() and form.apply(editor_of(request), "main"):
            return _next(2)
    rows = brand_colours(form)["colours"]
    return {"form": form, "colours": rows[:1]}


def _topics(request: HttpRequest) -> dict[str, Any] | HttpResponse:
    form = FirstTopicForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and form.apply(editor_of(request)):
        return _next(3)
    return {"form": form}


def _delivery(request: HttpRequest) -> dict[str, Any] | HttpResponse:
    known = relays.stored_relays()
    locked = relays.is_given_by_environment()
    first = known[0] if known else None
    form = RelayForm(request.POST if request.method == "POST" else None, known=first)
    tried = []
    if request.method == "POST":
        if locked or ("skip" in request.POST):
            return _next(4)
        if form.is_valid():
            if "try" in request.POST:
                tried = try_relay(form, editor_of(request))
            elif form.apply(editor_of(request)):
                return _next(4)
    return {"form": form, "tried": tried, "in_setup": True, **delivery_facts()}


def _test(request: HttpRequest) -> dict[str, Any] | HttpResponse:
    by, result = editor_of(request), None
    form = TrialMailForm(initial={"address": by.email})
    testable = settings.MOREFOLLOWS.relays_or_inbox[0].scheme in KINDS
    if request.method == "POST" and "go" in request.POST:
        missing = [one for one in _missing() if one.field != "setup"]
        if not missing and (first_run.was_tested() or not testable):
            first_run.go_live(by)
            messages.success(request, _("You are live: Send reaches real readers."))
            return redirect("desk")
    elif request.method == "POST":
        form = TrialMailForm(request.POST)
        if form.is_valid():
            try:
                result = send_trial_alert(form.cleaned_data["address"], first=True)
            except BadAddress as error:
                form.add_error("address", str(error))
            if result is not None and result.taken:
                first_run.note_test()
    return {
        "form": form,
        "result": result,
        "tested": first_run.was_tested(),
        "testable": testable,
        "missing": [one for one in _missing() if one.field != "setup"],
    }


def _missing() -> list[placeholders.Placeholder]:
    """What is not filled in; nothing of it matters while no mail leaves the machine."""
    config = settings.MOREFOLLOWS
    if config.inbox:
        return []
    return placeholders.found(config, Newsroom.objects.filter(pk=1).first())


_STEPS: tuple[Callable[[HttpRequest], dict[str, Any] | HttpResponse], ...] = (
    _newsroom,
    _brand,
    _topics,
    _delivery,
    _test,
)
