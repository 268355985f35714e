"""What a reading of the database tells, and how Prometheus gets it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from morefollows.audience.models import Reader
from morefollows.courier.ledger import leases
from morefollows.courier.models import RelayCount, SenderProcess
from morefollows.monitoring.metrics import ServiceCollector, exposition, process_registry
from morefollows.monitoring.readiness import ReadinessReader
from morefollows.monitoring.service_state import StateReader, read_state, state_as_json
from morefollows.nodes.identity import this_process
from morefollows.stories.actions import now_ms
from tests.courier.support import alert_for, cut_all

pytestmark = pytest.mark.django_db


def told(text: str) -> dict[tuple[str, str], float]:
    """(name, values of its labels) → value."""
    return {
        (sample.name, " ".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scraped() -> str:
    registry = process_registry(ServiceCollector(read_state))
    return exposition(registry, "")[0].decode()


def test_the_figures_are_those_of_the_database(data: Path, settings: Any) -> None:
    settings.MOREFOLLOWS = replace(settings.MOREFOLLOWS, batch_size=3)
    alert = alert_for(7)
    cut_all(alert)
    alert.held_until_ms = now_ms() - 90_000
    alert.save()
    leases.begin(this_process(data, 1))
    leases.begin(this_process(data, 2))
    SenderProcess.objects.filter(number=2).update(seen_at_ms=now_ms() - 60_000)
    found = told(scraped())
    assert found["morefollows_database_up", ""] == 1
    assert found["morefollows_senders_alive", ""] == 1
    assert found["morefollows_senders_silent", ""] == 1
    assert found["morefollows_alerts", "sending"] == 1
    assert found["morefollows_alerts", "held"] == 0
    assert found["morefollows_readers", "confirmed"] == Reader.objects.count()
    assert found["morefollows_alert_recipients", "alert waiting"] == 7
    assert found["morefollows_alert_recipients", "bulk waiting"] == 0
    assert 90 <= found["morefollows_oldest_due_batch_age_seconds", "alert"] < 3600
    assert found["morefollows_oldest_due_batch_age_seconds", "bulk"] == 0
    assert found["process_resident_memory_bytes", ""] > 10_000_000
    name = settings.MOREFOLLOWS.relays_or_inbox[0].name
    RelayCount.objects.create(relay=name, day="2020-01-01", provider="", accepted=9)
    RelayCount.objects.create(relay=name, day=timezone.now().date(), provider="", accepted=5)
    assert told(scraped())["morefollows_relay_mails_total", f"accepted {name}"] == 5


def test_names_and_labels_keep_to_the_conventions(tmp_path: Path) -> None:
    alert_for(3)
    text = scraped()
    (tmp_path / "metrics").write_text(text)
    with (tmp_path / "metrics").open() as file:
        checked = subprocess.run(
            ["promtool", "check", "metrics"], stdin=file, capture_output=True, text=True
        )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    assert "@" not in text
    labels = set(re.findall(r"[{,](\w+)=", re.sub(r"(?m)^python.*$", "", text)))
    assert labels <= {
        "version",
        "node",
        "sender",
        "lane",
        "state",
        "outcome",
        "relay",
        "kind",
        "role",
        "decision",
    }


def test_a_reading_takes_few_queries(django_assert_max_num_queries: Any) -> None:
    for _ in range(3):
        alert_for(2)
    with django_assert_max_num_queries(29):
        state = read_state()
    assert len(state_as_json(state)["underway"]) == 3


def test_a_reading_is_shared_and_a_database_that_fails_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from django.db import OperationalError

    from morefollows.monitoring import queries

    reader = StateReader()
    assert reader.state() is reader.state() is not None

    def fails(now: int) -> None:
        raise OperationalError("no server")

    monkeypatch.setattr(queries, "senders", fails)
    registry = process_registry(ServiceCollector(StateReader().state))
    found = told(exposition(registry, "")[0].decode())
    assert found["morefollows_database_up", ""] == 0
    assert ("morefollows_senders_alive", "") not in found


def test_ready_is_who_can_work_and_the_rest_is_told() -> None:
    readiness = ReadinessReader().readiness()
    assert readiness.ready
    assert {check.name: check.ok for check in readiness.checks} == {
        "database": True,
        "migrations": True,
        "senders": False,
        "due batches": True,
        "restore": True,
    }


def test_a_database_that_lacks_a_migration_is_not_ready() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'courier' AND name LIKE '0001%%'")
    readiness = ReadinessReader().readiness()
    assert not readiness.ready
    assert [check.name for check in readiness.checks if check.required and not check.ok] == [
        "migrations"
    ]
