"""Settings of what is measured behind the relay: the canary, and the objectives."""

from __future__ import annotations

from dataclasses import dataclass

from morefollows.config import setting_parsers as be
from morefollows.config.addresses.relay_address import RelayAddress, relays
from morefollows.config.declaring import setting


@dataclass(frozen=True)
class ArrivalSettings:
    """A part of `settings.Settings`."""

    canary_minutes: int = setting(
        "0",
        be.whole_number(0, 1440),
        "Minutes between two canaries: drill alerts to the seed inboxes only. 0: none.",
    )
    canary_seconds: float = setting(
        "60",
        be.seconds(1, 3600),
        "Seconds within which a canary has to be in each seed inbox.",
    )
    canary_percent: float = setting(
        "99", be.percent, "How many of 100 canaries have to be there in that time."
    )
    objective_percent: float = setting(
        "0",
        be.percent,
        "How many of 100 mails of alerts have to be accepted within "
        "MOREFOLLOWS_OBJECTIVE_SECONDS, such as 90. 0: there is no such objective.",
    )
    objective_seconds: float = setting(
        "120", be.seconds(1, 86400), "Seconds from the end of the hold for that objective."
    )
    alarm_mail: str = setting(
        "",
        be.mail_address,
        "Where a missed objective is mailed to. Empty: to nobody; the log and webhooks tell it.",
    )
    alarm_relay: tuple[RelayAddress, ...] = setting(
        "",
        relays,
        "The relay for that mail: another one than alerts use, as theirs may be what fails. "
        "Empty: the last of MOREFOLLOWS_RELAY.",
    )
