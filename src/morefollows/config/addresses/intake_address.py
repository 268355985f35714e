"""The receivers of what comes back: one URL for each, with its options in the query.

``lmtp://host:port``, ``smtp://host:port``: we listen there. ``imap://…`` or
``imaps://user:password@host/folder``: a mailbox that we read. ``maildir:///path``: a folder.
``webhook://provider?secret=…``: events that a provider posts to ``/hooks/<provider>/<secret>/``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

#: Providers whose webhooks are read: see `intake.receivers.webhooks`.
PROVIDERS = (
    *("brevo", "mailersend", "mailgun", "mailjet", "mailtrap", "mandrill", "postal", "postmark"),
    *("resend", "sendgrid", "ses", "sparkpost", "unisender-go"),
)
_PORTS = {"lmtp": 2424, "smtp": 25, "imap": 143, "imaps": 993, "maildir": 0, "webhook": 0}
_OPTIONS = {
    "lmtp": {"name", "size", "connections"},
    "smtp": {"name", "size", "connections"},
    "imap": set[str](),
    "imaps": {
        *("name", "then", "every", "verify", "auth", "token_url", "client_id", "client_secret"),
        *("refresh_token", "scope"),
    },
    "maildir": {"name", "then", "every"},
    "webhook": {"name", "secret", "key"},
}
_OPTIONS["imap"] = _OPTIONS["imaps"]
_SECRET = re.compile(r"[A-Za-z0-9_-]{20,200}")
_EXAMPLE = "lmtp://127.0.0.1:2424"


@dataclass(frozen=True)
class IntakeAddress:
    """The address of a receiver: what takes in bounces, complaints and replies."""

    scheme: str  #: lmtp, smtp, imap, imaps, maildir, webhook
    host: str = ""  #: of a webhook: the provider
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    folder: str = ""  #: of IMAP, or the path of a maildir
    options: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)

    @property
    def name(self) -> str:
        """Its name on pages and in logs. Never holds credentials."""
        if "name" in self.options:
            return self.options["name"]
        where = {"maildir": self.folder, "webhook": self.host}.get(self.scheme)
        if where is None:
            where = f"{self.host}:{self.port}" + (f"/{self.folder}" if self.folder else "")
        return f"{self.scheme} {where}"[:100]

    @property
    def takes_mail(self) -> bool:
        """Whether mail comes in, not only events of a provider."""
        return self.scheme != "webhook"


def parse_receivers(value: str) -> tuple[IntakeAddress, ...]:
    """Reads the URLs of receivers. Lines that begin with # are ignored.

    Raises `ValueError` with a message for pages that never holds credentials.
    """
    lines = [line for line in value.splitlines() if not line.lstrip().startswith("#")]
    found = []
    urls = " ".join(lines).split()
    for number, url in enumerate(urls, 1):
        try:
            found.append(parse_receiver(url))
        except ValueError as error:
            where = f"receiver {number}: " if len(urls) > 1 else ""
            raise ValueError(f"{where}{error}") from None
    names = [receiver.name for receiver in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two receivers are called {name}; give one of them another ?name=")
    return tuple(found)


def parse_receiver(url: str) -> IntakeAddress:
    """Reads one URL. Raises `ValueError` with a message without its credentials."""
    if any(ord(c) < 33 or ord(c) == 127 for c in url):
        raise ValueError("must not contain control characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"must look like {_EXAMPLE}") from None
    if parts.scheme not in _PORTS or "://" not in url:
        raise ValueError(f"must begin with {', '.join(f'{scheme}://' for scheme in _PORTS)}")
    options = _options(parts.scheme, parts.query)
    path = unquote(parts.path)
    receiver = IntakeAddress(
        parts.scheme,
        parts.hostname or "",
        port if port is not None else _PORTS[parts.scheme],
        unquote(parts.username or ""),
        unquote(parts.password or "") or options.pop("password", ""),
        path if parts.scheme == "maildir" else path.strip("/"),
        options,
    )
    _CHECKS.get(parts.scheme, _check_host)(receiver)
    return receiver


def _options(scheme: str, query: str) -> dict[str, str]:
    """Reads the options. A name with ``_file`` at its end names a file that holds the value."""
    known = _OPTIONS[scheme] | ({"password"} if scheme in ("imap", "imaps") else set())
    read: dict[str, str] = {}
    for name, value in parse_qsl(query.replace("+", "%2B"), keep_blank_values=True):
        plain = name.removesuffix("_file")
        if plain not in known:
            # The name is not told: it may be the rest of a password with a "?" in it.
            raise ValueError(f"takes the options {', '.join(sorted(known))}, or one with _file")
        read[plain] = _kept_in(name, value) if name != plain else value
    return read


def _kept_in(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise ValueError(f"{name}= can't be read: {reason}") from None


def _check_host(receiver: IntakeAddress) -> None:
    if not receiver.host:
        raise ValueError(f"must look like {_EXAMPLE}")
    _check_number(receiver, "size", 10_000, 100_000_000)
    _check_number(receiver, "connections", 1, 10_000)


def _check_imap(receiver: IntakeAddress) -> None:
    if not receiver.host or not receiver.user:
        raise ValueError("must look like imaps://user:password@mail.example.org/INBOX")
    if receiver.options.get("auth", "password") not in ("password", "xoauth2"):
        raise ValueError("auth= must be password or xoauth2")
    if receiver.options.get("auth") == "xoauth2":
        for name in ("token_url", "client_id", "refresh_token"):
            if not receiver.options.get(name):
                raise ValueError(f"auth=xoauth2 needs {name}= or {name}_file=")
        if not receiver.options["token_url"].startswith("https://") and not re.match(
            r"http://(127\.0\.0\.1|localhost)[:/]", receiver.options["token_url"]
        ):
            raise ValueError("token_url= must begin with https://")
    _check_then(receiver, r"keep|seen|delete|move:.+")


def _check_maildir(receiver: IntakeAddress) -> None:
    if not receiver.folder.startswith("/"):
        raise ValueError("must look like maildir:///var/mail/bounces")
    _check_then(receiver, r"delete|cur")


def _check_webhook(receiver: IntakeAddress) -> None:
    if receiver.host not in PROVIDERS:
        raise ValueError(f"names a provider that is not known: {', '.join(PROVIDERS)}")
    if not _SECRET.fullmatch(receiver.options.get("secret", "")):
        raise ValueError("needs secret= with 20 letters, digits, dashes or more")


def _check_then(receiver: IntakeAddress, allowed: str) -> None:
    if not re.fullmatch(allowed, receiver.options.get("then", "delete")):
        raise ValueError(f"then= must be one of {allowed.replace('|', ', ')}")
    _check_number(receiver, "every", 1, 86_400)


def _check_number(receiver: IntakeAddress, name: str, least: int, most: int) -> None:
    value = receiver.options.get(name, str(least))
    if not re.fullmatch(r"\d{1,9}", value) or not least <= int(value) <= most:
        raise ValueError(f"{name}= must be a whole number from {least} to {most}")


_CHECKS: dict[str, Callable[[IntakeAddress], None]] = {
    "imap": _check_imap,
    "imaps": _check_imap,
    "maildir": _check_maildir,
    "webhook": _check_webhook,
}
