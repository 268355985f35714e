"""Alerts go only to readers whose confirmed consent is in force, in any order of events."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from morefollows.audience import lists
from morefollows.audience.addresses import parse
from morefollows.audience.consent import confirmation, withdrawal
from morefollows.audience.link_tokens import links
from morefollows.audience.models import Consent, Letter, Reader, Subscription, Suppression, Topic
from morefollows.audience.suppression import suppressing
from morefollows.stories.alerts import alert_audience
from tests.audience.support import leave_link, sign_up
from tests.support import sandbox

PEOPLE = ("cy@reader.example", "dee@reader.example")
STEPS = (
    "sign up",
    "sign up with offers",
    "confirm",
    "confirm an old link",
    "leave",
    "withdraw offers",
    "import with provenance",
    "import without",
    "bounce",
)
HISTORIES = st.lists(
    st.tuples(st.sampled_from(STEPS), st.sampled_from(PEOPLE), st.integers(0, 1)), max_size=14
)


class Model:
    """What ought to be, kept as simply as can be: per reader and topic, and per reader."""

    def __init__(self) -> None:
        self.alerts: dict[tuple[str, int], str] = {}  # pending | active | ended
        self.offers: dict[str, bool] = {}
        self.asked_offers: dict[str, bool] = {}
        self.suppressed: set[str] = set()
        self.left: set[str] = set()

    def active(self) -> set[tuple[str, int]]:
        return {
            place
            for place, state in self.alerts.items()
            if state == "active" and place[0] not in self.suppressed
        }


@pytest.fixture
def patient() -> Iterator[None]:
    """Every sign-up is mailed at once."""
    with override_settings(MOREFOLLOWS=replace(settings.MOREFOLLOWS, confirmation_interval=0)):
        yield


@seed(2026)
@hypothesis_settings(
    max_examples=sandbox.examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(history=HISTORIES)
def test_active_means_confirmed_and_in_force(
    newsroom: object, patient: None, history: list[tuple[str, str, int]]
) -> None:
    with transaction.atomic():
        topics = list(Topic.objects.all()[:2])
        model = Model()
        for step, person, n in history:
            take(step, person, topics[n], n, model)
            check(model, topics)
        transaction.set_rollback(True)


def take(step: str, person: str, topic: Topic, n: int, model: Model) -> None:
    """One step, in the product and in the model."""
    reader = Reader.objects.filter(key=parse(person).key).first()
    place = (person, n)
    dead = person in model.suppressed
    if step.startswith("sign up"):
        sign_up(topic, person, offers=step.endswith("offers"))
        if not dead and model.alerts.get(place) != "active":
            model.alerts[place] = "pending"
    elif step.startswith("confirm"):
        confirm(step, person, reader, topic, place, model)
    elif step == "leave" and reader is not None:
        assert withdrawal.unsubscribe(leave_link(reader, topic), "one-click")
        if model.alerts.get(place) in ("pending", "active"):
            model.alerts[place] = "ended"
            settle(person, model)
    elif step == "withdraw offers" and reader is not None:
        withdrawal.withdraw_consent(reader, "offers", how="desk")
        model.offers[person] = False
        settle(person, model)
    elif step.startswith("import"):
        words = "old list" if step.endswith("provenance") else None
        file = io.BytesIO(person.upper().encode())
        lists.import_readers(
            file,
            topic=topic,
            provenance=words,
            progress=lambda position: None,
            consented_at=timezone.now(),
        )
        if not dead and person not in model.left:
            before = model.alerts.get(place)
            if words and before in (None, "pending"):
                model.alerts[place] = "active"
            elif before is None:
                model.alerts[place] = "pending"
    elif step == "bounce" and reader is not None:
        suppressing.suppress_readers([reader.pk], "complained")
        model.suppressed.add(person)


def confirm(
    step: str,
    person: str,
    reader: Reader | None,
    topic: Topic,
    place: tuple[str, int],
    model: Model,
) -> None:
    letters = Letter.objects.filter(reader=reader, topic=topic, kind="confirmation").order_by("pk")
    letter = letters.last() if step == "confirm" else letters.first()
    if letter is None or reader is None:
        return
    withdrawn = Consent.objects.filter(
        reader=reader, topic=topic, event="withdrawn", at__gt=letter.created_at
    )
    done = confirmation.confirm(links.link_tokens().confirm(links.row(letter)).decode())
    assert (done is None) == (person in model.suppressed or withdrawn.exists())
    if done is not None:
        if model.alerts[place] == "pending":
            model.alerts[place] = "active"
        model.left.discard(person)
        model.offers[person] = model.offers.get(person, False) or done.offers


def settle(person: str, model: Model) -> None:
    if not any(
        state in ("pending", "active") for (who, _), state in model.alerts.items() if who == person
    ):
        model.offers[person] = False
        if person not in model.suppressed:
            model.left.add(person)


def check(model: Model, topics: list[Topic]) -> None:
    keys = {parse(person).key: person for person in PEOPLE}
    for n, topic in enumerate(topics):
        listening = Subscription.objects.filter(
            topic=topic, state="active", reader__state="confirmed"
        ).exclude(reader__key__in=Suppression.objects.values("key"))
        assert {keys[item.reader.key] for item in listening} == {
            who for who, m in model.active() if m == n
        }
        assert alert_audience.count_readers(topic) == len(listening)
    for reader in Reader.objects.all():
        person = keys[reader.key]
        assert reader.offers == model.offers.get(person, False)
        if person not in model.suppressed:
            assert (reader.state == "unsubscribed") == (person in model.left)
        for subscription in reader.subscriptions.all():
            last = (
                Consent.objects.filter(reader=reader, topic=subscription.topic)
                .order_by("pk")
                .last()
            )
            event = last.event if last else None
            if subscription.state == "active":  # "given": asked for once more, together with offers
                assert event in ("confirmed", "given")
            else:
                assert event != "confirmed"
        offers = Consent.objects.filter(reader=reader, purpose="offers").order_by("pk").last()
        assert not reader.offers or offers is not None
