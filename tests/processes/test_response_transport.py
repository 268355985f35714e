"""A response leaves in as few writes as it can. Its header does not wait for a later body."""

from __future__ import annotations

import asyncio

from morefollows.processes.web.connections.connection import _ResponseTransport


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.writes.append(bytes(data))

    def writelines(self, list_of_data: object) -> None:
        self.write(b"".join(list_of_data))  # type: ignore[call-overload]

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def written(*steps: bytes | None) -> list[bytes]:
    """What is written when a response writes these; None: the event loop runs in between."""
    under = Transport()

    async def respond() -> None:
        transport = _ResponseTransport(under, asyncio.get_running_loop())
        for step in steps:
            if step is None:
                await asyncio.sleep(0)
            else:
                transport.write(step)
        transport.close()
        await asyncio.sleep(0)

    asyncio.run(respond())
    assert under.closed
    return under.writes


def test_header_and_body_are_one_write() -> None:
    assert written(b"header", b"body") == [b"headerbody"]


def test_later_parts_of_the_body_are_written_at_once() -> None:
    assert written(b"header", b"one", b"two", None, b"three") == [b"headerone", b"two", b"three"]


def test_a_header_does_not_wait_for_a_body() -> None:
    assert written(b"header", None, b"body") == [b"header", b"body"]


def test_a_header_without_a_body_is_written_before_the_end() -> None:
    assert written(b"header") == [b"header"]
