"""A connection to somebody else's address ends at its deadline."""

from __future__ import annotations

import socket
import time

import pytest

from morefollows.helpers.guarded_connection import connect_until


def test_a_deadline_that_is_over_connects_to_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(TimeoutError):
            with connect_until(
                time.monotonic(), "a.example", "127.0.0.1", port, secure=False, step_seconds=60
            ):
                pass
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()


@pytest.mark.parametrize("secure", [False, True])
def test_a_server_that_says_nothing_is_left_at_the_deadline(secure: bool) -> None:
    """Though each read might take a minute; in the TLS handshake, too."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            with connect_until(
                began + 0.3, "a.example", "127.0.0.1", port, secure=secure, step_seconds=60
            ) as connection:
                connection.request("GET", "/")
                connection.getresponse()
        assert time.monotonic() - began < 50
