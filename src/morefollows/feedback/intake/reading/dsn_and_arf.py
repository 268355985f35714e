"""Reads delivery reports (RFC 3464, RFC 6533) and complaints (ARF, RFC 5965; CFBL, RFC 9477)."""

from __future__ import annotations

import re
from typing import NamedTuple

from morefollows.feedback.intake.reading.mime import Headers, headers_of

_BLANK = re.compile(rb"\r?\n[ \t]*\r?\n")
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b(?!\.?\d)")
_CODE = re.compile(
    r"(?:(?<![\d.:#-])|(?<=code :))([245][0-5]\d)(?=[\s;:,#-]|$)(?!\.)", re.IGNORECASE
)
# Cisco's gateways put the other host's reply into one of their own.
_QUOTED_REPLY = re.compile(
    r"^\W*5\.\d\.\d - [\w ,-]{3,60} ([245]\d\d)-'(.{3,600}?)'(?= \(|\s*$)", re.DOTALL
)
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"|]{1,128}@[^\s<>()\[\],;:\"'|@]{1,255}")
_BEGINS = frozenset({"final-recipient", "original-recipient"})
_OF_RECIPIENT = frozenset({"action", "status", "diagnostic-code", "remote-mta"})
_MOST_GROUPS = 50
_LONGEST_TEXT = 2000  # characters of one diagnostic


class ReportedRecipient(NamedTuple):
    """What a report says of one recipient."""

    address: str  #: the final one, "" if it is not told
    original: str = ""  #: the one that the mail was sent to, if told
    action: str = ""  #: failed, delayed, delivered, relayed, expanded; lower case
    status: str = ""  #: enhanced status code (RFC 3463)
    code: int = 0  #: SMTP reply code, 0 if none is told
    text: str = ""  #: what the remote host said, or why
    host: str = ""  #: that host


class DeliveryReport(NamedTuple):
    """A delivery report (DSN)."""

    envelope_id: str
    reporter: str  #: the host that reports
    recipients: tuple[ReportedRecipient, ...]


class Complaint(NamedTuple):
    """A feedback report (ARF). `kind`: abuse, fraud, virus, opt-out, not-spam, auth-failure, …"""

    kind: str
    recipients: tuple[str, ...]
    reporter: str


def delivery_report(octets: bytes) -> DeliveryReport | None:
    """Reads the body of a message/delivery-status part; None if it tells of no recipient.

    Lenient: groups may lack their blank lines, and a group may lack any of its fields. Exim writes
    the action before the recipient.
    """
    groups = [headers_of(group) for group in _BLANK.split(octets.strip(b"\r\n"))[:_MOST_GROUPS]]
    fields = [field for group in groups for field in (*group.fields, ("", ""))]
    about: list[tuple[str, str]] = []
    recipients: list[list[tuple[str, str]]] = []
    before: list[tuple[str, str]] = []  # fields of the recipient who is named next
    acted = False  # the current recipient's action came after the name
    for name, value in fields:
        current = recipients[-1] if recipients else None
        known = {one for one, _ in current} if current is not None else set()
        if not name:
            before = []
        elif name in _BEGINS and (current is None or name in known or acted):
            recipients.append([*before, (name, value)])
            before, acted = [], False
        elif name in _OF_RECIPIENT and (current is None or name in known):
            before.append((name, value))
            about += [] if recipients else [(name, value)]
        elif current is None:
            about.append((name, value))
        else:
            current.append((name, value))
            acted |= name == "action"
    if not recipients:
        # Some hosts leave the recipient out, and tell the status only.
        if not any(name in ("status", "diagnostic-code") for name, _ in about):
            return None
        recipients = [about]
    whole = Headers(about)
    return DeliveryReport(
        unxtext(whole.get("original-envelope-id")),
        after_type(whole.get("reporting-mta")),
        tuple(_recipient(Headers(one)) for one in recipients),
    )


def _recipient(group: Headers) -> ReportedRecipient:
    text = _QUOTED_REPLY.sub(r"\1 \2", after_type(group.get("diagnostic-code"))[:_LONGEST_TEXT])
    status = more_specific(status_in(group.get("status")), status_in(text))
    address = address_of(group.get("final-recipient"))
    return ReportedRecipient(
        address,
        address_of(group.get("original-recipient")),
        (re.findall(r"[a-z]+", group.get("action").lower()) or [""])[0],
        status,
        code_in(text),
        text,
        after_type(group.get("remote-mta")),
    )


def complaint(octets: bytes) -> Complaint:
    """Reads the body of a message/feedback-report part."""
    fields = headers_of(octets.strip(b"\r\n"))
    recipients = [
        address_in(value) or value.strip("<> ")
        for value in fields.all("original-rcpt-to", "removal-recipient", "redacted-address")
    ]
    return Complaint(
        fields.get("feedback-type").strip().lower() or "abuse",
        tuple(one for one in recipients if one),
        after_type(fields.get("reporting-mta")) or fields.get("user-agent"),
    )


# -- pieces ----------------------------------------------------------------------------------------


def status_in(text: str) -> str:
    """Returns the first enhanced status code in a text, in the canonical form, or ""."""
    match = _STATUS.search(text)
    return ".".join(str(int(part)) for part in match.groups()) if match else ""


def code_in(text: str) -> int:
    """Returns the first SMTP reply code in a text, or 0."""
    match = _CODE.search(text)
    return int(match[1]) if match else 0


def more_specific(status: str, other: str) -> str:
    """Returns the more specific of two status codes. Many reports say 5.0.0 beside a better one."""
    if not other or status == other:
        return status
    if not status or status[2:] == "0.0":
        return other
    general = status.endswith(".0") and not other.endswith(".0") and status[0] == other[0]
    return other if general else status


def address_of(value: str) -> str:
    """Reads ``rfc822; user@domain`` (RFC 3464 §2.3), and ``utf-8; …`` (RFC 6533 §3)."""
    kind, semicolon, rest = value.partition(";")
    if not semicolon:
        kind, rest = "", value
    rest = rest.strip()
    if kind.strip().lower() == "utf-8":
        rest = re.sub(r"\\x\{([0-9A-Fa-f]{1,6})\}", _character, rest)
    if re.search(r"\+[0-9A-F]{2}", rest) and "@" not in rest:
        rest = unxtext(rest)
    return address_in(rest)


def address_in(text: str) -> str:
    """Returns the first mail address in a text, or ""."""
    match = _ADDRESS.search(text.replace("'", " "))
    return match[0].strip(".") if match else ""


def addresses_in_order(text: str) -> list[str]:
    """Returns the mail addresses in a text, each once."""
    return list(dict.fromkeys(found.strip(".") for found in _ADDRESS.findall(text[:100_000])))


def blank_addresses(text: str) -> str:
    """Replaces mail addresses by "…", so that words in them don't count: full@…, unknown@…."""
    return _ADDRESS.sub("…", text)


def unxtext(value: str) -> str:
    """Decodes xtext (RFC 3461 §4)."""
    return re.sub(r"\+([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), value.strip())


def _character(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"


def after_type(value: str) -> str:
    """Returns the value of a field that begins with a type and a semicolon."""
    kind, semicolon, rest = value.partition(";")
    return rest.strip() if semicolon and re.fullmatch(r"[\w -]{1,30}", kind.strip()) else value
