"""Housekeeping: what is kept long enough goes, nothing else does, and an alert goes first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.consent import seals
from morefollows.audience.models import Consent, Letter, Reader, Seal, SignUpTally, SpentWork, Topic
from morefollows.audience.signup import hourly_limits
from morefollows.audit.models import AuditEntry
from morefollows.courier.models import Batch, RelayAtWork, RelayCount, ReplyCount
from morefollows.feedback import old_alerts
from morefollows.housekeeping import giving_way, rounds, tasks
from morefollows.live.models import Ping
from morefollows.stories.actions import now_ms
from morefollows.stories.models import Alert, Story, Update
from tests.live.support import publish
from tests.support import year


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving_way, "_PATIENCE", 0.0)
    monkeypatch.setattr(tasks, "_AT_ONCE", 3)


def letter(reader: Reader, days: float, state: str = "accepted", **more: Any) -> Letter:
    at = timezone.now() - timedelta(days=days)
    return Letter.objects.create(
        reader=reader,
        kind=more.pop("kind", "thanks"),
        created_at=at,
        due_at_ms=1,
        state=state,
        **more,
    )


def test_each_kind_of_row_goes_when_its_time_is_over(cy: Reader, story: Story, ada: Editor) -> None:
    for number in range(7):
        letter(cy, 31 + number)
    waits = letter(cy, 100, "waiting", kind="digest", bulk=True)
    young = letter(cy, 29)
    elsewhere = letter(cy, 8, kind="moved", address="cy@old.example", domain="old.example")
    letter(cy, 6, kind="moved", address="cy@old.example", domain="old.example")
    first, second = publish(story, "first"), publish(story)
    Ping.objects.create(update=second, state="done", due_at_ms=1)
    old = Update.objects.create(
        story=story, number=9, headline="Old", text="x", language="en", author=ada,
        published_at=timezone.now() - timedelta(days=8),
    )  # fmt: skip
    Ping.objects.create(update=old, state="done", due_at_ms=1)
    today = timezone.now().date()
    for days in (0, 89, 91, 400):
        RelayCount.objects.create(relay="relay:25", day=today - timedelta(days=days), provider="")
    for worker, age in (("one/1", 2), ("two/1", 0)):
        RelayAtWork.objects.create(
            relay="relay:25", worker=worker, circuit="closed", connections=0, in_flight=0, rate=0,
            seen_at_ms=now_ms() - age * 86_400_000,
        )  # fmt: skip
    [sent] = Alert.objects.filter(pk__in=[one.pk for one in year.alerts([story], ada)][:1])
    Alert.objects.update(ended_at=timezone.now() - timedelta(days=92))
    ReplyCount.objects.create(
        alert=sent, domain="x.example", outcome=3, code=550, status="", text="no", count=1
    )
    evidence = Consent.objects.count(), AuditEntry.objects.count()
    told = rounds.would_go()
    assert told["letters that are done with"] == 7 and told["replies of relays"] == 1
    went = rounds.run_tasks()
    assert went["letters that are done with"] == 8
    left = set(Letter.objects.values_list("pk", flat=True))
    assert {waits.pk, young.pk} <= left and elsewhere.pk not in left and len(left) == 3
    assert [ping.update_id for ping in Ping.objects.all()] == [second.pk] and first.pk
    assert sorted((today - count.day).days for count in RelayCount.objects.all()) == [0, 89]
    assert [one.worker for one in RelayAtWork.objects.all()] == ["two/1"]
    assert not ReplyCount.objects.exists()
    assert set(Batch.objects.values_list("packed", flat=True)) == {True}
    assert (Consent.objects.count(), AuditEntry.objects.count()) == evidence
    again = rounds.run_tasks()
    assert {name: count for name, count in again.items() if count and "pages" not in name} == {}


@pytest.mark.django_db
def test_all_that_is_deleted_is_told_before() -> None:
    """`morefollows housekeeping --dry-run` names every kind but those that delete no rows."""
    silent = {task.name for task in tasks.tasks() if task.due is None}
    assert silent <= {
        "readers of merged topics, moved",
        "new evidence, sealed",
        "old entries of the file of departures",
        "old daily backups",
        "figures of many readers",
    }
    assert set(rounds.would_go().values()) == {0}


def test_what_fails_stops_nothing_else(
    cy: Reader, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> int:
        raise RuntimeError("broken")

    monkeypatch.setattr("morefollows.audience.consent.retention.expire_unconfirmed", broken)
    letter(cy, 31)
    assert rounds.run_tasks()["letters that are done with"] == 1
    assert "unconfirmed sign-ups could not be cleared away" in caplog.text


class TestGivingWay:
    @pytest.fixture
    def alert(self, story: Story, ada: Editor) -> Alert:
        publish(story, "first")
        return year.alerts([story], ada, batches=1)[0]

    def leaving(self, alert: Alert, **facts: Any) -> bool:
        Alert.objects.filter(pk=alert.pk).update(**facts)
        try:
            giving_way.give_way()
        except giving_way.Interrupted:
            return True
        return False

    def test_to_what_leaves_or_is_about_to(self, alert: Alert) -> None:
        now = now_ms()
        assert not self.leaving(alert, state="sent")
        assert self.leaving(alert, state="held", held_until_ms=now + 5_000)
        assert not self.leaving(alert, state="held", held_until_ms=now + 3_600_000)
        assert not self.leaving(alert, state="paused", held_until_ms=now)
        Batch.objects.update(due_at_ms=now - 1)
        assert self.leaving(alert, state="sending")
        Batch.objects.update(due_at_ms=now + 3_600_000, worker="one/1")
        assert self.leaving(alert, state="sending")
        Batch.objects.update(worker="")
        assert not self.leaving(alert, state="sending"), (
            "what was deferred waits: for days, if it is a correction"
        )
        assert self.leaving(alert, state="sending", cut_done=False)

    def test_and_goes_on_when_it_is_over(
        self, alert: Alert, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(giving_way, "_PATIENCE", 60.0)
        self_state = iter([True, True, False])
        slept: list[float] = []
        monkeypatch.setattr(giving_way, "_alert_is_leaving", lambda: next(self_state))
        monkeypatch.setattr(giving_way.time, "sleep", slept.append)
        giving_way.give_way()
        assert len(slept) == 2

    def test_a_round_that_was_broken_off_is_taken_up_again(
        self, story: Story, ada: Editor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publish(story, "first")
        year.alerts([story], ada, batches=5)
        Alert.objects.update(ended_at=timezone.now() - timedelta(days=9))
        monkeypatch.setattr("morefollows.courier.ledger.packing.READERS", 4)
        Batch.objects.update(first=1, last=2)
        packed = old_alerts.pack_some
        calls: list[int] = []

        def interrupted(alert: int) -> bool:
            calls.append(alert)
            if len(calls) == 2:
                raise giving_way.Interrupted
            return packed(alert)

        monkeypatch.setattr(old_alerts, "pack_some", interrupted)
        assert "alerts whose sending is packed" not in rounds.run_tasks()
        assert set(Batch.objects.values_list("packed", flat=True)) == {True, False}
        assert rounds.run_tasks()["alerts whose sending is packed"] == 1
        assert set(Batch.objects.values_list("packed", flat=True)) == {True}
        assert sum(Batch.objects.values_list("size", flat=True)) == 10


def test_an_alert_that_can_not_be_packed_stops_no_other(
    story: Story, ada: Editor, caplog: pytest.LogCaptureFixture
) -> None:
    publish(story, "first")
    publish(story)
    broken, fine = year.alerts([story], ada, batches=1)
    Alert.objects.update(ended_at=timezone.now() - timedelta(days=9))
    Batch.objects.filter(alert=broken).update(outcomes=b"\1\1\1")
    assert rounds.run_tasks()["alerts whose sending is packed"] == 1
    assert Batch.objects.get(alert=fine).packed and not Batch.objects.get(alert=broken).packed
    assert f"alert {broken.pk} can't be packed" in caplog.text


@pytest.fixture
def quick_seals(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Everything is settled at once, and the newest seal's file stands in a folder of its own."""
    seal = seals.seal
    monkeypatch.setattr(seals, "seal", lambda between: seal(settled=timedelta(0), between=between))
    with override_settings(MOREFOLLOWS=replace(settings.MOREFOLLOWS, data=tmp_path)):
        yield


def test_evidence_is_sealed_as_part_of_it(cy: Reader, breaking: Topic, quick_seals: None) -> None:
    rounds.run_tasks()
    rounds.run_tasks()
    assert Seal.objects.filter(table="audience_consent").exists() and seals.verify().wrong == []
    assert date.today()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has autovacuum")
@pytest.mark.django_db(transaction=True)
def test_the_file_of_sqlite_becomes_smaller(newsroom: Any) -> None:
    def pages() -> int:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA page_count")
            return int(cursor.fetchone()[0])

    def free() -> int:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA freelist_count")
            return int(cursor.fetchone()[0])

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA auto_vacuum")
        assert cursor.fetchone()[0] == 2
        before = pages() - free()
        cursor.execute("CREATE TABLE ballast (content BLOB)")
        cursor.execute("INSERT INTO ballast SELECT randomblob(4000000)")
        cursor.execute("DROP TABLE ballast")
    large = pages()
    assert large > before + 900
    given = rounds.run_tasks()["pages of the database file"]
    assert given > 400 and pages() <= large - given


def test_a_rush_of_tallies_goes_in_small_transactions(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hourly_limits, "_FORGOTTEN_AT_ONCE", 2)
    now = timezone.now()
    old, young = now - timedelta(hours=2), now - timedelta(minutes=5)
    SignUpTally.objects.bulk_create(
        SignUpTally(key=f"{n}", since=old if n else young) for n in range(6)
    )
    SpentWork.objects.bulk_create(SpentWork(challenge=f"{n}", expires_at=old) for n in range(3))
    rounds: list[int] = []
    assert hourly_limits.forget_old(between=lambda: rounds.append(SignUpTally.objects.count())) == 8
    assert rounds == [4, 2, 1, 1, 1]
    assert [one.key for one in SignUpTally.objects.all()] == [
        "0"
    ] and not SpentWork.objects.exists()
