"""Group commit: items submitted at the same time are written in one transaction.

Callers are threads (`submit`) or coroutines (`submit_async`). One thread at a time is the leader
and writes for all: the first waiting thread, or the writer's own thread for coroutines. The other
callers wait until their own item is written.

Invariant: an item gets exactly one answer, and a success is returned only after `write` returned.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_ASIDE = 0.2  # seconds before a blocked item is tried again
_ALONE_SECONDS = 1.0  # for a group that is written one by one
_LONGEST_PAUSE = 1.0  # seconds
_LOG_EVERY = 10.0  # seconds between two log lines about refused items


class Busy(Exception):
    """The item was not written in time, or the queue is too long. It may be submitted again.

    The item may still be written if the deadline passed while its transaction was running.
    """


class Blocked(Exception):
    """Another transaction holds a lock.

    Raised by `write`: nothing was written, and the whole group is tried again. Returned by `write`
    as the answer to one item: only that item is tried again. Both after `_ASIDE` seconds.
    """


class _Entry(Generic[Item, Answer]):
    """An item and its answer. `done` is set once, while holding the lock of the `GroupCommit`."""

    def __init__(
        self, item: Item, deadline: float, future: asyncio.Future[Answer] | None = None
    ) -> None:
        """`future`: of a coroutine; None for a thread."""
        self.item = item
        self.deadline = deadline  #: `time.monotonic`
        self.not_before = 0.0
        self.answer: Answer | Exception | None = None
        self.done = False
        self.future = future
        #: set when it is done, or its thread becomes the leader
        self.wake = threading.Event() if future is None else None

    def settle(self) -> None:
        """Set the coroutine's future from the answer. Called in its event loop."""
        if self.future is None or self.future.done():
            return
        if isinstance(self.answer, Exception):
            self.future.set_exception(_own(self.answer))
        else:
            self.future.set_result(self.answer)  # type: ignore[arg-type]  # it is done


class GroupCommit(Generic[Item, Answer]):
    """A queue of items that one thread at a time writes in groups.

    `write`: takes a list of items and returns one answer per item, in order. An answer that is an
    exception is raised to that item's caller only. If `write` raises an exception, nothing was
    written; then the items are written one by one, so that one item fails only for its own caller.
    `most`: the maximum number of items in a group.
    `apart`: the minimum seconds between the end of one group and the start of the next.
    `pause`: called after each group in the thread that wrote it. It returns a longer time in
    seconds, so that other processes can write.
    `patience`: the maximum seconds that a caller waits before it gets `Busy`.
    `queue`: the maximum number of waiting items.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Sequence[Answer | Exception]],
        most: int,
        apart: float,
        *,
        pause: Callable[[], float] = lambda: 0.0,
        patience: float = 5.0,
        queue: int = 4_096,
    ) -> None:
        self._write = write
        self._most = most
        self._apart = apart
        self._pause = pause
        self._patience = patience
        self._queue = queue
        self._writer = ThreadPoolExecutor(1, "group-commit")
        # Guards `_waiting`, `_led`, `_refused` and the entries. Never held while `write` runs.
        self._lock = threading.Lock()
        self._waiting: deque[_Entry[Item, Answer]] = deque()
        self._led = False
        self._refused = 0
        self._next_at = 0.0
        self._group_seconds = 0.0  # from the start of the latest full group to the next start
        self._logged_at = -_LOG_EVERY

    def start(self) -> None:
        """Start the writer's thread now instead of at the first `submit_async`."""
        self._writer.submit(lambda: None)

    def submit(self, item: Item) -> Answer:
        """Block until the item is written; return its answer.

        Raises `Busy`, or the exception that `write` raised or returned for this item.
        """
        entry: _Entry[Item, Answer] = _Entry(item, time.monotonic() + self._patience)
        self._join(entry)
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

    async def submit_async(self, item: Item) -> Answer:
        """Like `submit`, for coroutines. The writer's own thread calls `write`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        entry = _Entry(item, time.monotonic() + self._patience, future)
        self._join(entry)
        if self._lead_if_free():
            self._writer.submit(self._lead)
        late = loop.call_later(self._patience, self._leave, entry)
        try:
            return await future
        finally:
            late.cancel()

    def _join(self, entry: _Entry[Item, Answer]) -> None:
        """Append the entry to the queue. Raises `Busy` if it would miss its deadline there."""
        with self._lock:
            ahead = len(self._waiting)
            groups = ahead // self._most
            # Groups to write: the one in progress, those ahead, and the one of this entry.
            late = groups > 0 and (groups + 2) * self._group_seconds > self._patience
            busy = late or ahead >= self._queue
            if not busy:
                self._waiting.append(entry)
        if busy:
            self._note_refused(1)
            raise Busy

    def _lead_if_free(self) -> bool:
        """Become the leader if there is none. Returns whether that happened."""
        with self._lock:
            was_led, self._led = self._led, True
            return not was_led

    def _woken(self, entry: _Entry[Item, Answer]) -> bool:
        """Wait until the entry is done or late. Returns True if this thread is now the leader."""
        assert entry.wake is not None  # a thread's
        if not entry.wake.wait(max(0.0, entry.deadline - time.monotonic())):
            self._leave(entry)
        return not entry.done

    def _pass_on(self) -> None:
        """Make the first waiting entry the leader and wake its thread.

        If the queue is empty, the next caller becomes the leader.
        """
        with self._lock:
            self._led = bool(self._waiting)
            first = self._waiting[0] if self._waiting else None
            if first is not None and first.wake is not None:
                first.wake.set()
        if first is not None and first.wake is None:
            self._writer.submit(self._lead)

    def _lead(self) -> None:
        """Write groups until the queue is empty. Runs in the writer's thread."""
        try:
            while self._waiting:
                self._write_group()
                self._give_up_late()
        except Exception:
            log.exception("a group could not be written")
        finally:
            self._pass_on()

    def _leave(self, entry: _Entry[Item, Answer]) -> None:
        """Answer a late entry with `Busy`, unless it was written or became the leader meanwhile."""
        with self._lock:
            leads = entry.wake is not None and entry.wake.is_set()
            late = not leads and not entry.done
            if late:
                with contextlib.suppress(ValueError):
                    self._waiting.remove(entry)
                entry.answer, entry.done = Busy(), True
        if late:
            self._note_refused(1)
            entry.settle()

    def _write_group(self) -> None:
        """Wait until `_next_at`, then write one group. Called by the leader only."""
        time.sleep(max(0.0, self._next_at - time.monotonic()))
        began = time.monotonic()
        group = self._take(began)
        if not group:
            self._next_at = began + _ASIDE / 4
            return
        answers = self._write_items([entry.item for entry in group])
        ended = time.monotonic()
        self._next_at = ended + max(self._apart, min(self._pause(), _LONGEST_PAUSE))
        if len(group) == self._most:
            self._group_seconds = self._next_at - began
        self._answer(group, answers, ended)

    def _write_items(self, items: list[Item]) -> Sequence[Answer | Exception]:
        """Write a group; if that fails, write each item alone, for at most `_ALONE_SECONDS`."""
        try:
            return self._write(items)
        except Blocked as error:
            return [error] * len(items)
        except Exception as error:  # its message may hold an item
            log.error("%d items could not be written: %s", len(items), type(error).__name__)
            if len(items) == 1:
                return [error]
        until = time.monotonic() + _ALONE_SECONDS
        answers: list[Answer | Exception] = []
        for item in items:
            late = time.monotonic() >= until
            answers += [Blocked()] if late else self._write_items([item])
        return answers

    def _take(self, now: float) -> list[_Entry[Item, Answer]]:
        """Take the next group from the queue: the oldest entries that are not put aside."""
        group: list[_Entry[Item, Answer]] = []
        with self._lock:
            aside: list[_Entry[Item, Answer]] = []
            while self._waiting and len(group) < self._most:
                entry = self._waiting.popleft()
                (group if entry.not_before <= now else aside).append(entry)
            self._waiting.extendleft(reversed(aside))
        return group

    def _answer(
        self,
        group: Sequence[_Entry[Item, Answer]],
        answers: Sequence[Answer | Exception],
        now: float,
    ) -> None:
        """Store the answers, put blocked entries back at the front, and wake the callers."""
        answered, aside = [], []
        with self._lock:
            for entry, answer in zip(group, answers, strict=True):
                if entry.done:
                    continue
                if isinstance(answer, Blocked):
                    entry.not_before = now + _ASIDE
                    aside.append(entry)
                else:
                    entry.answer, entry.done = answer, True
                    answered.append(entry)
            self._waiting.extendleft(reversed(aside))
        _answer_entry(answered)

    def _give_up_late(self) -> None:
        """Answer all late entries with `Busy`, including the leader's own.

        Called after each group: `write` may have blocked for longer than `patience`.
        """
        now = time.monotonic()
        with self._lock:
            late = [entry for entry in self._waiting if entry.deadline < now]
            for entry in late:
                self._waiting.remove(entry)
                entry.answer, entry.done = Busy(), True
        if late:
            self._note_refused(len(late))
            _answer_entry(late)

    def _note_refused(self, count: int) -> None:
        """Count refused items. Logs at most one line every `_LOG_EVERY` seconds."""
        now = time.monotonic()
        with self._lock:
            self._refused += count
            if now < self._logged_at + _LOG_EVERY:
                return
            refused, self._refused, self._logged_at = self._refused, 0, now
            waiting = len(self._waiting)
        log.warning(
            "%d sign-ups were told to come back, as they would have waited too long; %d wait",
            refused,
            waiting,
        )


def _answer_entry(entries: Iterable[_Entry[Item, Answer]]) -> None:
    """Wake the callers: each thread by its event, the coroutines of one event loop in one call."""
    loops: dict[asyncio.AbstractEventLoop, list[_Entry[Item, Answer]]] = {}
    for entry in entries:
        if entry.wake is not None:
            entry.wake.set()
        elif entry.future is not None:
            loops.setdefault(entry.future.get_loop(), []).append(entry)
    for loop, of_loop in loops.items():
        with contextlib.suppress(RuntimeError):  # the event loop is closed
            loop.call_soon_threadsafe(_settle, of_loop)


def _settle(entries: Iterable[_Entry[Item, Answer]]) -> None:
    for entry in entries:
        entry.settle()


def _own(error: Exception) -> Exception:
    """Copy an exception for one caller: one object raised in many threads mixes tracebacks."""
    try:
        own = copy.copy(error)
    except Exception:
        own = RuntimeError(f"{type(error).__name__}: {error}")
    own.__cause__ = error
    return own
