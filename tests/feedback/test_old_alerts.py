"""What is kept of alerts that ended some days ago: the same answers as before, from much less."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.models import Letter
from morefollows.courier import actions as courier
from morefollows.courier.ledger import history, packing
from morefollows.courier.ledger.batching import cut_batches
from morefollows.courier.models import Batch, Brake, Composition, DigestItem, Outcome, ReplyCount
from morefollows.courier.provider_models import ProviderTime
from morefollows.courier.recipients import earlier_recipients
from morefollows.feedback import old_alerts
from morefollows.feedback.latest_alerts import glances
from morefollows.feedback.progress import progress
from morefollows.feedback.report import report
from morefollows.stories.actions import ActionRefused, now_ms
from morefollows.stories.models import Alert, Update
from tests.courier import support
from tests.courier.ledger.test_history import outcome

pytestmark = pytest.mark.django_db
OUTCOMES = (
    Outcome.ACCEPTED,
    Outcome.UNCERTAIN,
    Outcome.REFUSED,
    Outcome.SKIPPED,
    Outcome.EXPIRED,
    Outcome.ACCEPTED,
)
COUNTS = ("size", "accepted", "refused", "skipped", "uncertain", "expired", "waiting", "repeated")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Batches of three readers, of which four fit into a packed row."""
    monkeypatch.setattr(packing, "READERS", 12)
    with override_settings(MOREFOLLOWS=replace(settings.MOREFOLLOWS, batch_size=3)):
        yield


@pytest.fixture
def ended() -> Alert:
    """To thirty readers, some days ago."""
    alert = support.alert_for(30, state="sent")
    Update.objects.filter(pk=alert.update_id).update(
        published_at=timezone.now() - timedelta(days=5)
    )
    support.cut_from_start(alert)
    for number, reader in enumerate(sorted(support.audience(alert))):
        outcome(alert, reader, OUTCOMES[number % len(OUTCOMES)])
    for batch in Batch.objects.filter(alert=alert):
        states = bytes(batch.outcomes)
        counts = {one.name.lower(): states.count(one) for one in OUTCOMES}
        Batch.objects.filter(pk=batch.pk).update(due_at_ms=None, worker="", **counts)
    Composition.objects.create(alert=alert, language="en", parts=b"parts")
    end(alert)
    return alert


def end(alert: Alert, days: float = 4) -> None:
    Alert.objects.filter(pk=alert.pk).update(ended_at=timezone.now() - timedelta(days=days))
    alert.refresh_from_db()


def pack() -> None:
    for alert in list(old_alerts.to_pack()):
        while old_alerts.pack_some(alert.pk):
            pass


def answers(alert: Alert) -> dict[str, Any]:
    """What the rest of the product asks."""
    readers = sorted(support.audience(alert))
    seen = progress(alert)
    return {
        "had": history.alerts_had_by([alert.pk], readers),
        "outcomes": history.outcomes([alert.pk], readers),
        "of a reader": [history.of_reader(reader) for reader in readers[:7]],
        "recipients": earlier_recipients.find_recipients([alert.pk], 0, 2**63 - 1, 1000)[0],
        "count": earlier_recipients.count_recipients([alert.pk]),
        "counts": {name: seen[name] for name in COUNTS},  # type: ignore[literal-required]
        "glance": glances([alert.update.story_id])[alert.update.story_id][1:3],
    }


def test_all_questions_have_the_same_answers_as_before(ended: Alert) -> None:
    before = answers(ended)
    assert before["count"] == 15 and before["counts"]["size"] == 30
    pack()
    rows = Batch.objects.filter(alert=ended)
    assert [row.packed for row in rows] == [True] * len(rows) and 3 <= len(rows) <= 4
    assert answers(ended) == before
    assert list(old_alerts.to_pack()) == [] and not Composition.objects.exists()
    pack()
    assert answers(ended) == before


def test_counting_who_got_an_alert_reads_no_reader(ended: Alert) -> None:
    for packed in (False, True):
        if packed:
            pack()
        with CaptureQueriesContext(connection) as asked:
            assert earlier_recipients.count_recipients([ended.pk]) == 15
        columns = " ".join(one["sql"].split(" FROM ")[0] for one in asked)
        assert "outcomes" in columns and "readers" not in columns


def test_a_correction_reaches_exactly_those_who_were_sent_the_error(ended: Alert) -> None:
    had = set(answers(ended)["recipients"])
    pack()
    correction = support.alert_again(ended)
    Alert.objects.filter(pk=correction.pk).update(
        audience="recipients", answers=[ended.pk], topic=ended.topic
    )
    cuts = 0
    while not cut_batches(correction.pk, 2):
        cuts += 1
    batches = Batch.objects.filter(alert=correction)
    found = [reader for batch in batches for reader in support.ids(batch)]
    assert sorted(found) == sorted(had) and max(batch.size for batch in batches) <= 3
    assert cuts >= 2, "a cut takes no more than it was asked for, though a packed row has more"


def test_what_a_sender_had_begun_is_uncertain_and_what_it_works_on_waits(ended: Alert) -> None:
    first, second = Batch.objects.filter(alert=ended).order_by("first")[:2]
    waiting = bytes([Outcome.WAITING]) * 3
    Batch.objects.filter(pk=first.pk).update(outcomes=waiting, handed_out_to=2)
    Batch.objects.filter(pk=second.pk).update(
        outcomes=waiting, worker="one", due_at_ms=now_ms() + 60_000
    )
    Alert.objects.filter(pk=ended.pk).update(state="stopped")
    pack()
    assert not Batch.objects.filter(packed=True).exists()
    Batch.objects.filter(pk=second.pk).update(due_at_ms=now_ms() - 1)
    pack()
    found = history.outcomes([ended.pk], sorted(support.audience(ended)))
    assert [found[reader][ended.pk] for reader in support.ids(first)] == [
        Outcome.UNCERTAIN, Outcome.UNCERTAIN, Outcome.WAITING,
    ]  # fmt: skip


def test_what_may_still_be_retried_is_left_and_what_is_packed_is_not_retried(
    ended: Alert, ada: Editor
) -> None:
    end(ended, days=2.9)
    assert list(old_alerts.to_pack()) == [] and report(ended, progress(ended)).may_retry
    end(ended, days=3.01)
    assert list(old_alerts.to_pack()) == [], "an hour later"
    assert not report(ended, progress(ended)).may_retry
    for again in (courier.retry_failed, courier.repeat_uncertain):
        with pytest.raises(ActionRefused, match="too long ago"):
            again(ended.pk, ada)
    end(ended, days=3.1)
    assert list(old_alerts.to_pack()) == [ended]


def test_an_alert_that_is_on_its_way_is_left(ended: Alert) -> None:
    for state in Alert.UNDER_WAY:
        Alert.objects.filter(pk=ended.pk).update(state=state)
        assert list(old_alerts.to_pack()) == [] and not old_alerts.pack_some(ended.pk)


def test_the_curve_of_a_stopped_alert_stays(ended: Alert) -> None:
    Alert.objects.filter(pk=ended.pk).update(state="stopped", curve=None)
    Batch.objects.filter(alert=ended).update(times=(1500).to_bytes(4, "little") * 3)
    before = progress(ended)
    pack()
    after = progress(ended)
    assert after["seconds"]["first"] == before["seconds"]["first"] == 1.5
    assert [tuple(point) for point in after["curve"]] == before["curve"] != []


def test_who_was_told_in_a_digest_is_still_known_when_the_digests_are_gone(ended: Alert) -> None:
    readers = sorted(support.audience(ended))
    [stranger] = support.add_readers(ended.topic, 1)  # type: ignore[arg-type]
    told = {
        readers[0]: "accepted",
        readers[3]: "accepted",
        readers[9]: "refused",
        stranger.pk: "accepted",
    }
    now = timezone.now()
    for reader, state in told.items():
        letter = Letter.objects.create(
            reader_id=reader, kind="digest", bulk=True, state=state, created_at=now, due_at_ms=1
        )
        history.record_digest_items({letter: [ended.pk]})
    asked = [*readers, stranger.pk]
    before = (
        history.alerts_had_by([ended.pk], asked),
        set(earlier_recipients.find_recipients([ended.pk], 0, 2**63 - 1, 1000)[0]),
    )
    counts = answers(ended)["counts"]
    pack()
    Letter.objects.all().delete()
    assert not DigestItem.objects.exists()
    after = (
        history.alerts_had_by([ended.pk], asked),
        set(earlier_recipients.find_recipients([ended.pk], 0, 2**63 - 1, 1000)[0]),
    )
    assert after == before and {readers[3], stranger.pk} <= after[1] and readers[9] not in after[1]
    assert readers[3] not in history.alerts_had_by([ended.pk], readers, summaries=False)
    assert history.of_reader(readers[3])[-1]["outcome"] == "in_digest"
    assert answers(ended)["counts"] == counts


def test_the_rarer_replies_go(ended: Alert) -> None:
    ReplyCount.objects.bulk_create(
        ReplyCount(
            alert=ended, domain=f"{n}.example", outcome=3, code=550, status="", text="no", count=n
        )
        for n in range(60)
    )
    shown = progress(ended)["reply_counts"]
    Brake.objects.create(alert=ended, scope="provider", name="small.example", answered=3)
    Brake.objects.create(
        alert=ended, scope="provider", name="large.example", answered=3, on_since_ms=1
    )
    pack()
    assert [brake.name for brake in Brake.objects.all()] == ["large.example"]
    assert (
        progress(ended)["reply_counts"] == shown
        and ReplyCount.objects.count() == old_alerts.REPLIES
    )
    ProviderTime.objects.create(alert=ended, worker="one/1", provider="", bins=[[10, 3]])
    assert not old_alerts.old_replies().exists() and not old_alerts.old_provider_times().exists()
    end(ended, days=91)
    assert old_alerts.old_replies().count() == old_alerts.REPLIES
    assert old_alerts.old_provider_times().count() == 1


def test_in_the_end_only_counts_are_left(ended: Alert) -> None:
    pack()
    before = answers(ended)
    assert list(old_alerts.to_forget()) == []
    end(ended, days=401)
    [found] = old_alerts.to_forget()
    old_alerts.forget_recipients(found.pk)
    assert list(old_alerts.to_forget()) == list(old_alerts.to_pack()) == []
    after = answers_of_nobody(ended)
    assert (after["counts"], after["glance"]) == (before["counts"], before["glance"])
    assert Batch.objects.filter(alert=ended).count() == 1
    old_alerts.forget_recipients(found.pk)
    assert answers_of_nobody(ended) == after


def answers_of_nobody(alert: Alert) -> dict[str, Any]:
    found = answers(alert)
    assert found["count"] == 0 and found["had"] == found["outcomes"] == {}
    return found


def test_what_a_reader_was_sent_is_found_in_few_queries(
    ended: Alert, django_assert_max_num_queries: Any
) -> None:
    [reader, *_] = sorted(support.audience(ended))
    for _ in range(12):
        again = support.alert_again(ended)
        support.cut_all(again)
        end(again)
    Batch.objects.update(due_at_ms=None)
    before = history.of_reader(reader)
    pack()
    with django_assert_max_num_queries(2):
        assert history.of_reader(reader) == before
    assert len(before) == 13
