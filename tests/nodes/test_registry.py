"""The registry of processes, and which of them stay out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import connection

from morefollows.audit.models import AuditEntry
from morefollows.database import clock
from morefollows.nodes import actions, admission, identity, leader
from morefollows.nodes.models import JobRun, NodeProcess

pytestmark = pytest.mark.django_db


def registered(data: Path, number: int = 1, role: str = "web") -> NodeProcess:
    process = identity.this_process(data, number, role)
    actions.register(process, role)
    return NodeProcess.objects.get(name=process.name)


def age(row: NodeProcess, seconds: int) -> None:
    NodeProcess.objects.filter(pk=row.pk).update(seen_at_ms=clock.now_ms() - seconds * 1000)


def test_each_process_has_a_row_also_if_hosts_are_called_the_same(tmp_path: Path) -> None:
    one, other = registered(tmp_path / "a"), registered(tmp_path / "b")
    assert one.host == other.host and one.name != other.name
    assert [line.silent_seconds for line in actions.node_lines()] == [0, 0]
    assert all(line.same_keys and line.same_version for line in actions.node_lines())


def test_who_starts_again_replaces_what_has_ended_there(tmp_path: Path) -> None:
    before = registered(tmp_path)
    NodeProcess.objects.filter(pk=before.pk).update(pid=f"{before.pid.partition(':')[0]}:99999999")
    after = registered(tmp_path)
    assert list(NodeProcess.objects.values_list("name", flat=True)) == [after.name]


def test_a_silent_process_is_shown_and_can_be_forgotten(tmp_path: Path) -> None:
    gone, alive = registered(tmp_path / "a"), registered(tmp_path / "b")
    age(gone, 300)
    shown = {line.process.name: line.silent_seconds for line in actions.node_lines()}
    assert shown[alive.name] == 0 and 299 <= shown[gone.name] <= 302
    with pytest.raises(actions.UnknownProcess):
        actions.forget_process(alive.name, None)
    actions.forget_process(gone.name, None)
    assert [line.process.name for line in actions.node_lines()] == [alive.name]
    assert AuditEntry.objects.filter(what="forget node").count() == 1


def test_the_command_lists_and_forgets(tmp_path: Path) -> None:
    from morefollows.cli.nodes import nodes

    row = registered(tmp_path)
    age(row, 300)
    told = json.loads(CliRunner().invoke(nodes, ["list", "--json"]).output)
    assert [(one["name"], one["role"]) for one in told] == [(row.name, "web")]
    assert "silent for" in CliRunner().invoke(nodes, ["list"]).output
    assert CliRunner().invoke(nodes, ["forget", "nobody"]).exit_code == 1
    assert CliRunner().invoke(nodes, ["forget", row.name]).exit_code == 0
    assert not NodeProcess.objects.exists()


def test_a_heartbeat_comes_back_after_a_restore(tmp_path: Path) -> None:
    process = identity.this_process(tmp_path, 1, "web")
    actions.write_heartbeat(process, "web", 12, "its clock", ["pings"])
    actions.write_heartbeat(process, "web", 12, "its clock", ["pings"])
    row = NodeProcess.objects.get()
    assert (row.clock_offset_ms, row.trouble, row.leads) == (12, "its clock", "pings")
    actions.leave_registry(process.name)
    assert not NodeProcess.objects.exists()


def test_a_folder_belongs_to_one_database(tmp_path: Path) -> None:
    assert admission.examine_node(tmp_path).trouble == ""
    assert admission.examine_node(tmp_path).trouble == ""
    (tmp_path / admission.IDENTITY_FILE).write_text("0" * 32)
    assert "another database" in admission.examine_node(tmp_path).trouble
    with pytest.raises(admission.NodeUnfit, match=str(tmp_path / admission.IDENTITY_FILE)):
        admission.refuse_unfit(tmp_path)


def test_a_clock_that_is_off_keeps_a_process_out(settings: Any) -> None:
    assert settings.MOREFOLLOWS.clock_limit == 5
    assert admission.clock_trouble(4_900) == admission.clock_trouble(-4_900) == ""
    assert "-6 s off the database's" in admission.clock_trouble(-6_000)
    assert "NTP" in admission.clock_trouble(6_000)


def test_a_database_without_our_migrations_keeps_a_process_out(tmp_path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'nodes'")
    assert "lacks nodes.0001_initial" in admission.examine_node(tmp_path).trouble
    assert "morefollows migrate" in admission.examine_node(tmp_path).trouble


def test_an_older_version_goes_on_only_with_what_was_added(tmp_path: Path) -> None:
    """As in an upgrade without a stop: a newer version has migrated already."""
    from morefollows.processes import bootstrap

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied)"
            " VALUES ('courier', '0999_newer', '2026-12-01 00:00:00')"
        )
    with pytest.raises(bootstrap.UnknownDatabase, match="0999_newer"):
        bootstrap.refuse_unknown_database()
    assert "newer version" in admission.examine_node(tmp_path).trouble
    actions.write_steps({"courier.0999_newer": False})
    bootstrap.refuse_unknown_database()
    assert admission.examine_node(tmp_path).trouble == ""
    actions.write_steps({"courier.0999_newer": True})
    with pytest.raises(bootstrap.UnknownDatabase):
        bootstrap.refuse_unknown_database()


def test_a_regular_job_runs_once_on_all_machines() -> None:
    assert leader.claim_run("housekeeping", 3600)
    assert not leader.claim_run("housekeeping", 3600)
    JobRun.objects.update(begun_at_ms=clock.now_ms() - 3_601_000)
    assert leader.claim_run("housekeeping", 3600)
    JobRun.objects.update(begun_at_ms=clock.now_ms() + 86_400_000)  # the clock was set back
    assert leader.claim_run("housekeeping", 3600)


def test_old_rows_go(tmp_path: Path) -> None:
    row, other = registered(tmp_path / "a"), registered(tmp_path / "b")
    age(row, 90_000)
    age(other, 80_000)
    assert actions.forget_silent() == 1
