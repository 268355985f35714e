"""The form of a webhook."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from morefollows.accounts.models import Editor
from morefollows.api.models import WebhookEndpoint
from morefollows.api.webhooks import endpoints
from morefollows.api.webhooks.events import EventType
from morefollows.desk.settings.common import add_errors


class WebhookForm(forms.Form):
    """Which events are posted to which address."""

    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("An https address of the other program, on the public internet."),
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://"}),
    )
    events = forms.MultipleChoiceField(
        label=_("Events"),
        choices=EventType.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one event.")},
    )

    def __init__(self, data: Any = None, *, endpoint: WebhookEndpoint | None = None) -> None:
        initial = {"url": endpoint.url, "events": endpoint.events} if endpoint else None
        super().__init__(data, initial=initial)
        self.endpoint = endpoint

    def apply(self, by: Editor) -> tuple[WebhookEndpoint, str] | None:
        """Adds the webhook, or changes it. Returns it with its secret, which is empty if it was
        changed; None if it put errors at the fields.
        """
        url, events = self.cleaned_data["url"], self.cleaned_data["events"]
        try:
            if self.endpoint is None:
                return endpoints.add_endpoint(url, events, by)
            return endpoints.change_endpoint(self.endpoint, by, url=url, events=events), ""
        except ValidationError as error:
            add_errors(self, error)
            return None
