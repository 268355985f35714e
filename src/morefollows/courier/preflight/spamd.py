"""Gets SpamAssassin's score of a mail from spamd: SPAMC/1.5 (spamd/PROTOCOL in its source)."""

from __future__ import annotations

import re
import socket
import time
from typing import NamedTuple

SECONDS = 10.0  #: for all of it
_LONGEST = 8192  # octets of an answer to CHECK; it has three lines
_ANSWER = re.compile(
    rb"\ASPAMD/\d+\.\d+ 0 EX_OK\r?\n(?:[^\n]*\n)*?"
    rb"Spam: *(?:True|False|Yes|No) *; *(-?\d{1,4}(?:\.\d{1,4})?)"
    rb" */ *(-?\d{1,4}(?:\.\d{1,4})?) *\r?\n",
    re.IGNORECASE,
)


class Score(NamedTuple):
    """The higher, the more it looks like spam."""

    score: float
    limit: float  #: from there on it counts as spam


def score_mail(host: str, port: int, mail: bytes) -> Score | None:
    """Returns the score of a mail as sent, or None if spamd gives no valid reply."""
    until = time.monotonic() + SECONDS
    try:
        with socket.create_connection((host, port), timeout=SECONDS) as connection:
            connection.sendall(b"CHECK SPAMC/1.5\r\nContent-length: %d\r\n\r\n" % len(mail) + mail)
            connection.shutdown(socket.SHUT_WR)
            answer = _read(connection, until)
    except OSError:
        return None
    found = _ANSWER.match(answer)
    return Score(float(found[1]), float(found[2])) if found else None


def _read(connection: socket.socket, until: float) -> bytes:
    answer = b""
    while len(answer) < _LONGEST and (left := until - time.monotonic()) > 0:
        connection.settimeout(left)
        octets = connection.recv(_LONGEST)
        if not octets:
            break
        answer += octets
    return answer
