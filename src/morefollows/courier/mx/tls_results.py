"""Counts TLS sessions by policy and result, as a report to a domain needs them (RFC 8460 §4)."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

#: A part of the reason → the result type of RFC 8460 §4.3. The first that is found counts.
_RESULTS = (
    ("does not offer STARTTLS", "starttls-not-supported"),
    ("answers STARTTLS", "starttls-not-supported"),
    ("TLSA", "validation-failure"),
    ("mismatch", "certificate-host-mismatch"),
    ("not valid for", "certificate-host-mismatch"),
    ("expired", "certificate-expired"),
    ("certificate", "certificate-not-trusted"),
)


class TlsSession(NamedTuple):
    """The kind of a session with an MX host. Counted by `TlsResults`."""

    domain: str  #: whose policy it is; without a policy, the provider
    policy: str  #: sts, tlsa, or no-policy-found
    host: str
    result: str  #: "" for success, else a result type


class TlsResults:
    """The counts of one process since `take`."""

    def __init__(self) -> None:
        self._counts: Counter[TlsSession] = Counter()

    def add(self, domain: str, policy: str, host: str, why: str = "") -> None:
        """Counts a session. `why`: the reason of its failure, as for the log; "" for success."""
        result = next((kind for part, kind in _RESULTS if part in why), "validation-failure")
        self._counts[TlsSession(domain, policy, host, result if why else "")] += 1

    def take(self) -> Counter[TlsSession]:
        """Returns the counts, and begins anew."""
        taken, self._counts = self._counts, Counter()
        return taken
