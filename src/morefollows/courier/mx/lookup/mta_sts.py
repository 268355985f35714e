"""MTA-STS (RFC 8461): a domain says by HTTPS which MX hosts it has, and that TLS is required.

A TXT record says that there is a policy, and its id changes with it. The policy is fetched from
``https://mta-sts.DOMAIN/.well-known/mta-sts.txt`` and kept for its `max_age`, in memory and in a
file, so that who suppresses the DNS or HTTPS later can't switch it off (§10.2).

The domain is whatever a reader has entered. So the fetch follows no redirect (§3.3), goes to public
IP addresses only, and reads little.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import ssl
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from morefollows.courier.mx.lookup.dns_client import DnsClient, DnsFailed
from morefollows.courier.mx.lookup.mx_lookup import addresses_of

log = logging.getLogger(__name__)

_SECONDS = 20.0  # for a fetch; RFC 8461 §3.3 suggests up to 60
_MOST_OCTETS = 64 * 1024  # of a policy
_MOST_AGE = 31_557_600  # seconds, one year (§3.2)
_AGAIN_AFTER = 300.0  # seconds after a failed fetch (§3.3 suggests five minutes)
_NONE_FOR = 600.0  # seconds for which "no policy" is kept
_PORT = 443
_MOST_KEPT = 50_000  # domains


class StsPolicy(NamedTuple):
    """A domain's policy. `until`: seconds since 1970."""

    id: str
    mode: str  #: enforce, testing or none
    hosts: tuple[str, ...]  #: patterns of MX hosts
    until: float

    def allows(self, host: str) -> bool:
        """Whether mail may go to this MX host: a wildcard stands for one label (§4.1)."""
        host = host.lower()
        return any(
            host == one or (one.startswith("*.") and host.partition(".")[2] == one[2:])
            for one in self.hosts
        )


def read_policy(text: str, id_: str, now: float) -> StsPolicy:
    """Reads a policy file (§3.2). Raises `ValueError` if it is not valid."""
    fields: dict[str, str] = {}
    hosts: list[str] = []
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip()
        if not colon:
            continue
        if name == "mx":
            hosts.append(value.lower().rstrip("."))
        else:
            fields.setdefault(name, value)
    age, mode = fields.get("max_age", ""), fields.get("mode", "")
    if fields.get("version") != "STSv1" or mode not in ("enforce", "testing", "none"):
        raise ValueError("its version or mode is not known")
    if not age.isdigit() or len(age) > 10 or (mode != "none" and not hosts):
        raise ValueError("it has no max_age, or no mx")
    return StsPolicy(id_, mode, tuple(hosts), now + min(int(age), _MOST_AGE))


class StsPolicies:
    """The policies of all domains, as known to this process.

    `private`: a policy host may have an address that is not public. `file`: where policies outlive
    the process. `context`: for TLS to policy hosts. `now`: seconds since 1970.
    """

    def __init__(
        self,
        dns: DnsClient,
        *,
        private: bool = False,
        file: Path | None = None,
        context: ssl.SSLContext | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._dns = dns
        self._private = private
        self._file = file
        self._context = context or ssl.create_default_context()
        self._now = now
        self._policies: dict[str, StsPolicy] = {}
        self._quiet_until: dict[str, float] = {}  # domains without a policy, or a failed fetch
        self._load()

    async def of(self, domain: str) -> StsPolicy | None:
        """Returns the domain's policy, or None. Never raises: a failure leaves the known one."""
        known = self._policies.get(domain)
        if known is not None and known.until <= self._now():
            del self._policies[domain]
            known = None
        if self._quiet_until.get(domain, 0.0) > self._now():
            return known
        if len(self._quiet_until) > _MOST_KEPT:
            self._quiet_until.clear()
        self._quiet_until[domain] = self._now() + _NONE_FOR
        try:
            id_ = await self._id(domain)
        except DnsFailed:
            return known
        if not id_ or (known is not None and known.id == id_):
            return known
        try:
            async with asyncio.timeout(_SECONDS):
                text = await self._fetch(f"mta-sts.{domain}")
            policy = read_policy(text, id_, self._now())
        except (OSError, TimeoutError, ValueError, DnsFailed, EOFError) as error:
            log.info("the MTA-STS policy of %s can't be read: %s", domain, type(error).__name__)
            self._quiet_until[domain] = self._now() + _AGAIN_AFTER
            return known
        self._policies[domain] = policy
        self._save()
        return policy

    async def _id(self, domain: str) -> str:
        """The id in the TXT record (§3.1); "" if there is no valid one."""
        answer = await self._dns.ask(f"_mta-sts.{domain}", "TXT")
        texts = [b"".join(one.strings).decode("ascii", "replace") for one in answer.records]
        ours = [one for one in texts if one.replace(" ", "").startswith("v=STSv1;")]
        if len(ours) != 1:
            return ""
        for part in ours[0].split(";"):
            name, _, value = part.strip().partition("=")
            if name == "id" and value.isalnum() and len(value) <= 32:
                return value
        return ""

    async def _fetch(self, host: str) -> str:
        """Fetches the policy over HTTPS. Raises for anything but a 200 with text."""
        found = await addresses_of(self._dns, host, private=self._private)
        if not found:
            raise OSError("no public address")
        reader, writer = await asyncio.open_connection(
            found[0].ip, _PORT, ssl=self._context, server_hostname=host, limit=_MOST_OCTETS
        )
        try:
            writer.write(
                f"GET /.well-known/mta-sts.txt HTTP/1.0\r\nHost: {host}\r\n"
                "Accept: text/plain\r\nConnection: close\r\n\r\n".encode()
            )
            response = await reader.read(_MOST_OCTETS)
            while len(response) < _MOST_OCTETS and (more := await reader.read(_MOST_OCTETS)):
                response += more
        finally:
            writer.close()
            with contextlib.suppress(OSError, ssl.SSLError):
                writer.transport.abort()
        head, blank, body = response.partition(b"\r\n\r\n")
        status, *fields = head.decode("latin-1").split("\r\n")
        kinds = [
            one.partition(":")[2].strip().lower()
            for one in fields
            if one.lower().startswith("content-type:")
        ]
        if not blank or status.split(" ")[1:2] != ["200"] or len(response) >= _MOST_OCTETS:
            raise ValueError("not a 200, or too long")
        if not kinds or not kinds[0].startswith("text/plain"):
            raise ValueError("not text/plain")
        return body.decode("utf-8")

    # -- the file

    def _load(self) -> None:
        if self._file is None:
            return
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            for domain, (id_, mode, hosts, until) in kept.items():
                if until > self._now():
                    self._policies[domain] = StsPolicy(id_, mode, tuple(hosts), float(until))

    def _save(self) -> None:
        if self._file is None:
            return
        new = self._file.with_suffix(".new")
        try:
            new.write_text(json.dumps(self._policies), encoding="utf-8")
            new.replace(self._file)
        except OSError as error:
            log.warning("the MTA-STS policies can't be stored: %s", error.strerror)


def hosts_allowed(
    policy: StsPolicy | None, hosts: Sequence[tuple[int, str]]
) -> list[tuple[int, str]]:
    """The MX hosts that an enforced policy allows; all of them under another policy or none."""
    if policy is None or policy.mode != "enforce":
        return list(hosts)
    return [one for one in hosts if policy.allows(one[1])]
