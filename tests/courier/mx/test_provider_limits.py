"""Our own addresses, providers' limits, and what is learned of them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from morefollows.courier.mx.learned_limits import LearnedLimits
from morefollows.courier.mx.provider_connections import MailProvider
from morefollows.courier.mx.provider_limits import ProviderLimit, limits_of
from morefollows.courier.mx.source_addresses import SourceAddress, Sources, read_sources
from morefollows.courier.mx.tls_results import TlsResults
from morefollows.courier.mx.warm_up import warm_up_days

_DAY = 86_400.0
_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()


def test_sources_are_read_from_the_url() -> None:
    one, two = read_sources("192.0.2.1/mx1.example.org/3/2026-11-20,2001:db8::1/MX2.example.org")
    assert (one.ip, one.name, one.weight, one.since) == (
        "192.0.2.1",
        "mx1.example.org",
        3,
        date(2026, 11, 20),
    )
    assert (two.ip, two.name, two.weight, two.since) == ("2001:db8::1", "mx2.example.org", 1, None)
    for wrong in ("", "192.0.2.1", "192.0.2.1/x y", "192.0.2.1/a/0", "a/b", "192.0.2.1/a/1/soon"):
        with pytest.raises(ValueError, match="must be like"):
            read_sources(wrong)


def test_connections_follow_the_weights_and_the_kind_of_address() -> None:
    sources = Sources(
        read_sources("192.0.2.1/a.example/3,192.0.2.2/b.example/1,2001:db8::1/c.example")
    )
    chosen = []
    for _ in range(40):
        source = sources.choose("203.0.113.5", "google.com")
        assert source is not None
        sources.used(source.ip, source.name.encode())
        chosen.append(source.name)
    assert chosen.count("a.example") == pytest.approx(30, abs=1)
    six = sources.choose("2001:db8::9", "google.com")
    assert six is not None and six.name == "c.example"
    assert Sources(read_sources("192.0.2.1/a.example")).choose("2001:db8::9", "x") is None


def test_an_address_that_warms_up_sends_little_while_another_can() -> None:
    now = _NOON
    sources = Sources(
        read_sources("192.0.2.1/new.example/100/2026-11-20,192.0.2.2/old.example"), lambda: now
    )

    def next_name() -> str:
        source = sources.choose("203.0.113.5", "google.com")
        assert source is not None
        return source.name

    first = warm_up_days()[0]
    assert next_name() == "new.example" and sources.warming("google.com")
    sources.sent("192.0.2.1", b"new.example", "google.com", first)
    assert next_name() == "old.example"
    assert sources.choose("203.0.113.5", "yahoodns.net").name == "new.example"  # type: ignore[union-attr]
    now += _DAY
    assert next_name() == "new.example", "a new day"
    now += len(warm_up_days()) * _DAY
    assert not sources.warming("google.com")
    alone = Sources([SourceAddress("", "new.example", 1, date(2026, 11, 20))], lambda: _NOON)
    alone.sent("", b"new.example", "google.com", 10 * first)
    assert alone.choose("203.0.113.5", "google.com") is not None, "an alert can't wait for days"


def test_every_provider_has_limits_and_warming_up_only_grows() -> None:
    assert limits_of("nobody.example") == limits_of("default")
    assert 0 < limits_of("orange.fr").connections < limits_of("default").connections
    assert warm_up_days() == sorted(warm_up_days())


class _Route:
    """A route that only counts."""

    def __init__(self, mails: int) -> None:
        self.mails, self.connections, self.begun_at = mails, 0, 0.0
        self.room, self.rate = 64, 0.0

    @property
    def empty(self) -> bool:
        return not self.mails

    def begin(self, connections: int) -> None:
        self.connections = connections

    def limit(self, connections: int) -> None:
        self.connections = connections

    def end(self) -> None:
        self.connections = 0


def test_the_number_of_connections_is_halved_and_heals() -> None:
    now = 100.0
    provider = MailProvider("a.example", ProviderLimit(20, 0, 0.0), lambda: now)
    one, two = _Route(1), _Route(1)
    provider.want(one)
    assert one.connections == 20
    provider.want(two)
    assert (one.connections, two.connections) == (10, 10)
    provider.too_many()
    provider.too_many()  # of the same moment
    assert (one.connections, two.connections) == (5, 5)
    now += 61
    provider.pass_time()
    assert provider.learned.connections == 11


def test_routes_take_turns_if_there_are_more_than_connections() -> None:
    now = 100.0
    provider = MailProvider("a.example", ProviderLimit(2, 0, 0.0), lambda: now)
    routes = [_Route(1) for _ in range(3)]
    for route in routes:
        provider.want(route)
    assert [route.connections for route in routes] == [1, 1, 0]
    routes[0].mails = 0
    provider.emptied(routes[0])
    provider.ended(routes[0])
    assert [route.connections for route in routes] == [0, 1, 1]


def test_one_content_is_in_flight_until_a_provider_has_proven_itself() -> None:
    learned = LearnedLimits(ProviderLimit(20, 100, 0.0))
    assert not learned.may_pipeline
    learned.accepted(5_000)
    assert learned.may_pipeline
    learned.broken()
    assert not learned.may_pipeline
    learned.note_mails_each(20)
    learned.note_mails_each(50)
    assert learned.mails_each == 20


def test_results_of_tls_have_the_names_of_the_report() -> None:
    results = TlsResults()
    for why in (
        "",
        "does not offer STARTTLS, which the settings require",
        "has a certificate that can't be trusted: Hostname mismatch, certificate is not valid for",
        "has a certificate that can't be trusted: certificate has expired",
        "has a certificate that can't be trusted: self-signed certificate",
        "has a certificate that its TLSA records don't know",
        "can't be agreed with on TLS: wrong version number",
    ):
        results.add("a.example", "sts", "mx.a.example", why)
    assert {one.result for one in results.take()} == {
        "",
        "starttls-not-supported",
        "certificate-host-mismatch",
        "certificate-expired",
        "certificate-not-trusted",
        "validation-failure",
    }
    assert not results.take()
