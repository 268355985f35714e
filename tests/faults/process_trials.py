"""Trials of processes that die, and of machines that work side by side."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

from tests.faults.trial import SLOWLY, Trial
from tests.support import sandbox
from tests.support.clock import Clock
from tests.support.waiting import until


def killed_sender(trial: Trial) -> None:
    """kill -9 of the only sender: uncertain mails are at most twice the repeated ones, and 20."""
    trial.invite(*(f"cy@box{n}.example" for n in range(3000)))
    trial.follow(SLOWLY)
    alert = trial.send()
    trial.wait_for_mails(500)
    os.kill(trial.testbed.pids()["sender 1"], signal.SIGKILL)
    trial.wait_for_end(alert)
    counted = _repeats(alert)
    really = trial.repeated()
    trial.seen.append(f"{really} really repeated, {counted} counted")
    trial.expect(
        len(trial.recipients()) == 3000, f"{len(trial.recipients())} of 3000 readers have it"
    )
    trial.expect(counted >= really, f"{really} repeated, but the ledger knows of {counted}")
    trial.expect(
        counted <= 2 * really + 40, f"{counted} called uncertain, where {really} were repeated"
    )


def orderly_restart(trial: Trial) -> None:
    """The sender is stopped and restarted during an alert: known outcomes stay known."""
    trial.invite(*(f"cy@box{n}.example" for n in range(3000)))
    trial.follow(SLOWLY)
    alert = trial.send()
    for mails in (400, 1200, 2000):
        trial.wait_for_mails(mails)
        os.kill(trial.testbed.pids()["sender 1"], signal.SIGTERM)
    trial.wait_for_end(alert)
    counted = _repeats(alert)
    trial.expect(trial.repeated() == 0, f"{trial.repeated()} repeated by orderly restarts")
    trial.expect(counted == 0, f"{counted} called uncertain that were known")


def _repeats(alert: int) -> int:
    """How many mails the ledger counts as sent again because they were uncertain."""
    from django.db.models import Sum

    from morefollows.courier.models import Batch

    return int(Batch.objects.filter(alert=alert).aggregate(n=Sum("repeated"))["n"])


@contextlib.contextmanager
def _second_machine(trial: Trial, turned: int = 0) -> Iterator[None]:
    """A sender with its own data folder on the same database; its clock is ahead by `seconds`."""
    installation = trial.testbed.installation
    data, log = sandbox.folder() / "second", sandbox.folder() / "second.log"
    data.mkdir(mode=0o700)
    for path in installation.data.iterdir():
        if path.is_file() and path.name.startswith("secret"):
            shutil.copy(path, data)
    environment = {
        **installation.environment,
        "MOREFOLLOWS_DATA": str(data),
        "MOREFOLLOWS_URL": installation.url,
    }
    if turned:
        clock = Clock(sandbox.folder() / "second-clock")
        clock.turn(turned)
        environment.update(clock.environment)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "morefollows", "send"],
            env=environment,
            cwd=sandbox.folder(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield
        finally:
            trial.expect(
                process.poll() is None,
                f"the second machine's sender ended: {log.read_text()[-400:]}",
            )
            process.terminate()
            process.wait(30)


def _beside_another(trial: Trial, turned: int) -> None:
    trial.invite(*(f"cy@box{n}.example" for n in range(4000)))
    trial.follow(SLOWLY)
    with _second_machine(trial, turned):
        until("connections of both machines", lambda: trial.testbed.relay.at_once > 0)
        for run in range(2):
            alert = trial.send(run)
            trial.wait_for_end(alert)
            trial.expect(
                len(trial.recipients(run)) == 4000, f"{len(trial.recipients(run))} of 4000 have it"
            )
            trial.expect(
                trial.repeated(run) == 0, f"alert {run}: {trial.repeated(run)} of 4000 repeated"
            )


def two_machines(trial: Trial) -> None:
    """Two machines with a data folder each send from one PostgreSQL."""
    _beside_another(trial, 0)


def two_clocks(trial: Trial) -> None:
    """The same, and one machine's clock is 40 s ahead."""
    _beside_another(trial, 40)


def two_clocks_behind(trial: Trial) -> None:
    """The same, and one machine's clock is 40 s behind."""
    _beside_another(trial, -40)
