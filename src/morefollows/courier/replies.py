"""What a relay's reply means for the mail, for the reader and for the relay: decided here and nowhere else.

On RFC 5321 §4.2 (reply codes) and RFC 3463 (enhanced status codes).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from morefollows.courier.boundary import Reached, Reply

_GONE = frozenset({"5.1.1", "5.1.6", "5.1.10", "5.2.1"})  # no such mailbox, moved away, null MX, disabled
_TOO_BIG = frozenset({"5.2.3", "5.3.4"})
_MAILBOX_FULL = "5.2.2"

_QUOTED_ADDRESS = re.compile(r'"[^"]*"\s*@\S+')
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"'?&]*(?:@|%40|=40)[^\s<>(),;\"'&]*")
_LONGEST_TEXT = 200  # characters


class Verdict(NamedTuple):
    """What to do about one mail, and what it tells about its reader and about the relay."""

    outcome: str  #: accepted, deferred, refused or uncertain
    permanent: bool = False  #: it makes no sense to try this mail again
    gone: bool = False  #: the reader's mailbox does not exist any more: suppress the address
    pause: bool = False  #: the relay does not want *our* mail: pause it and tell the desk
    counts: bool = True  #: False when the relay was in trouble: try again soon, and count no attempt


ACCEPTED = Verdict("accepted", permanent=True)
_REFUSED = Verdict("refused", permanent=True)
_GONE_FOR_GOOD = Verdict("refused", permanent=True, gone=True)
_TRY_AGAIN = Verdict("deferred")
_RELAY_IN_TROUBLE = Verdict("deferred", counts=False)
_AGAINST_US = Verdict("deferred", pause=True)
_UNCERTAIN = Verdict("uncertain")


def verdict(reply: Reply) -> Verdict:
    """Total: there is a verdict on every reply, and none on doubtful grounds marks a reader gone."""
    code, status = reply.code, reply.status
    if 200 <= code < 300:
        return ACCEPTED
    if code == 421:  # the relay closes the connection (RFC 5321 §3.8): not this reader's fault
        return _RELAY_IN_TROUBLE
    if 400 <= code < 500:
        return _TRY_AGAIN
    if not 500 <= code < 600:
        return _UNCERTAIN if reply.reached is Reached.CONTENT else _RELAY_IN_TROUBLE
    if status.startswith("5.7.") or code in (530, 535):  # policy or authentication (RFC 4954 §6)
        return _AGAINST_US
    if status in _GONE:
        return _GONE_FOR_GOOD
    if status == _MAILBOX_FULL:
        return _TRY_AGAIN
    if code == 552 and status not in _TOO_BIG:  # RFC 5321 §4.5.3.1.10: to be read as 452
        return _TRY_AGAIN
    return _REFUSED


def without_addresses(text: str) -> str:
    """A relay's words fit for a log, a page or the ledger: one line, no address, 200 characters at most."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 8 * _LONGEST_TEXT]).split())
    line = _ADDRESS.sub("…", _QUOTED_ADDRESS.sub("…", line))
    return line if len(line) <= _LONGEST_TEXT else line[: _LONGEST_TEXT - 1] + "…"
