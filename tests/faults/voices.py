"""What relays say of single recipients, and of many at once, that is no word about all the others."""

from __future__ import annotations

from tests.faults.mischief import Mischief, Scene, misbehave
from tests.faults.stage import READERS, Stage
from tests.relay import Rule


def denied(stage: Stage, scene: Scene) -> None:
    """Some recipients are refused by policy, as by an access map: the relay goes on for all others."""
    scene.refuses = scene.never_pauses = True
    digit = scene.lot.randint(0, 9)
    reply = scene.lot.choice(
        (
            "554 5.7.1 Recipient address rejected: Access denied",
            "550 5.7.1 no",
            "553 5.7.1 not allowed",
            "550 Denied",
        )
    )
    misbehave(stage, Rule("rcpt", match=f"box[0-9]?{digit}\\.example", reply=reply))


def nobody_known(stage: Stage, scene: Scene) -> None:
    """For a while every recipient is unknown: nobody may be suppressed by that."""
    scene.refuses = True
    times = scene.lot.randint(READERS // 2, 3 * READERS)
    misbehave(stage, Rule("rcpt", reply="550 5.1.1 User unknown", times=times))


def greylisted(stage: Stage, scene: Scene) -> None:
    """Each recipient is deferred once."""
    scene.never_pauses = True
    misbehave(stage, Rule("rcpt", reply="450 4.2.0 Greylisted, try again later", each=1))


#: as in `mischief`
VOICES: list[tuple[Mischief, int, int]] = [(denied, 4, 2), (nobody_known, 4, 2), (greylisted, 4, 2)]
