"""Relays as the settings name them: one URL each, with what else is to be said of it as a query."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

_SHAPE = "must look like smtp://user:password@mail.example.org:587 or smtps://mail.example.org"


@dataclass(frozen=True)
class RelayAddress:
    """Where mail is handed on, read from ``smtp://user:password@host:port`` or ``smtps://…``.

    ``smtp``: STARTTLS when the relay offers it, and always once it has (``?tls=require`` insists from the beginning,
    ``?tls=optional`` only warns when it is offered no more, ``?tls=never`` declines).
    ``smtps``: TLS from the first byte (RFC 8314). Certificates are verified unless ``?verify=no``.
    """

    host: str
    port: int
    implicit_tls: bool = False
    starttls: str = "offered"  # offered | require | optional | never
    verify: bool = True
    user: str = ""
    password: str = field(default="", repr=False)
    label: str = ""  # what pages and logs call it, if not host:port
    rate: float = 0.0  # mails a second, over all sender processes; 0: as many as it takes
    connections: int = 0  # over all sender processes; 0: MOREFOLLOWS_RELAY_CONNECTIONS
    weight: int = 0  # its share of the mails, beside the others' weights; 0: none is given
    purpose: str = "both"  # both | alerts | bulk

    @property
    def name(self) -> str:
        """Host and port, or the name that it was given: what pages and logs call it. Never holds the credentials."""
        return self.label or f"{self.host}:{self.port}"

    @property
    def on_this_machine(self) -> bool:
        """It is reached by the loopback interface. It may deliver to the world all the same."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"

    @property
    def host_and_port(self) -> str:
        """Where it is, whatever its name."""
        return f"{self.host}:{self.port}"

    @property
    def alerts(self) -> bool:
        """It takes the alert lane, and the letters that sign-ups owe."""
        return self.purpose != "bulk"

    @property
    def bulk(self) -> bool:
        """It takes the bulk lane: offers, digests."""
        return self.purpose != "alerts"


def relays(value: str) -> tuple[RelayAddress, ...]:
    """One relay or several, their URLs apart by spaces or line ends; lines that begin with # are left out.

    Raises `ValueError` in words fit for a page: which relay it is, and the remedy. They never hold credentials.
    """
    lines = [line for line in value.splitlines() if not line.lstrip().startswith("#")]
    found: list[RelayAddress] = []
    urls = " ".join(lines).split()
    for number, url in enumerate(urls, 1):
        try:
            found.append(_relay(url))
        except ValueError as error:
            raise ValueError(f"relay {number}: {error}" if len(urls) > 1 else str(error)) from None
    names = [relay.name for relay in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two relays are called {name}; give each a name of its own, such as ?name=second")
    if found and not any(relay.alerts for relay in found):
        raise ValueError("no relay takes alerts; leave purpose=bulk away from one of them")
    return tuple(found)


def _relay(url: str) -> RelayAddress:
    if any(ord(c) < 32 or ord(c) == 127 for c in url):
        raise ValueError("must not contain control characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(_SHAPE) from None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(_SHAPE)
    options = dict(pair.partition("=")[::2] for pair in parts.query.split("&") if pair)
    if set(options) - {*_OPTIONS, "password_file"}:  # not named: it may be the rest of a password with a ? in it
        raise ValueError(f"takes the options {', '.join(_OPTIONS)} and password_file, such as ?tls=require&rate=14")
    read: dict[str, object] = {}
    for name, (attribute, reader) in _OPTIONS.items():
        if name in options:
            try:
                read[attribute] = reader(unquote(options[name]))
            except ValueError as error:
                raise ValueError(f"{name}= {error}") from None
    password = unquote(parts.password or "")
    if "password_file" in options:
        if password:
            raise ValueError("the password is given twice; keep either password_file= or the one in the URL")
        password = _kept_in(unquote(options["password_file"]))
    return RelayAddress(
        host=parts.hostname,
        port=port or (465 if parts.scheme == "smtps" else 25),
        implicit_tls=parts.scheme == "smtps",
        user=unquote(parts.username or ""),
        password=password,
        **read,  # type: ignore[arg-type]
    )


def _kept_in(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise ValueError(f"password_file= can't be read: {reason}") from None


def _one_of(*words: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in words:
            raise ValueError(f"must be {', '.join(words[:-1])} or {words[-1]}")
        return value

    return read


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not re.fullmatch(r"\d{1,6}", value) or not least <= int(value) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(value)

    return read


def _mails_a_second(value: str) -> float:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", value) or float(value) == 0:
        raise ValueError("must be mails a second, such as 14 or 0.5")
    return float(value)


def _name(value: str) -> str:
    if not re.fullmatch(r"[\w .:-]{1,40}", value):
        raise ValueError("must be letters, digits, spaces, dots and dashes, 40 at the most")
    return value


#: An option of the URL → the attribute, and how it is read.
_OPTIONS: dict[str, tuple[str, Callable[[str], object]]] = {
    "tls": ("starttls", _one_of("offered", "require", "optional", "never")),
    "verify": ("verify", lambda value: _one_of("yes", "no")(value) == "yes"),
    "name": ("label", _name),
    "rate": ("rate", _mails_a_second),
    "connections": ("connections", _number(1, 1000)),
    "weight": ("weight", _number(1, 1000)),
    "purpose": ("purpose", _one_of("both", "alerts", "bulk")),
}
