"""How long a relay is waited for (RFC 5321 §4.5.3.2), and when it is tried again."""

from __future__ import annotations

from typing import NamedTuple


class Patience(NamedTuple):
    """For how many seconds we wait: the minimum time-outs of RFC 5321 §4.5.3.2, and some of our own."""

    connect: float = 30
    command: float = 300  #: greeting, EHLO, MAIL, RCPT
    data: float = 120
    block: float = 180  #: while the relay reads nothing of what we write
    content: float = (
        600  #: after the final dot or the last chunk: giving up sooner makes duplicates
    )
    quit: float = 5  #: nothing is at stake any more
    behind: float = 15  #: behind a mail without a reply, while others get theirs: they are sent by another connection
    ahead: float = 3  #: behind a slow final dot, the envelope sent ahead is given back
    spare: float = 10  #: without a reply, no content handed over, and others get theirs: it goes by another connection
    idle: float = 60  #: a connection without work says QUIT
    probe: float = 2  #: while one connection is silent for so long, another one is tried
    first_retry: float = 0.1
    longest_probe: float = 1.5  #: while it can't be reached: mail goes on so soon after it can
    longest_retry: float = 30  #: when it says no, or "not now" for long
