"""The `morefollows` command: what it says, and its exit codes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, ProgrammingError

from morefollows.accounts.models import Editor
from morefollows.audience.models import Newsroom, Reader, Topic
from morefollows.cli.main import _remedy, run
from morefollows.courier.restore import actions as restores
from morefollows.ingest.models import Source
from morefollows.stories import actions
from morefollows.stories.models import Alert, Story
from tests.support.waiting import PATIENCE


class Said:
    """What a command said, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def morefollows(capsys: pytest.CaptureFixture[str]) -> Any:
    def command(*words: str) -> Said:
        code = run(list(words))
        return Said(code, *capsys.readouterr())

    return command


def test_help_names_every_command_and_needs_no_django() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "morefollows", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    for name in (
        "up",
        "demo",
        "migrate",
        "editors",
        "topics",
        "readers",
        "stories",
        "alerts",
        "doctor",
    ):
        assert f"\n  {name} " in done.stdout
    assert "django" not in done.stderr


@pytest.mark.parametrize(
    ("wanted", "spared"),
    [
        ("morefollows.urls", "psycopg dns altcha uvicorn PIL"),
        ("morefollows.processes.send", "psycopg dns altcha uvicorn PIL morefollows.desk.urls"),
    ],
)
def test_a_process_loads_only_the_libraries_that_it_needs(
    wanted: str, spared: str, tmp_path: Path
) -> None:
    """Each of them takes a tenth of a second. On SQLite, and before the first sign-up or image."""
    script = (
        "import sys, importlib; from morefollows.processes import bootstrap; "
        "bootstrap.start_django(check=False)\n"
        f"importlib.import_module('{wanted}'); import morefollows.courier.sender.scheduler\n"
        f"print(*set({spared.split()}) & sys.modules.keys())"
    )
    environment = {**os.environ, "MOREFOLLOWS_DATA": str(tmp_path)}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert (done.stdout.split(), done.stderr) == ([], "")


@pytest.mark.parametrize(
    "words", [["nonsense"], ["up", "--nonsense"], ["alerts", "show", "x"], ["editors", "add"]]
)
def test_a_wrong_command_is_told_and_has_exit_code_2(morefollows: Any, words: list[str]) -> None:
    said = morefollows(*words)
    assert said.code == 2
    assert "Error: " in said.err


@pytest.mark.parametrize(
    "words", ["up", "migrate", "send", "web", "inbox", "doctor", "editors list"]
)
def test_a_wrong_setting_is_one_line_and_exit_code_2(words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "morefollows", *words.split()],
        env={"MOREFOLLOWS_HOLD": "soon", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    told = done.stdout if words == "doctor" else done.stderr
    assert "MOREFOLLOWS_HOLD: must be seconds, from 0 to 600" in told
    assert "Traceback" not in done.stderr
    assert done.returncode == (1 if words == "doctor" else 2)


@pytest.mark.parametrize("words", ["up", "migrate", "send"])
def test_a_key_that_is_none_is_told_at_the_start(tmp_path: Path, words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "morefollows", words],
        env={
            "MOREFOLLOWS_DATA": str(tmp_path),
            "MOREFOLLOWS_PORT": "0",
            "MOREFOLLOWS_INBOX_PORT": "0",
            "MOREFOLLOWS_DKIM_KEY": "not a key",
            "MOREFOLLOWS_DKIM_SELECTOR": "mf1",
            "PATH": "/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("MOREFOLLOWS_DKIM_KEY: is not an unencrypted private key in PEM")
    waits = "is still being"  # said on a busy machine
    assert [line for line in done.stderr.splitlines()[1:] if waits not in line] == []


def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "morefollows", "editors", "list"],
        env={
            "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
            "MOREFOLLOWS_DATA": str(tmp_path),
            "PATH": "/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("DATABASE_URL: the database can't be used: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_database_that_does_not_exist_is_not_taken_for_an_empty_one() -> None:
    """In PostgreSQL's words; `migrate` would not help."""
    told = _remedy(OperationalError('connection failed: FATAL:  database "herald" does not exist'))
    assert (
        told == "DATABASE_URL: the database can't be used: connection failed: FATAL:  database "
        '"herald" does not exist'
    )
    told = _remedy(ProgrammingError('relation "accounts_editor" does not exist'))
    assert told is not None
    assert "morefollows migrate" in told


def test_a_database_that_is_not_set_up_is_told(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "morefollows", "editors", "list"],
        env={"MOREFOLLOWS_DATA": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    run_it = "Run `morefollows migrate`, or `morefollows up`."
    assert done.stderr == f"The database in {tmp_path} has not been set up yet. {run_it}\n"


def test_migrate_sets_the_database_up_once(tmp_path: Path) -> None:
    environment = {"MOREFOLLOWS_DATA": str(tmp_path), "PATH": "/usr/bin:/bin"}
    for applied in (True, False):
        done = subprocess.run(
            [sys.executable, "-m", "morefollows", "migrate", "--json"],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert bool(json.loads(done.stdout)["applied"]) is applied


# -- the installation ------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_editor_is_added_with_a_link(morefollows: Any) -> None:
    said = morefollows("editors", "add", "Ben@Herald.example", "--name", "Ben Okoro", "--json")
    assert said.code == 0
    assert said.json["link"].startswith("https://alerts.herald.example/desk/first/")
    ben = Editor.objects.get(email="ben@herald.example")
    assert ben.role == "reporter"
    assert not ben.has_usable_password()


@pytest.mark.parametrize(
    "email", ["ada@herald.example", "ADA@herald.example", "nonsense", "a\n@b.example"]
)
def test_an_editor_who_cannot_be_added_is_told(morefollows: Any, ada: Editor, email: str) -> None:
    said = morefollows("editors", "add", email, "--name", "Ada")
    assert said.code == 1
    assert said.out == ""
    assert Editor.objects.count() == 1


def test_topics_are_listed_and_added(morefollows: Any, cy: Reader) -> None:
    assert morefollows("topics", "--json").json[0] == {
        "slug": "breaking",
        "name": "Breaking news",
        "access": "open",
        "readers": 1,
    }
    assert morefollows("topics", "add", "harbour", "--name", "The harbour").code == 0
    assert "harbour  The harbour  0 readers" in morefollows("topics").out
    again = morefollows("topics", "add", "harbour", "--name", "The harbour")
    assert again.code == 1
    assert again.err.startswith("harbour: ")


def test_the_newsroom_is_shown_and_changed(morefollows: Any, newsroom: Newsroom) -> None:
    said = morefollows(
        "newsroom", "--name", "The Lock Ledger", "--sender-address", "news@lock.example", "--json"
    )
    assert said.code == 0
    assert said.json["name"] == said.json["sender_name"] == "The Lock Ledger"
    assert said.json["postal_address"] == newsroom.postal_address
    for wrong in (
        ("--sender-address", "nobody"),
        ("--time-zone", "Mars/Olympus"),
        ("--language", "xx"),
        ("--name", "a\r\nBcc: b"),
    ):
        refused = morefollows("newsroom", *wrong)
        assert refused.code == 1
        assert refused.err.startswith(wrong[0] + ": ")


# -- readers ---------------------------------------------------------------------------------------

CSV = (
    "email,language,confirmed_at\ncy@reader.example,en,2024-05-04\nnot an address,en,\n"
    "dee@reader.example,de,2024-05-04\n"
)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    file = tmp_path / "readers.csv"
    file.write_text(CSV)
    return file


def test_readers_come_in_and_bad_lines_are_named(
    morefollows: Any, breaking: Topic, csv: Path
) -> None:
    said = morefollows("readers", "import", str(csv), "--provenance", "the old list", "--json")
    assert said.code == 1  # not all of them
    assert (said.json["lines"], said.json["confirmed"], said.json["bad"]) == (3, 2, 1)
    assert said.json["problems"][0]["line"] == 3
    assert "1 of 3 lines did not come in" in said.err
    assert Reader.objects.filter(state="confirmed").count() == 2


def test_readers_without_provenance_get_no_mail(
    morefollows: Any, breaking: Topic, tmp_path: Path
) -> None:
    (tmp_path / "one.csv").write_text("email\ncy@reader.example\n")
    said = morefollows("readers", "import", str(tmp_path / "one.csv"))
    assert said.code == 0
    assert "1  readers came in as pending" in said.out
    assert Reader.objects.get().state == "pending"


def test_readers_come_from_standard_input(
    morefollows: Any, breaking: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = subprocess.Popen(["printf", "email\\ncy@reader.example\\n"], stdout=subprocess.PIPE)
    assert done.stdout is not None
    with done, io.TextIOWrapper(done.stdout) as pipe:
        monkeypatch.setattr("sys.stdin", pipe)
        assert (
            morefollows(
                "readers",
                "import",
                "-",
                "--provenance",
                "the old list",
                "--consented-at",
                "2024-05-04",
                "--json",
            ).json["confirmed"]
            == 1
        )


def test_readers_go_out_and_come_back_in(morefollows: Any, cy: Reader, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    assert morefollows("readers", "export", str(file), "--json").json["readers"] == 1
    assert file.stat().st_mode & 0o777 == 0o600
    again = morefollows("readers", "import", str(file), "--provenance", "ourselves", "--json")
    assert (again.code, again.json["known"]) == (0, 1)
    over = morefollows("readers", "export", str(file))
    assert over.code == 1
    assert "File exists" in over.err
    here = morefollows("readers", "export", "-")
    assert here.code == 0 and "cy@reader.example" in here.out, "a dash is standard output"
    assert not Path("-").exists()


@pytest.mark.parametrize("words", [["--topic", "nonsense"], ["--provenance", " "]])
def test_an_import_that_makes_no_sense_is_refused(
    morefollows: Any, breaking: Topic, csv: Path, words: list[str]
) -> None:
    assert morefollows("readers", "import", str(csv), *words).code == 1
    assert Reader.objects.count() == 0


# -- stories ---------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "story.md"
    path.write_text(
        "Harbour bridge closed after ferry collision\n\n"
        "Nobody is hurt. Engineers are on their way.\n"
    )
    return path


@pytest.fixture
def administrator(ada: Editor) -> Editor:
    ada.role = "administrator"
    ada.save()
    return ada


def test_without_a_sender_the_alert_waits_and_that_is_said(
    morefollows: Any, administrator: Editor, cy: Reader, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("morefollows.cli.stories._TAKEN_UP_WITHIN", 0.3)
    said = morefollows("stories", "break", str(file), "--yes", "--hold", "0", "--json")
    assert said.code == 1
    assert "No sender process is running" in said.err
    assert (said.json["state"], said.json["readers"]) == ("held", 1)
    alert = Alert.objects.get()
    assert alert.update.headline == "Harbour bridge closed after ferry collision"
    assert alert.sent_by == administrator


def test_after_a_restore_the_alert_waits_for_a_decision_and_that_is_said(
    morefollows: Any, administrator: Editor, cy: Reader, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("morefollows.cli.stories._TAKEN_UP_WITHIN", 0.3)
    restores.hold_all_mail(restores.HoldReason(2_000, 1_000), 1, 0)
    said = morefollows("stories", "break", str(file), "--yes", "--hold", "0")
    assert said.code == 1
    assert "morefollows restores go-on" in said.err and "No sender" not in said.err


def test_a_story_is_not_sent_unless_somebody_says_yes(
    morefollows: Any, administrator: Editor, cy: Reader, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    said = morefollows("stories", "break", str(file))
    assert said.code == 1
    assert "Nothing was sent." in said.err
    assert "to 1 readers of Breaking news?" in said.err
    assert not Story.objects.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--as", "nobody@herald.example"], "--as nobody@herald.example: "),
        (["--topic", "nonsense"], "There is no topic nonsense. There are: breaking"),
        (["--as", "ben@herald.example"], "Your role can’t send alerts."),
    ],
)
def test_a_story_that_cannot_be_sent_is_told(
    morefollows: Any,
    administrator: Editor,
    ben: Editor,
    breaking: Topic,
    file: Path,
    words: list[str],
    told: str,
) -> None:
    said = morefollows("stories", "break", str(file), "--yes", *words)
    assert said.code == 1
    assert told in said.err
    assert not Alert.objects.exists()
    assert not Story.objects.exists()


def test_a_file_that_is_no_story_is_told(
    morefollows: Any, administrator: Editor, breaking: Topic, tmp_path: Path
) -> None:
    (tmp_path / "empty.md").write_text("")
    for name in ("empty.md", "missing.md"):
        said = morefollows("stories", "break", str(tmp_path / name), "--yes")
        assert said.code == 1
        assert said.err.startswith(f"{tmp_path / name}: ")
        assert len(said.err.splitlines()) == 1


def test_an_alert_is_shown(morefollows: Any, ada: Editor, story: Story) -> None:
    alert = actions.send(story, ada, hold=60)
    said = morefollows("alerts", "show", str(alert.pk), "--json")
    assert (said.code, said.json["state"], said.json["alert"]) == (0, "held", alert.pk)
    assert "Harbour bridge closed" in morefollows("alerts", "show", str(alert.pk)).out
    missing = morefollows("alerts", "show", "999999")
    assert (missing.code, missing.err) == (1, "There is no alert 999999.\n")


@pytest.mark.django_db(transaction=True)
def test_a_source_is_changed_by_command(newsroom: Newsroom, morefollows: Any) -> None:
    morefollows("sources", "add", "Wire", "--kind", "push", "--agency", "dpa")
    said = morefollows("sources", "change", "Wire", "--name", "Post", "--no-drafts", "--json")
    assert said.json["name"] == "Post"
    source = Source.objects.get()
    assert (source.unmatched, source.profile, source.text_from) == ("keep", "dpa", "item")
    assert "nothing to change" in morefollows("sources", "change", "Post").err
    assert "interval" in morefollows("sources", "change", "Post", "--every", "1").err
    morefollows("sources", "change", "Post", "--drafts")
    source.refresh_from_db()
    assert source.unmatched == "draft"
