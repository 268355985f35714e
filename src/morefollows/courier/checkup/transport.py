"""Checks what the sending domain says beside authentication: MTA-STS, TLS-RPT and BIMI.

MTA-STS and TLS-RPT are about mail *to* the domain: bounces and replies. None of the three is
needed, so that nothing missing is wrong; what is there has to be right.
"""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

from morefollows.courier.checkup.dmarc import policy_of, tags_of, walk
from morefollows.courier.checkup.dns_lookups import Names
from morefollows.courier.checkup.finding import Finding
from morefollows.courier.mx.lookup.mta_sts import StsPolicy, read_policy

_SECONDS = 5.0  # for fetching a policy
_MOST_OCTETS = 65_536  # of a policy (RFC 8461 §3.2)
_ID = re.compile(r"[A-Za-z0-9]{1,32}")  # RFC 8461 §3.1
_STRICT = ("quarantine", "reject")


def examine_transport(names: Names, domain: str) -> Iterator[Finding]:
    """Checks the three. Raises `dns_lookups.NO_ANSWER`."""
    yield from _mta_sts(names, domain)
    yield from _tls_reports(names, domain)
    yield from _bimi(names, domain)


def _mta_sts(names: Names, domain: str) -> Iterator[Finding]:
    """RFC 8461 §3.1: one record, with an id that changes with the policy."""
    name = f"_mta-sts.{domain}"
    found = [tags for text in names.texts(name) if (tags := tags_of(text)).get("v") == "STSv1"]
    if not found:
        message = (
            f"{domain} has no policy, so that mail to you may go without TLS; to have one, publish "
            f"{name} TXT “v=STSv1; id={time.strftime('%Y%m%d')}” and serve "
            f"https://mta-sts.{domain}/.well-known/mta-sts.txt"
        )
        yield Finding("MTA-STS", "note", message)
        return
    if len(found) > 1 or not _ID.fullmatch(found[0].get("id", "")):
        message = f"{name} must be one record, with an id of letters and digits; else none counts"
        yield Finding("MTA-STS", "wrong", message)
        return
    url = f"https://mta-sts.{domain}/.well-known/mta-sts.txt"
    try:
        policy = read_policy(fetch_policy(url), found[0]["id"], time.time())
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or error
        message = f"{name} tells of a policy, but {url} can't be used: {why}"
        yield Finding("MTA-STS", "wrong", message[:300])
        return
    yield _agrees(policy, names.exchangers(domain), domain)


def _agrees(policy: StsPolicy, hosts: list[str], domain: str) -> Finding:
    # Senders do not deliver to an MX that the policy does not name (RFC 8461 §4.1).
    left_out = [host for host in hosts if host and not policy.allows(host)]
    if left_out and policy.mode != "none":
        message = f"the policy of {domain} leaves out its own MX: {', '.join(left_out)}"
        return Finding("MTA-STS", "wrong", f"{message}; add mx: lines, then a new id")
    return Finding("MTA-STS", "ok", f"{domain} has a policy: {policy.mode}")


def fetch_policy(url: str) -> str:
    """Fetches a policy, without following redirects (RFC 8461 §3.3). Raises `OSError`."""
    opener = urllib.request.build_opener(_NoRedirect)
    with opener.open(url, timeout=_SECONDS) as answer:
        return str(answer.read(_MOST_OCTETS).decode("utf-8", "replace"))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object, **named: object) -> None:
        return None


def _tls_reports(names: Names, domain: str) -> Iterator[Finding]:
    """RFC 8460 §3."""
    name = f"_smtp._tls.{domain}"
    found = [tags for text in names.texts(name) if (tags := tags_of(text)).get("v") == "TLSRPTv1"]
    if not found:
        message = (
            f"nobody tells you when TLS to your MX fails; to be told, publish {name} TXT "
            f"“v=TLSRPTv1; rua=mailto:tls@{domain}”"
        )
        yield Finding("TLS-RPT", "note", message)
    elif len(found) > 1 or not re.match(r"(mailto|https):", found[0].get("rua", "")):
        message = f"{name} must be one record, with rua=mailto:… or https:…"
        yield Finding("TLS-RPT", "wrong", message)
    else:
        yield Finding("TLS-RPT", "ok", f"{name} sends reports to {found[0]['rua']}")


def _bimi(names: Names, domain: str) -> Iterator[Finding]:
    """A logo in the inbox. It needs DMARC with a policy that is applied."""
    name = f"default._bimi.{domain}"
    found = [tags for text in names.texts(name) if (tags := tags_of(text)).get("v") == "BIMI1"]
    if not found:
        message = (
            f"no logo is shown beside your mail; to have one, publish {name} TXT "
            f"“v=BIMI1; l=https://{domain}/logo.svg; a=”, with a certificate at a= for Gmail"
        )
        yield Finding("BIMI", "note", message)
        return
    logo = found[0].get("l", "")
    record = policy_of(walk(names, domain), domain)
    policy = record.tags.get("p", "").lower() if record else ""
    if logo and not (logo.startswith("https://") and logo.lower().endswith((".svg", ".svgz"))):
        yield Finding(
            "BIMI", "wrong", f"{name}: l= must be the https address of an SVG, not {logo}"
        )
    elif logo and policy not in _STRICT:
        message = (
            f"{name} has a logo, but it is shown only with the DMARC policy quarantine or reject"
        )
        yield Finding("BIMI", "wrong", message)
    elif logo and not found[0].get("a"):
        message = f"{name} has a logo without a certificate (a=): Gmail and Apple do not show it"
        yield Finding("BIMI", "note", message)
    else:
        yield Finding("BIMI", "ok", f"{name} publishes {logo or 'that there is no logo'}")
