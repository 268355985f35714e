"""The desk's relay page: Ada sees each state, pauses and resumes; Ben can only look."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from django.test import Client

from morefollows.audit.models import AuditEntry
from morefollows.config.addresses.relay_address import relays
from morefollows.courier import relay_pauses
from morefollows.courier.models import Relay, RelayAtWork, RelayCount
from morefollows.courier.relays import relay_status
from morefollows.courier.relays.relay_queue import AtWork, RelayTally

pytestmark = pytest.mark.django_db

OURS = (
    "smtp://ada:s3cret@mail.example.org:587 "
    "smtps://b.example?name=second&rate=14&weight=2&purpose=bulk&tls=require"
)


@pytest.fixture(autouse=True)
def two_relays(settings: Any) -> None:
    settings.MOREFOLLOWS = dataclasses.replace(settings.MOREFOLLOWS, relays=relays(OURS))


def at_work() -> None:
    """Two senders, of which one has lost its connections to the first relay; and Gmail defers."""
    for worker in ("one/1", "one/2"):
        trouble = worker == "one/2"
        facts = [
            AtWork(
                "mail.example.org:587",
                "open" if trouble else "closed",
                0 if trouble else 7,
                3,
                40,
                [],
            ),
            AtWork("second", "closed", 2, 0, 0, [("google.com", 2.5), ("yahoodns.net", 0.0)]),
        ]
        tallies = {
            ("mail.example.org:587", "google.com"): RelayTally(
                20, 3, 1, "451 4.7.1 come back later"
            ),
            ("mail.example.org:587", ""): RelayTally(20, 0, 0, ""),
        }
        relay_status.store_report(worker, facts, tallies)


def page(client: Client) -> str:
    return client.get("/desk/relays/").content.decode()


def test_ada_sees_how_each_relay_is(ada_at_desk: Client) -> None:
    at_work()
    words = page(ada_at_desk)
    for expected in (
        "mail.example.org:587",
        "Being tried again",
        "second",
        ">Healthy<",
        "google.com (5",
        "yahoodns.net (",
    ):
        assert expected in words
    assert "451 4.7.1 come back later" in words
    assert "For offers and summaries only." in words
    assert "/ 14" in words
    assert "s3cret" not in words
    assert "ada:" not in words
    row = RelayCount.objects.get(provider="google.com")
    assert (row.accepted, row.deferred, row.refused) == (40, 6, 2)
    assert "hx-trigger" in words
    assert "hx-trigger" not in ada_at_desk.get("/desk/relays/?still=1").content.decode()


def test_a_sender_that_is_gone_says_nothing_any_more(ada_at_desk: Client) -> None:
    at_work()
    RelayAtWork.objects.update(seen_at_ms=1)
    assert "No sender at work" in page(ada_at_desk)


def test_ada_pauses_one_and_lets_it_go_on(ada_at_desk: Client, ben_at_desk: Client) -> None:
    at_work()
    form = {"relay": "second", "back": "/desk/relays/"}
    assert ben_at_desk.post("/desk/relays/pause/", form).status_code == 403
    assert "relays/pause" not in page(ben_at_desk)
    answer = ada_at_desk.post("/desk/relays/pause/", form, follow=True).content.decode()
    assert "second is paused. Other relays go on." in answer
    assert f"{AuditEntry.objects.get().editor.name} paused it at" in answer
    assert list(Relay.objects.filter(paused_at__isnull=False).values_list("name", flat=True)) == [
        "second"
    ]
    ada_at_desk.post("/desk/relays/resume/", form)
    assert not Relay.objects.filter(paused_at__isnull=False).exists()
    assert set(AuditEntry.objects.values_list("what", flat=True)) == {"pause relay", "resume relay"}


def test_what_a_refusing_relay_said_is_shown(ada_at_desk: Client) -> None:
    relay_pauses.pause_relay("second", "550 5.7.1 <b>not you</b>")
    words = page(ada_at_desk)
    assert "It has refused us since" in words
    assert "550 5.7.1 &lt;b&gt;not you&lt;/b&gt;" in words


def test_a_relay_that_left_the_settings_is_forgotten_with_its_sender_s_next_word() -> None:
    at_work()
    relay_status.store_report("one/1", [AtWork("second", "closed", 1, 0, 0, [])], {})
    assert {row.relay for row in RelayAtWork.objects.filter(worker="one/1")} == {"second"}
