"""How soon each mailbox provider accepted an alert's mails, from the sender to the desk's page."""

from __future__ import annotations

from collections import Counter

import pytest
from django.test import Client

from morefollows.courier.models import TlsCount
from morefollows.courier.mx.tls_results import TlsSession
from morefollows.courier.relays.accept_times import AllAcceptTimes, store_times, time_bin
from morefollows.courier.relays.relay_status import store_tls
from morefollows.feedback.provider_times import provider_speeds
from tests.courier.support import alert_for

pytestmark = pytest.mark.django_db


def test_times_of_two_senders_are_summed_by_provider(ada_at_desk: Client) -> None:
    alert = alert_for(3)
    providers = {"gmail.com": "google.com", "herald.example": "google.com"}.get
    for worker in ("a/1", "b/1"):
        accept_times = AllAcceptTimes()
        times = accept_times.of(alert.pk)
        for i in range(100):
            times["gmail.com"].append(10 * i)
            times["herald.example"].append(10 * i)
        times["small.example"].append(9_000)
        store_times(worker, accept_times.take(lambda domain: providers(domain, domain)))
        assert accept_times.take(str) == {}, "nothing new"
        times["gmail.com"].append(5_000)
        store_times(worker, accept_times.take(lambda domain: providers(domain, domain)))
    google, small = provider_speeds(alert)
    assert (google.provider, google.mails, google.first) == ("google.com", 402, 0.0)
    assert google.p50 == pytest.approx(0.5, rel=0.05)
    assert google.p90 == pytest.approx(0.9, rel=0.05)
    assert google.p99 == pytest.approx(0.99, rel=0.05)
    assert (small.provider, small.mails, small.p99) == ("", 2, pytest.approx(9.0, rel=0.05))
    page = ada_at_desk.get("/desk/relays/").content.decode()
    assert "Time to each mailbox provider" in page and "google.com" in page


def test_times_of_an_alert_that_is_gone_are_left_out() -> None:
    store_times("a/1", {4711: {"google.com": Counter({1: 1})}})


def test_a_bin_is_narrow_and_there_are_few() -> None:
    assert all(0 <= one - time_bin(one) <= one * 0.032 for one in range(100_000))
    assert len({time_bin(one) for one in range(0, 86_400_000, 997)}) < 700


def test_tls_sessions_are_counted_by_day_policy_and_result() -> None:
    good = TlsSession("a.example", "sts", "mx.a.example", "")
    bad = good._replace(result="certificate-expired")
    for _ in range(2):
        store_tls(Counter({good: 3, bad: 1}))
    found = TlsCount.objects.order_by("result").values_list("result", "sessions")
    assert list(found) == [("", 6), ("certificate-expired", 2)]
