"""A database older than what a sender last saw: nothing is sent before somebody decides."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from morefollows.accounts.models import Editor
from morefollows.audit.models import AuditEntry
from morefollows.cli.doctor import checks
from morefollows.courier.models import Restores, StateNumber
from morefollows.courier.restore import actions as restores
from morefollows.courier.restore import detection
from morefollows.stories.models import Alert
from tests.courier.support import alert_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection, "_RAISE_EVERY", 0.0)
    monkeypatch.setattr(detection, "_KEEP_EVERY", 0.0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return detection.state_path(tmp_path, 1)


def seen(file: Path, looks: int = 3) -> detection.RestoreWatch:
    watch = detection.RestoreWatch(file)
    for _ in range(looks):
        assert not watch.holding()
    return watch


def turn_back(by: int = 1) -> None:
    """As a restored backup, or a standby that had not heard the last transactions."""
    StateNumber.objects.update(number=StateNumber.objects.get().number - by)


def test_the_number_goes_up_and_a_restart_goes_on_with_it(file: Path) -> None:
    seen(file)
    first = StateNumber.objects.get().number
    assert json.loads(file.read_text())["number"] == first
    seen(file)
    assert StateNumber.objects.get().number > first


@pytest.mark.parametrize("lost", ["the last transactions", "all of it"])
def test_an_older_database_holds_all_mail_and_asks(file: Path, lost: str) -> None:
    seen(file)
    alert = alert_for(3)
    if lost == "all of it":
        StateNumber.objects.all().delete()
    else:
        turn_back()
    assert detection.RestoreWatch(file).holding()
    alert.refresh_from_db()
    assert alert.state == Alert.State.ASKING
    assert detection.RestoreWatch(None).holding() is False
    other = detection.RestoreWatch(file.with_name("another"))
    assert other.holding(), "also for a sender that has seen nothing"
    assert restores.go_on(None)
    alert.refresh_from_db()
    assert alert.state == Alert.State.ASKING, "each alert is answered by itself"
    for watch in (detection.RestoreWatch(file), other, detection.RestoreWatch(file)):
        assert not watch.holding()


def test_a_running_sender_finds_out_when_it_writes_or_connects_anew(file: Path) -> None:
    watch = seen(file)
    turn_back()
    assert watch.before_writing()
    restores.go_on(None)
    assert not watch.holding()
    turn_back()
    connection.close()
    assert watch.before_writing()


def test_who_goes_on_while_a_sender_looks_is_not_held_again(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has read a held mail and then finds the database older than its file."""
    seen(file)
    turn_back()
    watch = detection.RestoreWatch(file)
    assert watch.holding()
    compare = watch._compare

    def decided_meanwhile(count: int) -> None:
        assert restores.go_on(None)
        compare(count)

    monkeypatch.setattr(watch, "_compare", decided_meanwhile)
    assert not watch.holding()
    monkeypatch.undo()
    for _ in range(3):
        assert not watch.holding()


def test_a_backup_from_before_somebody_went_on_is_older_too(file: Path) -> None:
    watch = seen(file)
    before = Restores.objects.filter(pk=1).first()
    assert before is None
    turn_back()
    assert watch.holding() and restores.go_on(None) and not watch.holding()
    Restores.objects.all().delete()
    StateNumber.objects.update(number=1_000_000)
    assert watch.holding()


def test_a_damaged_or_missing_file_says_nothing(file: Path) -> None:
    seen(file)
    file.write_text('{"writer": "x"')
    seen(file)
    file.unlink()
    seen(file)


def test_the_desk_is_told_and_decides(file: Path, ada: Editor, ben: Editor) -> None:
    seen(file)
    turn_back()
    assert detection.RestoreWatch(file).holding()
    reporter, editor = Client(), Client()
    reporter.force_login(ben)
    editor.force_login(ada)
    page = editor.get(reverse("desk")).content.decode()
    assert (
        "This database is older than what this service last saw" in page
        and "Send mail again" in page
    )
    assert "Send mail again" not in reporter.get(reverse("desk")).content.decode()
    assert reporter.post(reverse("restore-go-on")).status_code == 403
    assert restores.hold_reason()
    editor.post(reverse("restore-go-on"))
    assert (
        restores.hold_reason() is None
        and AuditEntry.objects.filter(what="go on after restore", editor=ada).exists()
    )
    assert "older than" not in editor.get(reverse("desk")).content.decode()


def test_doctor_says_that_mail_is_held(file: Path) -> None:
    assert not list(checks._restored())
    seen(file)
    turn_back()
    detection.RestoreWatch(file).holding()
    [found] = checks._restored()
    assert found.state == "wrong" and "restores go-on" in found.message
