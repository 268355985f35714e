"""Finds the DMARC policy of a domain by the DNS tree walk (RFC 9989 §4.10), and checks it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from morefollows.courier.checkup.dns_lookups import Names
from morefollows.courier.checkup.finding import Finding

_LONGEST = 8  # queries of one walk
_POLICIES = ("none", "quarantine", "reject")
#: Tags of RFC 7489 that receivers do not look at any more (RFC 9989 appendix C).
_GONE = ("pct", "rf", "ri")


class DmarcRecord(NamedTuple):
    """A record, and the domain that has it."""

    domain: str
    tags: dict[str, str]


class DmarcWalk(NamedTuple):
    """What a tree walk found. `doubled`: a domain with several records, of which none counts."""

    records: list[DmarcRecord]  #: from the domain itself upwards
    doubled: str


def walk(names: Names, domain: str) -> DmarcWalk:
    """Asks from the domain upwards. Of more than eight labels it skips to the last seven."""
    records: list[DmarcRecord] = []
    doubled = ""
    for name in _steps(domain):
        texts = names.texts(f"_dmarc.{name}")
        found = [tags for text in texts if (tags := tags_of(text)).get("v") == "DMARC1"]
        if len(found) > 1:
            doubled = doubled or name
            continue
        if found:
            records.append(DmarcRecord(name, found[0]))
            # A record with psd=y or psd=n ends the walk, as no organisation's domain is above it.
            if found[0].get("psd", "").lower() in ("y", "n"):
                break
    return DmarcWalk(records, doubled)


def _steps(domain: str) -> list[str]:
    labels = domain.lower().rstrip(".").split(".")
    above = labels[1:] if len(labels) <= _LONGEST else labels[-(_LONGEST - 1) :]
    return [".".join(labels), *(".".join(above[at:]) for at in range(len(above)))]


def organisation_of(found: DmarcWalk, domain: str) -> str:
    """The organisational domain (§4.10.2), by which alignment is judged."""
    for record in found.records:
        psd = record.tags.get("psd", "").lower()
        if psd == "n":
            return record.domain
        if psd == "y" and record.domain != domain:
            below = domain.removesuffix("." + record.domain).rpartition(".")[2]
            return f"{below}.{record.domain}"
    return found.records[-1].domain if found.records else domain


def policy_of(found: DmarcWalk, domain: str) -> DmarcRecord | None:
    """The record that applies (§4.10.1): the domain's own, else the organisation's, else the
    public suffix's."""
    by_domain = {record.domain: record for record in found.records}
    last = found.records[-1] if found.records else None
    return by_domain.get(domain) or by_domain.get(organisation_of(found, domain)) or last


def examine_dmarc(names: Names, sender: str) -> Iterator[Finding]:
    """Checks the policy that applies to the sender's domain. Large providers require one."""
    found = walk(names, sender)
    paste = f"publish _dmarc.{sender} TXT “v=DMARC1; p=none; rua=mailto:dmarc@{sender}”"
    if found.doubled:
        message = f"_dmarc.{found.doubled} has several records; then none counts. Keep one"
        yield Finding("DMARC", "wrong", message)
        return
    record = policy_of(found, sender)
    if record is None:
        yield Finding("DMARC", "wrong", f"_dmarc.{sender} has no record; {paste}")
        return
    tags = record.tags
    policy = _policy_for(record, sender)
    where = f"_dmarc.{record.domain}"
    if record.domain != sender and tags.get("psd", "").lower() == "y":
        message = f"only the public suffix {record.domain} has a policy ({policy}); {paste}"
        yield Finding("DMARC", "wrong", message)
    elif policy not in _POLICIES:
        what = (
            f"{where} has the policy “{policy}”, which is none" if policy else f"{where} has no p="
        )
        yield Finding("DMARC", "wrong", f"{what}; {paste}")
    else:
        org = organisation_of(found, sender)
        message = f"{where} publishes the policy {policy}; the organisation is {org}"
        yield Finding("DMARC", "ok", message)
    yield from _notes(record, where, sender)


def _policy_for(record: DmarcRecord, sender: str) -> str:
    """The tag that applies to the domain (§4.7): p, or sp for one below the record's."""
    tags = record.tags
    policy = tags.get("p", "") if record.domain == sender else tags.get("sp", tags.get("p", ""))
    return policy.lower()


def _notes(record: DmarcRecord, where: str, sender: str) -> Iterator[Finding]:
    tags = record.tags
    if gone := [tag for tag in _GONE if tag in tags]:
        message = f"{where}: receivers ignore {', '.join(gone)} since RFC 9989; t=y is for testing"
        yield Finding("DMARC", "note", message)
    if "rua" not in tags:
        message = (
            f"{where} has no rua=, so nobody tells you who sends in your name; add "
            f"rua=mailto:dmarc@{sender}"
        )
        yield Finding("DMARC", "note", message)
    if tags.get("psd", "").lower() == "y" and record.domain == sender:
        message = f"{where} says psd=y: that is for registries of public suffixes; take it out"
        yield Finding("DMARC", "wrong", message)
    policy = tags.get("p", "").lower()
    # np is for subdomains that do not exist; without it sp applies, and without that p.
    below = tags.get("np", tags.get("sp", policy)).lower()
    if policy in ("quarantine", "reject") and below == "none":
        message = (
            f"{where} lets anybody send as a subdomain that does not exist; add np=reject, which "
            "touches no mail of yours"
        )
        yield Finding("DMARC", "note", message)
    if tags.get("t", "").lower() == "y":
        yield Finding("DMARC", "note", f"{where} says t=y: its policy is not applied yet")


def tags_of(record: str) -> dict[str, str]:
    """Parses a tag list (RFC 6376 §3.2)."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}
