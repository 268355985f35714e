"""Group commit: who waits, who writes, and who is told that it takes too long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import pytest

from morefollows.audience.signup.group_commit import Blocked, Busy, GroupCommit

FOREVER = 120.0


class Callers:
    """Threads that each submit one item; `answers` has what came back, or the exception."""

    def __init__(self, commit: GroupCommit[int, int]) -> None:
        self._commit = commit
        self.answers: dict[int, object] = {}
        self.threads: list[threading.Thread] = []

    def come(self, items: range) -> None:
        for item in items:
            thread = threading.Thread(target=self._submit, args=(item,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def all_answered(self) -> None:
        for thread in self.threads:
            thread.join(FOREVER)
            assert not thread.is_alive()

    def _submit(self, item: int) -> None:
        try:
            self.answers[item] = self._commit.submit(item)
        except Exception as error:
            self.answers[item] = error


class Writer:
    """Doubles what it is given; the first group waits for `go`."""

    def __init__(
        self, then: Callable[[Sequence[int]], list[int | Exception]] | None = None
    ) -> None:
        self.groups: list[list[int]] = []
        self.threads: list[threading.Thread] = []
        self.busy, self.go = threading.Event(), threading.Event()
        self._then = then or (lambda items: [item * 2 for item in items])

    def __call__(self, items: Sequence[int]) -> list[int | Exception]:
        self.groups.append(list(items))
        self.threads.append(threading.current_thread())
        self.busy.set()
        assert self.go.wait(FOREVER)
        return self._then(items)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + FOREVER
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_who_comes_meanwhile_is_written_together() -> None:
    write = Writer(lambda items: [ValueError(item) if item == 3 else item * 2 for item in items])
    commit: GroupCommit[int, int] = GroupCommit(write, 4, 0.0, patience=FOREVER)
    callers = Callers(commit)
    callers.come(range(1))
    assert write.busy.wait(FOREVER)
    callers.come(range(1, 7))
    until(lambda: len(commit._waiting) == 6)
    assert callers.answers == {}  # nobody is answered before it is written
    write.go.set()
    callers.all_answered()
    assert str(callers.answers.pop(3)) == "3"
    assert callers.answers == {0: 0, 1: 2, 2: 4, 4: 8, 5: 10, 6: 12}
    assert [len(group) for group in write.groups] == [1, 4, 2]


def test_two_hundred_are_written_in_few_groups() -> None:
    write = Writer()
    commit: GroupCommit[int, int] = GroupCommit(write, 50, 0.0, patience=FOREVER)
    callers = Callers(commit)
    callers.come(range(1))
    assert write.busy.wait(FOREVER)
    callers.come(range(1, 201))
    until(lambda: len(commit._waiting) == 200)
    write.go.set()
    callers.all_answered()
    assert callers.answers == {item: item * 2 for item in range(201)}
    assert [len(group) for group in write.groups] == [1, 50, 50, 50, 50]


def test_others_get_the_time_that_is_asked_for_them_after_each_group() -> None:
    times: list[float] = []
    asked_by: list[threading.Thread] = []

    def write(items: Sequence[int]) -> list[int | Exception]:
        times.extend([time.monotonic()] * 2)
        return list(items)

    def pause() -> float:
        times[-1] = time.monotonic()
        asked_by.append(threading.current_thread())
        return 0.2

    commit: GroupCommit[int, int] = GroupCommit(write, 4, 0.0, pause=pause, patience=FOREVER)
    for item in range(3):
        assert commit.submit(item) == item
    assert len(times) == 6
    assert times[2] - times[1] >= 0.2
    assert times[4] - times[3] >= 0.2
    assert asked_by == [threading.current_thread()] * 3


def test_who_is_written_leads_no_more() -> None:
    """The first is answered while another thread writes the second, which came meanwhile."""
    write = Writer()
    commit: GroupCommit[int, int] = GroupCommit(write, 1, 0.0, patience=FOREVER)
    callers = Callers(commit)
    callers.come(range(1))
    assert write.busy.wait(FOREVER)
    callers.come(range(1, 2))
    until(lambda: len(commit._waiting) == 1)
    second = threading.Event()
    write._then = lambda items: [item for item in items if items == [0] or second.wait(FOREVER)]
    write.go.set()
    callers.threads[0].join(FOREVER)
    assert callers.answers == {0: 0}
    until(lambda: len(write.groups) == 2)
    second.set()
    callers.all_answered()
    assert write.threads == callers.threads


def test_a_group_that_can_not_be_written_is_told_so() -> None:
    def fail(items: Sequence[int]) -> list[int | Exception]:
        raise OSError("disk full")

    write = Writer(fail)
    commit: GroupCommit[int, int] = GroupCommit(write, 9, 0.0, patience=FOREVER)
    callers = Callers(commit)
    callers.come(range(1))
    assert write.busy.wait(FOREVER)
    callers.come(range(1, 4))
    until(lambda: len(commit._waiting) == 3)
    write.go.set()
    callers.all_answered()
    errors = list(callers.answers.values())
    assert [str(error) for error in errors] == ["disk full"] * 4
    assert len({id(error) for error in errors}) == 4  # no two threads raise the same object


def test_nobody_waits_behind_a_writer_that_is_stuck() -> None:
    write = Writer()
    commit: GroupCommit[int, int] = GroupCommit(write, 9, 0.0, patience=0.05)
    callers = Callers(commit)
    callers.come(range(1))
    assert write.busy.wait(FOREVER)
    callers.come(range(1, 5))
    for thread in callers.threads[1:]:
        thread.join(FOREVER)
    assert {type(callers.answers[item]) for item in range(1, 5)} == {Busy}
    write.go.set()
    callers.all_answered()
    assert write.groups == [[0]]  # who has given up is not written any more
    assert commit.submit(7) == 14  # and the next to come finds it free


def test_a_full_queue_takes_nobody() -> None:
    write = Writer()
    commit: GroupCommit[int, int] = GroupCommit(write, 9, 0.0, patience=FOREVER, queue=2)
    callers = Callers(commit)
    callers.come(range(1))
    assert write.busy.wait(FOREVER)
    callers.come(range(1, 3))
    until(lambda: len(commit._waiting) == 2)
    with pytest.raises(Busy):
        commit.submit(3)
    write.go.set()
    callers.all_answered()
    assert callers.answers == {0: 0, 1: 2, 2: 4}


def test_what_is_blocked_is_tried_again() -> None:
    tries = iter([Blocked(), Blocked(), None])

    def blocked(items: Sequence[int]) -> list[int | Exception]:
        if error := next(tries):
            raise error
        return [item * 2 for item in items]

    commit: GroupCommit[int, int] = GroupCommit(blocked, 9, 0.0, patience=FOREVER)
    assert commit.submit(1) == 2


def test_who_is_blocked_for_too_long_is_told_so() -> None:
    def blocked(items: Sequence[int]) -> list[int | Exception]:
        raise Blocked

    commit: GroupCommit[int, int] = GroupCommit(blocked, 9, 0.001, patience=0.05)
    with pytest.raises(Busy):
        commit.submit(1)
