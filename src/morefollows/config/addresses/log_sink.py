"""The address that the activity log is sent to."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from urllib.parse import urlsplit

#: Scheme → default port; 0: none, it is a socket in the file system.
_SYSLOG = {"syslog+udp": 514, "syslog+tcp": 601, "syslog+tls": 6514, "syslog+unix": 0}
_LEAST_SECRET = 16  # octets


@dataclass(frozen=True)
class LogSink:
    """Where entries go. `secret`: of a webhook, in base64 after ``whsec_``."""

    scheme: str
    host: str  #: of syslog and webhooks
    port: int
    path: str  #: of a webhook, with its query; or of a socket
    secret: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """Without the secret, the query and the path of a webhook, which may have one."""
        return f"{self.scheme}://{self.host or self.path}" + (f":{self.port}" if self.port else "")


def log_sink(value: str) -> LogSink | None:
    """Parses the setting. Raises `ValueError`."""
    if not value:
        return None
    address, _, secret = value.strip().partition(" ")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise ValueError(_REMEDY) from None
    if parts.fragment or parts.username is not None or not address.isprintable():
        raise ValueError(_REMEDY)
    if parts.scheme in _SYSLOG:
        local = parts.scheme == "syslog+unix"
        if secret or parts.query or local == bool(parts.hostname) or local != bool(parts.path):
            raise ValueError(_REMEDY)
        host = parts.hostname or ""
        return LogSink(parts.scheme, host, port or _SYSLOG[parts.scheme], parts.path)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(_REMEDY)
    _check_secret(secret.strip())
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = port or (443 if parts.scheme == "https" else 80)
    return LogSink(parts.scheme, parts.hostname, port, path, secret.strip())


_REMEDY = (
    "must be such as syslog+tls://logs.example.org:6514, syslog+unix:///dev/log, or "
    "https://logs.example.org/hook and, after a space, the secret that signs, whsec_…"
)


def _check_secret(secret: str) -> None:
    prefix, _, rest = secret.partition("_")
    try:
        octets = base64.b64decode(rest + "=" * (-len(rest) % 4), validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if prefix != "whsec" or len(octets) < _LEAST_SECRET:
        raise ValueError(
            "needs a secret after the web address and a space: whsec_ and 16 octets or more in "
            "base64, such as `echo whsec_$(openssl rand -base64 32)` makes"
        )
