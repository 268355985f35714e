"""What the pages of the settings share."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

#: Groups of the menu: heading, and pages as (value of `tab`, name of the route, label).
MENU = (
    (
        gettext_lazy("Newsroom"),
        (
            ("newsroom", "settings-newsroom", gettext_lazy("Name and sender")),
            ("brand", "settings-brand", gettext_lazy("Brand")),
            ("topics", "settings-topics", gettext_lazy("Topics")),
            ("people", "people", gettext_lazy("People")),
        ),
    ),
    (
        gettext_lazy("Sending"),
        (
            ("rules", "settings-rules", gettext_lazy("Rules")),
            ("delivery", "settings-delivery", gettext_lazy("Delivery")),
            ("arrival", "arrival", gettext_lazy("Arrival")),
            ("health", "relays", gettext_lazy("Health")),
        ),
    ),
    (
        gettext_lazy("Readers"),
        (
            ("sign-ups", "settings-sign-ups", gettext_lazy("Sign-ups")),
            ("consent", "words", gettext_lazy("Consent")),
            ("sites", "sites", gettext_lazy("Sites")),
            ("retention", "settings-retention", gettext_lazy("Retention")),
        ),
    ),
    (
        gettext_lazy("Connections"),
        (
            ("sources", "sources", gettext_lazy("Sources")),
            ("wire-rules", "item-rules", gettext_lazy("Wire rules")),
            ("api-keys", "api-keys", gettext_lazy("API keys")),
            ("webhooks", "webhooks", gettext_lazy("Webhooks")),
        ),
    ),
)


def add_errors(
    form: forms.Form, error: ValidationError, names: dict[str, str] | None = None
) -> None:
    """Puts the errors of an action at the fields of a form. `names`: field of the action → form."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for field, found in error.message_dict.items():
        here = (names or {}).get(field, field)
        for message in found:
            form.add_error(here if here in form.fields else None, message)


def tell_saved(request: HttpRequest, *, senders: bool = False) -> None:
    """Tells that a change is saved, and when it acts."""
    when = (
        _("Saved. The senders take it within seconds; an alert in progress goes on.")
        if senders
        else _("Saved. It takes effect within seconds.")
    )
    messages.success(request, when)


def page(tab: str, **more: Any) -> dict[str, Any]:
    """The context of a page of the settings. `tab`: its name in `MENU`."""
    return {"here": "settings", "tab": tab, **more}
