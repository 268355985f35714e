"""The states of the mails of one claimed batch, while a sender process works on it.

A state is one byte for each mail, in the array `batch_mails.BatchMails.states`. `TABLE` has the
changes that are allowed; docs/reference/states.md is made from it (`as_markdown`, `tools/states`).
The sender does not check it at run time, a test checks each write against it. The outcome in the
ledger follows from the state (`outcomes`).

Invariants: a state changes only by a row of `TABLE`. A mail whose outcome in the ledger is DEFERRED
is handed out only after a write that made it WAITING (RETURNING, IN_WRITE): otherwise it would not
be found uncertain after a crash.
"""

from __future__ import annotations

from enum import IntEnum

from morefollows.courier.ledger.outcomes import StateRule, rows_as_markdown
from morefollows.courier.models import Outcome


class State(IntEnum):
    """The state of one mail. Values below 8 are those of `Outcome`."""

    READY = 0  #: may be handed out, as far as the ledger allows it; in `BatchMails.ready`
    ACCEPTED = 1
    LATER = 2  #: waits for its retry time; in `BatchMails.later`
    REFUSED = 3
    SKIPPED = 4
    UNCERTAIN = 5  #: no reply, and not sent again in this pass
    EXPIRED = 6
    IN_DIGEST = 7
    HANDED_OUT = 8  #: a relay has it, and has not replied
    FOR_PROVIDER = 9  #: waits for a throttled mailbox provider; in `BatchMails.shelves`
    FOR_RELAY = 10  #: waits for a relay that can carry it; in `BatchMails.unfit`
    RETURNING = 11  #: may go again, with the next write; in `BatchMails.returning`
    IN_WRITE = 12  #: the same, and that write is running; in `BatchMails.in_write`


#: Flag: an earlier copy may have arrived. Until a relay replies, the outcome is UNCERTAIN.
DOUBT = 0x40
#: Flag: a connection ended with this mail, so it is sent with no other mail in flight.
ALONE = 0x80
STATE = 0x3F  #: a byte without its flags

_S = State
_OPEN = (_S.READY, _S.HANDED_OUT, _S.FOR_PROVIDER, _S.FOR_RELAY, _S.RETURNING, _S.IN_WRITE)
_DEFERRED = (_S.LATER, _S.FOR_PROVIDER, _S.FOR_RELAY)


#: A change without a row does not happen. Flags are kept, except where a mail becomes final.
TABLE = (
    StateRule(
        "handed out",
        (_S.READY,),
        _S.HANDED_OUT,
        "A relay asks for a mail, and the ledger allows it.",
    ),
    StateRule("accepted", (_S.HANDED_OUT,), _S.ACCEPTED, "The relay took it."),
    StateRule(
        "refused",
        (_S.HANDED_OUT, _S.READY, _S.FOR_RELAY),
        _S.REFUSED,
        "By the relay; or it can’t be rendered, or no relay can carry it.",
    ),
    StateRule(
        "put back",
        (_S.HANDED_OUT,),
        _S.READY,
        "The relay or a connection failed, which says nothing of this mail; or it is repeated.",
    ),
    StateRule(
        "deferred",
        (_S.HANDED_OUT, _S.READY, _S.RETURNING, _S.FOR_RELAY, _S.FOR_PROVIDER),
        _S.LATER,
        "By the relay, a brake, or the reader’s quiet hours; or too many batches only wait.",
    ),
    StateRule(
        "throttled",
        (_S.READY,),
        _S.FOR_PROVIDER,
        "No relay may send more to its mailbox provider now.",
    ),
    StateRule(
        "not by this relay",
        (_S.HANDED_OUT, _S.READY),
        _S.FOR_RELAY,
        "This relay can’t carry it, or refuses us; another may take it.",
    ),
    StateRule(
        "may go again",
        _DEFERRED,
        _S.RETURNING,
        "Its retry time has come, or its provider or a relay takes it.",
    ),
    StateRule("write begun", (_S.RETURNING,), _S.IN_WRITE, "The ledger is told that it may go."),
    StateRule("written", (_S.IN_WRITE,), _S.READY, "The ledger has it as waiting."),
    StateRule(
        "no reply",
        (_S.HANDED_OUT,),
        _S.UNCERTAIN,
        "It is not repeated, or was as often as it may. Else: put back, or deferred.",
    ),
    StateRule(
        "not wanted",
        (_S.READY, _S.RETURNING),
        _S.SKIPPED,
        "The reader left, was suppressed, or wants it otherwise.",
    ),
    StateRule(
        "time to live over", (_S.READY, _S.RETURNING), _S.EXPIRED, "No earlier copy is in doubt."
    ),
    StateRule(
        "time to live over",
        (_S.READY, _S.RETURNING),
        _S.UNCERTAIN,
        "An earlier copy is in doubt, so it may have to be corrected.",
    ),
    StateRule("brake", (_S.REFUSED,), _S.LATER, "So many were refused that it speaks of us."),
)


def allowed(before: int, after: int) -> bool:
    """Whether a byte may become another in one step: by a row of the table, or by a flag alone."""
    source, target = before & STATE, after & STATE
    return source == target or any(source in row.sources and target == row.target for row in TABLE)


def as_markdown() -> str:
    """The table's rows in Markdown, as in docs/reference/states.md."""
    return rows_as_markdown(TABLE)


def _outcome(byte: int) -> int:
    state = byte & STATE
    if byte & DOUBT and (state in _OPEN or state == State.LATER):
        return Outcome.UNCERTAIN
    if state in _DEFERRED:
        return Outcome.DEFERRED
    return Outcome.WAITING if state in _OPEN else state


# for `bytes.translate`
_OUTCOMES = bytes(_outcome(byte) for byte in range(256))
_PLAIN = bytes(byte & STATE for byte in range(256))
_AT_WORK = bytes((byte & STATE) in _OPEN for byte in range(256))


def outcomes(states: bytearray) -> bytes:
    """The outcome of each mail, for the ledger."""
    return bytes(states.translate(_OUTCOMES))


def number_in(states: bytearray, state: State) -> int:
    """The number of mails in this state, with and without flags."""
    return states.translate(_PLAIN).count(state)


def any_at_work(states: bytearray) -> bool:
    """Whether a mail may go or be replied to before the next retry is due."""
    return 1 in states.translate(_AT_WORK)
