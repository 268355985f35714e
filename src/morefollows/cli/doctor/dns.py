"""The checks of `doctor --dns`: SPF, DKIM and DMARC of the sending domain, and where bounces go."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import dns.exception
import dns.resolver
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from morefollows.cli.doctor.finding import Finding
from morefollows.config.settings import Settings, SettingsError
from morefollows.helpers import public_suffixes

TIMEOUT = 5.0  #: seconds for one query with all its retries


class _Names:
    """DNS queries. A name that does not exist has no records; a time-out raises an error."""

    def __init__(self, nameserver: str | None) -> None:
        self._resolver = dns.resolver.Resolver(configure=nameserver is None)
        self._resolver.lifetime = TIMEOUT
        if nameserver is not None:
            host, _, port = nameserver.partition(":")
            try:
                self._resolver.nameservers = [host]
                self._resolver.port = int(port or 53)
            except ValueError:
                raise SettingsError(
                    "--nameserver", "must be an IP address, and a port if it is not 53"
                ) from None

    def texts(self, name: str) -> list[str]:
        return [
            b"".join(record.strings).decode("utf-8", "replace")  # type: ignore[attr-defined]
            for record in self._ask(name, "TXT")
        ]

    def exchangers(self, name: str) -> list[str]:
        return [str(record.exchange).rstrip(".") for record in self._ask(name, "MX")]  # type: ignore[attr-defined]

    def _ask(self, name: str, kind: str) -> list[object]:
        try:
            return list(self._resolver.resolve(name, kind))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []


def examine_dns(config: Settings, nameserver: str | None) -> Iterator[Finding]:
    """Checks the sending domain. Raises `SettingsError` for an invalid name server."""
    from morefollows.audience.models import Newsroom

    newsroom = Newsroom.objects.filter(pk=1).first()
    if newsroom is None:
        return
    sender = newsroom.sender_address.rpartition("@")[2].lower()
    names = _Names(nameserver)
    try:
        yield from _reachable(names, sender)
        yield from _bounces(names, config.bounce_domain or sender, sender)
        yield from _sender_policy(names, config.bounce_domain or sender)
        yield from _signing(names, config, sender)
        yield from _dmarc(names, sender)
    except (dns.exception.Timeout, dns.resolver.NoNameservers, OSError):
        yield Finding(
            "DNS", "wrong", f"no name server answers about {sender}; ask another with --nameserver"
        )


def _reachable(names: _Names, sender: str) -> Iterator[Finding]:
    """Checks MX: readers reply to mail, and a domain without MX looks forged (RFC 7505 §1)."""
    found = names.exchangers(sender)
    if not found:
        yield Finding(
            "MX", "wrong", f"{sender} has no MX record, so replies to the newsroom are lost"
        )
    # One MX that is the root: the domain takes no mail (RFC 7505 §3).
    elif found == [""]:
        yield Finding(
            "MX",
            "wrong",
            f"{sender} says that it takes no mail (null MX); many relays refuse such a sender",
        )
    else:
        yield Finding("MX", "ok", f"{sender} takes mail at {', '.join(sorted(found))}")


def _bounces(names: _Names, bounce: str, sender: str) -> Iterator[Finding]:
    if bounce == sender:
        return
    found = names.exchangers(bounce)
    if not found or found == [""]:
        yield Finding(
            "bounces",
            "wrong",
            f"MOREFOLLOWS_BOUNCE_DOMAIN: {bounce} has no MX record; bounces get lost",
        )
    else:
        yield Finding("bounces", "ok", f"{bounce} takes bounces at {', '.join(sorted(found))}")
    if not _related(bounce, sender):
        yield Finding(
            "bounces",
            "note",
            f"{bounce} is not under {sender}: SPF can't count for DMARC (RFC 7489 §3.1.2)",
        )


def _sender_policy(names: _Names, domain: str) -> Iterator[Finding]:
    """Checks SPF of the return path's domain: exactly one record (RFC 7208 §4.5)."""
    found = [text for text in names.texts(domain) if text.lower().split(" ", 1)[0] == "v=spf1"]
    if not found:
        yield Finding(
            "SPF", "wrong", f"{domain} has no v=spf1 record; publish one that allows your relay"
        )
    elif len(found) > 1:
        yield Finding(
            "SPF",
            "wrong",
            f"{domain} has {len(found)} v=spf1 records; only one may be there, join them",
        )
    elif found[0].lower().split()[-1] in ("+all", "all"):
        yield Finding("SPF", "wrong", f"{domain} allows the whole world to send for it: {found[0]}")
    else:
        yield Finding("SPF", "ok", f"{domain} publishes {found[0]}")


def _signing(names: _Names, config: Settings, sender: str) -> Iterator[Finding]:
    """Checks that the published key is the one we sign with (RFC 6376 §3.6.2)."""
    domain = config.dkim_domain or sender
    keys = (
        ("MOREFOLLOWS_DKIM_KEY", config.dkim_key, config.dkim_selector),
        ("MOREFOLLOWS_DKIM_ED25519_KEY", config.dkim_ed25519_key, config.dkim_ed25519_selector),
    )
    if not any(key for _, key, _ in keys):
        yield Finding("DKIM", "note", "no key is set: mail is signed only if the relay does it")
        return
    if not config.dkim_key:
        words = (
            "only Ed25519 is signed with, which large providers don't check; let the relay "
            "sign with RSA as well"
        )
        yield Finding("DKIM", "note", words)
    for setting, key, selector in keys:
        if not key:
            continue
        ours = _public(key)
        if ours is None:
            yield Finding(
                "DKIM", "wrong", f"{setting}: is not an RSA or Ed25519 private key in PEM"
            )
            continue
        name = f"{selector}._domainkey.{domain}"
        published = [_tags(text).get("p", "") for text in names.texts(name)]
        if not published:
            yield Finding(
                "DKIM", "wrong", f"{name} has no record; publish v=DKIM1; k={ours[0]}; p={ours[1]}"
            )
        # White space within the key is allowed (RFC 6376 §3.6.1), as long keys are split into
        # strings.
        elif ours[1] not in ["".join(value.split()) for value in published]:
            yield Finding(
                "DKIM",
                "wrong",
                f"{name} publishes another key than {setting}; mail would fail the check",
            )
        else:
            yield Finding("DKIM", "ok", f"{name} publishes our {ours[0]} key")
    if not _related(domain, sender):
        yield Finding(
            "DKIM",
            "note",
            f"MOREFOLLOWS_DKIM_DOMAIN: {domain} is not under {sender}: no use for DMARC",
        )


def _dmarc(names: _Names, sender: str) -> Iterator[Finding]:
    """Checks for a DMARC record at the domain or above it (RFC 7489 §6.6.3).

    Large providers require one of bulk senders.
    """
    # From the domain upwards, but not to a top-level domain.
    labels = sender.split(".")
    for domain in [".".join(labels[i:]) for i in range(max(1, len(labels) - 1))]:
        found = [
            text for text in names.texts(f"_dmarc.{domain}") if _tags(text).get("v") == "DMARC1"
        ]
        if len(found) > 1:
            yield Finding(
                "DMARC", "wrong", f"_dmarc.{domain} has {len(found)} records; then none counts"
            )
            return
        if found:
            policy = _tags(found[0]).get("p", "missing")
            yield Finding("DMARC", "ok", f"_dmarc.{domain} publishes the policy {policy}")
            return
    yield Finding(
        "DMARC", "wrong", f"_dmarc.{sender} has no record; publish at least v=DMARC1; p=none"
    )


def _public(pem: str) -> tuple[str, str] | None:
    """Returns the type of a private key, and the value of `p=` in its DNS record."""
    try:
        public = serialization.load_pem_private_key(pem.encode(), password=None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if isinstance(public, rsa.RSAPublicKey):
        raw = public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return "rsa", base64.b64encode(raw).decode()
    if isinstance(public, ed25519.Ed25519PublicKey):
        return "ed25519", base64.b64encode(public.public_bytes_raw()).decode()  # RFC 8463 §4
    return None


def _tags(record: str) -> dict[str, str]:
    """Parses a tag list (RFC 6376 §3.2)."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


def _related(one: str, other: str) -> bool:
    """Returns whether both are in one organisation: relaxed alignment (RFC 7489 §3.1)."""
    return public_suffixes.organisation(one) == public_suffixes.organisation(other)
