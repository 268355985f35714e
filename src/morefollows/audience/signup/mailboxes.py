"""The mailbox behind an address: many addresses may lead to one.

Only for counting. Mail goes to the address as it was typed.
"""

from __future__ import annotations

import unicodedata

from morefollows.audience.addresses import Address

#: Domains of one provider under which a name has the same mailbox.
_SAME = {
    "googlemail.com": "gmail.com",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "pm.me": "proton.me",
    "protonmail.com": "proton.me",
    "protonmail.ch": "proton.me",
    "ya.ru": "yandex.ru",
    "yandex.com": "yandex.ru",
}
#: Characters that these providers ignore in a name.
_IGNORED = {"gmail.com": ".", "proton.me": ".-_"}
#: Providers whose tags begin with a hyphen. "+" begins one nearly everywhere (RFC 5233).
_HYPHEN_TAGS = frozenset(
    ("yahoo.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr", "yahoo.es", "yahoo.it", "ymail.com")
)


def mailbox_of(address: Address) -> str:
    """Returns the mailbox of an address, without tags and what its provider ignores."""
    local = unicodedata.normalize("NFC", address.local).lower()
    domain = _SAME.get(address.domain, address.domain)
    name = local.partition("+")[0]
    if domain in _HYPHEN_TAGS:
        name = name.partition("-")[0]
    for ignored in _IGNORED.get(domain, ""):
        name = name.replace(ignored, "")
    return f"{name or local}@{domain}"
