"""Sends something on each event stream every 15 seconds, so that no proxy closes it as idle.

A comment is sent (WHATWG HTML §9.2.7), which browsers ignore. Closed connections are found by the
write, too. Not safe for threads: everything runs in the hub's event loop.
"""

from __future__ import annotations

import asyncio

from morefollows.live.stream.connection import Stream

_EVERY = 15  # seconds between comments on a stream; proxies close streams idle for longer
_COMMENT = b":\n\n"


class KeepAlive:
    """The open streams, in as many sets as there are seconds between comments on one of them."""

    def __init__(self) -> None:
        self._sets: list[set[Stream]] = [set() for _ in range(_EVERY)]

    def add(self, stream: Stream) -> None:
        """Called when a stream was opened: comments are sent on it from now on."""
        self._set_of(stream).add(stream)

    def discard(self, stream: Stream) -> None:
        """Called when a stream was closed. Does nothing if it was never opened."""
        self._set_of(stream).discard(stream)

    def _set_of(self, stream: Stream) -> set[Stream]:
        # CPython's objects lie at multiples of 16. Without the division few sets would have all
        # streams.
        return self._sets[id(stream) // 16 % _EVERY]

    async def run(self) -> None:
        """Each second sends a comment on a fifteenth of the streams, until it is cancelled."""
        turn = 0
        while True:
            await asyncio.sleep(1)
            turn = (turn + 1) % _EVERY
            for stream in list(self._sets[turn]):
                stream.send(_COMMENT)
