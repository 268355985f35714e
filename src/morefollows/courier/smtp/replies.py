"""Maps a relay's reply to a verdict: the mail's outcome, who it is about, and whether it bounced.

Invariant: only `TABLE` decides. Its first matching row wins, and the last row matches all replies.
`docs/reference/replies.md` is generated from it with `as_markdown`.

RFC 5321 §4.2 (reply codes), RFC 3463 and RFC 7372 (enhanced status codes), RFC 4954 §6
(authentication), RFC 7504 (521 and 556).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import Enum
from typing import NamedTuple

from morefollows.courier.relays.interface import Reached, Reply

_QUOTED_ADDRESS = re.compile(r'"[^"]*"\s*@\S+')
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"'?&]*(?:@|%40|=40)[^\s<>(),;\"'&]*")
_LONGEST_TEXT = 200  # characters
# Text of a rate limit or a temporary state, in a reply with a permanent code.
_TEMPORARY = re.compile(
    r"\b(rate|too (?:fast|many|much)|throttl\w*|temporar\w*|try (?:again )?later|try again"
    r"|greylist\w*|graylist\w*"
    r"|quota|over ?quota|deferred)\b|^4\.\d{1,3}\.\d{1,3}\b",
    re.IGNORECASE,
)


class About(Enum):
    """Who or what a reply is about."""

    MAIL = "this mail"
    RECIPIENT = "the recipient"
    PROVIDER = "the recipient’s provider"
    US = "us"
    RELAY = "the relay itself"


class BounceKind(Enum):
    """Whether a reply says that a mailbox does not exist."""

    NO = ""
    PERHAPS = "perhaps"  #: may be temporary: suppresses no reader by itself
    HARD = "hard"


class Verdict(NamedTuple):
    """What to do about one mail, and what its reply says about others."""

    outcome: str  #: accepted, deferred, refused or uncertain
    about: About = About.RECIPIENT
    bounce: BounceKind = BounceKind.NO
    #: If many providers in a row get such replies and no mail is accepted, the cause is our side.
    doubtful: bool = False
    #: False if the relay was in trouble: try again soon, and count no attempt.
    counts: bool = True

    @property
    def permanent(self) -> bool:
        """Whether the outcome is final, so that the mail is not tried again."""
        return self.outcome in ("accepted", "refused")


class ReplyRule(NamedTuple):
    """One row of the table. An empty condition matches everything."""

    at: Collection[Reached]  #: how far the mail got
    codes: Collection[int]
    statuses: Collection[str]  #: whole ones, or prefixes that end in a dot ("5.7."); "-" for none
    temporary: bool  #: the text must speak of a rate or a temporary state
    verdict: Verdict
    why: str

    def holds(self, reply: Reply) -> bool:
        return (
            (not self.at or reply.reached in self.at)
            and (not self.codes or reply.code in self.codes)
            and (not self.statuses or _has(reply.status, self.statuses))
            and (not self.temporary or _TEMPORARY.search(reply.text) is not None)
        )


def _has(status: str, wanted: Collection[str]) -> bool:
    return any(
        status.startswith(one) if one.endswith(".") else (status or "-") == one for one in wanted
    )


_YES, _LATER, _NEVER = range(200, 300), range(400, 500), range(500, 600)
_MAIL, _RCPT, _CONTENT = (Reached.MAIL,), (Reached.RCPT,), (Reached.DATA, Reached.CONTENT)
_AFTER_MAIL = (Reached.RCPT, Reached.DATA, Reached.CONTENT)

ACCEPTED = Verdict("accepted", About.MAIL)
_REFUSED = Verdict("refused")
_MAIL_REFUSED = Verdict("refused", About.MAIL)
_DOUBTFUL = Verdict("refused", doubtful=True)
_DEFERRED = Verdict("deferred")
_IN_TROUBLE = Verdict("deferred", About.RELAY, counts=False)
_AGAINST_US = Verdict("deferred", About.US)

#: The first matching row decides.
TABLE = (
    ReplyRule((), _YES, (), False, ACCEPTED, "The relay has taken the mail."),
    ReplyRule(
        (), (421,), (), False, _IN_TROUBLE, "The relay closes the connection (RFC 5321 §3.8)."
    ),
    ReplyRule(
        _MAIL,
        _LATER,
        (),
        False,
        Verdict("deferred", About.RELAY),
        "Not now, before it knew the recipient.",
    ),
    ReplyRule((), _LATER, (), False, _DEFERRED, "Not now."),
    ReplyRule(
        (Reached.ENVELOPE,),
        _NEVER,
        (),
        False,
        _MAIL_REFUSED,
        "We did not offer it: this relay can’t carry such a mail.",
    ),
    ReplyRule((), _NEVER, ("5.2.3", "5.3.4"), False, _MAIL_REFUSED, "Too big."),
    ReplyRule(
        (),
        _NEVER,
        (),
        True,
        Verdict("deferred", About.PROVIDER),
        "Its words speak of a rate, or of something that passes "
        "(RFC 3463 §3.3: X.2.1 may be temporary).",
    ),
    ReplyRule((), _NEVER, ("5.2.2",), False, _DEFERRED, "The mailbox is full."),
    ReplyRule((), (552,), (), False, _DEFERRED, "To be read as 452 (RFC 5321 §4.5.3.1.10)."),
    ReplyRule((), _NEVER, ("5.6.",), False, _MAIL_REFUSED, "The form of the mail."),
    ReplyRule(
        _MAIL,
        _NEVER,
        (),
        False,
        _AGAINST_US,
        "It did not know the recipient yet: our account, address or sender.",
    ),
    ReplyRule(
        _AFTER_MAIL,
        (530, 534, 535, 538),
        (),
        False,
        Verdict("deferred", doubtful=True),
        "Asks for authentication or encryption, perhaps for this recipient only (RFC 4954 §6).",
    ),
    ReplyRule(
        _AFTER_MAIL,
        (500, 502, 503, 504),
        (),
        False,
        Verdict("deferred", doubtful=True),
        "It does not know the command, or not now (RFC 5321 §4.2.4): the connection, not the mail.",
    ),
    ReplyRule(
        _RCPT,
        _NEVER,
        ("5.1.7", "5.1.8", "5.7.23", "5.7.24", "5.7.25", "5.7.26", "5.7.27"),
        False,
        Verdict("deferred", doubtful=True),
        "Of our sender’s address, host name or authentication (RFC 7372); many relays judge the "
        "sender at RCPT.",
    ),
    ReplyRule((), (521,), (), False, _DOUBTFUL, "The recipient’s host takes no mail (RFC 7504)."),
    ReplyRule(
        (),
        _NEVER,
        ("5.3.1", "5.3.2", "5.3.5", "5.4.3", "5.4.5"),
        False,
        _DEFERRED,
        "The recipient’s mail system is full, down, misconfigured or congested.",
    ),
    ReplyRule(
        _AFTER_MAIL,
        _NEVER,
        ("5.1.1", "5.1.6", "5.1.10"),
        False,
        Verdict("refused", bounce=BounceKind.HARD),
        "No such mailbox, moved away, or a domain that takes no mail.",
    ),
    ReplyRule(
        _AFTER_MAIL,
        (556,),
        (),
        False,
        Verdict("refused", bounce=BounceKind.HARD),
        "The domain takes no mail (RFC 7504).",
    ),
    ReplyRule(
        _AFTER_MAIL,
        _NEVER,
        ("5.2.1", "5.1.2"),
        False,
        Verdict("refused", bounce=BounceKind.PERHAPS),
        "The mailbox is disabled, or its domain was not found: either may pass.",
    ),
    ReplyRule(
        _RCPT,
        _NEVER,
        ("5.1.0", "5.1.3", "5.1.4", "5.1.5", "5.2."),
        False,
        _REFUSED,
        "This address, or this mailbox.",
    ),
    ReplyRule(
        _RCPT,
        _NEVER,
        (),
        False,
        _DOUBTFUL,
        "Access denied, relaying denied, policy (5.7.x), or no status at all: "
        "this recipient, or its provider.",
    ),
    ReplyRule(
        _CONTENT,
        _NEVER,
        ("5.7.",),
        False,
        Verdict("deferred", About.PROVIDER, doubtful=True),
        "Policy, spam or authentication of the content: what this provider thinks of our mail.",
    ),
    ReplyRule(
        _CONTENT,
        _NEVER,
        ("-", "5.0.0", "5.5.0", "5.5.1"),
        False,
        Verdict("refused", About.MAIL, doubtful=True),
        "It does not say why.",
    ),
    ReplyRule((), _NEVER, (), False, _MAIL_REFUSED, "Anything else that is final."),
    ReplyRule(
        (Reached.CONTENT, Reached.BEHIND),
        (),
        (),
        False,
        Verdict("uncertain", About.RELAY),
        "Handed over, and no reply came, or none that SMTP knows.",
    ),
    ReplyRule((), (), (), False, _IN_TROUBLE, "No reply came, or none that SMTP knows."),
)


def verdict(reply: Reply) -> Verdict:
    """Returns the verdict on a reply. There is one for every reply."""
    for row in TABLE:
        if row.holds(reply):
            return row.verdict
    raise AssertionError("the table's last row holds for everything")


# -- further facts in a reply ----------------------------------------------------------------------

# Status codes for mails that this relay can't carry and another may: no SMTPUTF8, too big, content
# not supported.
_UNFIT_HERE = frozenset({"5.6.7", "5.3.4", "5.6.1", "5.6.3"})
_GREYLISTED = re.compile(r"gr[ae]y[ -]?list", re.IGNORECASE)
_OF_A_RATE = re.compile(
    r"\brate|too (?:many|much|fast)|throttl|limit|exceed|quota|unusual|slow down|busy|overload"
    r"|resources|concurren",
    re.IGNORECASE,
)
# RFC 3463 §3.4, §3.5, §3.6: about systems, not about recipients.
_RATE_STATUSES = (
    "4.7.28",
    "4.4.5",
    "4.3.",
    "4.5.3",
)
_RATE_LIMIT_PAUSE = 60.0  # seconds after 4.7.28 (Gmail's rate limit)
_LONG_PAUSE = 2 * 3600.0  # seconds after Yahoo's [TSS04]: retrying sooner prolongs it
#: Used for a provider's policy against our mail: as with a rate limit, a few mails are still tried.
RATE_LIMITED = Reply(450, "4.7.28", "", Reached.CONTENT)


def unfit_here(reply: Reply) -> bool:
    """Whether this relay can't carry the mail and another relay may."""
    return reply.status in _UNFIT_HERE


def in_doubt(reply: Reply) -> bool:
    """Whether the content was sent and no reply came."""
    return not reply.answered and reply.reached in (Reached.CONTENT, Reached.BEHIND)


def is_temporary(reply: Reply) -> bool:
    """Whether the code is 4xx."""
    return reply.code in _LATER


def closes(reply: Reply) -> bool:
    """Whether this is a 421 about the relay itself (RFC 5321 §3.8). 4.7.x is about the provider."""
    return reply.code == 421 and not reply.status.startswith("4.7.")


def of_mailbox(reply: Reply) -> bool:
    """Whether a deferral is about one mailbox (RFC 3463 §3.2, §3.3) and so no sign of a rate."""
    return reply.status.startswith(("4.1.", "4.2.")) or _GREYLISTED.search(reply.text) is not None


def may_be_greylisting(reply: Reply) -> bool:
    """Whether a deferral may be greylisting (RFC 6647) without saying so."""
    return (
        reply.reached is Reached.RCPT
        and reply.code in (450, 451)
        and not reply.status.startswith(_RATE_STATUSES)
        and not _OF_A_RATE.search(reply.text)
    )


def wanted_pause_seconds(reply: Reply) -> float:
    """Returns for how many seconds the provider wants no mail; 0 if it does not say."""
    if "[TSS04]" in reply.text:
        return _LONG_PAUSE
    return _RATE_LIMIT_PAUSE if reply.status == RATE_LIMITED.status else 0.0


def short(reply: Reply) -> str:
    """Returns the enhanced status code, or the reply code without one, as stored with bounces."""
    return reply.status or str(reply.code)


def full_text(reply: Reply) -> str:
    """Returns the whole reply as text for the log, a page or the ledger, without addresses."""
    return f"{reply.code} {reply.status} {without_addresses(reply.text)}"


def without_addresses(text: str) -> str:
    """Returns a relay's text as one line, without addresses, of at most 200 characters."""
    line = " ".join(
        "".join(c if c.isprintable() else " " for c in text[: 8 * _LONGEST_TEXT]).split()
    )
    line = _ADDRESS.sub("…", _QUOTED_ADDRESS.sub("…", line))
    return line if len(line) <= _LONGEST_TEXT else line[: _LONGEST_TEXT - 1] + "…"


# -- the table as documentation --------------------------------------------------------------------

_COMMANDS = {
    Reached.RELAY: "not offered",
    Reached.ENVELOPE: "not offered",
    Reached.MAIL: "MAIL",
    Reached.RCPT: "RCPT",
    Reached.DATA: "DATA",
    Reached.QUEUED: "not offered",
    Reached.BEHIND: "content",
    Reached.CONTENT: "content",
}
_RANGES = {_YES: "2xx", _LATER: "4xx", _NEVER: "5xx"}
_LIKE_BOUNCE = {
    BounceKind.NO: "",
    BounceKind.PERHAPS: " a bounce that is never enough alone",
    BounceKind.HARD: " a hard bounce",
}


def as_markdown() -> str:
    """Returns the table's rows as Markdown for docs/reference/replies.md."""
    return "\n".join(_row(row) for row in TABLE)


def _row(row: ReplyRule) -> str:
    at = ", ".join(dict.fromkeys(_COMMANDS[one] for one in row.at)) or "any"
    codes = (
        _RANGES.get(row.codes) if isinstance(row.codes, range) else ", ".join(map(str, row.codes))
    )
    statuses = ", ".join(
        "none" if one == "-" else f"{one}x" if one.endswith(".") else one for one in row.statuses
    )
    if row.temporary:
        statuses = "any, with words of a rate or of a passing state"
    found = row.verdict
    what = found.outcome + ("" if found.counts else ", no attempt counted")
    notes = [_LIKE_BOUNCE[found.bounce].strip()] if found.bounce is not BounceKind.NO else []
    notes += ["doubtful"] if found.doubtful else []
    cells = (
        at,
        codes or "any",
        statuses or "any",
        what,
        found.about.value,
        ", ".join(notes),
        row.why,
    )
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    print(as_markdown())
