"""Mails at which the relay fails each time: number of tries, and no delay for others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path

import pytest

from morefollows.audience.models import Reader
from morefollows.courier.batch.batch_run import BatchRun
from morefollows.courier.ledger import recovery, retries
from morefollows.courier.ledger.put_backs import LIMIT, LIMIT_IN_TROUBLE
from morefollows.courier.models import Batch, Outcome
from morefollows.courier.outbox import letter_claims as letter_claims
from morefollows.courier.outbox import queue
from morefollows.courier.relays.interface import Carriers, Mail, Reached, Reply
from morefollows.courier.sender.scheduler import Scheduler
from morefollows.stories.models import Alert
from tests.courier.relays.test_several_relays import at_work, times_taken
from tests.courier.sender import test_worker
from tests.courier.sender.test_worker import until
from tests.courier.support import (
    StubRelay,
    alert_for,
    claim_batch_runs,
    cut_from_start,
    prepared_alert,
    states,
    write,
)
from tests.support.scripted_relay import Rule, Script, ScriptedRelay

pytestmark = pytest.mark.django_db(transaction=True)
newsroom = test_worker.newsroom

NO_REPLY = Reply(0, "", "", Reached.CONTENT)
NOT_OFFERED = Reply(0, "", "", Reached.RELAY)
OFFERS = Script().offers
MANY = (*OFFERS, "CHUNKING")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deferred mail is tried again in a moment, instead of 1, 2, 5, 10 … minutes."""
    monkeypatch.setattr(retries, "_MINUTES", (0.005,))


def addresses(alert: Alert) -> dict[int, str]:
    found = Reader.objects.filter(subscriptions__topic=alert.topic)
    return {reader.pk: f"{reader.address}@{reader.domain}".split("@")[0] for reader in found}


def some(alert: Alert, number: int) -> list[str]:
    """The local parts of so many of its readers, from everywhere."""
    names = sorted(addresses(alert).values())
    return names[:: max(1, len(names) // number)][:number]


@pytest.mark.parametrize("offers", [OFFERS, MANY])
@pytest.mark.parametrize("do", ["take-and-drop", "drop"])
def test_a_mail_without_a_reply_is_repeated_twice_at_the_most(
    tmp_path: Path, offers: tuple[str, ...], do: str
) -> None:
    """The relay takes it, or not, and closes. Then an editor decides; all others have theirs."""
    alert = alert_for(300)
    poison = some(alert, 3)
    rules = tuple(Rule("content", match=f"^{name}@", do=do) for name in poison)
    seen: Counter[str] = Counter()

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        told = relays[0].rule

        def rule(at: str, line: bytes) -> Rule | None:
            if at == "content":
                seen[line.decode().split("@")[0]] += 1
            return told(at, line)

        relays[0].rule = rule  # type: ignore[method-assign]
        await until(
            lambda: (
                len(states(alert)) == 300
                and not alert.batches.filter(due_at_ms__isnull=False).exists()
            )
        )

    (relay,) = at_work(tmp_path, [Script(offers=offers, rules=rules)], story)
    names = addresses(alert)
    outcomes = {names[reader]: outcome for reader, outcome in states(alert).items()}
    assert {name for name, outcome in outcomes.items() if outcome != Outcome.ACCEPTED} == set(
        poison
    )
    assert {outcomes[name] for name in poison} == {Outcome.UNCERTAIN}
    # One that stood behind another of these when the relay closed was sent, but the relay may not
    # have seen it.
    assert max(seen[name] for name in poison) <= 3
    # Others are repeated only if their content stood behind one of these.
    others = {name: count for name, count in seen.items() if name not in poison}
    assert max(others.values()) <= (2 if offers is MANY else 1)
    assert len(times_taken(relay)) >= 297


def test_a_relay_that_always_closes_at_one_recipient_serves_all_others(tmp_path: Path) -> None:
    alert = alert_for(200)
    (name,) = some(alert, 1)

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: list(states(alert).values()).count(Outcome.ACCEPTED) == 199)

    (relay,) = at_work(
        tmp_path, [Script(offers=MANY, rules=(Rule("rcpt", match=f"<{name}@", do="drop"),))], story
    )
    assert max(times_taken(relay).values()) <= 2
    assert len(times_taken(relay)) == 199


def at_hand(readers: int, times: int = 1) -> tuple[Alert, BatchRun, list[BatchRun]]:
    alert = alert_for(readers)
    cut_from_start(alert)
    batch_runs = claim_batch_runs("one", prepared_alert(alert))
    write("one", batch_runs, ahead=readers)
    return alert, batch_runs[0], batch_runs


def taken(batch_run: BatchRun, way: StubRelay) -> Mail:
    mail = batch_run.take(way)
    assert mail is not None
    return mail


def test_a_mail_with_which_the_relay_is_in_trouble_is_put_back_four_times_and_then_deferred() -> (
    None
):
    """If others were accepted meanwhile: then it is the mail's."""
    alert, batch_run, batch_runs = at_hand(1)
    way = StubRelay()
    assert LIMIT == 5
    for offered in range(5):
        mail = taken(batch_run, way)
        assert mail.alone is (offered > 0)
        mail.settle(mail, NOT_OFFERED)
        way.progress += 1
        assert len(batch_run) == (offered < 4)
    assert batch_run.done
    write("one", batch_runs)
    assert list(states(alert).values()) == [Outcome.DEFERRED]


def test_trouble_of_the_relay_s_own_is_not_the_mail_s() -> None:
    _, batch_run, _ = at_hand(1)
    way = StubRelay()
    for offered in range(LIMIT_IN_TROUBLE):
        assert len(batch_run) == 1, offered
        mail = taken(batch_run, way)
        mail.settle(mail, NOT_OFFERED)
    assert batch_run.done


def test_one_that_stood_behind_another_is_put_back_as_often_as_that_happens() -> None:
    _, batch_run, _ = at_hand(1)
    way = StubRelay()
    for _ in range(300):
        mail = taken(batch_run, way)
        assert not mail.alone
        mail.settle(mail, Reply(0, "", "", Reached.QUEUED))
        way.progress += 1
    assert len(batch_run) == 1


def test_copies_are_counted_over_passes_and_restarts_and_an_editor_may_ask_for_more() -> None:
    alert = alert_for(1)
    cut_from_start(alert)
    way = StubRelay()
    for copies in (1, 2, 3):
        Batch.objects.filter(alert=alert, due_at_ms__isnull=False).update(due_at_ms=1)
        batch_runs = claim_batch_runs(f"worker {copies}", prepared_alert(alert))
        write("one", batch_runs, ahead=1)
        mail = taken(batch_runs[0], way)
        assert mail.alone is (copies > 1)
        mail.settle(mail, NO_REPLY)
        write("one", batch_runs)
        batch = Batch.objects.get(alert=alert)
        assert (batch.uncertain, batch.repeated) == (1, copies - 1)
        assert (batch.due_at_ms is None) is (copies == 3)
    assert recovery.open_uncertain(alert.pk) == 1
    batch_runs = claim_batch_runs("one", prepared_alert(alert))
    write("one", batch_runs, ahead=1)
    assert taken(batch_runs[0], way)


def test_a_copy_that_stood_behind_another_is_sent_again_at_once_and_alone() -> None:
    alert, batch_run, batch_runs = at_hand(2)
    way = StubRelay()
    first, second = taken(batch_run, way), taken(batch_run, way)
    first.settle(first, NO_REPLY)
    second.settle(second, Reply(0, "", "", Reached.BEHIND))
    again = taken(batch_run, way)
    assert again.ticket == second.ticket
    assert again.alone
    assert batch_run.take(way) is None
    again.settle(again, Reply(250, "", "", Reached.CONTENT))
    write("one", batch_runs)
    assert sorted(states(alert).values()) == [Outcome.ACCEPTED, Outcome.UNCERTAIN]
    assert Batch.objects.get(alert=alert).repeated == 1


def test_where_an_editor_is_asked_nothing_is_repeated() -> None:
    alert = alert_for(2)
    cut_from_start(alert)
    release = prepared_alert(alert)
    release.alert = release.alert._replace(repeat=False)
    batch_runs = claim_batch_runs("one", release)
    write("one", batch_runs, ahead=2)
    for reached in (Reached.CONTENT, Reached.BEHIND):
        mail = taken(batch_runs[0], StubRelay())
        mail.settle(mail, Reply(0, "", "", reached))
    assert batch_runs[0].done
    write("one", batch_runs)
    assert Batch.objects.get(alert=alert).due_at_ms is None


def test_when_a_relay_is_resumed_nobody_waits_for_their_own_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As with batches that nobody works on: `relay_pauses.resume_relay`."""
    monkeypatch.setattr(retries, "_MINUTES", (30,))
    _, batch_run, _ = at_hand(2)
    way = StubRelay()
    mail = taken(batch_run, way)
    mail.settle(mail, Reply(450, "4.2.1", "busy", Reached.RCPT))

    def look() -> list[int]:
        batch_run.bring_back(lambda provider: 0.0, Counter(), lambda *mail: "none")
        return batch_run.waiting_for()

    assert len(look()) == 1
    batch_run.mails.all_due()
    assert len(look()) == 2


# -- letters ---------------------------------------------------------------------------------------


class Letters:
    """Letters of one lane without a database. A relay's name says whether another can carry it."""

    def __init__(self, count: int) -> None:
        self.post = queue.LetterQueue(lambda: None)
        jobs = [
            letter_claims.ClaimedLetter(
                n, "confirmation", False, 0, 1, n, "cy", "reader.example", "en", 0, b"u", b"r", b"t"
            )
            for n in range(count)
        ]
        mail = Mail(b"b@x.example", b"cy@reader.example", [b"Hello\r\n"], lambda mail, reply: None)
        self.post.add([(job, mail) for job in jobs])

    def taken(self, way: StubRelay) -> Mail:
        mail = self.post.take(way)
        assert mail is not None
        return mail


class Named(StubRelay):
    def __init__(self, name: str, others: Carriers = "none") -> None:
        self.name = name
        self._others = others

    def others(self, relays: Collection[str], utf8: bool, size: int, bulk: bool) -> Carriers:
        return self._others


def test_a_letter_that_one_relay_can_not_carry_goes_by_another() -> None:
    unfit = Reply(550, "5.6.7", "", Reached.ENVELOPE)
    at_hand, first, second = Letters(2), Named("first", "later"), Named("second", "none")
    mail = at_hand.taken(first)
    mail.settle(mail, unfit)
    other = at_hand.taken(first)
    assert other.ticket != mail.ticket
    other.settle(other, Reply(250, "", "", Reached.CONTENT))
    assert at_hand.post.take(first) is None  # it waits for another relay
    again = at_hand.taken(second)
    assert again.ticket == mail.ticket
    again.settle(again, unfit)
    assert [one.state for one in at_hand.post.done] == ["accepted", "refused"]


def test_a_letter_behind_one_without_a_reply_goes_again_at_once_and_alone() -> None:
    at_hand, way = Letters(2), Named("first")
    first, second = at_hand.taken(way), at_hand.taken(way)
    first.settle(first, NO_REPLY)
    second.settle(second, Reply(0, "", "", Reached.BEHIND))
    again = at_hand.taken(way)
    assert again.ticket == second.ticket
    assert again.alone
    assert [(one.state, one.unanswered) for one in at_hand.post.done] == [("waiting", 1)]


def test_a_letter_is_put_back_as_often_as_a_mail_of_an_alert() -> None:
    at_hand, way = Letters(1), Named("first")
    for offered in range(LIMIT):
        mail = at_hand.taken(way)
        assert mail.alone is (offered > 0)
        mail.settle(mail, NOT_OFFERED)
        way.progress += 1
    assert [one.state for one in at_hand.post.done] == ["waiting"]
    assert at_hand.post.take(way) is None
