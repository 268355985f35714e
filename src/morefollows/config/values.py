"""Parsers for the values of settings.

Each raises `ValueError`; its message follows the setting's name.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from morefollows.config.keyring import Keyring


def text(value: str) -> str:
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise ValueError("must not contain control characters")
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
            number = float("nan")
        if not least <= number <= most:
            raise ValueError(f"must be seconds, from {least:g} to {most:g}")
        return number

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


def log_level(value: str) -> str:
    if value.lower() not in ("debug", "info", "warning", "error"):
        raise ValueError("must be debug, info, warning or error")
    return value.lower()


def secret(value: str) -> Keyring | None:
    return Keyring.from_text(value) if value else None
