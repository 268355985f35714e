"""The peers, each with the number of connections at which it is fastest."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from bench import race
from bench.race import Run

CONNECTIONS = (2, 5, 10, 20)  #: tried for each peer; the fastest counts
_PEER_MAILS = 20_000  # a peer's rate does not depend on the number
_SLOW_PEER_MAILS = 5_000


def plain_message(octets: int) -> bytes:
    """Returns a mail of about that size."""
    line = b"More follows on this breaking news story, as we have it from the harbour office.\r\n"
    return b"Subject: Lighthouse keeper found safe\r\n\r\n" + line * int(octets / len(line))


class Rivals:
    """The installed peers, each tuned to its fastest number of connections."""

    def __init__(
        self,
        relay: tuple[str, int],
        message: bytes,
        folder: Path,
        most: int,
        tell: Callable[..., None],
    ) -> None:
        self._relay = relay
        self._message = message
        self._folder = folder
        self._most = most
        self._tell = tell

    def ready(self) -> dict[str, Callable[[], Run]]:
        def blast(mails: int, connections: int) -> Run:
            return race.peer("blast", self._relay, mails, connections, self._message)

        def aiosmtplib(mails: int, connections: int) -> Run:
            return race.peer("aiosmtplib", self._relay, mails, connections, self._message)

        def smtp_source(mails: int, connections: int) -> Run:
            return race.smtp_source(self._relay, mails, connections, self._message, self._folder)

        def nodemailer(mails: int, connections: int) -> Run:
            return race.nodemailer(self._relay, mails, connections, self._message)

        ready = {"blaster": self._tuned("blaster", blast, min(self._most, _PEER_MAILS))}
        if race.tool("smtp-source"):
            ready["smtp-source"] = self._tuned(
                "smtp-source", smtp_source, min(self._most, _PEER_MAILS)
            )
        if find_spec("aiosmtplib"):
            ready["aiosmtplib"] = self._tuned(
                "aiosmtplib", aiosmtplib, min(self._most, _SLOW_PEER_MAILS)
            )
        if race.nodemailer_home():
            ready["nodemailer"] = self._tuned(
                "nodemailer", nodemailer, min(self._most, _SLOW_PEER_MAILS)
            )
        return ready

    def _tuned(self, name: str, run: Callable[[int, int], Run], mails: int) -> Callable[[], Run]:
        few = max(mails // 4, 10)
        best = max(CONNECTIONS, key=lambda connections: run(few, connections).rate)
        self._tell(f"{name} is fastest with {best} connections")
        return lambda: run(mails, best)
