"""The form of a relay."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _

from morefollows.accounts.models import Editor
from morefollows.config.addresses.relay_address import RelayAddress
from morefollows.desk.settings.common import add_errors
from morefollows.setup import relays


class RelayForm(forms.Form):
    """An SMTP relay by its parts; a relay of another kind by its URL."""

    host = forms.CharField(label=_("Relay"), max_length=253, required=False)
    port = forms.IntegerField(label=_("Port"), min_value=1, max_value=65535, required=False)
    security = forms.ChoiceField(
        label=_("Encryption"),
        choices=(
            ("require", _("STARTTLS, required (port 587)")),
            ("implicit", _("TLS from the first byte (port 465)")),
            ("offered", _("STARTTLS if the relay offers it")),
            ("never", _("None: only on your own network")),
        ),
    )
    user = forms.CharField(label=_("User name"), max_length=200, required=False)
    password = forms.CharField(
        label=_("Password"),
        max_length=300,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    name = forms.CharField(
        label=_("Name at the desk"),
        max_length=40,
        required=False,
        help_text=_("Empty: its host and port."),
    )
    connections = forms.IntegerField(
        label=_("Connections"), min_value=1, max_value=1000, required=False
    )
    rate = forms.CharField(label=_("Mails a second, at most"), max_length=10, required=False)
    weight = forms.IntegerField(label=_("Weight"), min_value=1, max_value=1000, required=False)
    url = forms.CharField(
        label=_("Another kind of relay: its URL"),
        max_length=600,
        required=False,
        help_text=_("Instead of all of the above. It may hold a key, and is stored encrypted."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, data: Any = None, *, known: relays.StoredRelay | None = None) -> None:
        super().__init__(data)
        self._known = known
        if known is not None:
            self.initial = {**self.initial, **_initial(known.address)}
            self.fields["password"].help_text = _("Empty: the one stored stays.")

    def clean(self) -> dict[str, Any]:
        """A relay needs a host or a URL."""
        found = super().clean() or {}
        if not found.get("host") and not found.get("url"):
            self.add_error("host", _g("Enter the relay’s host name, such as smtp.example.org."))
        return found

    def relay_url(self) -> str:
        """Returns the URL for what is entered."""
        given = self.cleaned_data
        if given["url"].strip():
            return str(given["url"].strip())
        host, password = given["host"].strip(), given["password"]
        known = self._known.address if self._known else None
        # The stored one is shown to nobody, so it goes to no other host either.
        if known and not password and host.lower() == known.host.lower():
            password = known.password if given["user"] == known.user else ""
        options = {
            name: str(given[name] or "") for name in ("name", "connections", "rate", "weight")
        }
        tls = given["security"]
        return relays.smtp_url(
            host,
            given["port"],
            given["user"],
            password,
            implicit_tls=tls == "implicit",
            tls="" if tls in ("implicit", "offered") else tls,
            **options,
        )

    def apply(self, by: Editor) -> RelayAddress | None:
        """Stores the relay. Returns None if it put errors at the fields."""
        try:
            name = self._known.address.name if self._known else ""
            return relays.save_relay(by, self.relay_url(), name)
        except ValidationError as error:
            add_errors(self, error)
            return None


def _initial(address: RelayAddress) -> dict[str, object]:
    if address.scheme not in ("smtp", "smtps"):
        return {}
    security = "implicit" if address.implicit_tls else address.starttls
    return {
        "host": address.host,
        "port": address.port,
        "security": "offered" if security == "optional" else security,
        "user": address.user,
        "name": address.label,
        "connections": address.connections or None,
        "rate": f"{address.rate:g}" if address.rate else "",
        "weight": address.weight or None,
    }
