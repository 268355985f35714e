"""Pages of the rules for the wire: the list in its order, one rule, and what it would have done."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from morefollows.accounts.rights import Right
from morefollows.desk.accounts.fresh_sign_in import fresh_to_send
from morefollows.desk.common import editor_of, needs
from morefollows.desk.settings.common import tell_saved
from morefollows.desk.wire.rule_forms import RuleForm
from morefollows.ingest.models import ItemRule, ReceivedItem
from morefollows.ingest.rules import actions
from morefollows.ingest.rules.conditions import Conditions
from morefollows.ingest.rules.deciding_rule import ReadyRule, active_rules
from morefollows.ingest.rules.simulation import Simulated, simulate
from morefollows.stories.errors import ActionRefused


@needs(Right.SEND)
@require_safe
def item_rules(request: HttpRequest) -> HttpResponse:
    """All rules in the order in which they apply."""
    rules = ItemRule.objects.select_related("topic").prefetch_related("sources")
    rows = [{"rule": one, "when": Conditions.from_json(one.conditions)} for one in rules]
    return render(request, "wire/rules.html", {"rows": rows, "here": "wire", "tab": "wire-rules"})


@needs(Right.SEND)
@require_http_methods(["GET", "HEAD", "POST"])
def item_rule(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Adds a rule, or changes one. With `do=simulate` it tells what the rule would have done."""
    rule = get_object_or_404(ItemRule, pk=pk) if pk is not None else None
    by = editor_of(request)
    form = RuleForm(request.POST if request.method == "POST" else None, rule=rule, by=by)
    context: dict[str, Any] = {"form": form, "rule": rule, "here": "wire", "tab": "wire-rules"}
    if request.method == "POST" and form.is_valid():
        if request.POST.get("do") == "simulate":
            context["simulated"] = _simulated(form)
        else:
            try:
                if form.apply(by):
                    tell_saved(request)
                    return redirect("item-rules")
            except ActionRefused as refused:
                messages.error(request, str(refused))
    return render(request, "wire/rule.html", context, status=422 if form.errors else 200)


def _simulated(form: RuleForm) -> dict[str, Any]:
    """The rule in the place that it has, or as the last."""
    unsaved = form.unsaved()
    ready = ReadyRule(
        unsaved,
        frozenset(one.pk for one in form.cleaned_data["sources"]),
        form.chosen_conditions(),
    )
    rules = active_rules()
    at = next((at for at, one in enumerate(rules) if one.rule.pk == unsaved.pk), len(rules))
    rules[at : at + 1] = [ready]
    found: Simulated = simulate(rules, unsaved)
    labels = dict(ReceivedItem.Decision.choices)
    counts = [(labels[name], count) for name, count in found.became.most_common()]
    return {"found": found, "counts": counts}


@needs(Right.SEND)
@require_POST
@fresh_to_send
def item_rule_do(request: HttpRequest, pk: int) -> HttpResponse:
    """Moves, switches or removes a rule, or lets one that has sent a drill send to readers."""
    rule, by = get_object_or_404(ItemRule, pk=pk), editor_of(request)
    try:
        match request.POST.get("do"):
            case "up":
                actions.move_rule(rule, by, -1)
            case "down":
                actions.move_rule(rule, by, 1)
            case "on":
                actions.switch_rule(rule, by, True)
            case "off":
                actions.switch_rule(rule, by, False)
            case "live":
                actions.let_rule_send(rule, by)
                messages.success(request, _("It sends to readers from now on."))
            case "remove":
                actions.remove_rule(rule, by)
                messages.success(request, _("The rule is removed."))
    except ActionRefused as refused:
        messages.error(request, str(refused))
    return redirect("item-rules")
