"""Which settings can be changed at the desk and by `morefollows settings`, and when they act.

A setting that the environment gives can't be changed there: the environment wins. `setup.actions`
keeps the values in the database. A setting that is not listed here comes from the environment only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from morefollows.config.settings import Settings, variable

#: When running processes take a change. `now`: within `setup.in_force.LOOK_EVERY_SECONDS`.
#: `senders`: likewise, as the senders end in order and start again. `restart`: with the next start.
Acts = Literal["now", "senders", "restart"]


@dataclass(frozen=True)
class Editable:
    """How one setting can be changed."""

    group: str  #: the page of the desk that has it
    acts: Acts = "now"
    secret: bool = False  #: stored encrypted, and never shown or logged


_RULES = ("hold", "four_eyes", "digest_time", "alert_ttl", "uncertain", "ask_after")
_SIGN_UPS = (
    "confirmation_days",
    "confirmation_interval",
    "confirmations_a_day",
    "sign_ups_a_network",
    "sign_ups_a_network_at_most",
    "sign_ups_a_domain",
)
_RETENTION = (
    "client_address_days",
    "keep_sending_days",
    "keep_recipients_days",
    "keep_replies_days",
    "keep_letters_days",
    "keep_relay_days",
    "keep_pings_days",
    "keep_imports_days",
    "keep_incoming_days",
    "image_days",
)
_ARRIVAL = (
    "canary_minutes",
    "canary_seconds",
    "canary_percent",
    "objective_percent",
    "objective_seconds",
    "alarm_mail",
)
#: Name of the field of `Settings` → how it can be changed.
EDITABLE: Mapping[str, Editable] = {
    **{name: Editable("rules") for name in _RULES},
    **{name: Editable("sign-ups") for name in _SIGN_UPS},
    **{name: Editable("retention") for name in _RETENTION},
    **{name: Editable("arrival") for name in _ARRIVAL},
    "alarm_relay": Editable("arrival", secret=True),
    "languages": Editable("newsroom"),
    "relays": Editable("delivery", "senders", secret=True),
    "relay_connections": Editable("delivery", "senders"),
    "helo": Editable("delivery", "senders"),
    "bounce_domain": Editable("delivery"),
    "bounces_before_suppression": Editable("delivery"),
    "bounce_days": Editable("delivery"),
    "intake_settle": Editable("delivery", "restart"),
    "soft_bounce_days": Editable("delivery", "restart"),
    "forward_replies": Editable("delivery", "restart"),
    "intake": Editable("delivery", "restart", secret=True),
    "dkim_domain": Editable("delivery"),
    "dkim_selector": Editable("delivery"),
    "dkim_key": Editable("delivery", secret=True),
    "dkim_ed25519_selector": Editable("delivery"),
    "dkim_ed25519_key": Editable("delivery", secret=True),
    "spamd": Editable("delivery"),
    "websub_hub": Editable("delivery", "senders"),
}
SPECS: Mapping[str, Any] = {spec.name: spec for spec in fields(Settings)}


def field_of(name: str) -> str | None:
    """Returns the editable field for a name as people type it; None if there is none.

    Both the field's name and its variable are known: `hold`, `MOREFOLLOWS_HOLD`, `relay`.
    """
    wanted = name.strip().lower().replace("-", "_")
    by_name = {**{variable(SPECS[one]).lower(): one for one in EDITABLE}, "relay": "relays"}
    return wanted if wanted in EDITABLE else by_name.get(wanted)


def parsed(name: str, text: str) -> Any:
    """Reads `text` as the value of this field. Raises `ValueError` with the remedy."""
    return SPECS[name].metadata["read"](text.strip())
