"""Whether this process can do its work: what `/readyz` answers."""

from __future__ import annotations

import threading
import time
from typing import Any, NamedTuple

from django.db import Error as AnyDatabaseError
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from morefollows.database.clock import now_ms
from morefollows.monitoring import queries

#: Seconds that a batch of the alert lane may be due without a sender that claims it.
MOST_DUE_SECONDS = 60.0
_KEPT_SECONDS = 1.0  # for which an answer is shared


class Check(NamedTuple):
    """One thing that has to be so. `required`: whether the process is not ready without it."""

    name: str
    ok: bool
    text: str
    required: bool = True


class Readiness(NamedTuple):
    """The result of all checks."""

    ready: bool
    checks: list[Check]

    def as_json(self) -> dict[str, Any]:
        return {
            "ready": self.ready,
            "checks": {
                check.name: {"ok": check.ok, "required": check.required, "detail": check.text}
                for check in self.checks
            },
        }


class ReadinessReader:
    """Checks at most once a second. For threads.

    A web process without senders still signs readers up and lets them go. So senders and due
    batches are reported, but do not make it unready: else a load balancer would take all web
    processes out because of a sender.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: Readiness | None = None
        self._until = 0.0
        self._migrated = False

    def readiness(self) -> Readiness:
        with self._lock:
            if self._found is None or time.monotonic() >= self._until:
                try:
                    checks = self._checks()
                except AnyDatabaseError as error:
                    text = f"it can't be used: {type(error).__name__}"
                    checks = [Check("database", False, text)]
                ready = all(check.ok for check in checks if check.required)
                self._found = Readiness(ready, checks)
                self._until = time.monotonic() + _KEPT_SECONDS
            return self._found

    def _checks(self) -> list[Check]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return [
            Check("database", True, "it answers"),
            self._migrations(),
            _senders(),
            _due_batches(),
            _restore(),
        ]

    def _migrations(self) -> Check:
        """Looks for migrations that are missing. Once none is, it does not look again."""
        if not self._migrated:
            loader = MigrationLoader(connection)
            missing = set(loader.graph.nodes) - set(loader.applied_migrations)
            if missing:
                text = f"{len(missing)} are missing; run `morefollows migrate`"
                return Check("migrations", False, text)
            self._migrated = True
        return Check("migrations", True, "all are applied")


def _senders() -> Check:
    alive = sum(sender.alive for sender in queries.senders(now_ms()))
    return Check("senders", alive > 0, f"{alive} are alive", required=False)


def _due_batches() -> Check:
    seconds = queries.oldest_due_batches(now_ms())["alert"]
    text = f"the oldest has been due for {seconds:.0f} s" if seconds else "none waits"
    return Check("due batches", seconds <= MOST_DUE_SECONDS, text, required=False)


def _restore() -> Check:
    held = queries.mail_is_held()
    text = "all mail is held, as an older database was restored" if held else "mail may leave"
    return Check("restore", not held, text, required=False)
