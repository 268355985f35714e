"""`make faults`: as many runs as one asks for, on SQLite and on PostgreSQL side by side.

A run is an alert to some dozen readers that something happens to. What happens, and when, follows
from the run's seed; a run that fails tells it, and the command that repeats it. The long form is
5,000 runs.

Some judgements depend on how fast the machine is: what may have been in flight, how long a silence
was. So a run or a trial that fails, and has lost nothing, is done once more, alone in a new
newsroom. If it passes then, it is named and the others go on. A lost mail fails at once.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from random import Random

SHORT, LONG = 300, 5000
_RUNS_PER_TESTBED = 500  # runs; then a new newsroom, so that no database grows for ever
_PATIENCE = 60.0  # seconds for an alert to end, once what happened to it is over
_UNTIL_IT_HAPPENS = 0.5  # seconds after Send, at the most
_BY_CHANCE = 20  # mails called uncertain beyond twice the repeated ones, in all runs of a testbed
_LOCAL_INBOX_SHARE = 0.04  # of the runs
FAILED = -1  #: instead of the number of a run that may be tried once more
_SECOND_TRIES = 3  # for each testbed; more are no longer chance


def main() -> int:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--runs", type=int, default=LONG, help=f"on all databases together ({LONG})"
    )
    parser.add_argument(
        "--short", action="store_const", dest="runs", const=SHORT, help=f"{SHORT} runs"
    )
    parser.add_argument("--seed", type=int, default=None, help="of the first run; one taken by lot")
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--only", default="", help="one fault by name, such as kill_sender")
    parser.add_argument(
        "--trial", default="", help="one of the longer trials by name, or none; all by default"
    )
    parser.add_argument("--loud", action="store_true", help="print each run")
    parser.add_argument("--perform", default="", help=argparse.SUPPRESS)
    parser.add_argument("--testbed", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--second-tries", type=int, default=_SECOND_TRIES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**9) if options.seed is None else options.seed
    if options.perform:
        from tests.faults import trials

        return trials.perform(options.perform)
    if options.testbed:
        return perform_patiently(seed, options)
    databases = ("sqlite", "postgres") if options.database == "both" else (options.database,)
    if options.trial and options.trial != "none":
        return try_all(databases, [options.trial])
    share = -(-options.runs // len(databases))
    begun = time.monotonic()
    print(f"seed {seed}", flush=True)
    failed = False
    for first in range(0, share, _RUNS_PER_TESTBED):
        runs = min(_RUNS_PER_TESTBED, share - first)
        children = [
            subprocess.Popen(
                _command(options, database, seed + first, runs, options.second_tries),
                env={**os.environ, "TEST_DATABASE": database},
            )
            for database in databases
        ]
        try:
            failed |= sum(child.wait() for child in children) > 0
        finally:
            for child in children:
                child.terminate()
        if failed:
            break
    if not failed and not options.only and not options.trial:
        failed = bool(try_all(databases, [], quick=options.runs <= SHORT))
    print(f"{'FAILED' if failed else 'ok'}, {time.monotonic() - begun:.0f} s")
    return int(failed)


def try_all(databases: Sequence[str], wanted: Sequence[str], *, quick: bool = False) -> int:
    """Runs the longer trials: one process at a time for each database. Returns how many failed."""
    from tests.faults import trials

    queues = {
        database: [n for n in trials.names(database, quick=quick) if not wanted or n in wanted]
        for database in databases
    }
    running: dict[str, subprocess.Popen[bytes]] = {}
    names: dict[str, str] = {}  # of the trial that runs on each database
    tried_again: set[tuple[str, str]] = set()
    failed = 0
    try:
        while queues or running:
            for database, queue in list(queues.items()):
                if database in running:
                    continue
                if not queue:
                    del queues[database]
                    continue
                names[database] = queue.pop(0)
                running[database] = subprocess.Popen(
                    [sys.executable, "-m", "tests.faults", "--perform", names[database]],
                    env={**os.environ, "TEST_DATABASE": database},
                )
            for database, child in list(running.items()):
                if child.poll() is None:
                    continue
                del running[database]
                trial = (database, names[database])
                if child.returncode and trial not in tried_again:
                    tried_again.add(trial)
                    queues.setdefault(database, []).append(names[database])
                    print(f"{database}: {names[database]} is tried once more", flush=True)
                else:
                    failed += child.returncode != 0
            time.sleep(0.1)
    finally:
        for child in running.values():
            child.terminate()
    return failed


class Tally:
    """What has happened so far."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.last = ""
        self.runs = self.mails = self.repeated = self.uncertain = self.allowed = self.lost = 0
        self.begun = time.monotonic()
        self.happened: Counter[str] = Counter()
        self.repeats: dict[str, int] = defaultdict(int)
        self.called: dict[str, int] = defaultdict(int)
        self.after_deaths = (0, 0)  # repeated, and called uncertain, where only processes died

    def report(self) -> None:
        print(
            f"{self.database}: {self.runs} runs, {self.happened.total()} faults, {self.mails} "
            "mails, "
            f"lost {self.lost}, repeated {self.repeated}, called uncertain {self.uncertain} "
            f"(could be {self.allowed}), "
            f"{time.monotonic() - self.begun:.0f} s",
            flush=True,
        )

    def exaggerated(self) -> str:
        """Says so if too many mails were called uncertain whose state was known; else empty."""
        repeated, called = self.after_deaths
        if called <= 2 * repeated + _BY_CHANCE:
            return ""
        return (
            f"{self.database}: after processes died {called} mails were called uncertain, "
            f"and only {repeated} were repeated"
        )

    def report_all(self) -> None:
        self.report()
        for name, times in self.happened.most_common():
            print(
                f"  {self.database}: {name}: {times}, repeated {self.repeats[name]}, "
                f"called uncertain {self.called[name]}"
            )


def perform_patiently(seed: int, options: argparse.Namespace) -> int:
    """Performs all runs in this process; what failed once and lost nothing, in one of its own.

    After such a run, those behind it are performed in another process: Django knows one database.
    Exit code 1 if a mail was lost, or a run failed twice, or too many failed once.
    """
    failed_at = perform(options.database, options.runs, seed, options.only, loud=options.loud)
    if failed_at is None:
        return 0
    if failed_at == FAILED or options.second_tries == 0:
        return 1
    print(f"{options.database}, seed {seed + failed_at}: once more, alone", flush=True)
    alone = _command(options, options.database, seed + failed_at, 1, 0)
    if subprocess.run(alone, check=False).returncode:
        return 1
    print(f"{options.database}, seed {seed + failed_at}: passed at the second try", flush=True)
    rest = options.runs - failed_at - 1
    if rest <= 0:
        return 0
    left = options.second_tries - 1
    behind = _command(options, options.database, seed + failed_at + 1, rest, left)
    return subprocess.run(behind, check=False).returncode


def _command(
    options: argparse.Namespace, database: str, seed: int, runs: int, second_tries: int
) -> list[str]:
    """The command of a process that performs these runs."""
    words = ["--testbed", "--database", database, "--only", options.only]
    words += ["--runs", str(runs), "--seed", str(seed), "--second-tries", str(second_tries)]
    words += ["--loud"] if options.loud else []
    return [sys.executable, "-m", "tests.faults", *words]


def perform(database: str, runs: int, seed: int, only: str, *, loud: bool) -> int | None:
    """One stage of `runs` runs, in this process, up to the first that fails.

    Returns its number if it may be tried once more, `FAILED` if not, None if none failed.
    """
    from tests.faults.testbed import Testbed

    tally = Tally(database)
    testbed = Testbed(0)
    try:
        testbed.open()
        told = 0
        while tally.runs < runs:
            if (
                only == ""
                and not testbed.inbox
                and tally.runs >= runs * (1 - _LOCAL_INBOX_SHARE)
                and runs > 20
            ):
                testbed.use_local_inbox()
            number, begun = tally.runs, time.monotonic()
            problems = _run(testbed, Random(seed + number), only, tally)
            if loud:
                print(
                    f"{database} {seed + number}: {tally.last}, {time.monotonic() - begun:.1f} s",
                    flush=True,
                )
            if problems:
                tally.report_all()
                print(f"{database}, seed {seed + number}:", *problems[:10], sep="\n  ")
                print(
                    "What the processes said last:",
                    *testbed.installation.output.splitlines()[-30:],
                    sep="\n  ",
                )
                again = f"--database {database} --seed {seed + number} --runs 1" + (
                    f" --only {only}" if only else ""
                )
                print(f'Again: make faults OPTIONS="{again}"', flush=True)
                return FAILED if tally.lost else number
            if tally.runs - told >= 50:
                told = tally.runs
                tally.report()
        tally.report_all()
        if problem := tally.exaggerated():
            print(problem, flush=True)
            return FAILED
        if "Traceback (most recent call last)" in testbed.installation.output:
            _, _, found = testbed.installation.output.partition("Traceback (most recent call last)")
            print("A process fell over a bug of its own:", *found.splitlines()[:60], sep="\n")
            return FAILED
    finally:
        testbed.close()
    return None


def _run(testbed, rng: Random, only: str, tally: Tally) -> list[str]:  # type: ignore[no-untyped-def]
    """One scene: some alerts at once, and what happens to them. Returns what was wrong."""
    from tests.faults import faults
    from tests.faults.ledger_check import check_ledger
    from tests.faults.recipient_replies import RECIPIENT_REPLIES

    postfix = testbed.postfix is not None and not only and not testbed.inbox and rng.random() < 0.08
    choice = (
        faults.WITH_LOCAL_INBOX
        if testbed.inbox
        else faults.WITH_POSTFIX
        if postfix
        else faults.PROCESSES + faults.OTHERS + RECIPIENT_REPLIES
    )
    if only:
        choice = [
            one
            for one in faults.PROCESSES
            + faults.OTHERS
            + RECIPIENT_REPLIES
            + faults.WITH_LOCAL_INBOX
            if one[0].__name__ == only
        ]
    [(first, _, at_once)] = rng.choices(choice, [weight for _, weight, _ in choice])
    chosen = [first]
    before_send = faults.BEFORE_SEND | {one for one, _, _ in RECIPIENT_REPLIES}
    if not only and first in before_send and rng.random() < 0.25:
        chosen.append(faults.kill_sender)
    scenario = faults.Scenario(rng, what=[one.__name__ for one in chosen])
    if postfix:
        scenario.in_flight = faults.IN_FLIGHT_BDAT
    testbed.call(testbed.proxy.restore, testbed.postfix.port if postfix else testbed.relay.port)
    testbed.call(testbed.relay.follow, *faults.PACE)
    seen = len(testbed.mailed())
    try:
        before = [one for one in chosen if one in before_send]
        for one in before:
            one(testbed, scenario)
        runs = {tally.runs + n: testbed.send(tally.runs + n).pk for n in range(at_once)}
        scenario.alerts = list(runs.values())
        for one in chosen:
            if one not in before:
                time.sleep(rng.uniform(0, _UNTIL_IT_HAPPENS * at_once / 2))
                one(testbed, scenario)
        if not before:
            testbed.call(testbed.relay.follow)
        faults.wait_until_settled(testbed, scenario, _PATIENCE)
        problems = check_scenario(testbed, scenario, runs, seen, postfix, check_ledger, tally)
    except AssertionError as error:
        problems = [str(error)]
    tally.runs += at_once
    tally.last = ", ".join(scenario.what)
    for name in scenario.what:
        tally.happened["postfix: " + name if postfix else name] += 1
    return [", ".join(scenario.what), *problems] if problems else []


def check_scenario(testbed, scenario, runs, seen, postfix, check_ledger, tally) -> list[str]:  # type: ignore[no-untyped-def]
    """Judges a scene. Where mail goes through Postfix, it waits until that has handed it on."""
    from tests.faults.faults import KNOWN_AFTER

    deadline = time.monotonic() + (10 if postfix else 0)
    while True:
        result = check_ledger(testbed, scenario, runs, testbed.mailed()[seen:])
        if not result.problems or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    tally.mails += result.mails
    tally.repeated += result.repeated
    tally.uncertain += result.uncertain
    tally.allowed += result.allowed
    tally.lost += result.lost
    for name in scenario.what:
        tally.repeats[name] += result.repeated
        tally.called[name] += result.uncertain
    if set(scenario.what) <= set(KNOWN_AFTER) and not postfix:
        repeated, called = tally.after_deaths
        tally.after_deaths = repeated + result.repeated, called + result.uncertain
    return list(result.problems)


if __name__ == "__main__":
    sys.exit(main())
