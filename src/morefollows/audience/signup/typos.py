"""Suggests the right domain for a probably mistyped one.

Invariant: the reader is asked; no address is changed without an answer.
"""

from __future__ import annotations

from functools import lru_cache

from morefollows.audience.addresses import Address

_MOST_USED_FIRST = (
    "gmail.com googlemail.com outlook.com hotmail.com hotmail.co.uk hotmail.fr hotmail.de "
    "live.com live.co.uk msn.com "
    "yahoo.com yahoo.co.uk yahoo.fr yahoo.de ymail.com rocketmail.com icloud.com me.com mac.com "
    "aol.com mail.com "
    "email.com proton.me protonmail.com fastmail.com hey.com zoho.com yandex.com gmx.com gmx.net "
    "gmx.de gmx.at gmx.ch "
    "web.de t-online.de freenet.de posteo.de mailbox.org arcor.de bluewin.ch btinternet.com "
    "sky.com virginmedia.com "
    "ntlworld.com talktalk.net blueyonder.co.uk orange.fr wanadoo.fr free.fr laposte.net sfr.fr "
    "libero.it comcast.net "
    "verizon.net att.net sbcglobal.net qq.com 163.com naver.com seznam.cz wp.pl interia.pl"
)
#: Mailbox providers with so many users that a typing error is likelier than another domain of
#: nearly the same name.
LARGE = frozenset(_MOST_USED_FIRST.split())

_SHORT = 4  # letters; names this short are one slip away from too many other valid names
# Never suggested: one slip away from too many names of mail domains.
_NEVER_MEANT = frozenset({"mail.com", "email.com", "ymail.com"})


def suggestion(address: Address) -> str | None:
    """The same local part at a large provider whose domain is nearly the same; None if none is.

    Name and ending of the domain may differ by one slip each (see `_slips`).
    """
    meant = _meant(address.domain)
    return f"{address.local}@{meant}" if meant else None


@lru_cache(4_096)  # at peak times a few domains come many times
def _meant(domain: str) -> str | None:
    """The large provider's domain that was probably meant; None if none is near."""
    if domain in LARGE:
        return None
    name, _, ending = domain.partition(".")
    near = []
    for large in _MOST_USED_FIRST.split():
        large_name, _, large_ending = large.partition(".")
        if abs(len(name) - len(large_name)) > 1 or abs(len(ending) - len(large_ending)) > 1:
            continue
        in_name, in_ending = _slips(name, large_name), _slips(ending, large_ending)
        if in_name > 1 or in_ending > 1 or large in _NEVER_MEANT:
            continue
        # Short names: gmx.se may be a real domain.
        if len(large_name) <= _SHORT and (in_name or len(ending) == 2):
            continue
        near.append((in_name + in_ending, large))
    return min(near, key=lambda one: one[0])[1] if near else None


def _slips(typed: str, meant: str) -> int:
    """The number of slips from `meant` to `typed`: 0, 1, or 2 for more (Damerau 1964).

    A slip is one letter left out, added or replaced, or two neighbouring letters swapped.
    """
    if typed == meant:
        return 0
    if abs(len(typed) - len(meant)) > 1:
        return 2
    start = next(
        (at for at, pair in enumerate(zip(typed, meant, strict=False)) if pair[0] != pair[1]), None
    )
    if start is None:
        return 1  # one letter more or less at the end
    rest, wanted = typed[start:], meant[start:]
    swapped = rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:]
    one = swapped or rest[1:] == wanted[1:] or rest[1:] == wanted or rest == wanted[1:]
    return 1 if one else 2
