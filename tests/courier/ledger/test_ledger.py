"""The ledger, rule by rule: cut, claim, record, crash."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from morefollows.audience.models import Letter, Reader, Subscription, Suppression
from morefollows.courier.ledger import claims, recovery
from morefollows.courier.ledger.batching import cut_batches
from morefollows.courier.models import Batch, Outcome, ReplyCount
from morefollows.courier.outbox import letter_claims as letter_claims
from morefollows.courier.recipients.selection import load_recipients
from morefollows.courier.relays.interface import Reached, Reply
from morefollows.stories.actions import now_ms
from morefollows.stories.models import Alert
from tests.courier.support import (
    A_RELAY,
    add_readers,
    alert_for,
    audience,
    claim_batch_runs,
    count_readers,
    cut_all,
    cut_from_start,
    lose_heartbeat,
    prepared_alert,
    states,
    write,
)

pytestmark = pytest.mark.django_db

ACCEPTED = Reply(250, "2.0.0", "Ok", Reached.CONTENT)
MAILBOX_FULL = Reply(452, "4.2.2", "mailbox full", Reached.RCPT)
GONE = Reply(550, "5.1.1", "no such user", Reached.RCPT)
SILENCE = Reply(0, "", "connection lost", Reached.CONTENT)
NEVER_OFFERED = Reply(0, "", "connection lost", Reached.RELAY)


@pytest.fixture(autouse=True)
def small_batches(settings: object) -> None:
    import dataclasses

    settings.MOREFOLLOWS = dataclasses.replace(settings.MOREFOLLOWS, batch_size=10)  # type: ignore[attr-defined]


@pytest.mark.parametrize("readers", [0, 1, 9, 10, 11, 30, 57])
def test_it_cuts_every_reader_into_exactly_one_batch(readers: int) -> None:
    alert = alert_for(readers)
    cut_all(alert)
    assert set(states(alert)) == audience(alert)
    assert len(states(alert)) == readers
    assert cut_batches(alert.pk, 3), "a cut that is done stays done"
    assert alert.batches.count() == len(set(alert.batches.values_list("number", flat=True)))


def test_it_cuts_no_reader_who_came_after_send() -> None:
    alert = alert_for(5)
    add_readers(alert.topic, 3)
    cut_all(alert)
    assert len(states(alert)) == 5


def test_it_cuts_neither_pending_nor_gone_readers() -> None:
    alert = alert_for(6)
    ids = sorted(audience(alert))
    Subscription.objects.filter(reader=ids[0]).update(state="pending")
    Reader.objects.filter(pk=ids[1]).update(state="hard bounced")
    cut_all(alert)
    assert set(states(alert)) == set(ids[2:])


def test_it_starts_the_cut_at_different_readers() -> None:
    """Nobody is always last: the first batch does not always begin with the lowest reader."""
    firsts = set()
    alert = alert_for(40)
    for _ in range(12):
        Batch.objects.filter(alert=alert).delete()
        Alert.objects.filter(pk=alert.pk).update(
            cut_to=None, cut_wrapped=False, cut_done=False, cut_from=0
        )
        cut_all(alert)
        assert set(states(alert)) == audience(alert)
        firsts.add(bytes(alert.batches.order_by("number").first().readers)[:8])  # type: ignore[union-attr]
    assert len(firsts) > 3


def test_it_hands_a_batch_to_one_worker_only() -> None:
    alert = alert_for(30)
    cut_from_start(alert)
    mine, yours = claims.claim_batches("one", alert.pk, 2), claims.claim_batches("two", alert.pk, 5)
    assert len(mine) == 2 and len(yours) == 1
    assert not {c.batch for c in mine} & {c.batch for c in yours}
    assert claims.claim_batches("three", alert.pk, 5) == []


def test_it_hands_out_nothing_before_it_is_written() -> None:
    alert = alert_for(10)
    cut_from_start(alert)
    batch_runs = claim_batch_runs("one", prepared_alert(alert))
    assert batch_runs[0].take(A_RELAY) is None
    write("one", batch_runs, ahead=4)
    taken = [batch_runs[0].take(A_RELAY) for _ in range(5)]
    assert [mail is not None for mail in taken] == [True] * 4 + [False]
    assert Batch.objects.get(alert=alert).handed_out_to == 4


def test_it_hands_out_nothing_in_the_hold_or_after_stop() -> None:
    alert = alert_for(10)
    cut_from_start(alert)
    release = prepared_alert(alert)
    release.sending = False
    batch_runs = claim_batch_runs("one", release)
    write("one", batch_runs)
    assert batch_runs[0].take(A_RELAY) is None


def test_it_records_each_outcome() -> None:
    alert = alert_for(5)
    cut_from_start(alert)
    batch_runs = claim_batch_runs("one", prepared_alert(alert))
    batch_run = batch_runs[0]
    write("one", batch_runs)
    mails = [batch_run.take(A_RELAY) for _ in range(5)]
    readers = [int(mail.content[0].split(b"@")[0][2:]) if mail else 0 for mail in mails]
    assert len(set(readers)) == 5
    for mail, reply in zip(mails, (ACCEPTED, ACCEPTED, MAILBOX_FULL, GONE, SILENCE), strict=True):
        assert mail is not None
        mail.settle(mail, reply)
    write("one", batch_runs)
    batch = Batch.objects.get(alert=alert)
    assert (batch.accepted, batch.deferred, batch.refused, batch.uncertain) == (2, 1, 1, 1)
    assert batch.worker == "" and batch.handed_out_to == 0 and batch.attempts == 1
    assert batch.due_at_ms is not None and 55_000 < batch.due_at_ms - now_ms() < 70_000
    assert sorted(ReplyCount.objects.values_list("code", "status", "count")) == [
        (0, "", 1),
        (452, "4.2.2", 1),
        (550, "5.1.1", 1),
    ]
    assert list(states(alert).values()).count(Outcome.REFUSED) == 1
    assert not Reader.objects.filter(state="hard bounced").exists(), (
        "nobody is suppressed for one bounce"
    )


def test_it_offers_again_what_the_relay_was_never_offered() -> None:
    alert = alert_for(1)
    cut_from_start(alert)
    batch_runs = claim_batch_runs("one", prepared_alert(alert))
    write("one", batch_runs)
    for _ in range(3):
        mail = batch_runs[0].take(A_RELAY)
        assert mail is not None
        mail.settle(mail, NEVER_OFFERED)
        write("one", batch_runs)
    mail = batch_runs[0].take(A_RELAY)
    assert mail is not None
    mail.settle(mail, ACCEPTED)
    write("one", batch_runs)
    batch = Batch.objects.get(alert=alert)
    assert (batch.accepted, batch.repeated, batch.due_at_ms) == (1, 0, None)


def test_a_crash_leaves_only_what_was_begun_uncertain() -> None:
    alert = alert_for(10)
    cut_from_start(alert)
    batch_runs = claim_batch_runs("one", prepared_alert(alert))
    write("one", batch_runs, ahead=6)
    for _ in range(3):
        mail = batch_runs[0].take(A_RELAY)
        assert mail is not None
        mail.settle(mail, ACCEPTED)
    write("one", batch_runs, ahead=3)
    recovery.release_claims("one")  # killed
    [claim] = claims.claim_batches("two", alert.pk, 1)
    assert claim.outcomes.count(Outcome.ACCEPTED) == 3
    assert claim.outcomes.count(Outcome.UNCERTAIN) == 3
    assert claim.outcomes.count(Outcome.WAITING) == 4


def test_an_orderly_end_leaves_nothing_uncertain() -> None:
    alert = alert_for(10)
    cut_from_start(alert)
    batch_runs = claim_batch_runs("one", prepared_alert(alert))
    write("one", batch_runs, ahead=6)
    write("one", batch_runs, give_up=True)
    [claim] = claims.claim_batches("two", alert.pk, 1)
    assert claim.outcomes.count(Outcome.WAITING) == 10


def test_a_worker_that_lost_its_claim_finds_out_and_changes_nothing() -> None:
    alert = alert_for(10)
    cut_from_start(alert)
    slow = claim_batch_runs("slow", prepared_alert(alert))
    slow_round = slow[0]
    write("slow", slow, ahead=10)
    lose_heartbeat("slow")
    quick = claim_batch_runs("quick", prepared_alert(alert))
    write("quick", quick, ahead=10)
    for batch_run in (slow_round, quick[0]):
        for _ in range(2):
            mail = batch_run.take(A_RELAY)
            assert mail is not None
            mail.settle(mail, ACCEPTED if batch_run is slow_round else GONE)
    write("quick", quick)
    write("slow", slow)
    assert slow_round.lost and slow_round.take(A_RELAY) is None and slow == []
    batch = Batch.objects.get(alert=alert)
    assert (batch.accepted, batch.refused, batch.worker) == (0, 2, "quick")


def test_a_reader_who_moves_meanwhile_gets_it_at_the_new_address() -> None:
    alert = alert_for(3)
    cut_from_start(alert)
    [batch_run] = batch_runs = claim_batch_runs("w1", prepared_alert(alert))
    write("w1", batch_runs)
    first = batch_run.take(A_RELAY)
    assert first
    first.settle(first, ACCEPTED)
    Reader.objects.update(address="new@elsewhere.example", domain="elsewhere.example")
    left = batch_run.waiting_for()
    batch_run.refresh(load_recipients(batch_run.prepared.alert, left), left)
    second = batch_run.take(A_RELAY)
    assert second
    assert second.recipient == b"new@elsewhere.example"
    assert second.content == [b"new@elsewhere.example"]


def test_a_reader_who_leaves_meanwhile_is_skipped() -> None:
    alert = alert_for(10)
    cut_from_start(alert)
    batch_runs = claim_batch_runs("one", prepared_alert(alert))
    write("one", batch_runs)
    left, suppressed = sorted(audience(alert))[-2:]
    Subscription.objects.filter(reader=left).update(state="ended")
    Suppression.objects.create(
        key=Reader.objects.get(pk=suppressed).key, reason="complained", at=timezone.now()
    )
    batch_runs[0].refresh(
        load_recipients(batch_runs[0].prepared.alert, batch_runs[0].waiting_for())
    )
    write("one", batch_runs)
    found = states(alert)
    assert found[left] == found[suppressed] == Outcome.SKIPPED
    assert list(found.values()).count(Outcome.WAITING) == 8


def test_a_mail_put_back_while_its_reader_was_not_looked_up_is_not_skipped() -> None:
    """The look-up reads waiting mails while the relay may still give one back."""
    alert = alert_for(10)
    cut_from_start(alert)
    [batch_run] = batch_runs = claim_batch_runs("one", prepared_alert(alert))
    write("one", batch_runs, ahead=10)
    mail = batch_run.take(A_RELAY)
    assert mail is not None
    asked = batch_run.waiting_for()
    wanted = load_recipients(batch_run.prepared.alert, asked)
    mail.settle(mail, NEVER_OFFERED)
    batch_run.refresh(wanted, asked)
    assert len(batch_run) == 10
    assert set(states(alert).values()) == {Outcome.WAITING}


def test_who_may_have_it_stays_uncertain_whatever_is_said_to_the_second_mail() -> None:
    alert = alert_for(1)
    cut_from_start(alert)
    for number, reply in enumerate((SILENCE, MAILBOX_FULL, SILENCE, ACCEPTED)):
        Batch.objects.filter(alert=alert).update(due_at_ms=1)
        batch_runs = claim_batch_runs("one", prepared_alert(alert))
        [batch_run] = batch_runs
        write("one", batch_runs)
        mail = batch_run.take(A_RELAY)
        assert mail is not None
        mail.settle(mail, reply)
        write("one", batch_runs)
        batch = Batch.objects.get(alert=alert)
        assert batch.uncertain == (number < 3)
        assert batch.repeated == (0, 0, 1, 2)[number], "each mail that may be a second one counts"


def test_an_alert_past_its_time_to_live_expires() -> None:
    alert = alert_for(10, expires_in=-1)
    cut_from_start(alert)
    batch_runs = claim_batch_runs("one", prepared_alert(alert))
    write("one", batch_runs)
    batch = Batch.objects.get(alert=alert)
    assert (batch.expired, batch.due_at_ms) == (10, None)
    assert claims.complete() == [alert.pk]


def test_it_is_complete_only_when_cut_and_every_outcome_is_final() -> None:
    alert = alert_for(15)
    assert claims.complete() == []
    cut_from_start(alert)
    release = prepared_alert(alert)
    for _ in range(2):
        assert claims.complete() == []
        batch_runs = claim_batch_runs("one", release)
        batch_run = batch_runs[0]
        while batch_runs:
            write("one", batch_runs, ahead=20)
            while (mail := batch_run.take(A_RELAY)) is not None:
                mail.settle(mail, ACCEPTED)
    assert claims.complete() == [alert.pk]


def test_the_first_composition_stays() -> None:
    alert = alert_for(1)
    assert claims.kept_compositions(alert.pk) == {}
    assert claims.keep_compositions(alert.pk, {"en": b"first"}) == {"en": b"first"}
    both = {"en": b"first", "de": b"new"}
    assert claims.keep_compositions(alert.pk, {"en": b"second", "de": b"new"}) == both
    assert claims.kept_compositions(alert.pk) == both


def test_an_alert_taken_back_is_never_released() -> None:
    alert = alert_for(3, state="taken back")
    assert claims.record_outcomes([], release=alert.pk).sending == set()
    held = alert_for(3, state="held")
    Alert.objects.filter(pk=held.pk).update(held_until_ms=now_ms() + 60_000)
    assert claims.record_outcomes([], release=held.pk).sending == set()
    Alert.objects.filter(pk=held.pk).update(held_until_ms=now_ms() - 1)
    assert claims.record_outcomes([], release=held.pk).sending == {held.pk}
    assert Alert.objects.get(pk=held.pk).update.published_at is not None


def test_nothing_is_half_written() -> None:
    """A failure in the middle leaves no trace of the first half."""
    alert = alert_for(20)
    cut_from_start(alert)
    batch_runs = claim_batch_runs("one", prepared_alert(alert), 2)
    good, bad = (batch_run.entry("one", now_ms()) for batch_run in batch_runs)
    with pytest.raises(IntegrityError):
        claims.record_outcomes([good._replace(handed_out_to=7), bad._replace(worker=None)])  # type: ignore[arg-type]
    assert set(alert.batches.values_list("handed_out_to", flat=True)) == {0}


def test_what_is_put_back_while_readers_are_looked_up_is_not_taken_for_a_leaver() -> None:
    alert = alert_for(4)
    cut_from_start(alert)
    batch_runs = claim_batch_runs("one", prepared_alert(alert))
    write("one", batch_runs)
    mail = batch_runs[0].take(A_RELAY)
    assert mail is not None
    ids = batch_runs[0].waiting_for()
    found = {reader: batch_runs[0].recipients[reader] for reader in ids}
    mail.settle(mail, Reply(0, "", "", Reached.RELAY))  # meanwhile
    batch_runs[0].refresh(found, ids)
    assert count_readers(batch_runs) == 4


def test_a_claim_of_letters_is_of_no_more_than_was_asked_for() -> None:
    """For every plan: these settings make PostgreSQL run an inner query again for each row."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for way in ("hashjoin", "mergejoin", "hashagg", "sort", "material"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
    topic = alert_for(5).topic
    for reader in Reader.objects.filter(subscriptions__topic=topic):
        Letter.objects.create(
            reader=reader,
            topic=topic,
            kind=Letter.Kind.THANKS,
            created_at=timezone.now(),
            due_at_ms=1,
        )
    letter_claims.claim_letters("one", 2)
    assert Letter.objects.filter(worker="one").count() == 2
