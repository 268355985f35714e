"""What must be true after every run: the ledger against what the relay really took."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass, field

from tests.faults.faults import Scenario
from tests.faults.testbed import ReceivedAlert, Testbed


@dataclass
class CheckResult:
    """`faults`: what is wrong, in words; empty if nothing is."""

    mails: int = 0
    lost: int = 0
    repeated: int = 0  #: really taken more than once
    uncertain: int = 0  #: called so by the ledger: sent again without knowing, or left uncertain
    allowed: int = 0
    problems: list[str] = field(default_factory=list)


def check_ledger(
    testbed: Testbed, scenario: Scenario, runs: dict[int, int], mailed: list[ReceivedAlert]
) -> CheckResult:
    """`runs`: run → alert. `mailed`: what was really taken since the scene began."""
    from morefollows.audience.models import Suppression

    result = CheckResult()
    taken: dict[tuple[int, str], list[ReceivedAlert]] = defaultdict(list)
    for mail in mailed:
        if mail.run in runs:
            taken[mail.run, mail.recipient].append(mail)
    noted = 0
    for run, alert in runs.items():
        noted += _one(testbed, scenario, run, alert, taken, result)
    result.uncertain = noted
    for mails in taken.values():
        result.mails += len(mails)
        result.repeated += len(mails) - 1
    marks = [{mail.message_id for mail in mails} for mails in taken.values()]
    if any(len(each) != 1 for each in marks) or len(set().union(*marks)) != len(marks):
        result.problems.append(
            "a mail sent again has another Message-ID, or two readers have the same"
        )
    result.allowed = _allowed(testbed, scenario, mailed)
    if result.repeated > result.allowed:
        result.problems.append(
            f"{result.repeated} repeated, where {result.allowed} could be in flight or not yet "
            "noted"
        )
    if noted < result.repeated:
        result.problems.append(
            f"the ledger knows of {noted} mails sent again, but {result.repeated} were"
        )
    if scenario.paused and scenario.never_pauses:
        result.problems.append("the relay was paused for what it said of single recipients")
    suppressed = Suppression.objects.count()
    if suppressed:
        result.problems.append(f"{suppressed} readers are suppressed by what was said on one day")
    if result.lost:
        result.problems.append(f"{result.lost} lost")
    return result


def _one(
    testbed: Testbed,
    scenario: Scenario,
    run: int,
    alert: int,
    taken: dict[tuple[int, str], list[ReceivedAlert]],
    result: CheckResult,
) -> int:
    """Judges one alert. Returns how many mails the ledger says were sent again."""
    from morefollows.courier.models import Batch, Outcome
    from morefollows.stories.models import Alert

    state = Alert.objects.get(pk=alert).state
    if state != "sent" and not (scenario.stopped and state == "stopped"):
        result.problems.append(f"alert {alert} is {state}")
    may_end = {Outcome.ACCEPTED}
    if scenario.refuses:
        may_end.add(Outcome.REFUSED)
    if state == "stopped":
        may_end |= {Outcome.WAITING, Outcome.DEFERRED, Outcome.UNCERTAIN}
    found: dict[str, int] = {}
    noted = 0
    for batch in Batch.objects.filter(alert=alert):
        ids = array("q")
        ids.frombytes(bytes(batch.readers))
        noted += batch.repeated + batch.uncertain
        for reader, outcome in zip(ids, bytes(batch.outcomes), strict=True):
            if testbed.addresses[reader] in found:
                result.problems.append(f"reader {reader} is in two batches of alert {alert}")
            found[testbed.addresses[reader]] = outcome
    for address in testbed.addresses.values():
        outcome = found.get(address)
        took = len(taken.get((run, address), ()))
        if outcome is None and state == "stopped":
            continue
        if outcome not in may_end:
            words = "in no batch" if outcome is None else Outcome(outcome).name
            result.problems.append(f"alert {alert}, {address}: {words}")
        if outcome == Outcome.ACCEPTED and not took:
            result.lost += 1
        if outcome == Outcome.WAITING and took:
            result.problems.append(
                f"alert {alert}, {address}: not sent, says the ledger, but the relay took it"
            )
    return noted


def _allowed(testbed: Testbed, scenario: Scenario, mailed: list[ReceivedAlert]) -> int:
    """The bound that docs/how-to/when-things-go-wrong.md states.

    For each interruption, mails in flight and what was taken since the ledger was last written; for
    each broken connection, mails in flight. What may be in flight on a connection is one mail, or
    `flow_control.MOST` with CHUNKING.
    """
    allowed = testbed.proxy.broken * scenario.in_flight
    for began, ended, in_flight in scenario.interrupted:
        allowed += in_flight + sum(began <= mail.time <= ended for mail in mailed)
    return allowed
