"""Email addresses as readers type them: kept as typed, judged by what mail can carry, found again by a keyed hash.

RFC 5321 §4.1.2 with the sizes of §4.5.3.1, and RFC 6531 §3.3 for what is not ASCII. What a browser accepts in an
email field is neither all of that (quoted and internationalised ones are missing) nor only that (``a..b@x.y``).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache

import idna
from django.conf import settings
from django.utils.translation import gettext as _

_LONGEST = 254  # characters as typed, and octets on the wire: a path of 256 less its angle brackets (§4.5.3.1.3)
_LONGEST_LOCAL = 64  # octets (§4.5.3.1.1)
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+"
_DOT_STRING = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_QUOTED_STRING = re.compile(r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])+"')
_JOINERS = "\u200c\u200d"  # IDNA 2008 allows them in some scripts' words, and judges where (RFC 5892, appendix A)


class BadAddress(ValueError):
    """No mail can go to this address. ``str()`` says why, and what to do, in the reader's language."""


@dataclass(frozen=True)
class Address:
    """An address that mail can go to. `text` is as typed, `domain` in A-labels and lower case."""

    text: str
    domain: str

    @property
    def local(self) -> str:
        """The part before the @, to the letter: only its own host may say what in it matters (RFC 5321 §2.4)."""
        return self.text.rpartition("@")[0]

    @cached_property
    def key(self) -> str:
        """Finds duplicates and suppressed addresses: a keyed hash, in which capitals make no difference."""
        normal = unicodedata.normalize("NFC", self.local).lower() + "@" + self.domain
        secret: bytes = settings.MOREFOLLOWS.derived_key("address")
        return hmac.digest(secret, normal.encode(), hashlib.sha256).hex()


def parse(typed: str) -> Address:
    """Reads an address. Blanks around it are dropped, nothing else is. Raises `BadAddress`."""
    text = typed.strip(" \t\u00a0")
    if not text:
        raise BadAddress(_("type your address, such as name@example.org."))
    if len(text) > _LONGEST:
        raise BadAddress(_("it is too long; an address has at most 254 characters."))
    _check_characters(text)
    local, at, typed_domain = text.rpartition("@")
    if not at:
        raise BadAddress(_("the @ is missing, as in name@example.org."))
    _check_local(local)
    domain = _domain(typed_domain)
    if len(local.encode()) + 1 + len(domain) > _LONGEST:
        raise BadAddress(_("it is too long; an address has at most 254 characters."))
    return Address(text, domain)


def _check_characters(text: str) -> None:
    """No control characters, nothing invisible, no half of a broken character: nothing that could end a line."""
    for character in text:
        category = unicodedata.category(character)
        if category == "Zs" and character != " ":
            raise BadAddress(_("take the space out of it."))
        if (category[0] in "CZ" and character not in (" ", *_JOINERS)) or character == "\ufffd":
            raise BadAddress(_("it holds a character that can’t be seen; type it anew instead of pasting it."))


def _check_local(local: str) -> None:
    if not local:
        raise BadAddress(_("the part before the @ is missing, as in name@example.org."))
    if len(local.encode()) > _LONGEST_LOCAL:
        raise BadAddress(_("the part before the @ is too long; it has at most 64 characters."))
    if _DOT_STRING.fullmatch(local) and not any(joiner in local for joiner in _JOINERS):
        return
    if _QUOTED_STRING.fullmatch(local):
        return
    if " " in local:
        raise BadAddress(_("take the space out of it."))
    if "@" in local:
        raise BadAddress(_("there is more than one @; type one address only."))
    if local.startswith(".") or local.endswith(".") or ".." in local:
        raise BadAddress(_("a dot stands where none may; look at the part before the @."))
    raise BadAddress(_("the part before the @ holds a character that addresses don’t have."))


@lru_cache(1024)  # an import meets few domains, many times each
def _domain(typed: str) -> str:
    if " " in typed:
        raise BadAddress(_("take the space out of it."))
    if not typed:
        raise BadAddress(_("the part after the @ is missing, as in name@example.org."))
    try:
        domain = idna.encode(typed, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise BadAddress(_("the part after the @ is no name of a mail domain; check how it is spelt.")) from None
    if "." not in domain.strip("."):
        raise BadAddress(_("the part after the @ has no ending, such as .org or .com."))
    if domain.endswith(".") or domain.rpartition(".")[2].isdigit():
        raise BadAddress(_("the part after the @ is no name of a mail domain; check how it is spelt."))
    return domain
