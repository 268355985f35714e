"""A relay that discards all mail. It offers the given extensions, also CHUNKING (RFC 3030).

``python -m bench.sink CHUNKING PIPELINING`` prints its port and runs until it is ended. Postfix's
smtp-sink does not know CHUNKING, and reads each octet. This one parses commands and skips contents.

``SLEEP=0.1`` has it sleep so many seconds before it takes what came by DATA, as a distant relay
does, and ``TLS=FILE`` speak TLS from the first byte, with the key and certificate in that file.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import sys
from collections.abc import Sequence

import uvloop

_OK = b"250 2.0.0 Ok\r\n"
_BDAT = re.compile(rb"BDAT (\d+) LAST\r?\Z", re.IGNORECASE).match


class Sink(asyncio.Protocol):
    """One connection."""

    def __init__(self, offers: Sequence[str], sleep: float = 0.0) -> None:
        self._sleep = sleep
        lines = ["sink.example", *offers]
        self._greeting = (
            "".join(f"250-{line}\r\n" for line in lines[:-1]).encode()
            + f"250 {lines[-1]}\r\n".encode()
        )
        self._rest = b""
        self._chunk = 0  # octets of a chunk still to come
        self._content = False  # within DATA
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._transport.write(b"220 sink.example ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        replies: list[bytes] = []
        ended = False
        if self._rest:
            data, self._rest = self._rest + data, b""
        at = 0
        while at < len(data):
            if self._chunk:
                taken = min(self._chunk, len(data) - at)
                self._chunk -= taken
                at += taken
                if not self._chunk:
                    replies.append(_OK)
            elif self._content:
                end = data.find(b"\r\n.\r\n", at)
                if end < 0:
                    self._rest = data[max(at, len(data) - 4) :]
                    break
                self._content, ended = False, True
                at = end + 5
                replies.append(_OK)
            else:
                end = data.find(b"\n", at)
                if end < 0:
                    self._rest = data[at:]
                    break
                replies.append(self._command(data[at:end]))
                at = end + 1
        said = b"".join(replies)
        if ended and self._sleep:  # nothing more comes until the client has this reply
            asyncio.get_running_loop().call_later(self._sleep, self._transport.write, said)
        else:
            self._transport.write(said)

    def _command(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb in (b"MAIL", b"RCPT", b"RSET"):
            return _OK
        if verb == b"BDAT" and (found := _BDAT(line)):
            self._chunk = int(found[1])
            return b"" if self._chunk else _OK
        if verb == b"DATA":
            self._content = True
            return b"354 Go ahead\r\n"
        if verb == b"EHLO":
            return self._greeting
        if verb == b"QUIT":
            asyncio.get_running_loop().call_soon(self._transport.close)
            return b"221 2.0.0 Bye\r\n"
        return b"502 5.5.1 Not known\r\n"


async def serve(words: Sequence[str]) -> None:
    """Serves until cancelled. `words`: the extensions, SLEEP and TLS."""
    given = dict(word.split("=", 1) for word in words if "=" in word)
    offers, sleep = [word for word in words if "=" not in word], float(given.get("SLEEP", "0"))
    context = None
    if "TLS" in given:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(given["TLS"])
    server = await asyncio.get_running_loop().create_server(
        lambda: Sink(offers, sleep), "127.0.0.1", 0, backlog=2000, ssl=context
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1:]))
