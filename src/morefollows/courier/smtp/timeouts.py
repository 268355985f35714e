"""Time-outs for a relay's replies (RFC 5321 §4.5.3.2) and its retry times. All in seconds."""

from __future__ import annotations

from typing import NamedTuple


class Timeouts(NamedTuple):
    """The minimum time-outs of RFC 5321 §4.5.3.2, and further waits of this client."""

    connect: float = 30
    command: float = 300  #: greeting, EHLO, MAIL, RCPT
    data: float = 120
    block: float = 180  #: while the relay reads none of our data
    #: After the final dot or the last chunk. A shorter time-out causes duplicates.
    content: float = 600
    quit: float = 5  #: no mail depends on this reply
    #: Without a reply to the first mail in flight: the mails behind it go to another connection.
    behind: float = 15
    ahead: float = 3  #: without a reply to the final dot: the mail offered behind it is given back
    #: Without a reply, with no content sent and replies on other connections: close this one.
    spare: float = 10
    idle: float = 60  #: without mail, a connection sends QUIT
    probe: float = 2  #: without a reply, another connection is tried
    first_retry: float = 0.1  #: wait after the first failure
    longest_probe: float = 1.5  #: longest wait while the relay can't be reached
    longest_retry: float = 30  #: longest wait while it answers 4xx or 5xx
