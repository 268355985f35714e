"""Finds the hosts that take a domain's mail (RFC 5321 §5.1), or why none does."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Sequence
from typing import NamedTuple

from morefollows.courier import public_suffixes
from morefollows.courier.mx.lookup.dns_client import DnsAnswer, DnsClient, DnsFailed
from morefollows.courier.relays.interface import Reached, Reply
from morefollows.helpers.public_addresses import is_public

_MOST_HOSTS = 12  # MX hosts that are tried
_MOST_ADDRESSES = 8  # IP addresses of one host

# Our own replies for domains without mail, as a mail system would give them.
NULL_MX = Reply(556, "5.1.10", "The domain accepts no mail (null MX, RFC 7505).", Reached.RCPT)
NO_DOMAIN = Reply(550, "5.1.2", "The domain does not exist.", Reached.RCPT)
NO_HOST = Reply(550, "5.1.2", "The domain has no mail host.", Reached.RCPT)
LOOP = Reply(451, "4.4.6", "The mail host of this domain is this machine itself.", Reached.ENVELOPE)


def dns_reply(why: str) -> Reply:
    """The reply for a mail whose domain can't be looked up now."""
    return Reply(451, "4.4.3", f"The DNS can’t be asked: {why}.", Reached.ENVELOPE)


class MxHosts(NamedTuple):
    """Where a domain's mail goes."""

    hosts: tuple[tuple[int, str], ...]  #: preference and host name, the best first
    provider: str  #: registrable domain of the best host
    secure: bool  #: the MX records were validated by DNSSEC
    until: float  #: on the monotonic clock


class HostAddress(NamedTuple):
    """An IP address of an MX host."""

    ip: str
    secure: bool  #: validated by DNSSEC


async def mx_hosts_of(
    dns: DnsClient, domain: str, ours: Collection[str] = ()
) -> MxHosts | tuple[Reply, float]:
    """Returns the domain's MX hosts; or the reply for its mails, and until when it holds.

    `ours`: our own host names. An MX host among them, and all that are no better, are left out
    (RFC 5321 §5.1), or mail would come back to us for ever. Raises `DnsFailed`.
    """
    answer = await dns.ask(domain, "MX")
    if not answer.records:
        if not answer.exists:
            return NO_DOMAIN, answer.until
        # The implicit MX: the domain itself, if it has an address.
        if not await addresses_of(dns, domain, private=True):
            return NO_HOST, answer.until
        found = [(0, domain)]
    else:
        found = sorted(
            (record.preference, str(record.exchange).rstrip(".").lower())
            for record in answer.records
        )
        if found == [(0, "")] or all(host == "" for _, host in found):
            return NULL_MX, answer.until
    own = [preference for preference, host in found if host in ours]
    if own:
        found = [(preference, host) for preference, host in found if preference < min(own)]
        if not found:
            return LOOP, answer.until
    hosts = tuple((preference, host) for preference, host in found if host)[:_MOST_HOSTS]
    provider = public_suffixes.registered(hosts[0][1]) or hosts[0][1]
    return MxHosts(hosts, provider, answer.secure, answer.until)


async def addresses_of(dns: DnsClient, host: str, *, private: bool) -> list[HostAddress]:
    """Returns the IPv6 and IPv4 addresses of a host, alternating, IPv6 first (RFC 8305 §4).

    Without `private`, addresses that are not public are left out: anybody can enter an address
    whose domain points into our own network. Raises `DnsFailed` if neither kind can be asked.
    """
    try:
        return _public([HostAddress(str(ipaddress.ip_address(host)), False)], private)
    except ValueError:
        pass
    answers: list[DnsAnswer] = []
    failed: DnsFailed | None = None
    for kind in ("AAAA", "A"):
        try:
            answers.append(await dns.ask(host, kind))
        except DnsFailed as error:
            failed = error
    if failed is not None and not any(answer.records for answer in answers):
        raise failed
    lists = [
        [HostAddress(str(record.address), answer.secure) for record in answer.records]
        for answer in answers
    ]
    turns = max(map(len, lists), default=0)
    mixed = [one[turn] for turn in range(turns) for one in lists if turn < len(one)]
    return list(_public(mixed, private))[:_MOST_ADDRESSES]


def _public(found: Sequence[HostAddress], private: bool) -> list[HostAddress]:
    return [one for one in found if private or is_public(one.ip)]
