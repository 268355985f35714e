"""Whom a request comes from."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from morefollows.helpers import client_address as helpers_client_address
from morefollows.helpers.client_address import behind_proxies, client_address
from morefollows.helpers.networks import network


@pytest.mark.parametrize(
    ("heard", "address", "counted_by"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
        (
            "::ffff:192.0.2.7",
            "192.0.2.7",
            "192.0.2.7",
        ),  # a socket for both: else all of IPv4 is one network
        ("2001:db8::1:2", "2001:db8::1:2", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
        ("unix:", "", ""),
    ],
)
def test_each_network_is_counted_by_itself(heard: str, address: str, counted_by: str) -> None:
    found = client_address(RequestFactory(REMOTE_ADDR=heard).get("/"))
    assert (found, network(found)) == (address, counted_by)


@pytest.mark.parametrize(
    ("heard", "address"),
    [
        ("192.0.2.5:4711", "192.0.2.5"),
        ("[2001:db8::5]:4711", "2001:db8::5"),
        ("[2001:db8::5]", "2001:db8::5"),
        ("2001:db8::5", "2001:db8::5"),
        ("192.0.2.5:x", ""),
        ("unknown", ""),
        ("192.0.2.5, 192.0.2.6:80", "192.0.2.6"),
    ],
)
def test_what_proxies_write_is_understood(heard: str, address: str) -> None:
    assert behind_proxies("10.0.0.1", heard, 1) == address


def test_a_proxy_that_is_not_believed_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    helpers_client_address._warn_of_proxy.cache_clear()
    for peer, headers in (("127.0.0.1", {}), ("8.8.8.8", {"X-Forwarded-For": "192.0.2.7"})):
        client_address(RequestFactory(REMOTE_ADDR=peer, headers=headers).get("/"))
    assert caplog.messages == []
    for _ in range(2):
        asked = RequestFactory(
            REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": "192.0.2.7"}
        ).get("/")
        assert client_address(asked) == "127.0.0.1"
    [told] = caplog.messages
    assert "MOREFOLLOWS_TRUSTED_PROXIES" in told
    assert "192.0.2.7" not in told
