"""Measures the relays for providers' HTTP APIs, against a server that answers each call late.

``python -m bench.api_calls SCHEME SECONDS`` is that server: it prints its URL. It counts the
readers of a call and takes all of them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence

from morefollows.config.addresses.relay_address import kind_of, relays
from morefollows.courier.message.template import LENGTHS, Composed, Placeholders, Slot
from morefollows.courier.relays.interface import Mail, RelaySetup, Reply

_BODY = "The keeper of the Saltmarsh light was found safe and well on Tuesday.\r\n"


def sample(octets: int) -> Composed:
    """A mail of about so many octets, with the slots of an alert."""
    marks = Placeholders()
    leave, story = marks[Slot.LEAVE], marks[Slot.STORY]
    filler = _BODY * max(1, (octets - 2_000) // (2 * len(_BODY)))
    message = (
        "From: Herald <news@herald.example>\r\n"
        f"To: <{marks[Slot.ADDRESS]}>\r\nMessage-ID: <{marks[Slot.RECEIPT]}@herald.example>\r\n"
        "Subject: Lighthouse keeper found safe\r\nAuto-Submitted: auto-generated\r\n"
        f"References: <story@herald.example>\r\nList-Unsubscribe: <https://h.example/leave/{leave}/>\r\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/alternative; boundary="=_m"\r\n\r\n'
        "--=_m\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        f"{filler}https://h.example/leave/{leave}/\r\nhttps://h.example/follow/{story}/\r\n"
        "--=_m\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        f'<p>{filler}</p><a href="https://h.example/leave/{leave}/">Leave</a>\r\n--=_m--\r\n'
    )
    return marks.cut(message.encode("ascii"))


class _Source:
    def __init__(self, composed: Composed, count: int) -> None:
        self.left, self.count, self.accepted, self.settled = count, count, 0, 0
        self.done = asyncio.Event()
        self._fill = composed.fill
        self._values = [b"x" * (LENGTHS[slot] or 20) for slot in Slot]

    def take(self) -> Mail | None:
        if not self.left:
            return None
        self.left -= 1
        values = self._values.copy()
        values[Slot.ADDRESS] = b"cy%d@reader.example" % self.left
        return Mail(b"b@b.example", values[Slot.ADDRESS], self._fill(values), self._settle)

    def stuck(self, domains: Sequence[str]) -> None:
        """Not used."""

    def _settle(self, mail: Mail, reply: Reply) -> None:
        self.accepted += reply.accepted
        self.settled += 1
        if self.settled == self.count:
            self.done.set()


async def measure(url: str, mails: int, octets: int, connections: int) -> tuple[float, int]:
    """Returns seconds, and how many mails were accepted."""
    [address] = relays(url)
    source = _Source(sample(octets), mails)
    setup = RelaySetup(connections, "bench.example", lambda trouble: None)
    relay = kind_of(address.scheme).make(address, source, setup)
    await relay.open()
    begun = time.monotonic()
    relay.wake()
    await source.done.wait()
    seconds = time.monotonic() - begun
    await relay.close()
    return seconds, source.accepted


# -- the server ------------------------------------------------------------------------------------

_USERS = {"ses": "AKID:", "mailgun": "api:"}


def _results(scheme: str, count: int) -> object:
    match scheme:
        case "ses":
            return {"BulkEmailEntryResults": [{"Status": "SUCCESS", "MessageId": "m"}] * count}
        case "postmark":
            return [{"ErrorCode": 0, "Message": "OK"}] * count
        case "resend":
            return {"data": [{"id": "m"}] * count}
        case "brevo":
            return {"messageIds": ["m"] * count}
    return {"id": "m"}


async def _serve(scheme: str, seconds: float) -> None:
    from bench.direct import counted

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
                body = await reader.readexactly(length)
                await asyncio.sleep(seconds)
                said = json.dumps(_results(scheme, counted(scheme, body))).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(said) + said)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0, limit=1 << 20)
    port = server.sockets[0].getsockname()[1]
    user = _USERS.get(scheme, ":")
    domain = "&domain=h.example" if scheme == "mailgun" else ""
    print(f"{scheme}://{user}k@127.0.0.1:{port}?tls=never{domain}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], float(sys.argv[2])))
