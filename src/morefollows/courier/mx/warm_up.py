"""How many mails a new address of ours may send to one provider, on each day of its warm-up.

The file warm_up.toml has the figures, and where they are from.
"""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

_FILE = Path(__file__).with_name("warm_up.toml")


def warm_up_days() -> list[int]:
    """Mails that a new address of ours may send to one provider, for each day from the first."""
    read = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return [int(one) for one in read["mails"]]


def most_on(today: date, since: date | None) -> float:
    """Mails that an address may send to one provider today; infinite if it is warm.

    `since`: the first day of its warm-up; None: it is warm. Before that day: 0.
    """
    if since is None:
        return float("inf")
    if today < since:
        return 0.0
    days, number = warm_up_days(), (today - since).days
    return days[number] if number < len(days) else float("inf")
