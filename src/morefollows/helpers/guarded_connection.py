"""An HTTP connection to an address that was looked up before, with one deadline for all of it.

For addresses that somebody else chose: see `guarded_lookup`.

Invariants: nothing is connected to but the given IP address, whatever the name leads to by then.
However slowly the other side sends, the connection has ended at the deadline.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator


@contextlib.contextmanager
def connect_until(
    deadline: float, host: str, ip: str, port: int, *, secure: bool, step_seconds: float
) -> Iterator[http.client.HTTPConnection]:
    """Yields a connection for one request, with TLS if `secure`, and closes it.

    `deadline`: by `time.monotonic`. `step_seconds`: for connecting, and for each read and write.
    Raises `TimeoutError` for whatever fails after the deadline, and `OSError`.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    connection = http.client.HTTPConnection(host, port)
    connection.auto_open = 0  # never a connection of its own, to wherever the name leads by then
    connected = _connect(ip, port, min(step_seconds, left))
    connection.sock = connected
    # A socket's time-out starts anew with each octet, so a slow server could hold us for hours.
    watch = threading.Timer(max(deadline - time.monotonic(), 0), _cut, (connection,))
    watch.daemon = True
    watch.start()
    try:
        if secure:
            # The handshake comes after the socket is the connection's, so that `_cut` ends it, too.
            connection.sock = ssl.create_default_context().wrap_socket(
                connected, server_hostname=host, do_handshake_on_connect=False
            )
            connection.sock.do_handshake()
        yield connection
    except (OSError, http.client.HTTPException, ValueError):
        if time.monotonic() >= deadline:
            raise TimeoutError("timed out") from None
        raise
    finally:
        watch.cancel()
        connection.close()


def _connect(ip: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((ip, port), timeout=seconds)


def _cut(connection: http.client.HTTPConnection) -> None:
    """Shuts the socket down. A blocked read or TLS handshake then ends."""
    if connection.sock is not None:
        with contextlib.suppress(OSError):  # it has ended already
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
