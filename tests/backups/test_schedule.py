"""The daily backup of housekeeping, and what *Health* says about it."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from morefollows.audience.models import Topic
from morefollows.audit.models import AuditEntry
from morefollows.backups import restoring, schedule
from morefollows.backups.encryption import Decryption, Encryption
from morefollows.backups.making import make_backup
from morefollows.backups.manifest import BackupError
from morefollows.stories.images import storing
from tests.audience.support import sign_up

IMAGE = "ab" * 16 + "-600x400.jpg"


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "daily"
    settings.MOREFOLLOWS = dataclasses.replace(
        settings.MOREFOLLOWS, backup_folder=folder, backup_keep=2
    )
    return folder


def nothing(what: str, done: int, total: int) -> None:
    pass


def test_one_a_day_and_the_newest_are_kept(
    folder: Path, breaking: Topic, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_up(breaking)
    began = timezone.now()
    for day in range(4):
        monkeypatch.setattr(timezone, "now", lambda day=day: began + timedelta(days=day))
        schedule.make_daily()
        assert schedule.make_daily() == 0, "not due again"
    there = sorted(path.name for path in folder.iterdir())
    assert there == [
        f"morefollows-daily-{began + timedelta(days=day):%Y%m%dT%H%M%SZ}.backup" for day in (2, 3)
    ]
    with restoring.unpacked(folder / there[0], Decryption(), folder, nothing) as (manifest, _at):
        assert manifest.rows["audience_reader"] == 1
    assert schedule.backup_state().failed_at is None


def test_a_folder_that_is_full_or_gone_is_told(
    folder: Path, transactional_db: None, ada_at_desk: Client
) -> None:
    assert "There is no backup." in ada_at_desk.get("/desk/relays/").content.decode()
    folder.write_text("a file where the folder should be")
    assert schedule.make_daily() == 0
    assert "File exists" in schedule.backup_state().reason
    assert "The last backup failed." in ada_at_desk.get("/desk/relays/").content.decode()
    folder.unlink()
    schedule.make_daily()
    page = ada_at_desk.get("/desk/relays/").content.decode()
    assert "The last backup was made" in page and "failed" not in page
    assert AuditEntry.objects.filter(what="make backup").count() == 1


def test_images_and_departures_come_along(tmp_path: Path, transactional_db: None) -> None:
    place = storing.image_folder() / IMAGE[:2] / IMAGE
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"picture")
    being_written = storing.image_folder() / "new-x"
    being_written.mkdir(exist_ok=True)
    made = make_backup(tmp_path, Encryption())
    being_written.rmdir()
    assert f"images/{IMAGE[:2]}/{IMAGE}" in made.manifest.files
    assert not [name for name in made.manifest.files if "new-" in name]
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [made.path.name], "nothing is left over"
    with pytest.raises(BackupError, match="exists already"):
        make_backup(made.path, Encryption())


def test_a_newer_backup_is_refused(
    tmp_path: Path, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_backup(tmp_path, Encryption())
    monkeypatch.setattr(restoring, "unknown_migrations", lambda applied: [("stories", "0999_new")])
    with pytest.raises(BackupError, match=r"newer: this one does not know stories\.0999_new"):
        with restoring.unpacked(made.path, Decryption(), tmp_path, nothing):
            pass
    assert [path.name for path in tmp_path.iterdir()] == [made.path.name]


def test_a_database_that_is_not_what_was_copied_is_refused(
    tmp_path: Path, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from morefollows.backups.database import sqlite_file

    with pytest.raises(BackupError, match="damaged"):
        (tmp_path / "no-database").write_bytes(b"x" * 8192)
        sqlite_file.check_copy(tmp_path / "no-database", {})
