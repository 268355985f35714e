"""What must be true after every run: the ledger against what the relay really took."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass, field

from tests.faults.mischief import Scene
from tests.faults.stage import Mailed, Stage


@dataclass
class Verdict:
    """`faults`: what is wrong, in words; empty if nothing is."""

    mails: int = 0
    lost: int = 0
    repeated: int = 0
    allowed: int = 0
    faults: list[str] = field(default_factory=list)


def judge(stage: Stage, scene: Scene, runs: dict[int, int], mailed: list[Mailed]) -> Verdict:
    """`runs`: run → alert. `mailed`: what was really taken since the scene began."""
    from morefollows.audience.models import Suppression

    verdict = Verdict()
    taken: dict[tuple[int, str], list[Mailed]] = defaultdict(list)
    for mail in mailed:
        if mail.run in runs:
            taken[mail.run, mail.recipient].append(mail)
    noted = 0
    for run, alert in runs.items():
        noted += _one(stage, scene, run, alert, taken, verdict)
    for mails in taken.values():
        verdict.mails += len(mails)
        verdict.repeated += len(mails) - 1
    marks = [{mail.message_id for mail in mails} for mails in taken.values()]
    if any(len(each) != 1 for each in marks) or len(set().union(*marks)) != len(marks):
        verdict.faults.append(
            "a mail sent again has another Message-ID, or two readers have the same"
        )
    verdict.allowed = _allowed(stage, scene, mailed)
    if verdict.repeated > verdict.allowed:
        verdict.faults.append(
            f"{verdict.repeated} repeated, where {verdict.allowed} could be in flight or not yet noted"
        )
    if noted < verdict.repeated:
        verdict.faults.append(
            f"the ledger knows of {noted} mails sent again, but {verdict.repeated} were"
        )
    if scene.paused and scene.never_pauses:
        verdict.faults.append("the relay was paused for what it said of single recipients")
    suppressed = Suppression.objects.count()
    if suppressed:
        verdict.faults.append(f"{suppressed} readers are suppressed by what was said on one day")
    if verdict.lost:
        verdict.faults.append(f"{verdict.lost} lost")
    return verdict


def _one(
    stage: Stage,
    scene: Scene,
    run: int,
    alert: int,
    taken: dict[tuple[int, str], list[Mailed]],
    verdict: Verdict,
) -> int:
    """Judges one alert. Returns how many mails the ledger says were sent again."""
    from morefollows.courier.models import Batch, Outcome
    from morefollows.stories.models import Alert

    state = Alert.objects.get(pk=alert).state
    if state != "sent" and not (scene.stopped and state == "stopped"):
        verdict.faults.append(f"alert {alert} is {state}")
    may_end = {Outcome.ACCEPTED}
    if scene.refuses:
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
            if stage.addresses[reader] in found:
                verdict.faults.append(f"reader {reader} is in two batches of alert {alert}")
            found[stage.addresses[reader]] = outcome
    for address in stage.addresses.values():
        outcome = found.get(address)
        took = len(taken.get((run, address), ()))
        if outcome is None and state == "stopped":
            continue
        if outcome not in may_end:
            words = "in no batch" if outcome is None else Outcome(outcome).name
            verdict.faults.append(f"alert {alert}, {address}: {words}")
        if outcome == Outcome.ACCEPTED and not took:
            verdict.lost += 1
        if outcome == Outcome.WAITING and took:
            verdict.faults.append(
                f"alert {alert}, {address}: not sent, says the ledger, but the relay took it"
            )
    return noted


def _allowed(stage: Stage, scene: Scene, mailed: list[Mailed]) -> int:
    """The bound that docs/how-to/when-things-go-wrong.md states.

    For each interruption, mails in flight and what was taken since the ledger was last written; for each broken
    connection, mails in flight. What may be in flight on a connection is one mail, or `flow_control.MOST` with
    CHUNKING.
    """
    allowed = stage.wire.broken * scene.in_flight
    for began, ended, in_flight in scene.interrupted:
        allowed += in_flight + sum(began <= mail.time <= ended for mail in mailed)
    return allowed
