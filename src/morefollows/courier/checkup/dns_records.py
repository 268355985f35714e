"""The DNS records that the sending domain needs, ready to copy, and whether they are published."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from morefollows.config.settings import Settings
from morefollows.setup.dkim_keys import DkimKey


class DnsRecord(NamedTuple):
    """One TXT record. `check`: the name of the finding of `examine_dns` that is about it."""

    check: str
    name: str
    value: str
    why: str


def wanted_records(config: Settings, sender_domain: str, key: DkimKey | None) -> list[DnsRecord]:
    """Returns the records for DKIM (of this key), SPF, DMARC and TLS-RPT."""
    from morefollows.courier.checkup.key_record import public_key  # loads a library

    found = []
    public = public_key(key.pem) if key is not None else None
    if key is not None and public is not None:
        domain = config.dkim_domain or sender_domain
        found.append(
            DnsRecord(
                "DKIM",
                f"{key.selector}._domainkey.{domain}",
                f"v=DKIM1; k={public[0]}; p={public[1]}",
                "key",
            )
        )
    bounces = config.bounce_domain or sender_domain
    found.append(DnsRecord("SPF", bounces, sender_policy(config), "relays"))
    # p=none to begin with: a stricter policy may lose mail that reports have not shown yet.
    dmarc = f"v=DMARC1; p=none; rua=mailto:postmaster@{sender_domain}"
    found.append(DnsRecord("DMARC", f"_dmarc.{sender_domain}", dmarc, "policy"))
    reports = f"v=TLSRPTv1; rua=mailto:tls@{sender_domain}"
    found.append(DnsRecord("TLS-RPT", f"_smtp._tls.{sender_domain}", reports, "reports"))
    return found


def sender_policy(config: Settings) -> str:
    """An SPF record that allows the relays by their names (RFC 7208 §5.3, §5.6).

    A provider's own documentation may ask for an `include:` instead.
    """
    parts = []
    for relay in config.relays:
        try:
            address = ipaddress.ip_address(relay.host)
        except ValueError:
            parts.append(f"a:{relay.host}")
            continue
        # Receivers never see a loopback address.
        if not address.is_loopback:
            parts.append(f"ip{address.version}:{address}")
    return " ".join(("v=spf1", *dict.fromkeys(parts), "mx", "-all"))
