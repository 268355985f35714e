"""No name that somebody else chose leads into our own networks, by whatever way out."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from morefollows.api.webhooks import posting
from morefollows.audit import sinks
from morefollows.config.addresses.log_sink import LogSink
from morefollows.courier.preflight import guarded_visit
from morefollows.helpers import guarded_lookup, public_addresses
from morefollows.ingest.sources import fetching

PUBLIC = "93.184.215.14"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::1",
        "::",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "2002:7f00:1::",
        "64:ff9b::a00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "fec0::1",
        "2002:808:808::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "2001:20::1",
        "3fff::1",
        "4000::1",
        "::8.8.8.8",
        "192.88.99.1",
        "no address",
        "::127.0.0.1",
    ],
)
def test_inside_is_never_asked(address: str) -> None:
    assert not public_addresses.is_public(address)


@pytest.mark.parametrize(
    "address", [PUBLIC, "2606:2800:220:1:248:1893:25c8:1946", f"::ffff:{PUBLIC}"]
)
def test_the_open_internet_is(address: str) -> None:
    assert public_addresses.is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "::1", "::", "fe80::1%eth0"),
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "2002:7f00:1::"),
        *("2002:a9fe:a9fe::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "ff02::1", "no address"),
    ],
)
def test_this_machine_and_its_link_are_not_elsewhere(address: str) -> None:
    assert not public_addresses.is_elsewhere(address)


@pytest.mark.parametrize(
    "address", [PUBLIC, "10.0.0.1", "fc00::1", "64:ff9b::a00:1", "2002:a00:1::"]
)
def test_the_own_network_is_elsewhere(address: str) -> None:
    assert public_addresses.is_elsewhere(address)


def test_one_address_that_is_refused_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_lookup, "_find", lambda _host, _port: [PUBLIC, "127.0.0.1"])
    with pytest.raises(guarded_lookup.AddressRefused, match=r"127\.0\.0\.1"):
        guarded_lookup.resolve("both.example", 443, public_addresses.is_public)
    assert guarded_lookup.resolve("both.example", 443, guarded_lookup.anywhere)[0] == PUBLIC


def test_a_name_without_an_address_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded_lookup, "_find", lambda _host, _port: [])
    with pytest.raises(guarded_lookup.NameNotFound):
        guarded_lookup.resolve("none.example", 443, guarded_lookup.anywhere)


def _post() -> None:
    with pytest.raises(posting.NotPosted):
        posting.post_event("http://turns.example/", b"", {}, inside=False)


def _send_entry() -> None:
    sink = sinks._Webhook(LogSink("http", "turns.example", 80, path="/", secret="s" * 16))
    with pytest.raises(OSError, match="noted"):
        sink._post(b"", {})


def _visit() -> None:
    assert guarded_visit.visit("http://turns.example/").trouble == "unreachable"


def _fetch() -> None:
    with pytest.raises(fetching.NotFetched):
        asyncio.run(fetching.fetch("http://turns.example/", fetching.FetchLimits()))


@pytest.mark.parametrize("go_out", [_post, _send_entry, _visit, _fetch])
def test_a_name_that_turns_inside_after_the_check_leads_nowhere(
    go_out: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the first answer is public, every further one is this machine."""
    answers = iter([PUBLIC])
    connected: list[str] = []
    known = socket.getaddrinfo

    def look_up(host: str, port: int, *args: object, **more: object) -> object:
        if host != "turns.example":
            return known(host, port, *args, **more)  # type: ignore[arg-type]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers, "127.0.0.1"), port))]

    def connect(address: tuple[str, int], *_args: object, **_more: object) -> socket.socket:
        connected.append(address[0])
        raise OSError("noted")

    async def open_connection(host: str, *_args: object, **_more: object) -> None:
        connected.append(host)
        raise OSError("noted")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(asyncio, "open_connection", open_connection)
    go_out()
    assert connected == [PUBLIC]
