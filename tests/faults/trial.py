"""What a trial works with: a newsroom, readers, a scripted relay, and problems found."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.faults.testbed import Testbed
from tests.support.scripted_relay import Rule, Script
from tests.support.waiting import until

NEXT_MAIL_SECONDS = 2.0  # from the relay being well to the next mail
LATE_SECONDS = 10.0  # from a deferred mail's time to its next try
PATIENCE = 300.0  # seconds for an alert to end

SLOWLY = Rule("content", delay=0.05)  # so that a fault finds an alert at work


class ThreadDelay(threading.Thread):
    """Measures how late this machine wakes a thread: what a busy machine adds to every figure."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seconds = 0.0
        self.start()

    def run(self) -> None:
        while True:
            began = time.monotonic()
            time.sleep(0.05)
            self.seconds = max(self.seconds * 0.99, time.monotonic() - began - 0.05)


@dataclass
class Trial:
    """What a trial has to work with, and what it found wrong."""

    testbed: Testbed
    thread_delay: ThreadDelay = field(default_factory=ThreadDelay)
    problems: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)  #: what was measured, in words

    @property
    def on_postgres(self) -> bool:
        return "DATABASE_URL" in self.testbed.installation.environment

    def expect(self, true: object, otherwise: str) -> None:
        """Notes a fault unless `true`."""
        if not true:
            self.problems.append(otherwise)

    def in_time(self, what: str, seconds: float, most: float) -> None:
        """Notes a problem if it took longer than `most` seconds plus the machine's own delay."""
        self.seen.append(f"{what}: {seconds:.2f} s")
        allowed = most + 10 * self.thread_delay.seconds
        self.expect(seconds <= allowed, f"{what}: {seconds:.1f} s, where {allowed:.1f} are allowed")

    def follow(self, *rules: Rule) -> None:
        self.testbed.call(self.testbed.relay.follow, *rules)

    def speak_chunking(self) -> None:
        """The relay offers CHUNKING from now on: many mails are in flight on a connection."""
        offers = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "CHUNKING")
        self.testbed.replace_relay(Script(offers=offers))

    def invite(self, *addresses: str) -> None:
        self.testbed.invite(addresses)

    def send(self, run: int = 0) -> int:
        """Sends an alert; returns its key."""
        return int(self.testbed.send(run).pk)

    def taken(self, run: int = 0) -> list[Any]:
        return [mail for mail in self.testbed.mailed() if mail.run == run]

    def recipients(self, run: int = 0) -> Counter[str]:
        return Counter(mail.recipient for mail in self.taken(run))

    def wait_for_mails(self, number: int, run: int = 0, seconds: float = PATIENCE) -> None:
        until(f"{number} mails of run {run}", lambda: len(self.recipients(run)) >= number, seconds)

    def wait_for_end(self, alert: int, seconds: float = PATIENCE) -> None:
        until(
            f"the end of alert {alert}",
            lambda: state_of(alert) not in ("", "held", "sending"),
            seconds,
        )

    def first_after(self, moment: float, seconds: float = 60) -> float:
        """Seconds from `moment` to the next mail that the relay took."""

        def later() -> list[float]:
            return sorted(mail.time for mail in self.testbed.mailed() if mail.time > moment)[:1]

        [at] = until("the next mail", later, seconds)
        return at - moment

    def no_silence(self, began: float, ended: float, when: str, longest: float) -> None:
        """Notes the longest time without a mail, and a problem if it was longer than `longest`."""
        times = [began, *sorted(m.time for m in self.testbed.mailed() if began < m.time < ended)]
        gaps = [after - before for before, after in itertools.pairwise([*times, ended])]
        self.in_time(f"longest silence {when}", max(gaps), longest)

    def repeated(self, run: int = 0) -> int:
        return sum(self.recipients(run).values()) - len(self.recipients(run))


def state_of(alert: int) -> str:
    """The alert's state; empty if this process has just lost its own connection to the database."""
    from django.db import Error, connection

    from morefollows.stories.models import Alert

    try:
        return str(Alert.objects.values_list("state", flat=True).get(pk=alert))
    except Error:
        connection.close()
        return ""


def outcomes(alert: int) -> Counter[str]:
    """How many mails of this alert have which outcome."""
    from morefollows.courier.models import Batch, Outcome

    found: Counter[str] = Counter()
    for batch in Batch.objects.filter(alert=alert):
        found.update(Outcome(one).name.lower() for one in bytes(batch.outcomes))
    return found


def suppressed() -> int:
    from morefollows.audience.models import Suppression

    return Suppression.objects.count()


def paused() -> bool:
    from morefollows.courier.ledger.claims import paused_relays

    return bool(paused_relays())


def addresses(number: int, domain: str) -> list[str]:
    return [f"cy{n}@{domain}" for n in range(number)]
