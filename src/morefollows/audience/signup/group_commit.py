"""Group commit: what many callers want written at the same moment goes to disk in one transaction.

Callers are threads (`submit`) or coroutines (`submit_async`). One writes for all: a thread that came first, or the
writer's own thread. The others sleep, each until its own item is written.
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

_ASIDE = 0.2  # seconds until what was put aside is tried again
_LONGEST_PAUSE = 1.0  # seconds
_TOLD_EVERY = 10.0  # seconds from one line in the log about refusals to the next


class Busy(Exception):
    """The item was not written in time, or would not have been. Nothing of it is kept; it may be submitted again.

    Only if the writer was stuck in the middle of a transaction it may have been written all the same.
    """


class Blocked(Exception):
    """Somebody else holds a lock. Raised by `write`: nothing was written, and the group is tried again. As the answer
    to one item: that one is put aside and tried again later.
    """


class _Entry(Generic[Item, Answer]):
    """An item and its answer. `done` is set once, under the lock of the `GroupCommit`."""

    def __init__(self, item: Item, deadline: float) -> None:
        self.item = item
        self.deadline = deadline  #: `time.monotonic`
        self.not_before = 0.0
        self.answer: Answer | Exception | None = None
        self.done = False
        self.wake = threading.Event()  #: set when it is done, or when its thread has to lead
        self.future: asyncio.Future[Answer] | None = None  #: of a coroutine

    def settle(self) -> None:
        """Tells the coroutine. Called in its event loop."""
        if self.future is None or self.future.done():
            return
        if isinstance(self.answer, Exception):
            self.future.set_exception(_own(self.answer))
        else:
            self.future.set_result(self.answer)  # type: ignore[arg-type]  # it is done


class GroupCommit(Generic[Item, Answer]):
    """`write` takes a list, and returns for each item its answer, or the exception that only its own caller gets.

    `most` items are one group. `apart` is the least time in seconds from the end of one group to the begin of the next.
    `pause` is asked after each group, in the thread that wrote it, for a longer time: others may want to write too.
    Nobody waits longer than `patience` seconds, and no more than `queue` items wait.
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
        self._lock = (
            threading.Lock()
        )  # guards the three below; never held while anything is written
        self._waiting: deque[_Entry[Item, Answer]] = deque()
        self._led = False
        self._refused = 0
        self._next_at = 0.0
        self._group_seconds = 0.0  # from the begin of one full group to that of the next, of late
        self._told_at = -_TOLD_EVERY

    def start(self) -> None:
        """Starts the writer's thread now, and not when the first coroutine comes."""
        self._writer.submit(lambda: None)

    def submit(self, item: Item) -> Answer:
        """Blocks until the item is written. Raises what writing it raised, or `Busy`."""
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
        """The same for a coroutine: the writer's own thread writes for it."""
        loop = asyncio.get_running_loop()
        entry: _Entry[Item, Answer] = _Entry(item, time.monotonic() + self._patience)
        entry.future = loop.create_future()
        self._join(entry)
        if self._lead_if_free():
            self._writer.submit(self._lead)
        late = loop.call_later(self._patience, self._leave, entry)
        try:
            return await entry.future
        finally:
            late.cancel()

    def _join(self, entry: _Entry[Item, Answer]) -> None:
        with self._lock:
            ahead = len(self._waiting)
            groups = ahead // self._most
            # The one that is being written, those ahead, and its own.
            late = groups > 0 and (groups + 2) * self._group_seconds > self._patience
            busy = late or ahead >= self._queue
            if not busy:
                self._waiting.append(entry)
        if busy:
            self._note_refused(1)
            raise Busy

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
            self._led = bool(self._waiting)
            first = self._waiting[0] if self._waiting else None
            if first is not None and first.future is None:
                first.wake.set()
        if first is not None and first.future is not None:
            self._writer.submit(self._lead)

    def _lead(self) -> None:
        """In the writer's thread: writes until nobody waits."""
        try:
            while self._waiting:
                self._write_group()
                self._give_up_late()
        except Exception:
            log.exception("a group could not be written")
        finally:
            self._pass_on()

    def _leave(self, entry: _Entry[Item, Answer]) -> None:
        """Its time is over, unless it was written, or made the leader, at this very moment."""
        with self._lock:
            late = not entry.wake.is_set() and not entry.done
            if late:
                with contextlib.suppress(ValueError):
                    self._waiting.remove(entry)
                entry.answer, entry.done = Busy(), True
        if late:
            self._note_refused(1)
            entry.settle()

    def _write_group(self) -> None:
        time.sleep(max(0.0, self._next_at - time.monotonic()))
        began = time.monotonic()
        group = self._take(began)
        if not group:
            self._next_at = began + _ASIDE / 4
            return
        try:
            answers = self._write([entry.item for entry in group])
        except Blocked as error:
            answers = [error] * len(group)
        except Exception as error:  # the transaction as a whole: everybody in it hears of it
            log.error("%d items could not be written: %s", len(group), type(error).__name__)
            answers = [error] * len(group)
        ended = time.monotonic()
        self._next_at = ended + max(self._apart, min(self._pause(), _LONGEST_PAUSE))
        if len(group) == self._most:
            self._group_seconds = self._next_at - began
        self._answer(group, answers, ended)

    def _take(self, now: float) -> list[_Entry[Item, Answer]]:
        """The next group: those who have waited longest, without those who are put aside."""
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
        _tell(answered)

    def _give_up_late(self) -> None:
        """Who has waited too long behind a writer that is blocked hears that. The leader is among them, too."""
        now = time.monotonic()
        with self._lock:
            late = [entry for entry in self._waiting if entry.deadline < now]
            for entry in late:
                self._waiting.remove(entry)
                entry.answer, entry.done = Busy(), True
        if late:
            self._note_refused(len(late))
            _tell(late)

    def _note_refused(self, count: int) -> None:
        """One line in a while, however many they are."""
        now = time.monotonic()
        with self._lock:
            self._refused += count
            if now < self._told_at + _TOLD_EVERY:
                return
            refused, self._refused, self._told_at = self._refused, 0, now
            waiting = len(self._waiting)
        log.warning(
            "%d sign-ups were told to come back, as they would have waited too long; %d wait",
            refused,
            waiting,
        )


def _tell(entries: Iterable[_Entry[Item, Answer]]) -> None:
    """Wakes their threads; the coroutines of one event loop are told together."""
    loops: dict[asyncio.AbstractEventLoop, list[_Entry[Item, Answer]]] = {}
    for entry in entries:
        if entry.future is None:
            entry.wake.set()
        else:
            loops.setdefault(entry.future.get_loop(), []).append(entry)
    for loop, of_loop in loops.items():
        with contextlib.suppress(RuntimeError):  # it is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, of_loop)


def _settle(entries: Iterable[_Entry[Item, Answer]]) -> None:
    for entry in entries:
        entry.settle()


def _own(error: Exception) -> Exception:
    """The same exception for this caller alone: raising one object in many threads mixes up their tracebacks."""
    try:
        own = copy.copy(error)
    except Exception:
        own = RuntimeError(f"{type(error).__name__}: {error}")
    own.__cause__ = error
    return own
