"""Which part of a host's name somebody has registered, by the Public Suffix List.

The list comes with the package `publicsuffixlist`; nothing is downloaded. It is read when it is first
needed, which takes about 0.1 s and 1 MB: call these in a thread where an event loop must not wait.
"""

from __future__ import annotations

from functools import cache

from publicsuffixlist import PublicSuffixList


def registered(host: str) -> str:
    """The registered domain of a host: example.co.uk of mx.example.co.uk.

    By the registries' part of the list: a cloud's own suffixes, such as those below amazonaws.com,
    are the cloud. The name itself if nobody can have registered a part of it, as localhost.
    """
    return _part(host, _list(only_icann=True))


def organisation(domain: str) -> str:
    """The organizational domain of DMARC (RFC 7489 §3.2), by the whole list.

    Customers below a private suffix, such as github.io, are organisations of their own.
    """
    return _part(domain, _list(only_icann=False))


def _part(name: str, suffixes: PublicSuffixList) -> str:
    name = name.rstrip(".").lower()
    return suffixes.privatesuffix(name) or name


@cache
def _list(*, only_icann: bool) -> PublicSuffixList:
    return PublicSuffixList(only_icann=only_icann)
