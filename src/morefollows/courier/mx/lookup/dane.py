"""DANE for SMTP (RFC 7672): TLSA records say which certificate an MX host has.

Only what a validating name server on this machine has found secure is used. Records of usage 3
(DANE-EE) and 2 (DANE-TA) count; others are not usable for SMTP (§3.1.3). If there are records but
none is usable, TLS is required without a check of the certificate (§2.2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from morefollows.courier.mx.lookup.dns_client import DnsClient

_DIGESTS: dict[int, Callable[[bytes], bytes]] = {
    0: bytes,
    1: lambda octets: hashlib.sha256(octets).digest(),
    2: lambda octets: hashlib.sha512(octets).digest(),
}
_EE, _TA = 3, 2
MISMATCH = "has a certificate that its TLSA records don't know"


class Tlsa(NamedTuple):
    """A TLSA record (RFC 6698 §2.1)."""

    usage: int
    selector: int
    matching: int
    data: bytes

    @property
    def usable(self) -> bool:
        return self.usage in (_EE, _TA) and self.selector in (0, 1) and self.matching in _DIGESTS


async def tlsa_records(dns: DnsClient, host: str, port: int) -> list[Tlsa] | None:
    """Returns the host's TLSA records, or None if it has none that are secure.

    Raises `DnsFailed`: then the host must not be used, as an attacker may suppress the answer
    (RFC 7672 §2.1.2).
    """
    answer = await dns.ask(f"_{port}._tcp.{host}", "TLSA")
    if not answer.records or not answer.secure:
        return None
    return [Tlsa(one.usage, one.selector, one.mtype, bytes(one.cert)) for one in answer.records]


def check_certificate(records: Sequence[Tlsa], host: str, tls: Any) -> str:
    """Returns "" if the certificate of this connection fits a record, else why not.

    `tls`: the connection’s object of the module ssl.
    """
    usable = [one for one in records if one.usable]
    if not usable:
        return ""
    chain = _chain(tls)
    if not chain:
        return MISMATCH
    for one in usable:
        if one.usage == _EE and _fits(one, chain[0]):
            return ""  # neither names nor dates matter (RFC 7672 §3.1.1)
        if one.usage == _TA and any(
            _fits(one, anchor) and _leads_to(chain, anchor, host) for anchor in chain
        ):
            return ""
    return MISMATCH


def _chain(tls: Any) -> list[x509.Certificate]:
    """The certificates that the host has sent, its own first."""
    inner = getattr(tls, "_sslobj", tls)
    try:  # public from Python 3.13 on
        sent = [bytes(one.public_bytes(2)) for one in inner.get_unverified_chain() or ()]
    except (AttributeError, TypeError):
        sent = []
    own = tls.getpeercert(True)
    return [x509.load_der_x509_certificate(one) for one in sent or ([own] if own else [])]


def _fits(record: Tlsa, certificate: x509.Certificate) -> bool:
    octets = (
        certificate.public_bytes(Encoding.DER)
        if record.selector == 0
        else certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    return _DIGESTS[record.matching](octets) == record.data


def _leads_to(chain: Sequence[x509.Certificate], anchor: x509.Certificate, host: str) -> bool:
    """Whether the first certificate is for `host` and is signed, in the end, by `anchor`."""
    if chain[0] == anchor:
        return False
    try:
        verifier = PolicyBuilder().store(Store([anchor])).build_server_verifier(x509.DNSName(host))
        verifier.verify(chain[0], [one for one in chain[1:] if one != anchor])
    except (VerificationError, ValueError):
        return False
    return True
