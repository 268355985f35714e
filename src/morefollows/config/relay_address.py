"""Relays as the settings name them: one URL each, with what else is to be said of it as a query.

The URL's scheme says what kind of relay it is. Each kind is a module that registers itself here; see `RelayKind`.
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

#: Modules of the kinds of relay. Importing one registers its kind; none of them may be slow to import.
MODULES = ["morefollows.courier.smtp.kind"]


@dataclass(frozen=True)
class RelayAddress:
    """Where mail is handed on, read from ``smtp://user:password@host:port`` or ``smtps://…``.

    ``smtp``: STARTTLS when the relay offers it, and always once it has (``?tls=require`` insists from the beginning,
    ``?tls=optional`` only warns when it is offered no more, ``?tls=never`` declines).
    ``smtps``: TLS from the first byte (RFC 8314). Certificates are verified unless ``?verify=no``.
    """

    host: str
    port: int
    scheme: str = "smtp"
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
    options: Mapping[str, object] = field(
        default_factory=dict, hash=False
    )  # those that only its kind knows

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


#: An option of the URL → the attribute of `RelayAddress`, or the key in its `options`; and how it is read.
Options = Mapping[str, tuple[str, Callable[[str], object]]]


@dataclass(frozen=True)
class RelayKind:
    """A kind of relay."""

    #: URL scheme → attributes of `RelayAddress` that follow from it, at least the `port` that is usual
    schemes: Mapping[str, Mapping[str, Any]]
    example: str  #: of a URL, for messages
    #: Makes the relay, as `courier.relays.interface.Relay`, from a `RelayAddress`, a `interface.Source` and a
    #: `interface.Setup`
    make: Callable[..., Any]
    options: Options = field(default_factory=dict)  #: of its URLs, beside those that all kinds have


_kinds: dict[str, RelayKind] = {}  # scheme → its kind


def register(kind: RelayKind) -> None:
    """Called by the kind's module when it is imported. Raises `ValueError` if one of its schemes is taken."""
    for scheme in kind.schemes:
        if _kinds.get(scheme, kind) is not kind:
            raise ValueError(f"two kinds of relay are called {scheme}")
        _kinds[scheme] = kind


def kinds() -> Mapping[str, RelayKind]:
    """Every kind that is known, by URL scheme."""
    for module in MODULES:
        import_module(module)
    return _kinds


def kind_of(scheme: str) -> RelayKind:
    """Raises `ValueError`, naming the schemes that are known, for one that is not. It may be part of a password."""
    found = kinds().get(scheme)
    if found is None:
        raise ValueError(
            f"its kind is not known: a relay's address begins with {_or(f'{one}://' for one in _kinds)}"
        )
    return found


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
            raise ValueError(
                f"two relays are called {name}; give each a name of its own, such as ?name=second"
            )
    if found and not any(relay.alerts for relay in found):
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
    """What the URL's query says, by attribute or name."""
    known: Options = {**own, **_OPTIONS}
    given = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
    if set(given) - {
        *known,
        "password_file",
    }:  # not named: it may be the rest of a password with a ? in it
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
    """Reads an option that has one of these values."""

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


# Options that the URLs of all kinds have.
_OPTIONS: Options = {
    "name": ("label", _name),
    "rate": ("rate", _mails_a_second),
    "connections": ("connections", _number(1, 1000)),
    "weight": ("weight", _number(1, 1000)),
    "purpose": ("purpose", one_of("both", "alerts", "bulk")),
}
