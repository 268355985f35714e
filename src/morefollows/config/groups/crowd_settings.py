"""The settings that bound what many readers, or few strangers, can ask of the web server."""

from __future__ import annotations

from dataclasses import dataclass

from morefollows.config import setting_parsers as be
from morefollows.config.declaring import setting


@dataclass(frozen=True)
class CrowdSettings:
    """A part of `Settings`."""

    sign_ups_a_network: int = setting(
        "30",
        be.whole_number(0, 1_000_000),
        "Sign-ups an hour from one network (IPv4 address or IPv6 /64) before browsers have "
        "to do a proof of work.",
    )
    sign_ups_a_network_at_most: int = setting(
        "1000",
        be.whole_number(1, 1_000_000),
        "Sign-ups an hour from one network before more of them are refused.",
    )
    sign_ups_a_domain: int = setting(
        "200",
        be.whole_number(0, 1_000_000),
        "Sign-ups an hour for one mail domain, large providers apart, before browsers have "
        "to do a proof of work.",
    )
    sign_ups_a_mailbox: int = setting(
        "5",
        be.whole_number(0, 1_000_000),
        "Sign-ups an hour for one mailbox, whatever tags and dots are in the address, before "
        "browsers have to do a proof of work. Three times as many are refused.",
    )
    sign_ups_in_all: int = setting(
        "50000",
        be.whole_number(16, 100_000_000),
        "Sign-ups an hour in all, before browsers have to do a proof of work.",
    )
    work: int = setting(
        "50000",
        be.whole_number(1, 10_000_000),
        "The size of a proof of work: half as many hashes, on the average.",
    )
    streams: int = setting(
        "20000",
        be.whole_number(0, 1_000_000),
        "Open event streams of the live pages, at most, in one web process.",
    )
    streams_a_network: int = setting(
        "500",
        be.whole_number(1, 1_000_000),
        "Open event streams from one network (IPv4 address or IPv6 /64), at most, in one web "
        "process.",
    )
    security_contact: str = setting(
        "",
        be.contact,
        "Where to report a weakness, for /.well-known/security.txt: a mail address, or a URL that "
        "begins with https:. Empty: no such page.",
    )
    connections: int = setting(
        "6000",
        be.whole_number(10, 100_000),
        "Open connections, event streams apart, at most, in one web process. Above that the one "
        "that has waited longest for a request is closed.",
    )
    connections_a_network: int = setting(
        "500",
        be.whole_number(1, 100_000),
        "Open connections from one network (IPv4 address or IPv6 /64), at most, and four times as "
        "many from its neighbours (/24, /48). Behind a proxy they are not counted.",
    )
