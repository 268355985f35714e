"""The addresses of relays in the settings: one URL for each, with its options in the query.

The URL's scheme selects the kind of relay. Each kind is a module that registers itself here; see
`RelayKind`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

#: Modules of the kinds of relay. Importing one registers its kind, so the import must be fast.
MODULES = [
    "morefollows.courier.smtp.relay_kind",
    "morefollows.courier.mx.relay_kind",
    "morefollows.courier.provider_apis.relay_kind",
]


@dataclass(frozen=True)
class RelayAddress:
    """The address of a relay, read from ``smtp://user:password@host:port`` or ``smtps://…``.

    ``smtp``: STARTTLS (RFC 3207) when the relay offers it, and required once it has succeeded.
    ``?tls=require`` requires it from the first connection. ``?tls=optional`` only warns when it is
    no longer offered. ``?tls=never`` never uses it. ``smtps``: TLS from the first byte (RFC 8314).
    Certificates are verified unless ``?verify=no``.
    """

    host: str
    port: int
    scheme: str = "smtp"
    implicit_tls: bool = False
    starttls: str = "offered"  # offered | require | optional | never
    verify: bool = True
    user: str = ""
    password: str = field(default="", repr=False)
    label: str = ""  # its name on pages and in logs; default host:port
    rate: float = 0.0  # mails a second, over all sender processes; 0: no limit
    connections: int = 0  # over all sender processes; 0: MOREFOLLOWS_RELAY_CONNECTIONS
    weight: int = 0  # its share of the mails, relative to the other weights; 0: none given
    purpose: str = "both"  # both | alerts | bulk
    # Options that only this kind of relay has.
    options: Mapping[str, object] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        """Name on pages and in logs: the given name, or host and port. Never holds credentials."""
        return self.label or f"{self.host}:{self.port}"

    @property
    def on_this_machine(self) -> bool:
        """Whether it is reached over the loopback interface. It may still deliver to the world."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"

    @property
    def host_and_port(self) -> str:
        """Its host and port, also if it has a name."""
        return f"{self.host}:{self.port}"

    @property
    def alerts(self) -> bool:
        """Whether it takes the alert lane, and the letters for sign-ups."""
        return self.purpose != "bulk"

    @property
    def bulk(self) -> bool:
        """Whether it takes the bulk lane: offers and digests."""
        return self.purpose != "alerts"


#: Option of the URL → attribute of `RelayAddress` or key in its `options`, and the parser of its
#: value.
Options = Mapping[str, tuple[str, Callable[[str], object]]]


@dataclass(frozen=True)
class RelayKind:
    """A kind of relay, such as SMTP: its URL schemes and options, and how to create the relay."""

    #: URL scheme → attributes of `RelayAddress` that follow from it; at least the default `port`
    schemes: Mapping[str, Mapping[str, Any]]
    example: str  #: an example URL, for messages
    #: Creates the relay (`courier.relays.interface.Relay`) from a `RelayAddress`, an
    #: `interface.MailSource` and an `interface.RelaySetup`.
    make: Callable[..., Any]
    channel: str = "mail"  #: what it takes: a key of `courier.channels.CHANNELS`
    options: Options = field(default_factory=dict)  #: options beside those of all kinds


_kinds: dict[str, RelayKind] = {}  # URL scheme → kind


def register_kind(kind: RelayKind) -> None:
    """Called by the kind's module on import. Raises `ValueError` if one of its schemes is taken."""
    for scheme in kind.schemes:
        if _kinds.get(scheme, kind) is not kind:
            raise ValueError(f"two kinds of relay are called {scheme}")
        _kinds[scheme] = kind


def kinds() -> Mapping[str, RelayKind]:
    """Returns every known kind, by URL scheme."""
    for module in MODULES:
        import_module(module)
    return _kinds


def kind_of(scheme: str) -> RelayKind:
    """Returns the kind for a URL scheme. Raises `ValueError` for an unknown one.

    The message names the known schemes, but not the unknown one: it may be part of a password.
    """
    found = kinds().get(scheme)
    if found is None:
        raise ValueError(
            f"its kind is not known: a relay's address begins with "
            f"{_or(f'{one}://' for one in _kinds)}"
        )
    return found


def relays(value: str) -> tuple[RelayAddress, ...]:
    """Reads the URLs of relays, separated by spaces or line ends.

    Lines that begin with # are ignored.

    Raises `ValueError` with a message for pages: which relay is wrong, and the remedy. The message
    never holds credentials.
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
            raise ValueError(
                f"two relays are called {name}; give each a name of its own, such as ?name=second"
            )
    mail = [relay for relay in found if kind_of(relay.scheme).channel == "mail"]
    if mail and not any(relay.alerts for relay in mail):
        raise ValueError("no relay takes alerts; leave purpose=bulk away from one of them")
    return tuple(found)


def _relay(url: str) -> RelayAddress:
    if any(ord(c) < 32 or ord(c) == 127 for c in url):
        raise ValueError("must not contain control characters")
    parts, port = _split(url)
    kind = kind_of(parts.scheme)
    if not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(f"must look like {kind.example}")
    own = _options(parts.query, kind.options)
    attributes = {
        name: own.pop(name) for name in list(own) if name in RelayAddress.__dataclass_fields__
    }
    password = unquote(parts.password or "")
    if "password_file" in own:
        if password:
            raise ValueError(
                "the password is given twice; keep either password_file= or the one in the URL"
            )
        password = _kept_in(str(own.pop("password_file")))
    given = {**kind.schemes[parts.scheme], **({"port": port} if port else {}), **attributes}
    return RelayAddress(
        host=parts.hostname,
        scheme=parts.scheme,
        user=unquote(parts.username or ""),
        password=password,
        options=own,
        **given,
    )


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        if "://" in url:
            return parts, parts.port
    except ValueError:
        pass
    raise ValueError(
        f"must look like {_or(dict.fromkeys(kind.example for kind in kinds().values()))}"
    )


def _options(query: str, own: Options) -> dict[str, object]:
    """Reads the options in the URL's query. Returns them by attribute or name."""
    known: Options = {**own, **_OPTIONS}
    given = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
    # The unknown option is not named: it may be the rest of a password that contains a ?.
    if set(given) - {
        *known,
        "password_file",
    }:
        raise ValueError(
            f"takes the options {', '.join(known)} and password_file, such as ?rate=14"
        )
    read: dict[str, object] = {}
    for name, (attribute, reader) in known.items():
        if name in given:
            try:
                read[attribute] = reader(unquote(given[name]))
            except ValueError as error:
                raise ValueError(f"{name}= {error}") from None
    if "password_file" in given:
        read["password_file"] = unquote(given["password_file"])
    return read


def _or(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def _kept_in(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise ValueError(f"password_file= can't be read: {reason}") from None


def one_of(*words: str) -> Callable[[str], str]:
    """Returns a parser for an option with a fixed set of values."""

    def read(value: str) -> str:
        if value not in words:
            raise ValueError(f"must be {', '.join(words[:-1])} or {words[-1]}")
        return value

    return read


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Returns a parser for an option that is a number."""

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


# Options of all kinds.
_OPTIONS: Options = {
    "name": ("label", _name),
    "rate": ("rate", _mails_a_second),
    "connections": ("connections", whole_number(1, 1000)),
    "weight": ("weight", whole_number(1, 1000)),
    "purpose": ("purpose", one_of("both", "alerts", "bulk")),
}
