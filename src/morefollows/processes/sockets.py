"""Listening sockets: opened by `up`, and passed to the processes that accept on them."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"
#: Length of the accept queue. After a restart all readers of live pages reconnect at once.
BACKLOG = 4096


def listen(host: str, port: int) -> socket.socket:
    """Returns a socket that listens at this address. Port 0 takes a free one. Raises `OSError`.

    Clients wait in its queue while the process that accepts is starting or restarting.
    """
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening
