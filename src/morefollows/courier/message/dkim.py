"""Signs each reader's copy with DKIM (RFC 6376): relaxed/relaxed, no l=; RSA, Ed25519 (RFC 8463).

What all copies share is canonicalised once. Each copy needs one body hash from the first slot on,
shared by both keys, one header hash per key, and the signature. An RSA-2048 signature takes twenty
times as long as the rest.

Invariant: no header field that a signature covers stands twice in a mail.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from morefollows.config.settings import SettingsError
from morefollows.courier.message.template import Composed, Slot

if TYPE_CHECKING:
    from morefollows.config.settings import Settings

#: Listed in h= once more than they occur, so that none can be added (RFC 6376 §5.4.2, §8.15).
OVERSIGNED = (
    "from",
    "to",
    "subject",
    "date",
    "reply-to",
    "message-id",
    "content-type",
    "list-unsubscribe",
    "list-unsubscribe-post",
)
#: Signed if present.
SIGNED = (
    "in-reply-to",
    "references",
    "mime-version",
    "content-transfer-encoding",
    "content-language",
    "list-id",
    "list-help",
    "list-owner",
    "list-archive",
    "feedback-id",
    "cfbl-address",
    "cfbl-feedback-id",
    "auto-submitted",
)

# In a canonicalised mail, NUL and a letter mark a slot. No composed mail contains NUL.
_MARKED_SLOT = re.compile(rb"\x00([A-Z])")
_SPACES = re.compile(rb"[ \t]+")
_FOLDS = re.compile(rb"\r\n(?=[ \t])")


_PADDING = PKCS1v15()
_HASHED = Prehashed(SHA256())


@dataclass(frozen=True)
class Signer:
    """A private key, and where its public half is published: ``<selector>._domainkey.<domain>``."""

    domain: str  #: empty: the domain of the mail's From
    selector: str
    key: RSAPrivateKey | Ed25519PrivateKey

    def digester(self, composed: Composed) -> Callable[[Sequence[bytes]], bytes]:
        """Returns the function that makes bh= of one copy, given its slot values."""
        return _digester(_relaxed_body(_split(composed)[1]))

    def prepare(self, composed: Composed) -> Callable[[Sequence[bytes], bytes], bytes]:
        """Returns the function that signs one copy, given the values of its slots and bh=.

        It returns the DKIM-Signature field.
        """
        fields = _fields(_split(composed)[0])
        domain = self.domain.encode("ascii") or _from_domain(fields)
        names = _names(fields)
        algorithm = b"rsa-sha256" if isinstance(self.key, RSAPrivateKey) else b"ed25519-sha256"
        before_hash = b"".join(
            (
                b"DKIM-Signature: v=1; a=" + algorithm + b"; c=relaxed/relaxed;\r\n",
                b" d=" + domain + b"; s=" + self.selector.encode("ascii") + b";\r\n",
                b" h=" + _folded_names(names) + b";\r\n bh=",
            )
        )
        signed_head = _Pieces(_relaxed_header(fields, names) + _relaxed_field(before_hash))
        sign, threaded = self._sign, Slot.REFERENCES in composed.slots

        def field(values: Sequence[bytes], body_hash: bytes) -> bytes:
            address = values[Slot.ADDRESS]
            if (
                # In a quoted local part: relaxed, as the whole header is.
                b" " in address or b"\t" in address
            ):
                values = [_SPACES.sub(b" ", address), *values[1:]]
            if threaded:
                values = [
                    *values[: Slot.REFERENCES],
                    _FOLDS.sub(b"", values[Slot.REFERENCES]),
                    values[Slot.REPLY],
                ]
            head = hashlib.sha256(b"".join(signed_head.fill(values)))
            head.update(body_hash + b"; b=")
            signature = b64encode(sign(head.digest()))
            lines = b"\r\n ".join(signature[at : at + 72] for at in range(0, len(signature), 72))
            return b"".join((before_hash, body_hash, b";\r\n b=", lines, b"\r\n"))

        return field

    def _sign(self, digest: bytes) -> bytes:
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(digest, _PADDING, _HASHED)
        return self.key.sign(digest)  # PureEdDSA over the hash (RFC 8463 §3)


def signers(settings: Settings) -> tuple[Signer, ...]:
    """Returns the configured signers, RSA first. Raises `SettingsError` for an invalid key."""
    found = []
    if settings.dkim_key:
        key = _load("MOREFOLLOWS_DKIM_KEY", settings.dkim_key)
        if not isinstance(key, RSAPrivateKey) or key.key_size < 2048:
            raise SettingsError(
                "MOREFOLLOWS_DKIM_KEY", "must be an RSA key of 2048 bits or more (RFC 8301)"
            )
        found.append(Signer(settings.dkim_domain, settings.dkim_selector, key))
    if settings.dkim_ed25519_key:
        key = _load("MOREFOLLOWS_DKIM_ED25519_KEY", settings.dkim_ed25519_key)
        if not isinstance(key, Ed25519PrivateKey):
            raise SettingsError("MOREFOLLOWS_DKIM_ED25519_KEY", "must be an Ed25519 key")
        found.append(Signer(settings.dkim_domain, settings.dkim_ed25519_selector, key))
    return tuple(found)


def _load(name: str, pem: str) -> object:
    # Loaded when there is a key: it brings all of SSH's key formats along.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        remedy = "is not an unencrypted private key in PEM; `openssl genrsa 2048` makes an RSA one"
        raise SettingsError(name, remedy) from None


# -- canonicalisation (RFC 6376 §3.4) --------------------------------------------------------------


def _split(composed: Composed) -> tuple[bytes, bytes]:
    """Header and body, with marks for the slots."""
    marked = [composed.parts[0]]
    for slot, part in zip(composed.slots, composed.parts[1:], strict=True):
        # NUL occurs in no mail (RFC 5322 §2.1), so the marks can't be mistaken for content.
        marked += (b"\0" + bytes([65 + slot]), part)
    head, _, body = b"".join(marked).partition(b"\r\n\r\n")
    return head + b"\r\n", body


def _fields(head: bytes) -> dict[bytes, bytes]:
    """Returns the relaxed fields (§3.4.2) by lower-case name. ValueError if a name repeats."""
    found: dict[bytes, bytes] = {}
    for line in _FOLDS.sub(b"", head).split(b"\r\n")[:-1]:
        field = _relaxed_field(line)
        name = field.partition(b":")[0]
        if name in found:
            raise ValueError(f"{name.decode()}: stands twice in the header")
        found[name] = field + b"\r\n"
    return found


def _relaxed_field(field: bytes) -> bytes:
    name, _, value = _FOLDS.sub(b"", field).partition(b":")
    return name.strip().lower() + b":" + _SPACES.sub(b" ", value).strip(b" ")


def _names(fields: dict[bytes, bytes]) -> list[bytes]:
    """What stands in h=."""
    twice = [name.encode() for name in OVERSIGNED]
    once = [name.encode() for name in SIGNED]
    return [
        *(name for name in twice for _ in range(1 + (name in fields))),
        *(name for name in once if name in fields),
    ]


def _relaxed_header(fields: dict[bytes, bytes], names: Sequence[bytes]) -> bytes:
    """The fields in the order of h=. What is named but not there counts as nothing (§5.4)."""
    return b"".join(fields[name] for name in dict.fromkeys(names) if name in fields)


def _relaxed_body(body: bytes) -> bytes:
    """Removes spaces at line ends and empty last lines; other runs become one space (§3.4.4)."""
    lines = [_SPACES.sub(b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    # Empty lines at the end of the body are ignored (§3.4.4).
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def _folded_names(names: Sequence[bytes]) -> bytes:
    lines, line = [], b""
    for name in names:
        if line and len(line) + len(name) > 70:
            lines.append(line)
            line = b""
        line += name + b":"
    return b"\r\n  ".join([*lines, line[:-1]])


def _from_domain(fields: dict[bytes, bytes]) -> bytes:
    return fields[b"from"].rpartition(b"@")[2].rstrip(b">\r\n")


class _Pieces:
    """Canonical bytes with slots."""

    def __init__(self, marked: bytes) -> None:
        pieces = _MARKED_SLOT.split(marked)
        self.literals = pieces[::2]
        self.slots = [letter[0] - 65 for letter in pieces[1::2]]
        self._gaps = [*pieces]

    def fill(self, values: Sequence[bytes]) -> list[bytes]:
        pieces = self._gaps.copy()
        pieces[1::2] = [values[slot] for slot in self.slots]
        return pieces


def _digester(marked: bytes) -> Callable[[Sequence[bytes]], bytes]:
    """Returns the function for the body's SHA-256 in base64. The shared start is hashed once."""
    pieces = _Pieces(marked)
    # Most of a body is the same for all readers. `copy` goes on from the state after it.
    start = hashlib.sha256(pieces.literals[0])

    def digest(values: Sequence[bytes]) -> bytes:
        state = start.copy()
        state.update(b"".join(pieces.fill(values)[1:]))
        return b64encode(state.digest())

    return digest
