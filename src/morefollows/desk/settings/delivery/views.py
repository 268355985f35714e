"""Pages of delivery: relays, DKIM keys, DNS records, checks and the test mail."""

from __future__ import annotations

import socket
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Right
from morefollows.audience.models import Newsroom
from morefollows.courier.checkup.dns_records import wanted_records
from morefollows.courier.checkup.finding import Finding
from morefollows.courier.checkup.relay_checks import examine_relay, examine_relays
from morefollows.desk.accounts.fresh_sign_in import fresh
from morefollows.desk.common import editor_of, needs
from morefollows.desk.settings.common import add_errors, page, tell_saved
from morefollows.desk.settings.delivery.forms import RelayForm
from morefollows.desk.settings.rules.forms import SettingsForm
from morefollows.setup import dkim_keys, relays

_FIELDS = (
    "relay_connections",
    "helo",
    "bounce_domain",
    "bounces_before_suppression",
    "bounce_days",
    "dkim_domain",
    "spamd",
    "websub_hub",
)


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def delivery_page(request: HttpRequest) -> HttpResponse:
    """Shows relays, key, records and further settings, and saves the latter."""
    form = SettingsForm("delivery", names=_FIELDS)
    if request.method == "POST":
        form = SettingsForm("delivery", request.POST, names=_FIELDS)
        if form.is_valid() and form.apply(editor_of(request)):
            tell_saved(request, senders=True)
            return redirect("settings-delivery")
    context = page("delivery", form=form, **delivery_facts())
    return render(request, "settings/delivery.html", context, status=422 if form.errors else 200)


@needs(Right.ADMINISTER)
@require_POST
def delivery_check(request: HttpRequest) -> HttpResponse:
    """Asks every relay and the DNS, and shows what `doctor` would say. Changes nothing."""
    config = settings.MOREFOLLOWS
    findings = list(examine_relays(config))
    findings += examine_domain()
    form = SettingsForm("delivery", names=_FIELDS)
    facts = delivery_facts(findings)
    return render(request, "settings/delivery.html", page("delivery", form=form, **facts))


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def relay_page(request: HttpRequest, name: str = "") -> HttpResponse:
    """Adds a relay, or changes the one of this name. With `try` it is tried, and not stored."""
    if relays.is_given_by_environment():
        raise Http404
    known = next((one for one in relays.stored_relays() if one.address.name == name), None)
    if name and known is None:
        raise Http404
    form = RelayForm(request.POST if request.method == "POST" else None, known=known)
    tried: list[Finding] = []
    if request.method == "POST" and form.is_valid():
        if "try" in request.POST:
            tried = try_relay(form, editor_of(request))
        elif form.apply(editor_of(request)):
            tell_saved(request, senders=True)
            return redirect("settings-delivery")
    context = page("delivery", form=form, known=known, tried=tried)
    return render(request, "settings/relay.html", context, status=422 if form.errors else 200)


@needs(Right.ADMINISTER)
@require_POST
@fresh
def relay_remove(request: HttpRequest, name: str) -> HttpResponse:
    """Removes a relay."""
    try:
        if relays.remove_relay(editor_of(request), name):
            tell_saved(request, senders=True)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("settings-delivery")


@needs(Right.ADMINISTER)
@require_POST
@fresh
def dkim_do(request: HttpRequest) -> HttpResponse:
    """Makes a key, or has mail signed with the one that waits."""
    by = editor_of(request)
    try:
        if request.POST.get("do") == "use":
            dkim_keys.use_new_key(by)
            messages.success(
                request, _("Mail is signed with the new key. Leave the old record for a week.")
            )
        else:
            dkim_keys.make_key(by)
            messages.success(
                request, _("The key is made. Publish its record, check it, then use it.")
            )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("setup" if request.POST.get("next") == "setup" else "settings-delivery")


def try_relay(form: RelayForm, by: Editor) -> list[Finding]:
    """Connects to the relay of a valid form, and signs in. Puts errors at the fields."""
    try:
        address = relays.parse_relay(by, form.relay_url())
    except ValidationError as error:
        add_errors(form, error)
        return []
    return list(examine_relay(address, settings.MOREFOLLOWS.helo or socket.getfqdn()))


def examine_domain() -> list[Finding]:
    """Looks up what the sending domain publishes, with the resolver of the settings."""
    from morefollows.courier.checkup.dns_checks import examine_dns  # brings the DNS library along

    resolver = settings.MOREFOLLOWS.resolver
    if resolver == "off":
        return []
    return list(examine_dns(settings.MOREFOLLOWS, resolver or None))


def delivery_facts(findings: list[Finding] | None = None) -> dict[str, Any]:
    """What the pages show of delivery. `findings`: of the checks, if they were made."""
    config = settings.MOREFOLLOWS
    newsroom = Newsroom.objects.filter(pk=1).first()
    domain = newsroom.sender_address.rpartition("@")[2].lower() if newsroom else ""
    waiting, used = dkim_keys.waiting_key(), dkim_keys.key_in_use()
    records = wanted_records(config, domain, waiting or used)
    # Of several findings of one check, what is wrong counts.
    by_check = {one.check: one for one in sorted(findings or (), key=lambda one: one.state)}
    return {
        "relays": config.relays,
        "relays_locked": relays.is_given_by_environment(),
        "domain": domain,
        "records": [(one, by_check.get(one.check)) for one in records],
        "key": used,
        "waiting": waiting,
        "dkim_locked": dkim_keys.is_locked(),
        "findings": findings,
        "wrong": sum(one.state == "wrong" for one in findings or ()),
    }
