"""A small DNS client for asyncio: one UDP socket for each question, TCP when an answer is cut off.

Answers are cached for their time to live, failures for a short time. The name server should be a
validating one on this machine: only then its AD bit is believed (RFC 4035 §4.9.3, RFC 7672 §2.1.1).
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.resolver

_WAITS = (1.0, 2.0, 4.0)  # seconds for an answer, for each attempt
_AT_ONCE = 200  # questions in flight
_MOST_KEPT = 100_000  # answers
_LEAST_TTL, _MOST_TTL = 30.0, 86_400.0  # seconds
_NONE_FOR = 300.0  # seconds for which "no such name" is kept, at most (RFC 2308 §5)
_FAILED_FOR = 20.0  # seconds until a failed question is asked again
_PAYLOAD = 1232  # octets of a UDP answer; what passes without fragments (DNS flag day 2020)


class DnsFailed(Exception):
    """The DNS gave no answer: time-out, SERVFAIL, or a bogus signature. Try again later."""


class DnsAnswer(NamedTuple):
    """What the DNS says of a name and type."""

    records: Sequence[Any]  #: dnspython's rdata; empty if there are none
    exists: bool  #: the name exists, perhaps with other types
    secure: bool  #: validated by DNSSEC, as a name server on this machine says
    until: float  #: on the monotonic clock


class DnsClient:
    """Asks the name servers. `nameserver`: host:port, or "" for those of resolv.conf.

    `now`: the monotonic clock.
    """

    def __init__(self, nameserver: str = "", now: Callable[[], float] = time.monotonic) -> None:
        if nameserver:
            host, _, port = nameserver.rpartition(":")
            self._servers = [(host.strip("[]"), int(port))]
        else:
            system = dns.resolver.Resolver()
            self._servers = [(str(host), system.port) for host in system.nameservers]
        self._trusted = all(ipaddress.ip_address(host).is_loopback for host, _ in self._servers)
        self._now = now
        self._kept: dict[tuple[str, str], DnsAnswer | tuple[float, str]] = {}
        self._asking: dict[tuple[str, str], asyncio.Task[DnsAnswer]] = {}
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def ask(self, name: str, kind: str) -> DnsAnswer:
        """Returns the records of `kind`, such as MX. Follows CNAMEs. Raises `DnsFailed`."""
        key = (name.rstrip(".").lower(), kind)
        kept = self._kept.get(key)
        if isinstance(kept, DnsAnswer) and kept.until > self._now():
            return kept
        if isinstance(kept, tuple) and not isinstance(kept, DnsAnswer) and kept[0] > self._now():
            raise DnsFailed(kept[1])
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._answer(key))
            task.add_done_callback(lambda done: self._answered(key, done))
        return await asyncio.shield(task)

    def _answered(self, key: tuple[str, str], task: asyncio.Task[DnsAnswer]) -> None:
        self._asking.pop(key, None)
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        if task.cancelled():
            return
        error = task.exception()
        self._kept[key] = (self._now() + _FAILED_FOR, str(error)) if error else task.result()

    async def _answer(self, key: tuple[str, str]) -> DnsAnswer:
        try:
            question = dns.message.make_query(
                dns.name.from_text(key[0] + "."), key[1], use_edns=0, payload=_PAYLOAD
            )
        except (dns.exception.DNSException, ValueError, UnicodeError):
            return DnsAnswer((), False, False, self._now() + _NONE_FOR)
        # AD in a question asks for it in the answer, without the signatures (RFC 6840 §5.7).
        question.flags |= dns.flags.AD
        why = "the name server does not answer"
        async with self._room:
            for attempt, wait in enumerate(_WAITS):
                host, port = self._servers[attempt % len(self._servers)]
                try:
                    reply = await dns.asyncquery.udp(
                        question, host, timeout=wait, port=port, ignore_unexpected=True
                    )
                    if reply.flags & dns.flags.TC:
                        reply = await dns.asyncquery.tcp(question, host, timeout=wait, port=port)
                except (OSError, dns.exception.DNSException, EOFError):
                    continue
                code = reply.rcode()
                if code in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                    return self._read(question, reply, key[1])
                why = f"the name server answers {dns.rcode.to_text(code)}"
        raise DnsFailed(why)

    def _read(
        self, question: dns.message.QueryMessage, reply: dns.message.Message, kind: str
    ) -> DnsAnswer:
        name, ttl = question.question[0].name, _MOST_TTL
        wanted = dns.rdatatype.from_text(kind)
        for _ in range(12):
            found = reply.get_rrset(reply.answer, name, dns.rdataclass.IN, wanted)
            if found is not None:
                ttl = min(ttl, found.ttl)
                return DnsAnswer(list(found), True, self._is_secure(reply), self._until(ttl))
            alias = reply.get_rrset(reply.answer, name, dns.rdataclass.IN, dns.rdatatype.CNAME)
            if alias is None:
                break
            ttl, name = min(ttl, alias.ttl), alias[0].target
        exists = reply.rcode() != dns.rcode.NXDOMAIN
        none_for = min([_NONE_FOR, *(one.ttl for one in reply.authority)])
        return DnsAnswer((), exists, self._is_secure(reply), self._until(none_for))

    def _is_secure(self, reply: dns.message.Message) -> bool:
        return self._trusted and bool(reply.flags & dns.flags.AD)

    def _until(self, ttl: float) -> float:
        return self._now() + min(max(ttl, _LEAST_TTL), _MOST_TTL)
