"""Checks and takes apart the addresses of sources: web addresses, folders and mailboxes."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from morefollows.ingest.models import Source

_LIMIT = 1000
#: First parts of paths below which nobody delivers news. `/run` has secrets of containers.
_SYSTEM = frozenset(("bin", "boot", "dev", "etc", "lib", "proc", "run", "sys", "usr"))
_IMAP_PORTS = {"imap": 143, "imaps": 993}


class MailboxAddress(NamedTuple):
    """Where a mailbox is. `secure`: by TLS from the first octet."""

    secure: bool
    host: str
    port: int
    user: str
    folder: str


def checked_address(kind: str, address: str, *, by_command: bool) -> tuple[str, str]:
    """Returns the address without its password, and the password or "".

    `by_command`: entered on the machine itself, where every folder may be named.

    Raises `ValidationError` for the field `address`.
    """
    address = address.strip()
    try:
        if len(address) > _LIMIT or not address.isprintable():
            raise _bad(_("This address is too long, or has characters that can’t be seen."))
        match kind:
            case Source.Kind.FEED | Source.Kind.PAGE:
                return _web(address)
            case Source.Kind.FOLDER:
                return _folder(address, by_command), ""
            case Source.Kind.IMAP:
                return _mailbox(address)
            case _:
                if address:
                    raise _bad(_("Programs push to us: this kind of source has no address."))
                return "", ""
    except ValueError:  # of `urlsplit` and `port`
        raise _bad(_("This is not an address.")) from None


def _web(address: str) -> tuple[str, str]:
    if "://" not in address:
        address = f"https://{address}"
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _bad(_("Give a web address that begins with https:// or http://."))
    assert parts.port is None or parts.port  # raises ValueError for what is no port
    host = parts.netloc.rpartition("@")[2]
    user = f"{parts.username}@" if parts.username else ""
    plain = urlunsplit((parts.scheme, user + host, parts.path or "/", parts.query, ""))
    return plain, unquote(parts.password or "")


def _folder(address: str, by_command: bool) -> str:
    path = Path(address)
    if not path.is_absolute():
        raise _bad(_("Give the folder’s whole path, from / on."))
    if not path.is_dir():
        raise _bad(_("There is no folder at this path on this machine. Make it first."))
    if not by_command and _is_private(path.resolve()):
        raise _bad(_("Files here would be read and moved. Add this folder by a command."))
    return str(path)


def _is_private(path: Path) -> bool:
    """Whether the service’s own files are there, settings of programs, or parts of the system."""
    data = settings.MOREFOLLOWS.data.resolve()
    ours = path == data or data in path.parents
    hidden = any(part.startswith(".") for part in path.parts)
    return ours or hidden or not _SYSTEM.isdisjoint(path.parts[1:2])


def _mailbox(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    if parts.scheme not in _IMAP_PORTS or not parts.hostname or not parts.username:
        raise _bad(_("Give a mailbox as imaps://user@host/folder; % signs as %25, @ as %40."))
    host = parts.netloc.rpartition("@")[2]
    plain = urlunsplit((parts.scheme, f"{parts.username}@{host}", parts.path, "", ""))
    return plain, unquote(parts.password or "")


def mailbox_address(address: str) -> MailboxAddress:
    """Takes the address of a source of the kind `imap` apart."""
    parts = urlsplit(address)
    return MailboxAddress(
        secure=parts.scheme == "imaps",
        host=str(parts.hostname),
        port=parts.port or _IMAP_PORTS[parts.scheme],
        user=unquote(str(parts.username)),
        folder=unquote(parts.path.strip("/")) or "INBOX",
    )


def account_of(address: str) -> tuple[str, str]:
    """The scheme, and host, port and user, that a password is for."""
    parts = urlsplit(address)
    return parts.scheme, parts.netloc.lower()


def shown_host(source: Source) -> str:
    """What the activity log names a source's address by: its host. A URL may hold a secret."""
    if source.kind in (Source.Kind.FEED, Source.Kind.PAGE, Source.Kind.IMAP):
        return urlsplit(source.address).hostname or ""
    return source.address


def _bad(words: str) -> ValidationError:
    return ValidationError({"address": ValidationError(words, code="address")})
