"""Whom a request comes from."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from morefollows.client import client_address
from morefollows.networks import network


@pytest.mark.parametrize(
    ("heard", "address", "counted_by"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7"),  # a socket for both: else all of IPv4 is one network
        ("2001:db8::1:2", "2001:db8::1:2", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
        ("unix:", "", ""),
    ],
)
def test_each_network_is_counted_by_itself(heard: str, address: str, counted_by: str) -> None:
    found = client_address(RequestFactory(REMOTE_ADDR=heard).get("/"))
    assert (found, network(found)) == (address, counted_by)
