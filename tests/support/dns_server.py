"""A DNS server on loopback that says what a test wants: zones as text, failures, and the AD bit.

In a test's own event loop::

    async with DnsServer("reader.example. MX 10 mx.reader.example.", ...) as dns:
        dns.address  # host:port
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset


class DnsServer(asyncio.DatagramProtocol):
    """Each record is ``NAME TYPE DATA``. `secure`: every answer has the AD bit, if asked for.

    `fails`: names answered with SERVFAIL; `silent`: names that get no answer.
    """

    def __init__(self, *records: str, ttl: int = 60, secure: bool = False, port: int = 0) -> None:
        self.records: dict[tuple[str, str], dns.rrset.RRset] = {}
        self.secure = secure
        self.fails: set[str] = set()
        self.silent: set[str] = set()
        self.asked: Counter[tuple[str, str]] = Counter()
        self.port = port
        self._ttl = ttl
        self._transport: Any = None
        for record in records:
            self.add(record)

    def add(self, record: str) -> None:
        """Adds a record."""
        name, kind, data = record.split(maxsplit=2)
        key = (name.lower(), kind)
        one = dns.rrset.from_text(name, self._ttl, "IN", kind, data)
        if key in self.records:
            self.records[key].update(one)
        else:
            self.records[key] = one

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> DnsServer:
        self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", self.port)
        )
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answers a question."""
        question = dns.message.from_wire(data)
        asked = question.question[0]
        name, kind = str(asked.name).lower(), dns.rdatatype.to_text(asked.rdtype)
        self.asked[name, kind] += 1
        if name in self.silent:
            return
        answer = dns.message.make_response(question, recursion_available=True)
        if self.secure and question.flags & dns.flags.AD:
            answer.flags |= dns.flags.AD
        if name in self.fails:
            answer.set_rcode(dns.rcode.SERVFAIL)
        else:
            while (alias := self.records.get((name, "CNAME"))) is not None:
                answer.answer.append(alias)
                name = str(alias[0].target).lower()
            found = self.records.get((name, kind))
            if found is not None:
                answer.answer.append(found)
            elif not any(known == name or known.endswith("." + name) for known, _ in self.records):
                answer.set_rcode(dns.rcode.NXDOMAIN)
        self._transport.sendto(answer.to_wire(), addr)
