"""Replies about single recipients that say nothing about the others."""

from __future__ import annotations

from tests.faults.faults import Fault, Scenario, set_rules
from tests.faults.testbed import READERS, Testbed
from tests.support.scripted_relay import Rule


def denied(testbed: Testbed, scenario: Scenario) -> None:
    """Some recipients are refused by policy: mail to all others goes on."""
    scenario.refuses = scenario.never_pauses = True
    digit = scenario.rng.randint(0, 9)
    reply = scenario.rng.choice(
        (
            "554 5.7.1 Recipient address rejected: Access denied",
            "550 5.7.1 no",
            "553 5.7.1 not allowed",
            "550 Denied",
        )
    )
    set_rules(testbed, Rule("rcpt", match=f"box[0-9]?{digit}\\.example", reply=reply))


def nobody_known(testbed: Testbed, scenario: Scenario) -> None:
    """For a while every recipient is unknown: nobody may be suppressed by that."""
    scenario.refuses = True
    times = scenario.rng.randint(READERS // 2, 3 * READERS)
    set_rules(testbed, Rule("rcpt", reply="550 5.1.1 User unknown", times=times))


def greylisted(testbed: Testbed, scenario: Scenario) -> None:
    """Each recipient is deferred once."""
    scenario.never_pauses = True
    set_rules(testbed, Rule("rcpt", reply="450 4.2.0 Greylisted, try again later", each=1))


#: as in `faults`
RECIPIENT_REPLIES: list[tuple[Fault, int, int]] = [
    (denied, 4, 2),
    (nobody_known, 4, 2),
    (greylisted, 4, 2),
]
