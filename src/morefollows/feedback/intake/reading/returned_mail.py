"""Recognises what a mail that came back is: a bounce, a complaint, a reply. Call `read`.

Machine-readable parts come first, then prose. Nothing here asks the database, and nothing raises.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import NamedTuple

from morefollows.feedback.intake.reading import dsn_and_arf, marks, prose, reasons, ses_notices
from morefollows.feedback.intake.reading.dsn_and_arf import (
    Complaint,
    DeliveryReport,
    ReportedRecipient,
)
from morefollows.feedback.intake.reading.mime import Headers, MailPart, headers_of, parts_of
from morefollows.feedback.intake.reading.reasons import Reason
from morefollows.feedback.intake.reading.words import word_list

_MOST_HOPS = 20  # systems that an ordinary mail passes


class Kind(StrEnum):
    """What a mail that came back is."""

    BOUNCE = "bounce"
    DELAYED = "delayed"  #: not final: the other host goes on trying
    DELIVERED = "delivered"  #: a report of success, or that it was read
    COMPLAINT = "complaint"
    AUTOMATIC = "automatic"  #: an answer by a program (RFC 3834)
    CHALLENGE = "challenge"  #: the reader's system asks us to prove something
    LEAVE = "leave"  #: a mail to the address of List-Unsubscribe
    REPLY = "reply"  #: by a person
    OTHER = "other"  #: a report that asks for nothing


class Read(NamedTuple):
    """What was read from one mail."""

    kind: Kind
    reason: Reason = Reason.NONE
    sure: bool = False
    recipient: str = ""  #: the address that it is about, if it tells one
    status: str = ""
    code: int = 0
    text: str = ""  #: the words that decided; may hold addresses
    reporter: str = ""  #: the host that reports
    envelope_id: str = ""
    feedback: str = ""  #: of a complaint: its type
    asks_to_leave: bool = False
    subject: str = ""
    sender: str = ""  #: the address in From
    words: str = ""  #: what a person wrote

    @property
    def group(self) -> str:
        """hard, soft or other: the short form of kind and reason."""
        if self.kind is Kind.DELAYED:
            return "soft"
        if self.kind is not Kind.BOUNCE:
            return "other"
        if self.reason is Reason.HARD:
            return "hard"
        return "soft" if self.reason in (Reason.SOFT, Reason.FULL) else "other"


def read(raw: bytes, ours: Collection[str] = ()) -> Read:
    """Reads one mail. `ours`: the newsroom's addresses, in lower case."""
    parts = parts_of(raw)
    headers = parts[0].headers
    text = _own_text(parts)
    ours = {*ours, *_receivers(headers)}
    sent_to = _sent_to(parts, text, ours)
    found = (
        _by_notice(text)
        or _by_complaint(parts, headers, sent_to)
        or _by_report(parts, text, ours, sent_to)
        or _by_attached_report(parts, headers, ours)
        or _by_prose(raw, parts, headers, text, ours, sent_to)
        or _by_person(headers, text)
    )
    if found.reason is Reason.UNKNOWN and _looped(parts):
        found = found._replace(reason=Reason.SOFT)
    return found._replace(
        subject=headers.text("subject")[:200],
        sender=dsn_and_arf.address_in(headers.text("from")[:2000]),
    )


def returned_headers(parts: Sequence[MailPart]) -> list[Headers]:
    """The headers of mails that are attached or returned, whole or as a part of their own."""
    found = [part.headers for part in parts if part.kind == "message/header"]
    for part in parts:
        if part.kind in ("text/rfc822-headers", "message/global-headers"):
            found.append(headers_of(part.octets.strip(b"\r\n")))
    return found


def _looped(parts: Sequence[MailPart]) -> bool:
    """Whether the returned mail went in a loop. Exim does not say that this is why it came back."""
    hops = [len(returned.all("received")) for returned in returned_headers(parts)]
    return max(hops, default=0) > _MOST_HOPS


def _own_text(parts: Sequence[MailPart]) -> str:
    """What the mail itself says: its plain text, else its HTML."""
    for kinds in (("text/plain", ""), ("text/html",), ("text/",)):
        texts = [
            part.text
            for part in parts
            if not part.returned
            and part.kind.startswith(kinds)
            and part.kind != "text/rfc822-headers"
            and (part.kind == "text/plain" or kinds[0] != "text/plain")
        ]
        joined = "\n".join(text for text in texts if text.strip())
        if joined:
            return joined
    return ""


def _receivers(headers: Headers) -> set[str]:
    names = ["to", "delivered-to", "envelope-to", "x-envelope-to", "apparently-to"]
    if headers.all("delivered-to", "envelope-to"):
        # Alone it is DragonFly's, which means the address that failed.
        names.append("x-original-to")
    values = " ".join(value[:2000] for value in headers.all(*names))
    return {one.lower() for one in dsn_and_arf.addresses_in_order(values)}


def _sent_to(parts: Sequence[MailPart], text: str, ours: Collection[str]) -> list[str]:
    """The recipients in the header of the returned mail, which may stand in the text."""
    found = []
    for returned in returned_headers(parts) or [prose.returned_in_text(text)]:
        for value in returned.all("to", "x-original-to", "delivered-to", "original-recipient"):
            found += dsn_and_arf.addresses_in_order(value[:2000])
    return [one for one in dict.fromkeys(found) if one.lower() not in ours][:20]


def _by_notice(text: str) -> Read | None:
    notice = ses_notices.notice_in(text)
    if notice is None:
        return None
    one = notice.recipient
    if notice.kind == "complaint":
        found = _complaint(Complaint(notice.feedback, (one.address,), notice.reporter), [])
        return found._replace(recipient=one.address)
    return Read(
        Kind.BOUNCE if notice.kind == "bounce" else Kind.DELIVERED,
        *notice.verdict,
        recipient=one.address,
        status=one.status,
        code=one.code,
        text=one.text,
        reporter=notice.reporter,
    )


# -- complaints ------------------------------------------------------------------------------------


def _by_complaint(parts: Sequence[MailPart], headers: Headers, sent_to: list[str]) -> Read | None:
    for part in parts:
        if part.kind == "message/feedback-report" and not part.returned:
            return _complaint(dsn_and_arf.complaint(part.octets), sent_to)
    report = parts[0].parameters.get("report-type", "").lower()
    if parts[0].kind == "multipart/report" and report == "feedback-report":
        return _complaint(Complaint("abuse", (), ""), sent_to)
    # Microsoft's older reports attach the mail, and name the reader in a field of their own.
    marked = [*headers.all("x-hmxmroriginalrecipient", "x-sid-pra-recipient")]
    for returned in returned_headers(parts):
        marked += returned.all("x-hmxmroriginalrecipient")
    if marked:
        return _complaint(Complaint("abuse", (dsn_and_arf.address_in(marked[0]),), "JMRP"), sent_to)
    # RFC 9477 §3.5: the header of the mail alone, without a feedback report.
    asked = headers.get("content-type").lower().replace(" ", "")
    if "report-type=cfbl" in asked or headers.get("cfbl-feedback-id"):
        return _complaint(Complaint("abuse", (), "CFBL"), sent_to)
    return None


def _complaint(reported: Complaint, sent_to: list[str]) -> Read:
    recipient = next((one for one in (*reported.recipients, *sent_to) if _is_whole(one)), "")
    harmless = reported.kind in ("not-spam", "auth-failure", "virus", "dmarc")
    kind = Kind.OTHER if harmless else Kind.COMPLAINT
    return Read(kind, recipient=recipient, feedback=reported.kind, reporter=reported.reporter)


def _is_whole(address: str) -> bool:
    """False for a redacted address."""
    return "@" in address and re.search(r"redact|xxx|\*\*|^\W+@", address, re.IGNORECASE) is None


# -- delivery reports ------------------------------------------------------------------------------


def _by_attached_report(
    parts: Sequence[MailPart], headers: Headers, ours: Collection[str]
) -> Read | None:
    """Gateways attach another system's report to a bounce that says nothing itself."""
    if not (marks.is_from_machine(headers) and marks.says_bounced(headers)):
        return None
    for part in parts:
        if part.returned and part.kind == "message/delivery-status":
            reported = dsn_and_arf.delivery_report(part.octets)
            if reported is not None and any(one.address for one in reported.recipients):
                return _report(reported, "", ours, [])
    return None


def _by_report(
    parts: Sequence[MailPart], text: str, ours: Collection[str], sent_to: list[str]
) -> Read | None:
    for part in parts:
        if part.returned:
            continue
        if part.kind in ("message/delivery-status", "message/global-delivery-status"):
            reported = dsn_and_arf.delivery_report(part.octets)
            if reported is not None:
                return _report(reported, text, ours, sent_to)
        if part.kind in (
            "message/disposition-notification",
            "message/global-disposition-notification",
        ):
            return _read_receipt(part, text, sent_to)
    inline = re.search(r"^(?:final|original)-recipient:", text, re.MULTILINE | re.IGNORECASE)
    if inline:
        begin = text.lower().rfind("\nreporting-mta:", 0, inline.start())
        reported = dsn_and_arf.delivery_report(
            text[max(begin, 0) if begin >= 0 else inline.start() :].encode()
        )
        if reported is not None:
            return _report(reported, text[: inline.start()], ours, sent_to)
    return None


def _report(reported: DeliveryReport, text: str, ours: Collection[str], sent_to: list[str]) -> Read:
    order = {"failed": 0, "": 1, "delayed": 2}
    one = min(reported.recipients, key=lambda one: order.get(one.action, 3))
    address = _final_address(one, ours, sent_to)
    if not address and one.action in ("failed", "delayed", ""):
        address = prose.recipient_in_prose(Headers([]), text, ours, sent_to).address
    known = Read(
        Kind.DELIVERED,
        recipient=address,
        status=one.status,
        code=one.code,
        text=(one.text or prose.intro(text))[:2000],
        reporter=reported.reporter,
        envelope_id=reported.envelope_id,
    )
    accepted = one.status.startswith("2.") and one.action not in ("failed", "delayed")
    if one.action in ("delivered", "relayed", "expanded") or accepted:
        return known
    verdict = reasons.verdict_on(one, prose.passage(prose.intro(text), one.address))
    # OpenSMTPD 6 says that it goes on when it has given up.
    if one.action == "delayed" and "envelope expired" not in text.lower():
        return known._replace(kind=Kind.DELAYED, reason=verdict.reason)
    return known._replace(kind=Kind.BOUNCE, reason=verdict.reason, sure=verdict.sure)


def _final_address(one: ReportedRecipient, ours: Collection[str], sent_to: Collection[str]) -> str:
    """The address that the mail was sent to: the original one, as a forwarder's may follow."""
    wanted = {address.lower() for address in sent_to}
    for address in (one.original, one.address):
        if address.lower() in wanted:
            return address
    return one.original or one.address or next(iter(sent_to), "")


def _read_receipt(part: MailPart, text: str, sent_to: list[str]) -> Read:
    """A receipt (RFC 8098). Some systems tell a rejection by the reader's own filter this way."""
    about = headers_of(part.octets.strip(b"\r\n"))
    address = dsn_and_arf.address_of(
        about.get("original-recipient") or about.get("final-recipient")
    )
    recipient = address or next(iter(sent_to), "")
    automatic = about.get("disposition").lower().replace(" ", "")
    rejected = re.search(
        r"reject|refus|abgelehnt|failed|denied", text[:2000] + automatic, re.IGNORECASE
    )
    if automatic.startswith("automatic-action") and rejected:
        return Read(
            Kind.BOUNCE, Reason.POLICY, recipient=recipient, text=text[:2000], envelope_id=""
        )
    return Read(Kind.DELIVERED, recipient=recipient)


# -- prose and people ------------------------------------------------------------------------------


def _by_prose(
    raw: bytes,
    parts: Sequence[MailPart],
    headers: Headers,
    text: str,
    ours: Collection[str],
    sent_to: list[str],
) -> Read | None:
    """Bounces without a machine-readable part."""
    failed = bool(headers.get("x-failed-recipients"))
    subject = marks.says_bounced(headers)
    machine = (
        marks.is_from_machine(headers)
        or marks.has_null_sender(headers)
        or bool(headers.get("x-mlserver"))  # fml, which manages mailing lists
    )
    if not (failed or (subject and (machine or sent_to or _tells_status(text))) or machine):
        return None
    if not failed and not subject and not _tells_failure(text, sent_to):
        return None
    reported = prose.recipient_in_prose(headers, text, ours, sent_to)
    if not reported.address and max(part.depth for part in parts) < 8 and len(parts) < 50:
        reported = reported._replace(address=prose.recipient_by_library(raw))
    verdict = reasons.verdict_on(reported)
    known = Read(
        Kind.BOUNCE,
        verdict.reason,
        verdict.sure,
        recipient=reported.address,
        status=reported.status,
        code=reported.code,
        text=reported.text[:2000],
        reporter=dsn_and_arf.address_in(headers.get("from")).rpartition("@")[2],
    )
    delayed = marks.says_delayed(headers.text("subject")) or _still_trying(reported.text)
    if delayed and verdict.reason not in (Reason.HARD, Reason.SPAM, Reason.POLICY):
        return known._replace(kind=Kind.DELAYED, reason=Reason.SOFT, sure=False)
    return known


def _tells_status(text: str) -> bool:
    opening = prose.intro(text)
    return bool(dsn_and_arf.status_in(opening) or dsn_and_arf.code_in(opening))


def _tells_failure(text: str, sent_to: list[str]) -> bool:
    opening = prose.intro(text)[:3000]
    if word_list("hard").search(opening) and dsn_and_arf.code_in(opening):
        return True
    words = re.search(
        r"(?:not|n.t|un|non|fail\w*|nicht|error)[^\n]{0,60}(?:deliver|sent|zugestellt|zustell|remis|entreg|consegn|reach)|"
        r"permanent|returned|reject|delivery|bounce|undeliver",
        opening,
        re.IGNORECASE,
    )
    return (words is not None or marks.tells_bounce(opening)) and (bool(sent_to) or "@" in opening)


def _still_trying(opening: str) -> bool:
    return word_list("still-trying").search(opening[:3000]) is not None


def _by_person(headers: Headers, text: str) -> Read:
    """Automatic answers, challenges, and what people write."""
    words = marks.own_words(text)[:4000]
    if headers.get("x-apple-unsubscribe").lower() == "true":
        return Read(Kind.REPLY, asks_to_leave=True)  # Apple Mail's button, said to be automatic
    if marks.is_challenge(headers, text):
        return Read(Kind.CHALLENGE, words=words)
    if marks.is_automatic(headers, text):
        return Read(Kind.AUTOMATIC)
    if marks.is_from_machine(headers) or headers.get("list-id"):
        return Read(Kind.OTHER)
    return Read(Kind.REPLY, asks_to_leave=marks.asks_to_leave(headers, text), words=words)
