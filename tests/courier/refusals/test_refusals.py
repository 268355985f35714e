"""Replies about one reader, one provider or all, over real sockets with a running sender."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from morefollows.audience.models import Bounce, Letter, Reader, Subscription, Suppression
from morefollows.audience.suppression.hard_bounces import BouncedMail
from morefollows.audit.models import AuditEntry
from morefollows.courier import relay_pauses
from morefollows.courier.ledger import claims, retries
from morefollows.courier.models import Batch, Brake, Outcome, Refusal, Relay, RelayCount
from morefollows.courier.refusals import bounces
from morefollows.courier.refusals.brake import FEW
from morefollows.courier.relays.relay_pool import TRIAL
from morefollows.courier.sender.scheduler import Scheduler
from morefollows.feedback import actions as feedback
from morefollows.stories.alerts import publication
from morefollows.stories.models import Alert, Update
from tests.courier.relays.test_several_relays import asked, at_work
from tests.courier.sender import test_worker
from tests.courier.sender.test_worker import until
from tests.courier.support import alert_for, cut_from_start, states
from tests.support.scripted_relay import Rule, Script, ScriptedRelay

pytestmark = pytest.mark.django_db(transaction=True)
newsroom = test_worker.newsroom

DENIED = "554 5.7.1 <x@blocked.example>: Recipient address rejected: Access denied"
NOBODY = "550 5.1.1 no such user"


def alert_to(domains: dict[str, int]) -> Alert:
    """An alert to so many readers of each domain."""
    alert = alert_for(sum(domains.values()))
    Update.objects.filter(alerts=alert).update(published_at=timezone.now())
    keys = list(
        Reader.objects.filter(subscriptions__topic=alert.topic)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    assert len(keys) == keys[-1] - keys[0] + 1 == sum(domains.values())
    first = keys[0]
    with transaction.atomic():
        for domain, number in domains.items():
            # Not `bulk_update`: its statements name each reader, and take a second for a thousand.
            Reader.objects.filter(pk__range=(first, first + number - 1)).update(
                address=Concat(Value("cy"), Cast("pk", CharField()), Value(f"@{domain}")),
                domain=domain,
            )
            first += number
    return alert


def count(alert: Alert) -> Counter[int]:
    return Counter(states(alert).values())


def settled(alert: Alert) -> bool:
    """Each mail has had its answer, and nothing is being judged any more."""
    found = count(alert)
    return sum(found.values()) > 0 and not found[Outcome.WAITING]


def stranger(domain: str = "blocked.example") -> None:
    """Somebody signs up with an address that the relay does not want."""
    now = timezone.now()
    reader = Reader.objects.create(
        address=f"x@{domain}", domain=domain, key=domain.ljust(64, "x"), created_at=now
    )
    topic = Alert.objects.latest("pk").topic
    assert topic is not None
    Subscription.objects.create(reader=reader, topic=topic, since=now)
    Letter.objects.create(
        reader=reader, topic=topic, kind="confirmation", created_at=now, due_at_ms=1
    )


def no_relay_is_paused() -> bool:
    return not Relay.objects.filter(paused_at__isnull=False).exists()


@pytest.mark.parametrize("others", [23, 300])
@pytest.mark.parametrize(
    "rule",
    [
        Rule("rcpt", match="blocked", reply=DENIED),
        Rule("rcpt", match="blocked", reply="550 Relaying denied"),
        Rule("rcpt", match="blocked", reply="530 5.7.0 Must issue a STARTTLS command first"),
        Rule("content", match="blocked", reply="554 5.7.1 this looks like spam"),
        Rule("data", reply="550 5.7.26 unauthenticated", times=1),
    ],
)
def test_one_reader_who_is_refused_stops_nobody(tmp_path: Path, rule: Rule, others: int) -> None:
    alert = alert_to(
        {
            "blocked.example": 1,
            "well.example": others - 10,
            **{f"d{n}.example": 1 for n in range(10)},
        }
    )

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: settled(alert))
        await asked(stranger)
        await until(lambda: not Letter.objects.filter(attempts=0).exists())
        more = await asked(lambda: alert_to({"well.example": 20}))
        await until(lambda: count(more)[Outcome.ACCEPTED] == 20)

    at_work(tmp_path, [Script(rules=(rule,))], story)
    assert count(alert)[Outcome.ACCEPTED] == others
    assert no_relay_is_paused()
    assert (
        not Suppression.objects.exists()
        and not Brake.objects.filter(on_since_ms__isnull=False).exists()
    )


def test_strangers_letters_pause_nothing_even_before_the_first_alert(tmp_path: Path) -> None:
    alert_to({"well.example": 1})
    Alert.objects.update(state="stopped")
    for number in range(8):
        stranger(f"blocked{number}.example")

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: not Letter.objects.filter(attempts=0).exists())
        alert = await asked(lambda: alert_to({"well.example": 30}))
        await until(lambda: count(alert)[Outcome.ACCEPTED] == 30)

    at_work(tmp_path, [Script(rules=(Rule("rcpt", match="blocked", reply=DENIED),))], story)
    assert no_relay_is_paused()


@pytest.mark.parametrize(
    "rule",
    [
        Rule("rcpt", reply="554 5.7.1 <x>: Relay access denied"),
        Rule("rcpt", reply="550 Relaying denied"),
        Rule("content", reply="554 5.7.1 not from this account"),
    ],
)
def test_refusals_for_many_providers_pause_and_nobody_is_refused(
    tmp_path: Path, rule: Rule
) -> None:
    """It is known from 60 refusals: the relay says nothing after them, so that no speed matters."""
    alert = alert_to({f"d{number}.example": 10 for number in range(20)})
    rules = (replace(rule, times=60), Rule(rule.at, do="hang"))

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: not no_relay_is_paused())
        await until(lambda: not count(alert)[Outcome.REFUSED])

    at_work(tmp_path, [Script(rules=rules)], story)
    found = count(alert)
    assert not found[Outcome.REFUSED] and not found[Outcome.ACCEPTED]
    assert 0 < found[Outcome.DEFERRED] <= 60
    assert "5.7.1" in Relay.objects.get().reason or "Relaying" in Relay.objects.get().reason
    assert not Suppression.objects.exists()


def test_a_provider_that_knows_nobody_loses_no_reader(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alert = alert_to({"big.example": 300, "well.example": 900})

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: settled(alert))
        assert len(relays[0].rcpts) >= 900
        await until(lambda: not count(alert)[Outcome.REFUSED])

    with caplog.at_level(logging.WARNING):
        at_work(
            tmp_path, [Script(rules=(Rule("rcpt", match="@big.example", reply=NOBODY),))], story
        )
    assert count(alert) == {Outcome.ACCEPTED: 900, Outcome.DEFERRED: 300}
    assert Brake.objects.filter(
        alert=alert, scope="provider", name="big.example", on_since_ms__isnull=False
    ).exists()
    assert "for big.example were refused" in caplog.text
    assert not Brake.objects.filter(scope="relay", on_since_ms__isnull=False).exists(), (
        "one provider, not the relay"
    )
    assert not Suppression.objects.exists()
    assert no_relay_is_paused()
    assert Reader.objects.filter(state="confirmed").count() == 1200
    assert Batch.objects.filter(alert=alert, due_at_ms__isnull=False).exists(), (
        "they are tried again"
    )


def test_a_relay_that_knows_nobody_loses_no_reader(tmp_path: Path) -> None:
    alert = alert_to({f"d{number}.example": 25 for number in range(40)})

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: settled(alert))
        await until(lambda: not count(alert)[Outcome.REFUSED])

    at_work(tmp_path, [Script(rules=(Rule("rcpt", reply=NOBODY),))], story)
    assert count(alert) == {Outcome.DEFERRED: 1000}
    assert Brake.objects.filter(alert=alert, scope="relay", on_since_ms__isnull=False).exists()
    assert not Suppression.objects.exists() and not Bounce.objects.exists()


def test_what_a_relay_that_knows_nobody_refuses_goes_by_another_at_once(tmp_path: Path) -> None:
    """All but those that were refused before the brake was on: they have their own time."""
    alert = alert_to({f"d{number}.example": 2 for number in range(200)})

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: count(alert)[Outcome.ACCEPTED] >= 400 - 2 * FEW)

    wrong, well = at_work(
        tmp_path,
        [Script(rules=(Rule("rcpt", reply=NOBODY),)), Script(rules=(Rule("content", delay=0.03),))],
        story,
    )
    assert wrong.commands["RCPT"] > 2 * FEW
    assert len({mail.recipients for mail in well.taken}) == len(well.taken)
    assert not Suppression.objects.exists()


def test_where_all_relays_know_nobody_all_are_tried_again(tmp_path: Path) -> None:
    alert = alert_to({f"d{number}.example": 2 for number in range(100)})

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: count(alert)[Outcome.DEFERRED] == 200)

    at_work(tmp_path, [Script(rules=(Rule("rcpt", reply=NOBODY),))] * 2, story)
    assert count(alert) == {Outcome.DEFERRED: 200}


def test_as_many_as_the_brake_allows_are_refused_and_noted_but_not_suppressed(
    tmp_path: Path,
) -> None:
    alert = alert_to({"gone.example": 20, "well.example": 300})

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        worker._on_complete = lambda alert: publication.finish(alert, {})
        await until(lambda: Alert.objects.get(pk=alert.pk).state == "sent")
        await until(lambda: not Refusal.objects.exists())

    at_work(tmp_path, [Script(rules=(Rule("rcpt", match="gone", reply=NOBODY),))], story)
    assert count(alert) == {Outcome.ACCEPTED: 300, Outcome.REFUSED: 20}
    assert Bounce.objects.filter(count=1, status="5.1.1", provider="gone.example").count() == 20
    assert not Suppression.objects.exists()


def let_it_be_tried() -> None:
    Relay.objects.update(trial_at_ms=1)


def test_a_pause_ends_by_itself_when_one_mail_on_trial_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "_MINUTES", (600,))  # nothing is due before this test says so
    alert = alert_to({"well.example": 60})

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: not no_relay_is_paused())
        tried = len(relays[0].envelopes)
        await asked(let_it_be_tried)
        await until(lambda: Relay.objects.filter(trials=1).exists())
        await until(lambda: Relay.objects.get().trial_at_ms != 1)
        assert relays[0].taken == [] and not await asked(no_relay_is_paused), (
            "a few were tried, and refused"
        )
        relays[0].follow()  # well again
        await asked(let_it_be_tried)
        await until(lambda: count(alert)[Outcome.ACCEPTED] >= 60 - tried - TRIAL)
        assert await asked(no_relay_is_paused)
        assert len(relays[0].envelopes) <= 60 + 4 + TRIAL, (
            "one by each connection, and then a few: not all of them"
        )

    at_work(tmp_path, [Script(rules=(Rule("mail", reply="550 5.7.1 not on our list"),))], story)
    assert AuditEntry.objects.filter(what="resume relay", editor=None).exists()


def test_a_new_alert_tries_a_relay_that_was_paused_for_a_few_readers(tmp_path: Path) -> None:
    """Five refused readers of an alert that went to nobody else: the next alert does not wait."""
    alert_to({f"blocked{number}.example": 1 for number in range(5)})

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: not no_relay_is_paused())
        news = await asked(lambda: alert_to({"well.example": 30}))
        await until(lambda: count(news)[Outcome.ACCEPTED] == 30)

    at_work(tmp_path, [Script(rules=(Rule("rcpt", match="blocked", reply=DENIED),))], story)
    assert no_relay_is_paused()


def test_what_an_editor_has_paused_is_not_tried(tmp_path: Path) -> None:
    relay_pauses.pause_relay("relay 0", by="Ada")
    alert_to({"well.example": 5})

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await asked(let_it_be_tried)
        await until(lambda: bool(worker.loaded.batches))
        await asyncio.sleep(0.3)
        assert relays[0].taken == []

    at_work(tmp_path, [Script()], story)
    assert relay_pauses.claim_trials() == set()


def test_a_provider_whose_policy_is_against_us_is_left_alone_and_tried_now_and_then(
    tmp_path: Path,
) -> None:
    alert = alert_to({"big.example": 200, "well.example": 200})

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: settled(alert))
        [queue] = worker.relays
        assert [one.provider for one in queue.throttle.held_back()] == ["big.example"]
        big = [line for line in relays[0].rcpts if b"@big.example" in line]
        assert 3 <= len(big) <= 3 + 2 * 4, "those that were in flight, and no more"

    at_work(
        tmp_path,
        [
            Script(
                rules=(Rule("content", match="@big.example", reply="550 5.7.26 unauthenticated"),)
            )
        ],
        story,
    )
    assert count(alert) == {Outcome.ACCEPTED: 200, Outcome.DEFERRED: 200}
    assert no_relay_is_paused()


@pytest.mark.parametrize("reply", [NOBODY])
def test_a_relay_that_refuses_all_loses_no_reader_though_all_are_at_two_providers(
    tmp_path: Path, reply: str
) -> None:
    """Too few to pause the relay or for its own brake: the providers' brakes hold them."""
    alert = alert_to({"big.example": 200, "large.example": 200})

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: settled(alert))
        await until(lambda: not count(alert)[Outcome.REFUSED])

    at_work(tmp_path, [Script(rules=(Rule("rcpt", reply=reply),))], story)
    assert count(alert) == {Outcome.DEFERRED: 400}
    assert not Suppression.objects.exists() and not Bounce.objects.exists()


@pytest.mark.parametrize("before", [0, 1])
def test_a_relay_that_refuses_us_is_paused_though_all_are_at_two_providers(
    tmp_path: Path, before: int
) -> None:
    """The brakes would hold what it refuses; but it would be asked about each reader."""
    earlier = alert_to({"big.example": 2, "large.example": 2}) if before else None
    rules = (Rule("rcpt", reply=DENIED, after=4 * before),)
    found: list[Counter[int]] = []

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        if earlier is not None:  # the same process has sent mail by it
            await until(lambda: count(earlier)[Outcome.ACCEPTED] == 4)
        alert = await asked(lambda: alert_to({"big.example": 150, "large.example": 150}))
        await until(lambda: not no_relay_is_paused())
        await until(lambda: not count(alert)[Outcome.REFUSED])
        found.append(await asked(lambda: count(alert)))

    at_work(tmp_path, [Script(rules=rules)], story)
    assert not found[0][Outcome.ACCEPTED] and found[0][Outcome.WAITING] > 100
    assert "5.7.1" in Relay.objects.get().reason and not Suppression.objects.exists()


@pytest.mark.parametrize("reply", [DENIED, NOBODY, "550 no"])
def test_of_a_small_alert_that_is_refused_altogether_nobody_is_refused(
    tmp_path: Path, reply: str
) -> None:
    alert = alert_to({"big.example": 5, "large.example": 4, "small.example": 3})

    async def story(worker: Scheduler, relays: list[ScriptedRelay]) -> None:
        await until(lambda: count(alert) == {Outcome.DEFERRED: 12})

    at_work(tmp_path, [Script(rules=(Rule("rcpt", reply=reply),))], story)
    assert Alert.objects.get(pk=alert.pk).state == "sending"
    assert Brake.objects.filter(on_since_ms__isnull=False, scope="relay").exists()


def bounce_once_more(readers: list[int], *, days: float, accepted: bool = False) -> None:
    """Makes the bounces so far this many days old, then adds one to each reader."""
    moment = timezone.now() - timedelta(days=days)
    Bounce.objects.update(first_at=moment, counted_at=moment, last_at=moment)
    if accepted:
        for reader in readers:
            Letter.objects.create(
                reader_id=reader,
                kind="thanks",
                state="accepted",
                created_at=timezone.now(),
                due_at_ms=int((timezone.now() - timedelta(minutes=1)).timestamp() * 1000),
            )
    bounce_in_an_alert(readers)


def bounce_in_an_alert(readers: list[int]) -> None:
    """A mail to each of these readers has bounced in an alert, which has ended."""
    alert = alert_for(0, state="sent")
    Refusal.objects.bulk_create(
        Refusal(
            alert=alert,
            batch=1,
            place=0,
            reader=reader,
            domain="gone.example",
            provider="gone.example",
            relay="relay 0",
            bounce="hard",
            code=550,
            status="5.1.1",
            at_ms=int(timezone.now().timestamp() * 1000),
        )
        for reader in readers
    )
    while bounces.count_bounces(str):
        pass


def test_the_second_bounce_days_later_suppresses(settings: Any) -> None:
    alert_to({"gone.example": 3})
    readers = list(Reader.objects.values_list("pk", flat=True))
    bounce_once_more(readers, days=0)
    assert Bounce.objects.filter(count=1).count() == 3
    bounce_once_more(readers[:1], days=1)  # too soon
    assert Bounce.objects.get(reader=readers[0]).count == 1
    bounce_once_more(readers[1:2], days=3, accepted=True)  # it works again in between
    assert Bounce.objects.get(reader=readers[1]).count == 1
    assert not Suppression.objects.exists()
    bounce_once_more(readers[2:], days=3)
    assert Suppression.objects.get().domain == "gone.example"
    assert (
        list(Reader.objects.filter(state="hard bounced").values_list("pk", flat=True))
        == readers[2:]
    )
    settings.MOREFOLLOWS = dataclasses.replace(settings.MOREFOLLOWS, bounces_before_suppression=1)
    bounce_once_more(readers[:1], days=1)
    assert Reader.objects.filter(state="hard bounced").count() == 2


def test_a_bounce_long_ago_counts_no_more() -> None:
    alert_to({"gone.example": 1})
    readers = list(Reader.objects.values_list("pk", flat=True))
    bounce_once_more(readers, days=0)
    bounce_once_more(readers, days=200)
    assert not Suppression.objects.exists()
    bounce_once_more(readers, days=2)
    assert Suppression.objects.count() == 1


def test_nothing_is_taken_back_from_a_batch_that_somebody_works_on() -> None:
    alert = alert_to({"gone.example": 30})
    cut_from_start(alert)
    [batch] = Batch.objects.filter(alert=alert)
    Batch.objects.update(
        outcomes=bytes([Outcome.REFUSED]) * 30, refused=30, due_at_ms=None, worker="another/1"
    )
    ids = claims.array("q")
    ids.frombytes(bytes(batch.readers))
    Refusal.objects.bulk_create(
        Refusal(
            alert=alert,
            batch=batch.pk,
            place=i,
            reader=ids[i],
            domain="gone.example",
            provider="gone.example",
            relay="relay 0",
            bounce="hard",
            code=550,
            at_ms=1,
        )
        for i in range(30)
    )
    Brake.objects.create(
        alert=alert, scope="provider", name="gone.example", answered=30, refused=30
    )
    assert bounces.apply_brakes(alert.pk, str) == 0
    Batch.objects.update(worker="")
    Alert.objects.filter(pk=alert.pk).update(state="stopped")
    assert bounces.apply_brakes(alert.pk, str) == 0, "nobody sends for an alert that has ended"
    assert Refusal.objects.count() == 30
    Alert.objects.filter(pk=alert.pk).update(state="sending")
    assert bounces.apply_brakes(alert.pk, str) == 30
    batch.refresh_from_db()
    assert (batch.refused, batch.deferred) == (0, 30)
    assert batch.due_at_ms is not None and not Refusal.objects.exists()
    feedback.close(alert.pk)
    alert.refresh_from_db()
    assert alert.state == "sending", (
        "another sender found it complete before its mails were deferred"
    )


def test_what_bounces_in_many_small_alerts_counts_together(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A relay that refuses everybody for days, in alerts too small for a brake."""
    alert_to({"gone.example": 200})
    readers = list(Reader.objects.values_list("pk", flat=True))
    bounce_once_more(readers, days=0)
    Bounce.objects.update(
        counted_at=timezone.now() - timedelta(days=2.5), last_at=timezone.now() - timedelta(days=1)
    )
    for first in range(0, 200, 10):
        bounce_in_an_alert(readers[first : first + 10])
    assert not Suppression.objects.exists()
    assert Bounce.objects.filter(count=2).count() == 200
    assert "are not suppressed" in caplog.text
    RelayCount.objects.create(
        relay="relay 0", day=timezone.now().date(), provider="gone.example", accepted=10_000
    )
    bounce_in_an_alert(readers[:3])  # the relay takes mail again, but not for these
    assert Suppression.objects.count() == 3


def test_what_bounces_in_letters_counts_together() -> None:
    """As with alerts, for daily summaries: the provider knows nobody, from Friday to Sunday."""
    alert_to({"gone.example": 100})
    RelayCount.objects.create(
        relay="relay 0", day=timezone.now().date(), provider="", accepted=10_000
    )
    for days in (2.5, 0):
        at = timezone.now() - timedelta(days=days)
        for reader in Reader.objects.all():
            bounces.count_letters(
                [BouncedMail(reader.pk, at, True, "5.1.1", "relay 0", "gone.example")]
            )
    assert Bounce.objects.filter(count=2).count() == 100
    assert not Suppression.objects.exists()
