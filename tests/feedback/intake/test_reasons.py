"""Which words and codes of a report speak of the reader's mailbox, and which of us."""

from __future__ import annotations

import pytest

from morefollows.feedback.intake.reading.dsn_and_arf import ReportedRecipient
from morefollows.feedback.intake.reading.reasons import BounceVerdict, Reason, verdict_on


@pytest.mark.parametrize(
    ("status", "code", "text", "verdict"),
    [
        # RFC 3463 §3.2: 5.1.7 and 5.1.8 are about the sender's address.
        ("5.1.7", 550, "Invalid address: user unknown", BounceVerdict(Reason.POLICY)),
        ("5.1.8", 501, "Sender's host not found", BounceVerdict(Reason.POLICY)),
        # RFC 7372 and Gmail's: how we authenticate, and how much we send.
        (
            "5.7.25",
            550,
            "This address does not exist in a PTR record",
            BounceVerdict(Reason.POLICY),
        ),
        ("5.7.26", 550, "Unauthenticated; user unknown to us", BounceVerdict(Reason.POLICY)),
        # Meta's code for what a reader's own settings refuse.
        ("5.1.1", 550, "RCP-P2 Refused due to recipient preferences", BounceVerdict(Reason.POLICY)),
        # A mailbox that takes no more for now is there.
        ("5.2.1", 550, "The user is receiving mail at a rate that", BounceVerdict(Reason.SOFT)),
        ("5.7.1", 550, "User unknown: temporary locked", BounceVerdict(Reason.SOFT)),
        # And those that are gone stay so.
        ("5.1.1", 550, "User unknown", BounceVerdict(Reason.HARD, sure=True)),
        ("5.1.10", 550, "Recipient address has null MX", BounceVerdict(Reason.HARD, sure=True)),
        ("5.7.1", 550, "User unknown", BounceVerdict(Reason.HARD)),
    ],
)
def test_what_speaks_of_us_is_no_hard_bounce(
    status: str, code: int, text: str, verdict: BounceVerdict
) -> None:
    report = ReportedRecipient("cy@reader.example", action="failed", status=status, code=code)
    assert verdict_on(report._replace(text=text)) == verdict


def test_a_delay_by_a_full_mailbox_is_one() -> None:
    report = ReportedRecipient("cy@reader.example", action="delayed", status="4.2.2", code=450)
    assert verdict_on(report).reason is Reason.FULL
