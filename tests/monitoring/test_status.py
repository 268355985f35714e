"""`morefollows status`, as a terminal and a program see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from morefollows.cli.status import status
from morefollows.courier.ledger import leases
from morefollows.nodes.identity import this_process
from morefollows.stories.actions import now_ms
from tests.courier.support import alert_for, cut_all

pytestmark = pytest.mark.django_db


def test_it_tells_of_senders_lanes_relays_and_alerts(data: Path) -> None:
    nobody = CliRunner().invoke(status, [])
    assert "none: no mail leaves" in nobody.output
    alert = alert_for(1200)
    cut_all(alert)
    process = this_process(data, 1)
    leases.begin(process)
    alert.held_until_ms = now_ms() - 5_000
    alert.save()
    shown = CliRunner().invoke(status, [])
    assert shown.exit_code == 0, shown.output
    assert f"● {process.host} {process.node[:8]}/1: heartbeat" in shown.output
    assert "alert: 1,200 waiting, the oldest for 5 s" in shown.output
    assert f"alert {alert.pk} (alert): sending; 1,200 recipients, 1,200 waiting" in shown.output
    assert "local inbox: works, 0 connections" in shown.output
    told = json.loads(CliRunner().invoke(status, ["--json"]).output)
    assert told["underway"][0]["size"] == 1200
    assert told["senders"][0]["alive"] is True
