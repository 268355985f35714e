"""What many threads want written at the same moment goes to disk in one transaction, and with one wait for the disk."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class _Entry(Generic[Item, Answer]):
    def __init__(self, item: Item) -> None:
        self.item = item
        self.answer: Answer | Exception | None = None
        self.done = False


class GroupCommit(Generic[Item, Answer]):
    """Whoever comes first writes for all who have come meanwhile; nobody is answered before it is on disk.

    `write` takes a list, and returns for each item its answer, or the exception that only its own caller gets. `most`
    items are one group. `apart` is the least time in seconds from one group to the next: others want to write too.
    """

    def __init__(
        self, write: Callable[[Sequence[Item]], Sequence[Answer | Exception]], most: int, apart: float
    ) -> None:
        self._write = write
        self._most = most
        self._waiting: deque[_Entry[Item, Answer]] = deque()
        self._apart = apart
        self._next_at = 0.0
        self._pen = threading.Lock()

    def submit(self, item: Item) -> Answer:
        """Blocks until the item is written. Raises what writing it raised."""
        entry: _Entry[Item, Answer] = _Entry(item)
        self._waiting.append(entry)
        while not entry.done:
            with self._pen:
                if not entry.done:
                    self._write_some()
        if isinstance(entry.answer, Exception):
            raise entry.answer
        return entry.answer  # type: ignore[return-value]  # it is done

    def _write_some(self) -> None:
        time.sleep(max(0.0, self._next_at - time.monotonic()))
        batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        try:
            answers = self._write([entry.item for entry in batch])
        except Exception as error:  # the transaction as a whole: everybody in it hears of it
            answers = [error] * len(batch)
        self._next_at = time.monotonic() + self._apart
        for entry, answer in zip(batch, answers, strict=True):
            entry.answer, entry.done = answer, True
