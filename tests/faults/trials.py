"""Longer trials: one fault each, own newsroom, default settings, up to two minutes.

The random runs ask whether anything is lost or repeated. A trial also asks how long a mail had to
wait, and whom else the fault has touched. Each runs in a process of its own (``--perform NAME``),
because Django knows one database.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable

from tests.faults import blackhole
from tests.faults import database_trials as database
from tests.faults import intake_trials as intake
from tests.faults import process_trials as process
from tests.faults import relay_trials as relay
from tests.faults.testbed import Testbed
from tests.faults.trial import Trial

TrialFunction = Callable[[Trial], None]

#: Each trial, with the databases on which it differs.
TRIALS: dict[TrialFunction, tuple[str, ...]] = {
    relay.provider_knows_nobody: ("sqlite", "postgres"),
    relay.relay_knows_nobody: ("postgres",),
    relay.one_is_denied: ("sqlite",),
    relay.all_connections_drop: ("sqlite",),
    relay.all_connections_drop_chunking: ("postgres",),
    relay.relay_away: ("postgres",),
    relay.relay_away_chunking: ("sqlite",),
    relay.each_greylisted_once: ("postgres",),
    relay.throttled_beside_others: ("sqlite", "postgres"),
    relay.slow_answer_to_one: ("sqlite",),
    relay.slow_answer_to_one_chunking: ("postgres",),
    database.batch_locked: ("sqlite", "postgres"),
    database.alert_locked: ("postgres",),
    database.story_locked: ("postgres",),
    database.reader_locked: ("postgres",),
    database.database_black_hole: ("postgres",),
    relay.slow_confirmation: ("sqlite",),
    relay.forgotten_starttls: ("sqlite",),
    database.connections_dropped_in_sign_ups: ("postgres",),
    database.locked_beside_sign_ups: ("postgres",),
    database.restored: ("sqlite", "postgres"),
    process.orderly_restart: ("sqlite", "postgres"),
    process.two_machines: ("postgres",),
    process.two_clocks: ("postgres",),
    process.two_clocks_behind: ("postgres",),
    process.killed_sender: ("sqlite", "postgres"),
    intake.killed_intake: ("sqlite", "postgres"),
}
#: Those that `--short` takes: they need no minutes.
QUICK = (
    relay.one_is_denied,
    relay.all_connections_drop,
    relay.slow_answer_to_one,
    process.killed_sender,
)


def _is_root() -> bool:
    """Only root can have packets dropped."""
    return os.geteuid() == 0


def names(kind: str, *, quick: bool = False) -> list[str]:
    """The trials that run on this database."""
    return [
        trial.__name__
        for trial, databases in TRIALS.items()
        if kind in databases and (trial in QUICK or not quick)
    ]


def perform(name: str) -> int:
    """Runs this trial on the database of ``TEST_DATABASE``. Exit code 1 on a problem."""
    [function] = [trial for trial in TRIALS if trial.__name__ == name]
    kind = os.environ.get("TEST_DATABASE", "sqlite")
    began = time.monotonic()
    with contextlib.ExitStack() as cleared:
        environment: dict[str, str] = {}
        query = "verify=no" if function is relay.forgotten_starttls else "tls=never"
        more = intake.settings() if function is intake.killed_intake else {}
        testbed = Testbed(0, query, senders="1", trusted_proxies="1", **more)
        cleared.callback(testbed.close)
        if function is database.database_black_hole:
            environment["DATABASE_URL"] = cleared.enter_context(
                blackhole.over_tcp(testbed.installation.environment["DATABASE_URL"])
            )
        testbed.installation.environment.update(environment)
        testbed.call(testbed.proxy.restore, testbed.relay.port)
        testbed.open()
        trial = Trial(testbed)
        try:
            function(trial)
        except AssertionError as error:
            trial.problems.append(str(error))
        if "Traceback (most recent call last)" in testbed.installation.output:
            trial.problems.append("a process fell over a bug of its own")
        result = "FAILED" if trial.problems else "ok"
        told = "; ".join(trial.seen + trial.problems)
        print(f"{kind}: {name}: {result}, {time.monotonic() - began:.0f} s. {told}", flush=True)
        if trial.problems:
            print(
                "What the processes said last:",
                *testbed.installation.output.splitlines()[-30:],
                sep="\n  ",
            )
            print(f'Again: make faults OPTIONS="--database {kind} --trial {name}"', flush=True)
    return int(bool(trial.problems))
