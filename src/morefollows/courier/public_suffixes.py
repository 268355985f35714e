"""Finds the registered part of a host's name by the Public Suffix List.

The list comes with the package `publicsuffixlist`; nothing is downloaded. The first call reads it,
which takes about 0.1 s and 1 MB. Call these functions in a thread where an event loop must not
block.
"""

from __future__ import annotations

from functools import cache

from publicsuffixlist import PublicSuffixList


def registered(host: str) -> str:
    """Returns the registered domain of a host, such as example.co.uk for mx.example.co.uk.

    Uses only the registries' part of the list, so hosts below a cloud's own suffixes, such as those
    below amazonaws.com, belong to the cloud. Returns the name itself if it has no registrable part,
    such as localhost.
    """
    return _part(host, _list(only_icann=True))


def organisation(domain: str) -> str:
    """Returns the organizational domain for DMARC (RFC 7489 §3.2), by the whole list.

    Customers below a private suffix, such as github.io, are separate organisations.
    """
    return _part(domain, _list(only_icann=False))


def _part(name: str, suffixes: PublicSuffixList) -> str:
    name = name.rstrip(".").lower()
    return suffixes.privatesuffix(name) or name


@cache
def _list(*, only_icann: bool) -> PublicSuffixList:
    return PublicSuffixList(only_icann=only_icann)
