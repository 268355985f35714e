"""Checks of the sending domain, each with the record to paste where one is missing.

MX, SPF and DKIM are here; `dmarc`, `transport` and `sending_addresses` have the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from morefollows.config.settings import Settings
from morefollows.courier import public_suffixes
from morefollows.courier.checkup import spf
from morefollows.courier.checkup.dmarc import examine_dmarc, tags_of
from morefollows.courier.checkup.dns_lookups import NO_ANSWER, Names
from morefollows.courier.checkup.dns_records import sender_policy
from morefollows.courier.checkup.finding import Finding
from morefollows.courier.checkup.key_record import public_key
from morefollows.courier.checkup.sending_addresses import examine_addresses
from morefollows.courier.checkup.transport import examine_transport

_LONGEST_SECONDS = 60.0  # for all checks; a look-up ends after `dns_lookups.TIMEOUT`


def examine_dns(config: Settings, nameserver: str | None) -> Iterator[Finding]:
    """Checks the sending domain. Raises `SettingsError` for an invalid name server."""
    from morefollows.audience.models import Newsroom

    newsroom = Newsroom.objects.filter(pk=1).first()
    if newsroom is None:
        return
    sender = newsroom.sender_address.rpartition("@")[2].lower()
    names = Names(nameserver)
    bounces = config.bounce_domain or sender
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        lambda: _reachable(names, sender),
        lambda: _bounces(names, bounces, sender),
        lambda: _sender_policy(names, config, bounces),
        lambda: _signing(names, config, sender),
        lambda: examine_dmarc(names, sender),
        lambda: examine_transport(names, sender),
        lambda: examine_addresses(names, config, bounces, sender),
    )
    until = time.monotonic() + _LONGEST_SECONDS
    silent = 0
    for check in checks:
        if time.monotonic() > until or silent > 1:
            yield Finding("DNS", "note", "the other checks are left out, as answers take too long")
            return
        try:
            yield from check()
        except NO_ANSWER:
            silent += 1
            message = f"no name server answers about {sender}; ask another with --nameserver"
            yield Finding("DNS", "wrong", message)


def _reachable(names: Names, sender: str) -> Iterator[Finding]:
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


def _bounces(names: Names, bounce: str, sender: str) -> Iterator[Finding]:
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
            f"{bounce} is not under {sender}: SPF can't count for DMARC (RFC 9989 §4.4.2)",
        )


def _sender_policy(names: Names, config: Settings, domain: str) -> Iterator[Finding]:
    """Checks SPF of the return path's domain: exactly one record (RFC 7208 §4.5)."""
    found = spf.policies(names, domain)
    paste = f"publish {domain} TXT “{sender_policy(config)}”"
    if not found:
        yield Finding("SPF", "wrong", f"{domain} has no v=spf1 record; {paste}")
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


def _signing(names: Names, config: Settings, sender: str) -> Iterator[Finding]:
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
        message = (
            "only Ed25519 is signed with, which large providers don't check; let the relay "
            "sign with RSA as well"
        )
        yield Finding("DKIM", "note", message)
    for setting, key, selector in keys:
        if not key:
            continue
        ours = public_key(key)
        if ours is None:
            yield Finding(
                "DKIM", "wrong", f"{setting}: is not an RSA or Ed25519 private key in PEM"
            )
            continue
        name = f"{selector}._domainkey.{domain}"
        published = [tags_of(text).get("p", "") for text in names.texts(name)]
        if not published:
            yield Finding(
                "DKIM",
                "wrong",
                f"{name} has no record; publish {name} TXT “v=DKIM1; k={ours[0]}; p={ours[1]}”",
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


def _related(one: str, other: str) -> bool:
    """Returns whether both are in one organisation: relaxed alignment (RFC 9989 §4.4)."""
    return public_suffixes.organisation(one) == public_suffixes.organisation(other)
