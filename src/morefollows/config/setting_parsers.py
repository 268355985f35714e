"""Parsers for the values of settings.

Each raises `ValueError`; its message follows the setting's name.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from morefollows.config.keyring import Keyring


def text(value: str) -> str:
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise ValueError("must not contain control characters")
    return value


def mail_address(value: str) -> str:
    """Returns a mail address in ASCII, or ""."""
    # The characters of an atom (RFC 5322 §3.2.3). A local part has at most 64 octets (RFC 5321
    # §4.5.3.1.1).
    if value and not re.fullmatch(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w.-]{1,255}", value, re.ASCII):
        raise ValueError("must be one mail address, such as desk@example.org")
    return value


def folder(value: str) -> Path:
    """Returns the absolute path without symbolic links, the same for every process."""
    if not text(value):
        raise ValueError("must name a folder")
    try:
        return Path(value).expanduser().resolve()
    # The working directory was deleted, symbolic links form a loop, or the user has no home.
    except (
        OSError,
        RuntimeError,
    ):
        raise ValueError(f"{value} is not a folder that can be found from here") from None


def whole_number(least: int, most: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not re.fullmatch(r"-?\d{1,12}", value) or not least <= int(value) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(value)

    return read


def time_of_day(value: str) -> int:
    """Returns minutes after midnight."""
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError("must be a time of day such as 18:00")
    return 60 * int(value[:2]) + int(value[3:])


def seconds(least: float, most: float) -> Callable[[str], float]:
    def read(value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            # NaN is in no range, so the check below refuses it.
            number = float("nan")
        if not least <= number <= most:
            raise ValueError(f"must be seconds, from {least:g} to {most:g}")
        return number

    return read


def percent(value: str) -> float:
    try:
        read = float(value)
    except ValueError:
        read = -1.0
    if not 0 <= read < 100:
        raise ValueError("must be a number from 0 to less than 100")
    return read


def yes_no(value: str) -> bool:
    words = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }
    if value.lower() not in words:
        raise ValueError("must be yes or no")
    return words[value.lower()]


def words(value: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[,\s]+", text(value)) if word)


def site(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be a web address such as https://alerts.example.org")
    return value.rstrip("/")


def hub(value: str) -> str:
    parts = urlsplit(text(value))
    if value and (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.fragment
        or "@" in parts.netloc
    ):
        raise ValueError("must be a web address such as https://hub.example.org/")
    return value


def contact(value: str) -> str:
    """A URI for security.txt (RFC 9116 §2.5.3). A bare mail address becomes one."""
    if re.fullmatch(r"[^\s@:<>]+@[A-Za-z0-9.-]+", value):
        return f"mailto:{value}"
    if value and not re.fullmatch(r"(?:https://|mailto:)[!-~]+", value):
        raise ValueError("must be a mail address, or a web address that begins with https:")
    return value


def host_name(value: str) -> str:
    if value and not re.fullmatch(
        r"(?=.{1,253}\Z)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?)+", value
    ):
        raise ValueError("must be a host name such as bounces.example.org")
    return value.lower()


def resolver(value: str) -> str:
    if value in ("", "off"):
        return value
    host, _, port = value.rpartition(":")
    try:
        ipaddress.ip_address(host.strip("[]"))
        if not 0 < int(port) < 65536:
            raise ValueError
    except ValueError:
        raise ValueError("must be an IP address and a port such as 192.0.2.53:53, or off") from None
    return f"{host.strip('[]')}:{int(port)}"


def host_and_port(value: str) -> str:
    host, _, port = value.rpartition(":")
    if value and not (
        host_name(host.strip("[]").replace(":", "-")) and re.fullmatch(r"\d{1,5}", port)
    ):
        raise ValueError("must be a host and a port such as 127.0.0.1:783")
    if value and not 0 < int(port) < 65536:
        raise ValueError("must be a host and a port from 1 to 65535, such as 127.0.0.1:783")
    return f"{host.strip('[]')}:{int(port)}" if value else ""


def one_of(*words: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value.lower() not in words:
            raise ValueError(f"must be {' or '.join(words)}")
        return value.lower()

    return read


def notifier(value: str) -> str:
    """Returns the URLs of NATS servers, apart by spaces, or ""."""
    for url in text(value).split():
        parts = urlsplit(url)
        # `tls` is NATS's scheme for connections that are encrypted.
        if parts.scheme not in ("nats", "tls") or not parts.hostname:
            raise ValueError("must be empty, or such as nats://nats.example.org:4222")
    return " ".join(value.split())


def storage(value: str) -> str:
    """Returns the address of a bucket, or ""."""
    parts = urlsplit(text(value))
    if value and (parts.scheme != "s3" or not parts.hostname or "@" in parts.netloc):
        raise ValueError(
            "must be empty, or such as s3://bucket/folder?endpoint=https://s3.example.org"
        )
    # Checked at the start, and not when an editor adds the first image.
    if value and find_spec("storages") is None:
        raise ValueError("needs django-storages: pip install morefollows[s3]")
    return value


def roles(value: str) -> tuple[tuple[str, str], ...]:
    """Returns pairs of a role and the value of a claim that gives it."""
    pairs = tuple((role, claim) for role, _, claim in (one.partition("=") for one in words(value)))
    if any(
        role not in ("administrator", "editor", "reporter") or not claim for role, claim in pairs
    ):
        raise ValueError("must be such as administrator=news-admins editor=news-editors")
    return pairs


def log_level(value: str) -> str:
    if value.lower() not in ("debug", "info", "warning", "error"):
        raise ValueError("must be debug, info, warning or error")
    return value.lower()


def secret(value: str) -> Keyring | None:
    return Keyring.from_text(value) if value else None
