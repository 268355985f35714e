"""Registers providers' HTTP APIs as kinds of relay, one URL scheme each."""

from __future__ import annotations

import importlib
from typing import Any

from morefollows.config.addresses.relay_address import (
    RelayAddress,
    RelayKind,
    one_of,
    register_kind,
    whole_number,
)
from morefollows.courier.relays.interface import MailSource, Relay, RelaySetup

#: scheme → class of its `ProviderApi` in the module of that name, example, further options
_APIS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "ses": (
        "SesApi",
        "ses://KEY:SECRET@email.eu-west-1.amazonaws.com",
        ("region", "configuration_set"),
    ),
    "mailgun": ("MailgunApi", "mailgun://api:KEY@api.eu.mailgun.net", ("domain",)),
    "postmark": ("PostmarkApi", "postmark://:TOKEN@api.postmarkapp.com", ("stream",)),
    "sendgrid": ("SendgridApi", "sendgrid://:KEY@api.sendgrid.com", ()),
    "brevo": ("BrevoApi", "brevo://:KEY@api.brevo.com", ()),
    "resend": ("ResendApi", "resend://:KEY@api.resend.com", ()),
}


def _make(address: RelayAddress, source: MailSource, setup: RelaySetup) -> Relay:
    import ssl

    from morefollows.courier.provider_apis.http_client import HttpClient
    from morefollows.courier.provider_apis.relay import ApiRelay

    module = importlib.import_module(f"morefollows.courier.provider_apis.{address.scheme}")
    api: Any = getattr(module, _APIS[address.scheme][0])(address)
    plain = address.starttls == "never" and address.on_this_machine
    client = HttpClient(address.host, address.port, None if plain else ssl.create_default_context())
    given = address.options.get("batch")
    most = min(given if isinstance(given, int) else api.most, api.most)
    return ApiRelay(address.name, api, client, source, setup, most)


for _scheme, (_class, _example, _own) in _APIS.items():
    register_kind(
        RelayKind(
            schemes={_scheme: {"port": 443, "implicit_tls": True}},
            example=_example,
            make=_make,
            options={
                "batch": ("batch", whole_number(1, 1000)),
                "tls": ("starttls", one_of("require", "never")),
                **{name: (name, str) for name in _own},
            },
        )
    )
