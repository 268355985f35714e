"""Many sign-ups at once: together on disk, and each as if it had come alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from morefollows.audience.addresses import parse
from morefollows.audience.consent import confirmation, withdrawal
from morefollows.audience.models import (
    Consent,
    Letter,
    Reader,
    Subscription,
    Suppression,
    Topic,
)
from morefollows.audience.signup import record, writer
from morefollows.audience.signup.record import SignUp
from morefollows.audience.signup.writer import SignUpResult
from morefollows.audience.suppression import suppressing
from tests.audience.support import CY, make_sign_up, newest_link, sign_up, write_group
from tests.support import sandbox

ADDRESSES = (CY, "dee@reader.example", "CY@reader.example", "gone@reader.example")


def rows() -> list[list[dict[str, Any]]]:
    """All that was written, without keys, times and secrets."""
    hidden = ("id", "created_at", "at", "since", "confirmed_at", "due_at_ms", "uid")
    keys = dict(Reader.objects.values_list("pk", "key"))
    return [
        sorted(
            (
                {
                    name: keys[value] if name == "reader_id" else value
                    for name, value in row.items()
                    if name not in hidden
                }
                for row in model.objects.values()
            ),
            key=str,
        )
        for model in (Reader, Subscription, Consent, Letter)
    ]


def dues() -> list[list[int]]:
    """For each reader how long after the first letter each is due, in tenths of a second."""
    found: dict[int, list[int]] = {}
    for reader, due in Letter.objects.order_by("due_at_ms", "pk").values_list(
        "reader", "due_at_ms"
    ):
        found.setdefault(reader, []).append(due)
    return sorted([round((due - all_[0]) / 100_000) for due in all_] for all_ in found.values())


FORMS = st.tuples(
    st.sampled_from(ADDRESSES),
    st.sampled_from(["breaking", "politics"]),
    st.booleans(),
    st.sampled_from(["en", "de"]),
)


@settings(
    max_examples=sandbox.examples(40),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    before=st.lists(FORMS, max_size=3),
    then=st.sampled_from(["", "confirmed", "left", "bounced"]),
    group=st.lists(FORMS, min_size=1, max_size=6),
)
def test_a_group_is_written_as_if_each_had_come_alone(
    breaking: Topic, before: list[Any], then: str, group: list[Any]
) -> None:
    found = []
    for together in (False, True):
        with transaction.atomic():
            _prepare(before, then)
            sign_ups = [
                make_sign_up(Topic.objects.get(slug=slug), address, offers=offers, language=lang)
                for address, slug, offers, lang in group
            ]
            for part in [sign_ups] if together else [[one] for one in sign_ups]:
                write_group(part)
            found.append((rows(), dues()))
            transaction.set_rollback(True)
    assert found[0] == found[1]


def _prepare(before: list[Any], then: str) -> None:
    key = parse("gone@reader.example").key
    Suppression.objects.create(key=key, reason="complained", at=timezone.now())
    for address, slug, offers, language in before:
        sign_up(Topic.objects.get(slug=slug), address, offers=offers, language=language)
    if not Letter.objects.exists():
        return
    if then in ("confirmed", "left"):
        assert confirmation.confirm(newest_link()) is not None
    reader = Letter.objects.latest("pk").reader
    if then == "left":
        for topic in Topic.objects.all():
            withdrawal.withdraw_consent(reader, "alerts", how="link", topic=topic)
    if then == "bounced":
        suppressing.suppress_readers([reader.pk], "bounced")


def test_known_readers_cost_as_many_statements_as_one(
    breaking: Topic, django_assert_max_num_queries: Any
) -> None:
    """They are written together, too: not statement by statement for each."""
    addresses = [f"reader{number}@reader.example" for number in range(30)]
    for address in addresses:
        sign_up(breaking, address)
    politics = Topic.objects.get(slug="politics")
    sign_ups = [make_sign_up(politics, address) for address in addresses]
    with django_assert_max_num_queries(25):
        write_group(sign_ups)
    assert Subscription.objects.filter(topic=politics).count() == 30
    assert Letter.objects.count() == 60


def test_a_reader_whom_another_process_has_just_added_is_known(
    breaking: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[int] = []
    look_up = record.look_up

    def miss_the_first_time(sign_ups: list[SignUp]) -> record.LookedUp:
        looked_up.append(len(sign_ups))
        found = look_up(sign_ups)
        return found._replace(readers=list) if len(looked_up) == 1 else found

    sign_up(breaking)
    monkeypatch.setattr(record, "look_up", miss_the_first_time)
    write_group([make_sign_up(breaking), make_sign_up(breaking, "dee@reader.example")])
    assert looked_up == [2, 2]
    assert sorted(Reader.objects.values_list("address", flat=True)) == [CY, "dee@reader.example"]
    assert Letter.objects.count() == 2


def test_others_get_half_the_time_for_which_a_group_kept_them_from_writing(
    breaking: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has one writer at a time: nothing is locked while forms are looked up."""
    clock = [1000.0]
    monkeypatch.setattr(writer, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def slow(call: Callable[..., Any], seconds: float) -> Callable[..., Any]:
        def called(*given: Any) -> Any:
            clock[0] += seconds
            return call(*given)

        return called

    monkeypatch.setattr(writer, "_look_up_forms", slow(writer._look_up_forms, 0.125))
    monkeypatch.setattr(record, "insert_sign_ups", slow(record.insert_sign_ups, 0.25))
    for _ in range(2):
        writer._write_group([make_sign_up(breaking, "zoe@reader.example")])
        assert writer._pause() == (0.125 if connection.vendor == "sqlite" else 0.0)


def test_sign_ups_give_way_to_an_alert(breaking: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most 120 a second while one is being sent, which is looked up once a second."""
    clock = [2000.0]
    looks: list[float] = []
    sending = [True]

    def is_sending() -> bool:
        looks.append(clock[0])
        return sending[0]

    monkeypatch.setattr(writer, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(writer, "_is_sending", writer._is_sending)
    monkeypatch.setattr(writer, "_used", threading.local())
    writer.yield_to_alerts(is_sending)
    group = [make_sign_up(breaking, f"zoe{number}@reader.example") for number in range(5)]
    writer._write_group(group)
    assert writer._pause() == 5 / 120
    sending[0] = False
    clock[0] += 0.5
    assert writer._pause() == 5 / 120
    clock[0] += 0.5
    assert writer._pause() == 0.0
    assert looks == [2000.0, 2001.0]


def test_each_of_a_group_gets_its_own_answer(breaking: Topic, cy: Reader) -> None:
    Suppression.objects.create(
        key=parse("gone@reader.example").key, reason="complained", at=timezone.now()
    )
    statement = make_sign_up(breaking).statement

    def asked(address: str, **changes: Any) -> SignUp:
        return make_sign_up(breaking, address)._replace(client_address="", **changes)

    results = writer._write_group(
        [
            asked("zoe@reader.example"),
            asked("gone@reader.example"),
            asked("evil@reader.example", origin="https://evil.example"),
            asked(CY),
            asked("ann@reader.example", statement=statement._replace(offers=999_999)),
            asked("ida@reader.example", statement=statement._replace(digest=b"other one")),
            asked("zoe@reader.example"),
            asked("bob@reader.example"),
        ]
    )
    assert results == [
        SignUpResult.NOTED,
        SignUpResult.NOTED,
        SignUpResult.UNKNOWN_SITE,
        SignUpResult.NOTED,
        SignUpResult.UNKNOWN_FORM,
        SignUpResult.UNKNOWN_FORM,
        SignUpResult.NOTED,
        SignUpResult.NOTED,
    ]
    assert sorted(Reader.objects.values_list("address", flat=True)) == [
        "bob@reader.example",
        CY,
        "zoe@reader.example",
    ]
    assert Letter.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_one_that_can_not_be_written_fails_alone(
    breaking: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = record.insert_sign_ups

    def refuse_bob(rows: record.Rows) -> None:
        if any("bob@reader.example" in own for _, own in rows.readers):
            raise IntegrityError("not bob")
        insert(rows)

    monkeypatch.setattr(record, "insert_sign_ups", refuse_bob)
    answers = writer._group._write_items(
        [make_sign_up(breaking, f"{name}@reader.example") for name in ("ann", "bob", "zoe")]
    )
    assert [getattr(one, "value", str(one)) for one in answers] == ["noted", "not bob", "noted"]
    assert Reader.objects.count() == 2
