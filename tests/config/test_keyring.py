"""Keys: every process has those that the database was set up with, and they can be changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from morefollows.audience.link_tokens.tokens import TokenRow, Tokens
from morefollows.config import keyring
from morefollows.config.keyring import Keyring, Keys
from morefollows.config.loading import load
from morefollows.config.settings import SettingsError
from tests.support import prepared, sandbox
from tests.support.waiting import PATIENCE

ONE_SECRET = "not so long, but of 32 characters or more"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def command(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MOREFOLLOWS_", "DJANGO_"))
    }
    environment |= {"MOREFOLLOWS_DATA": str(folder), **more}
    return subprocess.run(
        [sys.executable, "-m", "morefollows", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
    )


@pytest.fixture
def database(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A database that several data folders share, as machines do; Django has migrated it."""
    if server := sandbox.cluster():
        name = f"keys{time.time_ns()}"
        yield {"DATABASE_URL": server.create(name, "plain")}
        server.drop(name)
    else:
        shared = tmp_path / "shared.sqlite3"
        shutil.copy(prepared.sqlite() / "plain" / "morefollows.sqlite3", shared)
        yield {"DATABASE_URL": f"sqlite:///{shared}"}


class TestTwoMachines:
    @pytest.fixture
    def first(self, folder: Path, database: dict[str, str]) -> Path:
        assert command(folder, "migrate", **database).returncode == 0
        assert command(folder, "newsroom", "--name", "The Herald", **database).returncode == 0
        assert (folder / "secret").stat().st_mode & 0o777 == 0o600
        return folder

    def test_one_without_the_secret_refuses_and_makes_none(
        self, first: Path, tmp_path: Path, database: dict[str, str]
    ) -> None:
        second = tmp_path / "second"
        for words in ("send", "web", "readers export", "editors list", "secret rotate"):
            done = command(second, *words.split(), MOREFOLLOWS_PORT="0", **database)
            assert done.returncode == 2, words
            assert "copy the file `secret`" in done.stderr and "Traceback" not in done.stderr, words
            assert not (second / "secret").exists(), words

    def test_one_with_another_secret_refuses_until_it_has_ours(
        self, first: Path, tmp_path: Path, database: dict[str, str]
    ) -> None:
        second = tmp_path / "second"
        keyring.save_new(second / "secret", Keyring.new())
        done = command(second, "editors", "list", **database)
        assert done.returncode == 2 and "address" in done.stderr
        told = command(second, "doctor", "--json", **database)
        assert any(
            one["check"] == "keys" and one["state"] == "wrong"
            for one in json.loads(told.stdout)["checks"]
        )
        shutil.copy(first / "secret", second / "secret")
        assert command(second, "editors", "list", **database).returncode == 0

    def test_a_rotated_key_has_to_reach_the_other_machine(
        self, first: Path, tmp_path: Path, database: dict[str, str]
    ) -> None:
        second = tmp_path / "second"
        second.mkdir()
        shutil.copy(first / "secret", second / "secret")
        assert command(first, "secret", "rotate", **database).returncode == 0
        done = command(second, "editors", "list", **database)
        assert done.returncode == 2 and "generation 2" in done.stderr
        shutil.copy(first / "secret", second / "secret")
        assert command(second, "editors", "list", **database).returncode == 0


def test_lost_keys_are_replaced_when_it_is_said(folder: Path, database: dict[str, str]) -> None:
    assert command(folder, "migrate", **database).returncode == 0
    assert command(folder, "newsroom", "--name", "The Herald", **database).returncode == 0
    assert command(folder, "secret", "replace", "--lost", **database).returncode == 1, (
        "they are not"
    )
    (folder / "secret").unlink()
    assert command(folder, "editors", "list", **database).returncode == 2
    assert command(folder, "secret", "replace", **database).returncode == 1
    done = command(folder, "secret", "replace", "--lost", "--json", **database)
    assert json.loads(done.stdout) == {"readers": 0, "suppressions": 0}
    assert command(folder, "editors", "list", **database).returncode == 0


def test_the_keys_in_a_variable_can_not_be_rotated(folder: Path, database: dict[str, str]) -> None:
    more = {"MOREFOLLOWS_SECRET": ONE_SECRET, **database}
    assert command(folder, "migrate", **more).returncode == 0
    done = command(folder, "secret", "rotate", **more)
    assert done.returncode == 1 and "MOREFOLLOWS_SECRET_FILE" in done.stderr


def test_a_single_secret_of_an_older_version_goes_on(folder: Path) -> None:
    folder.mkdir()
    (folder / "secret").write_text(ONE_SECRET + "\n")
    before = load({"MOREFOLLOWS_DATA": str(folder)})
    assert before.derived_key("address") == load({"MOREFOLLOWS_SECRET": ONE_SECRET}).derived_key(
        "address"
    )
    reader = TokenRow(7, b"u" * 16)
    old = Tokens.of(before).preferences(reader, 0).decode()
    before.secret.rotate(time.time())
    assert (folder / "secret").stat().st_mode & 0o777 == 0o600
    now = load({"MOREFOLLOWS_DATA": str(folder)})
    assert now.derived_key("address") == before.derived_key("address")
    assert now.derived_key("receipts") == before.derived_key("receipts")
    assert now.derived_keys("django")[1] == load({"MOREFOLLOWS_SECRET": ONE_SECRET}).derived_key(
        "django"
    )
    read = Tokens.of(now).read_preferences(old)
    assert read and read.proves(reader.uid)
    assert Tokens.of(now).preferences(reader, 0).decode() != old


def test_old_links_retire_but_those_to_leave_with(folder: Path) -> None:
    first = Keyring.new()
    reader = TokenRow(7, b"u" * 16)
    keys = Keys(first, None)
    old = Tokens(dict(keys.links(400).keys), b"r" * 32)
    long_ago = time.time() - 401 * 86_400
    links = Keys(first.rotated(long_ago), None).links(400)
    now = Tokens(dict(links.keys), b"r" * 32, links.newest, links.retired)
    assert now.read_preferences(old.preferences(reader, 0).decode()) is None
    leave = now.read_leave(old.leave(reader, TokenRow(1, b"t" * 16)).decode())
    assert leave and leave.proves(reader.uid, b"t" * 16)


def test_a_running_process_takes_up_new_keys_and_a_later_one_waits_for_its_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "_LOOK_EVERY", 0.0)
    keyring.save_new(folder / "secret", Keyring.new())
    running, rotating = keyring.of_folder(folder), keyring.of_folder(folder)
    assert running.links(400).newest == 1
    rotating.rotate(time.time())
    assert running.links(400).newest == 2
    rotating.rotate(time.time() + 3600)
    links = running.links(400)
    assert links.newest == 2 and [number for number, _ in links.keys] == [1, 2, 3], (
        "read at once, made later"
    )


def test_a_file_that_is_copied_by_halves_changes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "_LOOK_EVERY", 0.0)
    keyring.save_new(folder / "secret", Keyring.new())
    running = keyring.of_folder(folder)
    known = running.ring
    (folder / "secret").write_text(known.rotated(0).to_text()[:100])
    assert running.ring == known
    with pytest.raises(SettingsError, match="damaged"):
        load({"MOREFOLLOWS_DATA": str(folder)})


def test_two_first_starts_at_once_agree(folder: Path) -> None:
    one, other = keyring.of_folder(folder), keyring.of_folder(folder)
    assert one.ring != other.ring
    one.save()
    other.save()
    assert one.ring == other.ring


def test_no_key_is_ever_told() -> None:
    ring = Keyring.new()
    told = repr((ring, Keys(ring, None), load({"MOREFOLLOWS_SECRET": ONE_SECRET})))
    assert (
        ONE_SECRET not in told
        and repr(ring.address) not in told
        and repr(ring.generations[0].links) not in told
    )
