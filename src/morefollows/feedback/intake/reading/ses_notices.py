"""Reads notices of Amazon SES that come as mail: JSON, through an SNS subscription by mail.

The same notices come as webhooks, which are signed (`receivers/sns.py`). A mail is not: as with
every mail, only our token in it has consequences.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from morefollows.feedback.intake.reading import dsn_and_arf, reasons
from morefollows.feedback.intake.reading.dsn_and_arf import ReportedRecipient
from morefollows.feedback.intake.reading.reasons import BounceVerdict, Reason

_SPLIT = re.compile(r"!\r?\n ")  # where sendmail cuts lines that are too long
_READER = json.JSONDecoder(strict=False)


class Notice(NamedTuple):
    """What one notice says of its first recipient."""

    kind: str  #: bounce, complaint or delivery; lower case
    recipient: ReportedRecipient
    verdict: BounceVerdict
    reporter: str = ""
    feedback: str = ""  #: of a complaint: its type


def notice_in(text: str) -> Notice | None:
    """Returns the notice that a mail's text begins with; None if there is none."""
    if text.lstrip()[:1] != "{":
        return None
    message = _object(text)
    if isinstance(message.get("Message"), str):  # still in SNS's own wrapping
        message = _object(message["Message"])
    kind = str(message.get("notificationType") or message.get("eventType") or "").lower()
    about = message.get(kind)
    if kind not in ("bounce", "complaint", "delivery") or not isinstance(about, dict):
        return None
    recipient = _recipient(kind, about)
    return Notice(
        kind,
        recipient,
        _verdict(about, recipient) if kind == "bounce" else BounceVerdict(Reason.NONE),
        dsn_and_arf.after_type(str(about.get("reportingMTA") or "")),
        str(about.get("complaintFeedbackType") or "abuse"),
    )


def _object(text: str) -> dict[str, Any]:
    try:
        found, _end = _READER.raw_decode(_SPLIT.sub("", text.lstrip()))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _recipient(kind: str, about: dict[str, Any]) -> ReportedRecipient:
    names = {"bounce": "bouncedRecipients", "complaint": "complainedRecipients"}
    listed = about.get(names.get(kind, "recipients"))
    first = listed[0] if isinstance(listed, list) and listed else ""
    one = first if isinstance(first, dict) else {"emailAddress": first}
    text = dsn_and_arf.after_type(str(one.get("diagnosticCode") or about.get("smtpResponse") or ""))
    return ReportedRecipient(
        dsn_and_arf.address_in(str(one.get("emailAddress") or "")[:1000]),
        "",
        str(one.get("action") or "").lower(),
        dsn_and_arf.more_specific(
            dsn_and_arf.status_in(str(one.get("status") or "")), dsn_and_arf.status_in(text)
        ),
        dsn_and_arf.code_in(text),
        text[:2000],
    )


def _verdict(about: dict[str, Any], recipient: ReportedRecipient) -> BounceVerdict:
    """By the remote host's words; without any by Amazon's own type."""
    found = reasons.verdict_on(recipient)
    if found.reason is not Reason.UNKNOWN:
        return found
    kind, detail = str(about.get("bounceType")), str(about.get("bounceSubType"))
    if detail == "MailboxFull":
        return BounceVerdict(Reason.FULL)
    if detail in ("MessageTooLarge", "ContentRejected", "AttachmentRejected"):
        return BounceVerdict(Reason.POLICY)
    by_kind = {"Permanent": Reason.HARD, "Transient": Reason.SOFT}
    return BounceVerdict(by_kind.get(kind, Reason.UNKNOWN))
