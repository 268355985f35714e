"""Pages of the API keys. A key is shown in the answer to the form that made it, and never again."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from morefollows.accounts.rights import Right
from morefollows.api.keys import revoke_key
from morefollows.api.models import ApiKey
from morefollows.desk.accounts.fresh_sign_in import fresh
from morefollows.desk.common import editor_of, needs
from morefollows.desk.settings.api_keys.forms import ApiKeyForm
from morefollows.desk.settings.common import page


@needs(Right.ADMINISTER)
@require_safe
def api_keys_page(request: HttpRequest) -> HttpResponse:
    """The keys that can be used, and those that no longer can, newest first."""
    now = timezone.now()
    found = ApiKey.objects.select_related("account", "created_by").prefetch_related(
        "account__topics"
    )
    keys = list(found)
    usable = [one for one in keys if one.is_usable(now)]
    context = page("api-keys", keys=usable, ended=[one for one in keys if one not in usable])
    return render(request, "api_keys/page.html", context)


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def api_key_new(request: HttpRequest) -> HttpResponse:
    """Makes a key, and shows it once."""
    form = ApiKeyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and (made := form.apply(editor_of(request))):
        key, text = made
        address = f"{settings.MOREFOLLOWS.url}/api/v1"
        context = page("api-keys", key=key, text=text, address=address)
        return render(request, "api_keys/made.html", context)
    context = page("api-keys", form=form)
    return render(request, "api_keys/new.html", context, status=422 if form.errors else 200)


@needs(Right.ADMINISTER)
@require_POST
@fresh
def api_key_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends a key at once."""
    key = get_object_or_404(ApiKey.objects.select_related("account"), pk=pk)
    revoke_key(key, editor_of(request))
    messages.success(request, _("The key of %(name)s is revoked.") % {"name": key.name})
    return redirect("api-keys")
