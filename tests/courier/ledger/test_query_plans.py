"""The query for due batches uses its index instead of reading all batches of a big alert."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from morefollows.courier.ledger import claims
from morefollows.courier.models import Batch
from morefollows.stories.actions import now_ms
from morefollows.stories.models import Alert
from tests.courier.support import alert_for

pytestmark = pytest.mark.django_db

BATCHES = 2_000  # as an alert to two million readers has


@pytest.fixture
def big() -> Alert:
    """An alert of which few batches are due and few are claimed; the others are done."""
    alert, other = alert_for(1), alert_for(1)
    now = now_ms()
    empty: dict[str, Any] = {
        "readers": bytes(8),
        "outcomes": bytes(1),
        "times": bytes(4),
        "changed_at_ms": now,
    }
    Batch.objects.bulk_create(
        (
            Batch(
                alert=whose, number=n, first=n, last=n, size=1, due_at_ms=due_at_ms(n, now), **empty
            )
            for whose in (alert, other)
            for n in range(BATCHES)
        ),
        batch_size=500,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE courier_batch")
    return alert


def due_at_ms(n: int, now: int) -> int | None:
    return now - 1000 + n if n % 50 == 0 else now + 30_000 if n % 50 == 1 else None


def plan_of(alert: Alert) -> str:
    with CaptureQueriesContext(connection) as queries:
        assert len(claims.claim_batches("a sender", alert.pk, 2)) == 2
    claim = next(one["sql"] for one in queries if "UPDATE courier_batch" in one["sql"])
    with connection.cursor() as cursor:
        cursor.execute(
            ("EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN ") + claim
        )
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def test_a_claim_looks_at_no_batch_that_is_not_due(big: Alert) -> None:
    plan = plan_of(big)
    assert "batches_due" in plan, plan
    assert "Seq Scan on courier_batch" not in plan and "SCAN courier_batch" not in plan, plan
