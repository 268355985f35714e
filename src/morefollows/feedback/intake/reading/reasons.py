"""Why a mail came back: one verdict from the reply table and the words of the report.

`verdict_on` asks `courier.smtp.replies.verdict` first, as for a reply to our own relay. Hosts that
report later often tell no status, or a general one such as 5.0.0. So their words count as well, in
the languages of the big providers.

Invariant: words of spam, policy or a full mailbox never make a hard bounce, whatever the status is.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from morefollows.courier.relays.interface import Reached, Reply
from morefollows.courier.smtp import replies
from morefollows.courier.smtp.replies import BounceKind
from morefollows.feedback.intake.reading.dsn_and_arf import ReportedRecipient, blank_addresses
from morefollows.feedback.intake.reading.words import word_list

_MOST_WORDS = 6000  # characters that are looked at


class Reason(StrEnum):
    """Why a mail came back."""

    NONE = ""
    HARD = "hard"  #: there is no such mailbox
    FULL = "full"
    SOFT = "soft"  #: may pass: a host that is down, a time-out
    SPAM = "spam"
    POLICY = "policy"  #: refused for another cause than the mailbox: authentication, size, rights
    UNKNOWN = "unknown"


class BounceVerdict(NamedTuple):
    """The reason, and whether it is `sure`: a hard bounce that isn't may pass."""

    reason: Reason
    sure: bool = False


def verdict_on(recipient: ReportedRecipient, words: str = "") -> BounceVerdict:
    """Judges one bounce or delay. `words`: what the report says beside its diagnostic.

    A status that is not general decides, unless the words speak of spam, policy or a full mailbox.
    """
    text = blank_addresses((recipient.text or words)[:_MOST_WORDS])
    reply = _as_reply(recipient, text)
    if word_list("about-sender").search(text):
        return BounceVerdict(Reason.SOFT if _temporary(reply) else Reason.POLICY)
    found = _by_words(text, reply)
    if found.reason is Reason.HARD and _END_OF_DATA.search(recipient.text + words):
        # The host took the recipient, and then refused what we wrote.
        if recipient.host.lower().endswith(_FILTERS):
            return BounceVerdict(Reason.POLICY)
        found = BounceVerdict(Reason.HARD)
    if recipient.action == "delayed":
        full = found.reason is Reason.FULL or recipient.status in ("4.2.2", "5.2.2")
        return BounceVerdict(Reason.FULL if full else Reason.SOFT)
    if found.reason is Reason.UNKNOWN and recipient.text and words:
        found = _by_words(blank_addresses(words[:_MOST_WORDS]), reply)
    return _with_table(reply, found)


def _as_reply(recipient: ReportedRecipient, text: str) -> Reply:
    """What the report tells, as a reply of a relay. It says nothing about how far the mail got."""
    status, code = recipient.status, recipient.code
    if not code and status:
        code = {"4": 450, "5": 550, "2": 250}[status[0]]
    reached = Reached.CONTENT if status.startswith(("4.7.", "5.7.")) else Reached.RCPT
    return Reply(code, status, text, reached)


def _temporary(reply: Reply) -> bool:
    return reply.status.startswith("4.") or 400 <= reply.code < 500


def _by_words(text: str, reply: Reply) -> BounceVerdict:
    temporary = _temporary(reply)
    if word_list("full").search(text):
        return BounceVerdict(Reason.FULL)
    if word_list("spam").search(text):
        return BounceVerdict(Reason.SPAM)
    if word_list("hard").search(text) and not temporary:
        return BounceVerdict(Reason.HARD, sure=not word_list("may-pass").search(text))
    if word_list("not-reached").search(text):
        return BounceVerdict(Reason.SOFT)
    if word_list("too-big").search(text):
        return BounceVerdict(Reason.POLICY)
    if word_list("policy").search(text) and not temporary:
        return BounceVerdict(Reason.POLICY)
    if word_list("soft").search(text) or temporary:
        return BounceVerdict(Reason.SOFT)
    return BounceVerdict(Reason.UNKNOWN)


# About a domain or an account that may come back: never enough at once.
_ABOUT_ROUTE = ("5.1.2", "5.4.4")
# About the sender's address (RFC 3463 §3.2), and about how we authenticate and how much we send
# (RFC 7372, RFC 7505 §4.2; 5.7.26 and 5.7.28 are Gmail's). Whatever the words are, it is not the
# reader's mailbox.
_ABOUT_US = ("5.1.7", "5.1.8", *(f"5.7.{number}" for number in range(20, 31)))
_ACCOUNT_DISABLED = "5.7.13"  # RFC 5248's registry: hosts say it of the recipient's
_NULL_MX_OF_SENDER = "5.7.27"  # RFC 7505 §4.2; Sendmail says it of the recipient's domain
_END_OF_DATA = re.compile(r"end\s+of\s+data\b", re.IGNORECASE)
_FILTERS = (".docomo.ne.jp",)  # say "Unknown user" of mail that a reader's own filter refuses
_OF_MAILBOX = ("5.1.", "5.2.1", "5.4.4")


def _with_table(reply: Reply, found: BounceVerdict) -> BounceVerdict:
    """Puts the table's verdict and the words together."""
    if not reply.code:
        return found
    table = replies.verdict(reply)
    temporary = reply.status.startswith("4.") or (400 <= reply.code < 500 and not reply.status)
    if found.reason is Reason.FULL or (found.reason is Reason.SPAM and not temporary):
        return found
    if reply.status.startswith("5.2.2") or reply.status.startswith("4.2.2"):
        return BounceVerdict(Reason.FULL)
    if temporary:
        return BounceVerdict(Reason.SOFT)
    hard = found.reason is Reason.HARD
    if reply.status in _ABOUT_US and not (hard and reply.status == _NULL_MX_OF_SENDER):
        return BounceVerdict(Reason.POLICY)
    if table.bounce is BounceKind.PERHAPS and found.reason is Reason.SOFT:
        return found  # such as 5.2.1 with words of a rate
    if table.bounce is BounceKind.HARD:
        return BounceVerdict(Reason.HARD, sure=found.reason is not Reason.POLICY)
    if table.bounce is BounceKind.PERHAPS or reply.status in _ABOUT_ROUTE:
        down = word_list("not-reached").search(reply.text) and not hard
        return BounceVerdict(Reason.SOFT if down else Reason.HARD)
    if reply.status.startswith("5.7."):
        # Some providers say so of mailboxes that do not exist; without such words it is policy.
        if hard and "temporar" in reply.text.lower():
            return BounceVerdict(Reason.SOFT)
        gone = hard and (found.sure or reply.status in (_ACCOUNT_DISABLED, _NULL_MX_OF_SENDER))
        return BounceVerdict(Reason.HARD if gone else Reason.POLICY)
    if reply.status in ("5.2.3", "5.3.4") or reply.status.startswith("5.6."):
        return BounceVerdict(Reason.POLICY)
    if found.reason is not Reason.UNKNOWN:
        return found
    if reply.status.startswith(_OF_MAILBOX):
        return BounceVerdict(Reason.HARD)
    if reply.status.startswith(("5.3.", "5.4.")) or table.outcome == "deferred":
        return BounceVerdict(Reason.SOFT)
    return BounceVerdict(Reason.UNKNOWN)
