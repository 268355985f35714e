"""Sends single entries of the activity log to another machine: by syslog, or as a webhook.

The administrator's environment names the address. Still no name leads to where only this machine
should reach: the name is resolved once, the connection goes to that address, and addresses of this
machine and of its link (cloud metadata) are taken only if the setting has them as numbers.
Redirects are not followed. Of a response only the status is used.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import os
import socket
import ssl
from datetime import UTC, datetime
from typing import Protocol

from morefollows.audit.models import AuditEntry
from morefollows.config.addresses.log_sink import LogSink
from morefollows.helpers import guarded_lookup, public_addresses

_SECONDS = 5.0  # for connecting, and for each read and write
_PRIORITY = 13 * 8 + 5  # facility "log audit", severity "notice" (RFC 5424 §6.2.1)
_LONGEST = 8_192  # octets of a syslog message; every transport takes so many
_NEVER_SOONER = frozenset((401, 403, 404, 408, 425, 429))  # the address is wrong, not the entry


class NotTaken(Exception):
    """The sink did not take an entry. ``str()`` says why."""


class EntryRefused(NotTaken):
    """The sink refuses this entry; it may take others."""


class Sink(Protocol):
    """A connection to a sink. Used by one thread."""

    def send(self, entry: AuditEntry) -> None:
        """Sends an entry. Raises `NotTaken` or `OSError`."""

    def close(self) -> None:
        """Closes the connection."""


def connect(address: LogSink) -> Sink:
    """Returns a sink. It connects when the first entry is sent."""
    return _Syslog(address) if address.scheme.startswith("syslog") else _Webhook(address)


def entry_json(entry: AuditEntry) -> str:
    """An entry as JSON, the same by every way."""
    facts = {
        "id": entry.pk,
        "at": entry.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "editor": entry.editor.email if entry.editor else None,
        "operator": entry.operator or None,
        "network": entry.network or None,
        "what": entry.what,
        "subject": entry.subject or None,
        "story": str(entry.story.uuid) if entry.story else None,
        "alert": str(entry.alert.uuid) if entry.alert else None,
        "details": entry.details,
    }
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def syslog_message(entry: AuditEntry, host: str) -> bytes:
    """An entry as RFC 5424 §6 has it, with its JSON as the message in UTF-8."""
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    name = "".join(one if 33 <= ord(one) <= 126 else "-" for one in entry.what)[:32]
    head = f"<{_PRIORITY}>1 {at} {host or '-'} morefollows {os.getpid()} {name} - \ufeff"
    message = (head + entry_json(entry)).encode()
    if len(message) > _LONGEST:
        message = message[:_LONGEST].decode(errors="ignore").encode()
    return message


class _Syslog:
    """UDP and datagram sockets (RFC 5426), TCP (RFC 6587 §3.4.1), and TLS (RFC 5425)."""

    def __init__(self, address: LogSink) -> None:
        self._address = address
        self._host = socket.gethostname().encode("ascii", "replace").decode()[:255]
        self._socket: socket.socket | None = None

    def send(self, entry: AuditEntry) -> None:
        message = syslog_message(entry, self._host)
        stream = self._address.scheme in ("syslog+tcp", "syslog+tls")
        if self._socket is not None and stream and _ended(self._socket):
            self.close()
        if self._socket is None:
            self._socket = self._connected()
        try:
            self._socket.sendall(b"%d %s" % (len(message), message) if stream else message)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _connected(self) -> socket.socket:
        address = self._address
        if address.scheme == "syslog+unix":
            opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            opened.settimeout(_SECONDS)
            opened.connect(address.path)
            return opened
        ip = _resolved(address.host, address.port)
        if address.scheme == "syslog+udp":
            family = socket.AF_INET6 if ":" in ip else socket.AF_INET
            opened = socket.socket(family, socket.SOCK_DGRAM)
            opened.connect((ip, address.port))
            return opened
        opened = socket.create_connection((ip, address.port), timeout=_SECONDS)
        if address.scheme == "syslog+tls":
            return ssl.create_default_context().wrap_socket(opened, server_hostname=address.host)
        return opened


def _ended(opened: socket.socket) -> bool:
    """Whether the other side has closed the connection. What is sent then would be lost."""
    opened.settimeout(0)
    try:
        return not opened.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
    finally:
        opened.settimeout(_SECONDS)


class _Webhook:
    """POST with JSON, signed as Standard Webhooks have it. A new connection for each entry."""

    def __init__(self, address: LogSink) -> None:
        self._address = address

    def send(self, entry: AuditEntry) -> None:
        from standardwebhooks import Webhook

        address, now = self._address, datetime.now(UTC)
        body = f'{{"type":"activity","timestamp":"{now.isoformat()}","data":{entry_json(entry)}}}'
        name = f"entry-{entry.pk}"  # the same for each try, so that the sink can tell repeats
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "MoreFollows",
            "webhook-id": name,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(address.secret).sign(name, now, body),
        }
        status = self._post(body.encode(), headers)
        if 200 <= status < 300:
            return
        ours = 400 <= status < 500 and status not in _NEVER_SOONER
        raise (EntryRefused if ours else NotTaken)(f"status {status}")

    def close(self) -> None:
        pass

    def _post(self, body: bytes, headers: dict[str, str]) -> int:
        address = self._address
        connection = http.client.HTTPConnection(address.host, address.port, timeout=_SECONDS)
        connection.auto_open = 0  # never a connection of its own, to wherever the name leads
        try:
            ip = _resolved(address.host, address.port)
            connection.sock = socket.create_connection((ip, address.port), timeout=_SECONDS)
            if address.scheme == "https":
                context = ssl.create_default_context()
                connection.sock = context.wrap_socket(connection.sock, server_hostname=address.host)
            connection.request("POST", address.path, body, headers)
            return connection.getresponse().status
        except http.client.HTTPException as error:
            raise NotTaken(type(error).__name__) from None
        finally:
            connection.close()


def _resolved(host: str, port: int) -> str:
    """An IP address of the host's. Raises `NotTaken` if a name leads to where it must not."""
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(host))
    try:
        return guarded_lookup.resolve(host, port, public_addresses.is_elsewhere)[0]
    except guarded_lookup.NameNotFound:
        raise NotTaken(f"{host} can't be resolved") from None
    except guarded_lookup.AddressRefused as refused:
        raise NotTaken(
            f"{host} leads to {refused}; give the number itself if that is meant"
        ) from None
