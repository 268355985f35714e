"""Parses and validates email addresses, and derives the keyed hash that finds duplicates.

The syntax is that of RFC 5321 §4.1.2, with the sizes of §4.5.3.1. RFC 6531 §3.3 extends it to
characters outside ASCII. Quoted local parts (``"john doe"@``) are rejected: mailbox providers do
not issue them, and much mail software cannot handle them.

Invariant: an accepted address contains no control character and no invisible character, so that
it cannot break a header line. Every address goes through `parse`: forms, desk, commands, imports.
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

# Characters as typed, and octets in SMTP: a path of 256 less its angle brackets
# (RFC 5321 §4.5.3.1.3).
_LONGEST = 254
_LONGEST_LOCAL = 64  # octets (RFC 5321 §4.5.3.1.1)
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+"
_DOT_STRING = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
# IDNA 2008 allows these joiners in some scripts (RFC 5892, appendix A). `idna` checks where.
_JOINERS = "\u200c\u200d"
_ALIKE_SCRIPTS = ("LATIN", "GREEK", "CYRILLIC")  # scripts with letters that look the same
# Invisible letters and marks: fillers, joiners, variation selectors (Unicode: Default_Ignorable).
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# ASCII domains that `idna` returns in lower case and otherwise unchanged. It takes far longer.
# Names with "--" are left to it, as they may be A-labels.
_PLAIN_DOMAIN = re.compile(
    r"(?=.{1,253}\Z)(?!.*--)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\Z",
    re.ASCII | re.IGNORECASE,
)
_IP_LITERAL = re.compile(r"\[.*\]|[0-9.]+")

# Characters that spreadsheets and phones put in place of plain ones, and invisible characters.
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u02b9\u2032\u00b4\uff07", "'"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\ufffe\u061c", ""),
        **dict.fromkeys("\u034f\u115f\u1160\u3164\ufe0e\ufe0f\uffa0", ""),
        **dict.fromkeys("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", ""),
    }
)
# Cyrillic and Greek letters that are drawn like these Latin ones
_LATIN_LOOK_ALIKES = str.maketrans(
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0458\u0455\u043a\u0410\u0412"
    "\u0421\u0415\u041d\u041e\u0420\u0425\u0423\u0406\u0408\u0405\u041a\u0422\u041c"
    "\u03bf\u03b1\u03b9\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f"
    "\u03a1\u03a4\u03a5\u03a7",
    "aceopxyijskABCEHOPXYIJSKTMoaiABEZHIKMNOPTYX",
)
# Characters often copied along with an address.
_AROUND = ' \t\u00a0;,:<>()[]{}"\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a'


class BadAddress(ValueError):
    """The address is invalid. ``str()`` is a message for the reader, in the active language.

    `suggestion`: the address that was probably meant; "" if none was found. It is not part of
    ``str()``.
    """

    def __init__(self, reason: str, suggestion: str = "") -> None:
        super().__init__(reason)
        self.suggestion = suggestion


@dataclass(frozen=True)
class Address:
    """A valid address. `text` is as typed; `domain` is in A-labels and lower case."""

    text: str
    domain: str

    @property
    def local(self) -> str:
        """The part before the @, unchanged: only its host may interpret it (RFC 5321 §2.4)."""
        return self.text.rpartition("@")[0]

    @cached_property
    def key(self) -> str:
        """The keyed hash that finds duplicates and suppressed addresses. It ignores case."""
        # In theory two mailboxes may differ in case only (RFC 5321 §2.4). In practice they are one
        # person, who must not be mailed twice or after leaving.
        normal = unicodedata.normalize("NFC", self.local).lower() + "@" + self.domain
        secret: bytes = settings.MOREFOLLOWS.derived_key("address")
        return hmac.digest(secret, normal.encode(), hashlib.sha256).hex()


def parse(typed: str) -> Address:
    """Parses an address. Raises `BadAddress`. Only surrounding blanks are stripped."""
    try:
        return _parse(typed)
    except BadAddress as error:
        error.suggestion = _probably_meant(typed)
        raise


def parse_sender(typed: str) -> Address:
    """Parses a sender's address. Raises `BadAddress`.

    The local part must be ASCII, as a relay may lack SMTPUTF8 (RFC 6531).
    """
    address = parse(typed)
    if not address.local.isascii():
        raise BadAddress(
            _(
                "the part before the @ of a sender’s address has to be plain letters, "
                "without accents."
            )
        )
    return address


def _parse(typed: str) -> Address:
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
    # Again for the form that goes over the wire, where letters have become octets.
    if len(local.encode()) + 1 + len(domain) > _LONGEST:
        raise BadAddress(_("it is too long; an address has at most 254 characters."))
    return Address(text, domain)


def _probably_meant(typed: str) -> str:
    """Returns a valid address that corrects errors of copying and of keyboards; "" if none."""
    if len(typed) > 4 * _LONGEST:
        return ""
    text = unicodedata.normalize("NFKC", typed.translate(_PLAIN))
    marked = re.fullmatch(r"[^<>]*<([^<>]+)>[^<>]*", text)
    text = (marked[1] if marked else text).strip(_AROUND)
    text = re.sub(r"^mailto:", "", text, flags=re.IGNORECASE).partition("?")[0]
    text = re.sub(r"\s*([@.])\s*", r"\1", text).strip(_AROUND + "'.")
    local, _at, domain = text.rpartition("@")
    candidate = f"{local.rstrip('@')}@{domain.replace(',', '.')}"
    # As typed first: an address of Cyrillic letters alone is valid, and is not to be changed.
    for meant in (candidate, candidate.translate(_LATIN_LOOK_ALIKES)):
        try:
            if meant != typed:
                return _parse(meant).text
        except BadAddress:
            continue
    return ""


def _check_characters(text: str) -> None:
    """Raises `BadAddress` for control, invisible and replacement characters, and odd spaces."""
    if text.isascii() and text.isprintable():
        return
    for character in text:
        category = unicodedata.category(character)
        if category == "Zs" and character != " ":
            raise BadAddress(_("take the space out of it."))
        if (category[0] in "CZ" and character not in (" ", *_JOINERS)) or character == "\ufffd":
            raise BadAddress(
                _("it holds a character that can’t be seen; type it anew instead of pasting it.")
            )


def _check_local(local: str) -> None:
    if not local:
        raise BadAddress(_("the part before the @ is missing, as in name@example.org."))
    if len(local.encode()) > _LONGEST_LOCAL:
        raise BadAddress(_("the part before the @ is too long; it has at most 64 characters."))
    if _DOT_STRING.fullmatch(local):
        if not local.isascii():
            _check_letters(local)
        return
    if local.startswith('"') and local.endswith('"') and len(local) > 1:
        raise BadAddress(_("addresses with quotation marks can’t be used here."))
    if " " in local:
        raise BadAddress(_("take the space out of it."))
    if "@" in local:
        raise BadAddress(_("there is more than one @; type one address only."))
    if local.startswith(".") or local.endswith(".") or ".." in local:
        raise BadAddress(_("a dot stands where none may; look at the part before the @."))
    raise BadAddress(_("the part before the @ holds a character that addresses don’t have."))


def _check_letters(local: str) -> None:
    """Raises `BadAddress` unless all characters outside ASCII are letters, marks or digits.

    RFC 6532 §3.1 asks for NFC. Characters that NFKC changes, such as full-width letters, are
    rejected, too.
    """
    if _UNSEEN.search(local):
        raise BadAddress(
            _("it holds a character that can’t be seen; type it anew instead of pasting it.")
        )
    for character in local:
        if (
            not character.isascii()
            and unicodedata.category(character)[0] not in "LM"
            and not character.isdecimal()
        ):
            raise BadAddress(
                _("“%(character)s” is no character that addresses have.") % {"character": character}
            )
    if unicodedata.normalize("NFKC", local) != local:
        raise BadAddress(
            _("a letter in it is written in a form that mail can’t carry; type it anew.")
        )
    _check_scripts(local)


def _check_scripts(text: str) -> None:
    """Raises `BadAddress` if similar scripts are mixed: a Cyrillic letter in a Latin word."""
    found = {
        script
        for character in text
        if character.isalpha()
        for script in _ALIKE_SCRIPTS
        if unicodedata.name(character, "").startswith(script)
    }
    if len(found) > 1:
        raise BadAddress(
            _("it mixes letters of two alphabets that look alike; type it anew with one keyboard.")
        )


@lru_cache(1024)  # an import has few domains that recur often
def _domain(typed: str) -> str:
    """Returns the domain in A-labels and lower case. Raises `BadAddress`."""
    if typed.isascii() and _PLAIN_DOMAIN.match(typed):
        return typed.lower()
    if " " in typed:
        raise BadAddress(_("take the space out of it."))
    if not typed:
        raise BadAddress(_("the part after the @ is missing, as in name@example.org."))
    if _IP_LITERAL.fullmatch(typed):
        raise BadAddress(
            _(
                "the part after the @ is a number and no name of a mail domain; "
                "check how it is spelt."
            )
        )
    if not typed.isascii():
        if unicodedata.normalize("NFKC", typed) != unicodedata.normalize("NFC", typed):
            raise BadAddress(
                _("a letter in it is written in a form that mail can’t carry; type it anew.")
            )
        for label in typed.split("."):
            _check_scripts(label)
    try:
        # UTS 46 maps case and width as browsers do. STD3 rules refuse underscores and the like (RFC
        # 5890).
        domain = idna.encode(typed, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise BadAddress(
            _("the part after the @ is no name of a mail domain; check how it is spelt.")
        ) from None
    if "." not in domain.strip("."):
        raise BadAddress(_("the part after the @ has no ending, such as .org or .com."))
    if domain.endswith(".") or domain.rpartition(".")[2].isdigit():
        raise BadAddress(
            _("the part after the @ is no name of a mail domain; check how it is spelt.")
        )
    return domain
