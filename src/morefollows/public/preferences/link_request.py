"""*Manage my alerts*: mails a reader the link to the preferences.

Invariant: the answer is the same whether or not the address is a reader's.
"""

from __future__ import annotations

import time

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from morefollows.audience.preferences import actions
from morefollows.audience.signup import hourly_limits
from morefollows.helpers.client_address import client_address
from morefollows.helpers.even_time import answer_not_before
from morefollows.public.page_language import in_wanted_language
from morefollows.public.preferences.forms import NewAddressForm


@csrf_exempt
@in_wanted_language
@require_http_methods(["GET", "HEAD", "POST"])
def manage(request: HttpRequest) -> HttpResponse:
    """The page that asks for the address, and sends the link on POST.

    It counts requests by network: 429 above the limit for sign-ups, before any address is looked
    up.
    """
    if request.method != "POST":
        return render(request, "public/manage.html", {"form": NewAddressForm()})
    began = time.monotonic()
    form = NewAddressForm(request.POST)
    if not form.is_valid():
        return render(request, "public/manage.html", {"form": form}, status=422)
    with transaction.atomic():
        asked = hourly_limits.count_link_request("manage", client_address(request))
    if asked > settings.MOREFOLLOWS.sign_ups_a_network_at_most:
        return render(request, "public/manage.html", {"form": form, "later": True}, status=429)
    actions.ask_for_link(form.cleaned_data["email"])
    # As long for every address: how long it took must not tell, either.
    answer_not_before(request, began + settings.MOREFOLLOWS.sign_up_seconds)
    return HttpResponseRedirect(reverse("manage-sent"), status=303)


@in_wanted_language
@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """Says that the link is on its way, if there is a reader with the address."""
    return render(request, "public/manage_sent.html")
