"""Listening sockets: opened by `up`, and handed to the processes that answer on them."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"
BACKLOG = 4096  #: who may wait in a socket's queue: after a restart, all readers of live pages come at once


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at this address. Port 0 takes a free one. Raises `OSError`.

    Whoever connects waits in its queue while the process behind it is started, or started again.
    """
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    ear = socket.socket(family, socket.SOCK_STREAM)
    try:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ear.bind(address)
        ear.listen(BACKLOG)
    except OSError:
        ear.close()
        raise
    return ear
