"""Reports a relay's trouble to the log and to the desk, without repeating itself.

A failing relay is tried every second or so, so the same message is logged once a minute. The
messages hold neither addresses nor credentials.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

_REPEATED_AFTER = 60.0  # seconds until the same message is logged again
_MOST_KNOWN = 100  # messages


class TroubleReport:
    """The trouble of one relay. `on_trouble` takes it to the desk; see `RelaySetup`."""

    def __init__(self, relay: str, on_trouble: Callable[[str | None], None]) -> None:
        self._relay = relay
        self._on_trouble = on_trouble
        self._reported: str | None = None
        self._logged: dict[str, float] = {}  # message → monotonic time of its last log entry

    def log(self, level: int, why: str, more: str = "") -> None:
        """Logs "The relay … `why` `more`", unless `why` was logged within a minute."""
        now = time.monotonic()
        if now >= self._logged.get(why, float("-inf")) + _REPEATED_AFTER:
            if len(self._logged) > _MOST_KNOWN:
                self._logged.clear()
            self._logged[why] = now
            log.log(level, "The relay %s %s%s", self._relay, why, more)

    def report(self, why: str) -> None:
        """Reports to the desk that the relay can't be used. `why` begins with a verb."""
        self._report(f"The relay {self._relay} {why}.")

    def over(self) -> None:
        """Reports to the desk that the relay can be used."""
        self._report(None)

    def _report(self, trouble: str | None) -> None:
        if trouble != self._reported:
            self._reported = trouble
            try:
                self._on_trouble(trouble)
            except Exception:
                log.exception("The relay's trouble could not be noted")
