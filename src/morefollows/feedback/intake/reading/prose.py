"""Finds recipient and reason in bounces that are written for people, whatever system wrote them.

First `intro` cuts off the returned mail. Then the table of header fields and lines is tried, then
`flufl.bounce`, then any address that is not ours.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from morefollows.feedback.intake.reading import dsn_and_arf
from morefollows.feedback.intake.reading.dsn_and_arf import ReportedRecipient
from morefollows.feedback.intake.reading.mime import Headers, headers_of
from morefollows.feedback.intake.reading.words import word_list

_MOST_INTRO = 16_000  # characters
_LEAST_WORDS = 12  # characters beside the address, or it is but a list of addresses
_FLUFL_OCTETS = 64 * 1024

# The line after which a system returns our mail.
_ONE = r"([^\s<>@\"'(),:;]{1,128}@[^\s<>@\"'(),:;\]]{1,255})"
_BEFORE = (
    r"(?:failed|final|original|bad|intended|invalid|unknown)?[- ]?"
    r"(?:recipient|rcpt|addressee|address|user|to|empfänger|destinataire|destinatario|destinatário"
    r"|an|à|para)(?: address| addresses|adresse|\(s\)|s)?"
)
_SENT = (
    r"(?:delivery to|deliver(?:ed)? to|recipients?|user|zustell\w*|an"
    r"|delivering to|sent to|address)"
)
# Lines that name the recipient, by whatever system.
_LINES = tuple(
    re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    for pattern in (
        rf"^[ \t]*<{_ONE}>[ \t]*:",  # Postfix, qmail
        rf"^[ \t]*{_BEFORE}[ \t]*[:=][ \t]*[<\"'(\[]*(?:mailto:|smtp:|rfc822;[ \t]*)?{_ONE}",
        rf"this mailing list[ \t]*<{_ONE}>",  # fml
        rf"^[ \t]*rcpt to:[ \t]*<?{_ONE}",
        rf"^[ \t]+<?{_ONE}>?[ \t]*$",  # Exim, Exchange
        rf"{_SENT}[^\n]{{0,40}}[ \t(<\"']{_ONE}",
        rf"^[ \t]*[*-]?[ \t]*<?{_ONE}>?[ \t]*(?:$|[:\-–(]|\bon \d)",
    )
)
# Where a line begins with the recipient.
_ENTRY = re.compile(rf"^[ \t]*[<\"'(*-]{{0,3}}{_ONE}[>\"')]{{0,2}}(?=[\s:,;.]|$)", re.MULTILINE)
_NEVER = re.compile(
    r"^(?:mailer-daemon|postmaster|mail-?daemon|abuse|support|helpdesk|help|admin|administrator|webmaster|hostmaster|info|noreply|no-reply)@",
    re.IGNORECASE,
)
_HEADS = (
    "x-failed-recipients",
    "x-failed-recipient",
    "x-original-recipient",
    "x-postfix-recipient",
    "x-bounced-recipient",
)


def intro(text: str) -> str:
    """Returns what a system wrote, without the mail that it returns."""
    match = word_list("returned-mail").search(text[:100_000], 1)
    return text[: match.start()][:_MOST_INTRO] if match else text[:_MOST_INTRO]


def recipient_in_prose(
    headers: Headers, text: str, ours: Collection[str], sent_to: Collection[str]
) -> ReportedRecipient:
    """Returns the recipient and what is said of it. Without an address if none is told.

    `ours`: addresses that are the newsroom's. `sent_to`: what the returned mail's header names as
    its recipients.
    """
    opening = intro(text)
    found = _by_table(headers, opening, ours, sent_to)
    about = passage(opening, found)
    status = dsn_and_arf.status_in(about)
    return ReportedRecipient(found, "", "", status, dsn_and_arf.code_in(about), about)


def passage(opening: str, address: str) -> str:
    """Returns the lines about one recipient, where a bounce names several; else all of it."""
    entries = [(match.start(), match[1].lower()) for match in _ENTRY.finditer(opening)]
    if not address or len({one for _at, one in entries}) < 2:
        return opening
    begin = next((at for at, one in entries if one == address.lower()), None)
    if begin is None:
        return opening
    end = next((at for at, one in entries if at > begin and one != address.lower()), len(opening))
    found = opening[begin:end]
    enough = len(dsn_and_arf.blank_addresses(found).strip()) > _LEAST_WORDS
    return found if enough else opening


def returned_in_text(text: str) -> Headers:
    """Returns the header of the mail that a system returns in its own text; or no fields."""
    match = word_list("returned-mail").search(text[:100_000], 1)
    if match is None:
        return Headers([])
    return headers_of(text[match.start() : match.start() + _MOST_INTRO].lstrip().encode())


def _by_table(
    headers: Headers, opening: str, ours: Collection[str], sent_to: Collection[str]
) -> str:
    wanted = {one.lower() for one in sent_to}
    named = [dsn_and_arf.address_in(value) for value in headers.all(*_HEADS)]
    named = [one for one in named if one and one.lower() not in ours]
    if named:
        return next((one for one in named if one.lower() in wanted), named[0])
    there = [one for one in dsn_and_arf.addresses_in_order(opening) if one.lower() not in ours]
    both = [one for one in there if one.lower() in wanted]
    if both:
        return both[0]
    for line in _LINES:
        for match in line.finditer(opening):
            address = match[1].strip(".'*_")
            if address.lower() not in ours and not _NEVER.match(address):
                return address
    likely = [one for one in there if not _NEVER.match(one)]
    if likely:
        return likely[0]
    return next(iter(sent_to), "")


def recipient_by_library(raw: bytes) -> str:
    """Returns what `flufl.bounce` finds, or "". Only for mails that are not deeply nested."""
    from email import message_from_bytes

    from flufl.bounce import all_failures

    try:
        temporary, permanent = all_failures(message_from_bytes(raw[:_FLUFL_OCTETS]))
    except Exception:  # its readers raise whatever a strange mail makes them raise
        return ""
    found = sorted(
        one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one)
        for one in (permanent or temporary)
    )
    return dsn_and_arf.address_in(found[0]) if found else ""
