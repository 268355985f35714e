"""Figures that pages must not wait for: kept with many readers, counted at once with few."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from morefollows.audience.models import KeptFigure, Reader, Topic
from morefollows.audience.statistics import count_cache, growth
from morefollows.housekeeping import tasks
from morefollows.stories.alerts import alert_audience

pytestmark = pytest.mark.django_db


class AtOnce:
    """A thread that runs where it is started, so that a test sees what it wrote."""

    def __init__(self, target: Callable[..., None], args: tuple[Any, ...], **_options: Any) -> None:
        self.start = lambda: target(*args)


@pytest.fixture
def many(cy: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count_cache, "_MANY", 1)
    monkeypatch.setattr(count_cache.threading, "Thread", AtOnce)
    monkeypatch.setattr(count_cache.connection, "close", lambda: None)


def test_few_readers_are_counted_each_time(breaking: Topic, cy: Reader) -> None:
    assert alert_audience.count_readers(breaking) == 1
    Reader.objects.update(state=Reader.State.UNSUBSCRIBED)
    assert alert_audience.count_readers(breaking) == 0
    assert not KeptFigure.objects.exists()


@pytest.mark.usefixtures("many")
def test_many_are_counted_behind_the_page(breaking: Topic) -> None:
    assert alert_audience.by_topic() == {breaking.pk: 1}
    assert alert_audience.by_language(breaking) == {"en": 1}
    Reader.objects.update(state=Reader.State.UNSUBSCRIBED)
    assert alert_audience.count_readers(breaking) == 1, "fresh enough"
    KeptFigure.objects.update(counted_at_ms=0)
    assert alert_audience.count_readers(breaking) == 1, "this page does not wait"
    assert alert_audience.count_readers(breaking) == 0, "the next has the new one"


@pytest.mark.usefixtures("many")
def test_nothing_waits_for_readers_who_have_come_since(breaking: Topic, cy: Reader) -> None:
    """An alert to nobody is refused, so an old figure of none would hold one back."""
    assert count_cache.kept("one", lambda: 0) == 0
    assert count_cache.kept("one", lambda: 3) == 3
    transport = Topic.objects.create(slug="transport", name="Transport")
    assert alert_audience.count_readers(transport) == 0
    assert alert_audience.by_topic() == {breaking.pk: 1}
    cy.subscriptions.create(topic=transport, state="active", since=timezone.now())
    assert alert_audience.count_readers(transport) == 1


@pytest.mark.usefixtures("many")
def test_a_page_that_asks_first_waits_for_none() -> None:
    figures = {"one": lambda: 1, "two": lambda: 2}
    assert not count_cache.ready(figures)
    assert count_cache.ready(figures), "counted behind the page"
    assert [count_cache.kept(name, lambda: 9) for name in figures] == [1, 2]


def test_with_few_readers_all_is_ready(cy: Reader) -> None:
    assert count_cache.ready({"one": lambda: 1})
    assert not KeptFigure.objects.exists()


@pytest.mark.usefixtures("many")
def test_what_took_long_is_counted_less_often(breaking: Topic) -> None:
    alert_audience.by_topic()
    KeptFigure.objects.update(cost_ms=60_000)
    row = KeptFigure.objects.get()
    KeptFigure.objects.update(counted_at_ms=row.counted_at_ms - 600_000)
    Reader.objects.update(state=Reader.State.UNSUBSCRIBED)
    for _twice in range(2):
        assert alert_audience.count_readers(breaking) == 1


@pytest.mark.usefixtures("many")
def test_an_error_behind_the_page_leaves_the_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> Any:
        raise RuntimeError("the disk is full")

    assert count_cache.kept("one", lambda: 1) == 1
    KeptFigure.objects.update(counted_at_ms=0)
    assert count_cache.kept("one", fails) == 1
    assert count_cache.kept("one", lambda: 2) == 1
    assert count_cache.kept("one", lambda: 3) == 2, "the error did not block it"


@pytest.mark.usefixtures("many")
def test_growth_is_the_same_kept_or_not(breaking: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    zone = ZoneInfo("Europe/London")
    kept = [growth.growth(days, zone) for days in (30, 365)], growth.states()
    assert len(kept[0][0]) == 30 and kept[0][0][-1].total == 1
    monkeypatch.setattr(count_cache, "_MANY", 20_000)
    assert kept == ([growth.growth(days, zone) for days in (30, 365)], growth.states())


@pytest.mark.usefixtures("many")
def test_housekeeping_renews_them_and_an_import_forgets_them(breaking: Topic) -> None:
    alert_audience.by_topic()
    Reader.objects.update(state=Reader.State.UNSUBSCRIBED)
    next(task for task in tasks.tasks() if "figures" in task.name).run()
    assert alert_audience.count_readers(breaking) == 0
    assert KeptFigure.objects.count() >= 4
    count_cache.forget_figures()
    assert not KeptFigure.objects.exists()
