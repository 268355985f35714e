"""Waits for new mail in an IMAP folder with IDLE (RFC 2177)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imap_tools import BaseMailBox

_STEP_SECONDS = 2.0  # between two looks whether to end
_LONGEST_SECONDS = 25 * 60  # servers may end an IDLE after 29 minutes


def wait_for_mail(mailbox: BaseMailBox, seconds: float, ended: Callable[[], bool]) -> bool:
    """Returns whether the server reported a change within `seconds`. Ends early if `ended`.

    A change between two IDLE commands is reported by neither. So the caller looks for new mail
    whenever this returns.
    """
    until = time.monotonic() + min(seconds, _LONGEST_SECONDS)
    idle: Any = mailbox.idle
    idle.start()
    changed = False
    while not (changed or ended() or time.monotonic() >= until):
        begun = time.monotonic()
        changed = bool(idle.poll(timeout=_STEP_SECONDS))
        if not changed and time.monotonic() - begun < _STEP_SECONDS / 2:
            break  # the connection has ended: `stop` raises
    idle.stop()
    return changed
