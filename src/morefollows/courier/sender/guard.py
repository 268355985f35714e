"""Checks before each survey and each write that this sender may send: clocks, restores, gaps.

Runs in the sender's database thread.

Invariant: a process that was suspended for long, or whose database is older than what it has seen,
hands out no mail before an editor has been asked.
"""

from __future__ import annotations

import logging
import time

from django.db import OperationalError

from morefollows.audience import placeholders
from morefollows.courier.ledger import claims, recovery
from morefollows.courier.restore.detection import RestoreWatch
from morefollows.courier.sender.sleep_gap import ask_after_gap
from morefollows.stories.actions import now_ms

log = logging.getLogger(__name__)

_NOTE_EVERY_MS = 5_000  # between two notes in the database that some sender is running
_NOTED_LATELY_MS = 120_000  # as long as that it goes on while it can't note itself
_SET_BACK = 1.0  # seconds; a clock that goes back by less than this was only adjusted


class SendingGuard:
    """The checks of one sender process."""

    def __init__(self, restores: RestoreWatch) -> None:
        self._restores = restores
        self._placeholders = placeholders.PlaceholderWatch()
        self._noted_at_ms = 0
        self._ahead = float("inf")  # time() minus monotonic() at the last check, seconds

    def may_send(self) -> bool:
        """Whether alerts and letters may be claimed and sent. Called before each survey."""
        # checked first: a write by the next calls could hide that data was lost
        held = self._restores.holding()
        self._check_clock()
        self._note_alive()
        return not (held or self._placeholders.holding())

    def before_writing(self) -> bool:
        """To be called before each write. Whether it may allow mails to be handed out."""
        held = self._restores.before_writing()
        self._note_alive()
        return not held

    def finish(self) -> None:
        """Called after the last write."""
        self._restores.finish()

    def _check_clock(self) -> None:
        """Makes postponed batches due if the system clock was set back by more than `_SET_BACK`."""
        ahead = time.time() - time.monotonic()
        if ahead < self._ahead - _SET_BACK:
            brought = recovery.bring_forward()
            if self._ahead < float("inf"):
                log.warning(
                    "the clock was set back by %.0f s; %d batches wait no longer",
                    self._ahead - ahead,
                    brought,
                )
        self._ahead = ahead

    def _note_alive(self) -> None:
        """Notes in the database, every `_NOTE_EVERY_MS`, that a sender is running.

        If no sender ran for long, the alerts on their way wait for an editor.
        """
        now = now_ms()
        if 0 <= now - self._noted_at_ms < _NOTE_EVERY_MS:
            return
        try:
            asking = ask_after_gap()
        except OperationalError as error:
            # The row is locked: by another sender for a moment, or by somebody for long. That is no
            # reason to stop, as this process has noted itself not long ago.
            if not claims.is_lock_timeout(error) or now - self._noted_at_ms > _NOTED_LATELY_MS:
                raise
            return
        for alert in asking:
            log.warning(
                "alert %d does not go on by itself: no sender was at work for long; "
                "the desk is asked",
                alert,
            )
        self._noted_at_ms = now
