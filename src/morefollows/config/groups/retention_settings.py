"""Settings that say for how long things are kept."""

from __future__ import annotations

from dataclasses import dataclass

from morefollows.config import setting_parsers as be
from morefollows.config.declaring import setting


@dataclass(frozen=True)
class RetentionSettings:
    """A part of `settings.Settings`. Housekeeping goes by them."""

    keep_sending_days: int = setting(
        "3",
        be.whole_number(1, 365),
        "Days after its end for which an alert can be retried. Then what became of each mail "
        "is packed; the times of "
        "single mails, the composed mail and the rarer replies of relays go.",
    )
    keep_recipients_days: int = setting(
        "400",
        be.whole_number(30, 36_500),
        "Days for which it is known who was sent which alert. After that an old error can’t "
        "be corrected by mail.",
    )
    keep_replies_days: int = setting(
        "90",
        be.whole_number(1, 36_500),
        "Days for which the desk shows why mails of an alert were deferred or refused, and how "
        "soon each provider accepted it.",
    )
    keep_letters_days: int = setting(
        "30",
        be.whole_number(1, 3650),
        "Days for which confirmations, thanks and digests that are done with are kept.",
    )
    keep_relay_days: int = setting(
        "90",
        be.whole_number(1, 36_500),
        "Days for which the daily counts of each relay and provider are kept.",
    )
    keep_pings_days: int = setting(
        "7",
        be.whole_number(2, 365),
        "Days for which notifications of a WebSub hub are kept.",
    )
    keep_imports_days: int = setting(
        "30",
        be.whole_number(1, 365),
        "Days for which the place of an import that broke off is kept.",
    )
