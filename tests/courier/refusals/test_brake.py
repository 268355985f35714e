"""The brake by itself: counts of several sender processes, and what it can never let through."""

from __future__ import annotations

import dataclasses
from array import array
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from morefollows.audience.models import Bounce, Reader, Suppression
from morefollows.courier.ledger import claims
from morefollows.courier.models import Batch, Brake, Outcome, Refusal
from morefollows.courier.refusals import bounces, brake
from morefollows.courier.refusals.brake import APART, FEW, SHARE, RefusedMail, ReplyTally
from morefollows.courier.refusals.refusal_recorder import RefusalRecorder
from morefollows.stories.models import Alert
from tests.courier.support import alert_for, cut_from_start
from tests.support import sandbox

pytestmark = pytest.mark.django_db


class Process:
    """A sender process, as far as the brake goes."""

    def __init__(self, alert: Alert) -> None:
        self.alert, self.answers = alert, ReplyTally()

    def accept(self, domain: str, mails: int = 1) -> None:
        self.answers.accepted_by("relay 0").extend([domain] * mails)

    def refuse(self, reader: int, domain: str, relay: str = "relay 0") -> bool:
        """As `batch_run.BatchRun` does it. Returns whether the refusal is believed so far."""
        if self.answers.braked(relay, domain):
            return False
        one = RefusedMail(
            1,
            0,
            reader,
            domain,
            domain,
            relay,
            "hard",
            550,
            "5.1.1",
            int(timezone.now().timestamp() * 1000),
        )
        self.answers.heard_refusal(one, str)
        if self.answers.braked(relay, domain):
            return False
        self.answers.refused.append(one)
        return True

    def write(self) -> None:
        self.answers.on = brake.write_counts(self.alert.pk, self.answers.take(str))


def on() -> set[tuple[str, str]]:
    return set(Brake.objects.filter(on_since_ms__isnull=False).values_list("scope", "name"))


def test_what_is_accepted_is_counted_when_it_is_asked_for() -> None:
    answers = ReplyTally()
    domains = answers.accepted_by("relay 0")
    domains += ["one.example", "two.example", "one.example"]
    assert answers.has_accepted("relay 0", "two.example") and not answers.has_accepted(
        "relay 1", "two.example"
    )
    assert domains == []
    domains.append("one.example")
    answers.accepted_by("relay 1").append("one.example")
    assert answers.accepted == {
        ("relay 0", "one.example"): 3,
        ("relay 0", "two.example"): 1,
        ("relay 1", "one.example"): 1,
    }
    domains.append("three.example")
    answers.take(str)
    assert not answers.accepted and answers.has_accepted("relay 0", "three.example")
    assert answers.accepted_by("relay 0") is domains


def test_two_processes_count_together() -> None:
    alert = alert_for(0)
    one, two = Process(alert), Process(alert)
    one.accept("other.example")
    two.accept("other.example")
    for reader in range(11):
        assert one.refuse(reader, "big.example") and two.refuse(100 + reader, "big.example")
    one.write()
    assert on() == set()
    two.write()
    assert on() == {("provider", "big.example")}
    one.accept("big.example")
    one.refuse(50, "other.example")
    one.write()
    assert not one.refuse(51, "big.example"), "the first one has heard of it"


@pytest.mark.parametrize("first", range(0, 23, 2))
@pytest.mark.parametrize("write", [True, False])
def test_what_one_provider_refuses_says_nothing_about_the_relay_in_whatever_order(
    first: int, write: bool
) -> None:
    """So many of its refusals come first, then those of two readers elsewhere, then the rest."""
    alert = alert_for(0)
    process = Process(alert)
    domains = (
        ["big.example"] * first + ["one.example", "two.example"] + ["big.example"] * (60 - first)
    )
    for reader, domain in enumerate(domains):
        process.refuse(reader, domain)
        if write:
            process.write()
    process.write()
    assert on() == {("provider", "big.example")}
    assert brake.judge_alert(alert.pk, str) == on()


def test_a_relay_that_refuses_readers_of_many_providers_has_the_brake_soon() -> None:
    alert = alert_for(0)
    process = Process(alert)
    believed = sum(process.refuse(reader, f"d{reader % 40}.example") for reader in range(100))
    process.write()
    assert on() == {("relay", "relay 0")}
    assert believed <= FEW + 10


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("mails", [22, 41, 62, 63, 300])
@pytest.mark.parametrize("providers", [1, 2, 3, 4, 40])
def test_a_relay_that_refuses_everybody_suppresses_few_however_few_the_providers(
    settings: Any, providers: int, mails: int, write: bool
) -> None:
    """It is on a block list, say, and nearly all readers are at one or two big providers."""
    settings.MOREFOLLOWS = dataclasses.replace(
        settings.MOREFOLLOWS, bounces_before_suppression=1, bounce_days=0
    )
    alert = alert_for(mails)
    process = Process(alert)
    believed = 0
    for number, reader in enumerate(
        Reader.objects.order_by("-pk").values_list("pk", flat=True)[:mails]
    ):
        believed += process.refuse(reader, f"d{number % providers}.example")
        if write:
            process.write()
    process.write()
    assert believed <= min(mails, (min(providers, APART) + 1) * FEW + 10)
    brake.judge_alert(alert.pk, str)
    Alert.objects.filter(pk=alert.pk).update(state="sent")
    while bounces.count_bounces(str):
        pass
    assert Reader.objects.filter(state="hard bounced").count() <= FEW
    assert on(), "what is left is no more than chance, and not by luck"


def test_what_is_refused_by_chance_is_no_fault() -> None:
    """4 % of 10,000 stale addresses, in any order: the brake stays off."""
    alert = alert_for(0)
    process = Process(alert)
    for n in range(10_000):
        if n % 25 == 0:
            assert process.refuse(n, "big.example")
        else:
            process.accept("big.example")
        if n % 500 == 0:
            process.write()
    process.write()
    assert on() == set() and brake.judge_alert(alert.pk, str) == set()


def test_at_the_end_the_share_is_exact() -> None:
    alert = alert_for(0)
    process = Process(alert)
    process.accept("big.example", 940)
    for n in range(60):
        assert process.refuse(n, "big.example"), (
            "six in a hundred may still be chance while more is to come"
        )
    process.write()
    assert on() == set()
    assert brake.judge_alert(alert.pk, str) == {("provider", "big.example")}


def test_domains_of_one_provider_count_together_at_the_end() -> None:
    alert = alert_for(0)
    process = Process(alert)
    for n in range(30):
        process.refuse(n, f"company{n % 3}.example", relay=f"relay {n % 2}")
    process.write()
    assert on() == set()
    found = brake.judge_alert(
        alert.pk, lambda domain: "google.com" if domain.startswith("company") else domain
    )
    assert {name for _scope, name in found} >= {f"company{n}.example" for n in range(3)}


def test_a_resumed_relay_is_judged_from_the_beginning() -> None:
    alert = alert_for(0)
    process = Process(alert)
    process.refuse(1, "one.example")
    process.write()
    brake.put_on(alert.pk, "relay 0")
    assert on() == {("relay", "relay 0")}
    brake.let_go("relay 0")
    assert on() == set()


answers = st.lists(
    st.tuples(
        st.sampled_from(["accept", "refuse", "write"]),
        st.integers(0, 3),
        st.integers(0, 1),
        st.integers(1, 9),
    ),
    max_size=120,
)


@given(answers)
@hypothesis_settings(
    max_examples=sandbox.examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_alert_suppresses_more_than_the_brake_allows(
    db: Any, settings: Any, answers: list[Any]
) -> None:
    """Any answers in any order to two processes, counted at the first bounce."""
    settings.MOREFOLLOWS = dataclasses.replace(
        settings.MOREFOLLOWS, bounces_before_suppression=1, bounce_days=0
    )
    for table in (Refusal, Brake, Bounce, Suppression):
        table.objects.all().delete()
    alert = alert_for(0)
    processes = Process(alert), Process(alert)
    answered = dict.fromkeys((f"d{n}.example" for n in range(4)), 0)
    refused = sum(times for what, _number, _process, times in answers if what == "refuse")
    made = iter(
        Reader.objects.bulk_create(
            Reader(address=f"cy{n}@x.example", domain="x.example", key=f"{alert.pk:032}{n:032}",
                   state="confirmed", created_at=timezone.now())
            for n in range(refused)
        )
    )  # fmt: skip
    of_domain: dict[int, str] = {}
    for what, number, process, times in answers:
        domain = f"d{number}.example"
        for _ in range(times if what != "write" else 0):
            answered[domain] += 1
            if what == "accept":
                processes[process].accept(domain)
            else:
                reader = next(made).pk
                of_domain[reader] = domain
                processes[process].refuse(reader, domain)
        if what == "write":
            processes[process].write()
    for one in processes:
        one.write()
    Alert.objects.filter(pk=alert.pk).update(state="sent")
    while bounces.count_bounces(str):
        pass
    gone = list(
        Reader.objects.filter(pk__in=of_domain, state="hard bounced").values_list("pk", flat=True)
    )
    for domain, mails in answered.items():
        suppressed = sum(of_domain[reader] == domain for reader in gone)
        assert suppressed <= max(FEW, SHARE * mails)


def test_an_alert_is_not_closed_while_the_brake_that_comes_on_last_defers_its_mails() -> None:
    """The brake acts on refusals that are written while the alert is being closed."""
    alert = alert_for(30)
    cut_from_start(alert)
    answers = ReplyTally()
    now = int(timezone.now().timestamp() * 1000)
    for batch in Batch.objects.filter(alert=alert):
        readers = array("q")
        readers.frombytes(bytes(batch.readers))
        answers.refused += [
            RefusedMail(
                *(batch.pk, place, reader, f"d{reader}.example", f"d{reader}.example", "relay 0"),
                *("hard", 550, "5.1.1", now),
            )
            for place, reader in enumerate(readers)
        ]
        Batch.objects.filter(pk=batch.pk).update(
            outcomes=bytes([Outcome.REFUSED]) * batch.size, due_at_ms=None
        )
    prepared: Any = SimpleNamespace(id=alert.pk, answers=answers)

    async def call(function: Any, *words: Any) -> Any:
        return function(*words)

    recorder = RefusalRecorder(call, {alert.pk: prepared}, [], str)
    with pytest.raises(StopIteration) as ended:  # nothing in it waits, so no event loop is needed
        recorder.close(alert.pk).send(None)
    assert ended.value.value is False
    deferred = sum(Batch.objects.filter(alert=alert).values_list("deferred", flat=True))
    assert deferred == 30 and alert.pk not in claims.complete()
