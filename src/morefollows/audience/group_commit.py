"""Group commit: what many callers want written at the same moment goes to disk in one transaction."""

from __future__ import annotations

import copy
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Busy(Exception):
    """The item was not written in time, or would not have been. Nothing of it is kept; it may be submitted again.

    Only if the writer was stuck in the middle of a transaction it may have been written all the same.
    """


class Blocked(Exception):
    """Raised by `write` when nothing could be written just now, as somebody else holds a lock: it is tried again."""


class _Entry(Generic[Item, Answer]):
    def __init__(self, item: Item, deadline: float) -> None:
        self.item = item
        self.deadline = deadline
        self.answer: Answer | Exception | None = None
        self.done = False
        self.wake = threading.Event()  #: set when it is done, or when its caller has to lead


class GroupCommit(Generic[Item, Answer]):
    """One of the callers writes for all; the others sleep, each on an event of its own, until theirs is written.

    `write` takes a list, and returns for each item its answer, or the exception that only its own caller gets. `most`
    items are one group. `apart` is the least time in seconds from the end of one group to the begin of the next, and a
    group that took longer is followed by a pause of the same length: others want to write too. Nobody waits longer
    than `patience` seconds, and no more than `queue` items wait.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Sequence[Answer | Exception]],
        most: int,
        apart: float,
        *,
        patience: float = 5.0,
        queue: int = 4_096,
    ) -> None:
        self._write = write
        self._most = most
        self._apart = apart
        self._patience = patience
        self._queue = queue
        self._lock = threading.Lock()  # guards the three below; never held while anything is written
        self._waiting: deque[_Entry[Item, Answer]] = deque()
        self._led = False
        self._next_at = 0.0
        self._group_seconds = 0.0  # from the begin of one full group to that of the next, of late

    def submit(self, item: Item) -> Answer:
        """Blocks until the item is written. Raises what writing it raised, or `Busy`."""
        entry = self._join(item)
        if self._lead_if_free() or self._woken(entry):
            try:
                while not entry.done:
                    self._write_group()
                    self._give_up_late()
            finally:
                self._pass_on()
        if isinstance(entry.answer, Exception):
            raise _own(entry.answer)
        return entry.answer  # type: ignore[return-value]  # it is done

    def _join(self, item: Item) -> _Entry[Item, Answer]:
        entry: _Entry[Item, Answer] = _Entry(item, time.monotonic() + self._patience)
        with self._lock:
            ahead = len(self._waiting)
            if ahead >= self._queue or ahead // self._most * self._group_seconds > self._patience:
                raise Busy
            self._waiting.append(entry)
        return entry

    def _lead_if_free(self) -> bool:
        with self._lock:
            was_led, self._led = self._led, True
            return not was_led

    def _woken(self, entry: _Entry[Item, Answer]) -> bool:
        """Sleeps until it is done, or too late; true if it has to lead instead."""
        if not entry.wake.wait(max(0.0, entry.deadline - time.monotonic())):
            self._leave(entry)
        return not entry.done

    def _pass_on(self) -> None:
        """The next in the queue leads; it is awake at once. With nobody waiting, the next to come will lead."""
        with self._lock:
            if self._waiting:
                self._waiting[0].wake.set()
            else:
                self._led = False

    def _leave(self, entry: _Entry[Item, Answer]) -> None:
        """Its time is over, unless it was written, or made the leader, at this very moment."""
        with self._lock:
            if not entry.wake.is_set() and not entry.done:
                if entry in self._waiting:
                    self._waiting.remove(entry)
                entry.answer, entry.done = Busy(), True

    def _write_group(self) -> None:
        time.sleep(max(0.0, self._next_at - time.monotonic()))
        began = time.monotonic()
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        if not group:
            return
        try:
            answers = self._write([entry.item for entry in group])
        except Blocked:
            with self._lock:
                self._waiting.extendleft(entry for entry in reversed(group) if not entry.done)
            self._next_at = time.monotonic() + self._apart
            return
        except Exception as error:  # the transaction as a whole: everybody in it hears of it
            answers = [error] * len(group)
        ended = time.monotonic()
        self._next_at = ended + max(self._apart, ended - began)
        if len(group) == self._most:
            self._group_seconds = self._next_at - began
        self._answer(group, answers)

    def _answer(self, group: Sequence[_Entry[Item, Answer]], answers: Sequence[Answer | Exception]) -> None:
        with self._lock:
            for entry, answer in zip(group, answers, strict=True):
                if not entry.done:
                    entry.answer, entry.done = answer, True
        for entry in group:
            entry.wake.set()

    def _give_up_late(self) -> None:
        """Who has waited too long behind a writer that is blocked hears that. The leader is among them, too."""
        now = time.monotonic()
        with self._lock:
            late = [entry for entry in self._waiting if entry.deadline < now]
            for entry in late:
                self._waiting.remove(entry)
                entry.answer, entry.done = Busy(), True
        for entry in late:
            entry.wake.set()


def _own(error: Exception) -> Exception:
    """The same exception for this thread alone: raising one object in many threads mixes up their tracebacks."""
    try:
        own = copy.copy(error)
    except Exception:
        own = RuntimeError(f"{type(error).__name__}: {error}")
    own.__cause__ = error
    return own
