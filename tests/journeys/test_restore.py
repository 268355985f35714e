"""A backup, a day's work and its restore, by the commands and by hand: who left stays out, links
of before are good for nobody else, and nothing is mailed before somebody has decided.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from tests.faults.visitors import find_link, press_button, sign_up
from tests.support import mail_parsing, web
from tests.support.installation import Installation
from tests.support.postgres import programs
from tests.support.scripted_relay import Rule, Script, by_recipient, running
from tests.support.waiting import PATIENCE, until

READERS = 300
ANN, BOB, CY = "ann@reader.example", "bob@reader.example", "cy@reader.example"
LOST, STRANGER = "lost@reader.example", "stranger@reader.example"


def back_up(installation: Installation, to: Path) -> None:
    """While it runs."""
    url = installation.environment.get("DATABASE_URL")
    if url:
        subprocess.run([programs() / "pg_dump", "--format=custom", f"--file={to}", url], check=True)
        return
    with contextlib.closing(sqlite3.connect(installation.data / "morefollows.sqlite3")) as database:
        database.execute("VACUUM INTO ?", (str(to),))


def restore(installation: Installation, backup: Path) -> None:
    """While nothing runs."""
    url = installation.environment.get("DATABASE_URL")
    if url:
        subprocess.run(
            [programs() / "pg_restore", "--clean", "--if-exists", f"--dbname={url}", backup],
            check=True,
        )
        return
    for file in installation.data.glob("morefollows.sqlite3*"):
        file.unlink()
    (installation.data / "morefollows.sqlite3").write_bytes(backup.read_bytes())


def confirm(installation: Installation, address: str) -> int:
    mail = installation.wait_for_mails(address, seconds=60)[-1]
    return press_button(installation.url, find_link(mail.content, "/confirm/"))


def leave(installation: Installation, address: str, at: Installation | None = None) -> int:
    """By the mail program's own button (RFC 8058). `at`: who answers, if it is another one."""
    mail = installation.wait_for_mails(address, 2, seconds=60)[-1]
    there = mail_parsing.unsubscribe_link(mail_parsing.read(mail)).partition("/leave/")[2]
    body = b"List-Unsubscribe=One-Click"
    return web.request(
        "POST",
        f"{(at or installation).url}/leave/{there}",
        body,
        timeout=PATIENCE,
        Content_Type=web.FORM,
    ).status


def states(installation: Installation) -> dict[str, str]:
    return dict(
        installation.query("SELECT address, state FROM audience_reader WHERE address <> ''")
    )


def test_a_backup_comes_back_on_another_machine(build: Callable[..., Installation]) -> None:
    """By the commands. The other machine has the newest departures log, as the how-to says."""
    installation = build().start("--sample")
    for address in (ANN, BOB, CY):
        assert (
            sign_up(installation.url, address, "10.0.0.1") and confirm(installation, address) == 200
        )
    key, file = installation.data / "age-key", installation.data / "all.backup"
    recipient = installation.command("backup", "--new-key", str(key)).stdout.strip()
    installation.command("backup", str(file), "--to", recipient)
    assert file.stat().st_mode & 0o777 == 0o600
    assert ANN.encode() not in file.read_bytes()

    assert leave(installation, BOB) == 200
    shown = installation.wait_for_mails(CY, 2, seconds=60)[-1]
    assert (
        press_button(installation.url, find_link(shown.content, "/preferences/") + "erase/") == 200
    )
    until("the erasure", lambda: CY not in states(installation))
    assert sign_up(installation.url, LOST, "10.0.0.2")
    lost = find_link(installation.wait_for_mails(LOST, seconds=60)[-1].content, "/confirm/")
    refused = installation.command("restore", str(file), "--key", str(key), check=False)
    assert refused.returncode == 1 and "already runs" in refused.stderr
    installation.stop()

    other = build(bare=True)
    other.data.mkdir()
    shutil.copy(installation.data / "departures.log", other.data)
    other.command("backup", "--check", str(file), "--key", str(key))
    told = other.command("restore", str(file), "--key", str(key)).stdout
    assert told.count("Departures that it lacked") == 2, told
    assert other.query("SELECT 1 FROM audit_auditentry WHERE what = 'restore backup'")
    again = other.command("restore", str(file), "--key", str(key), check=False)
    assert again.returncode == 1 and "--replace" in again.stderr
    assert {address: states(other).get(address) for address in (ANN, BOB, CY, LOST)} == {
        ANN: "confirmed", BOB: "unsubscribed", CY: None, LOST: None,
    }  # fmt: skip
    other.start()
    assert sign_up(other.url, STRANGER, "10.0.0.3")
    assert press_button(other.url, lost) == 410
    assert states(other)[STRANGER] == "pending", "an old link confirms nobody else"
    assert other.mails(STRANGER) == [], "nothing leaves before somebody has decided"
    assert "Mail is sent again" in other.command("restores", "go-on").stdout
    assert confirm(other, STRANGER) == 200
    assert leave(installation, ANN, other) == 200 and states(other)[ANN] == "unsubscribed", (
        "a link of before the backup is good"
    )
    other.stop()
    told = other.command("restore", str(file), "--key", str(key), "--replace").stdout
    assert "1 readers who signed up since" in told, "who signed up meanwhile is counted as lost"
    assert states(other)[ANN] == "unsubscribed", "who left stays out"


def test_an_alert_in_the_middle_of_which_the_backup_was_made(
    build: Callable[..., Installation], tmp_path: Path
) -> None:
    """Seconds ago, so clocks can't tell: the restored database lacks the mails sent since."""
    with running(tmp_path / "taken.jsonl", Script(rules=(Rule("content", delay=0.05),))) as relay:
        installation = build(
            relay=f"smtp://127.0.0.1:{relay.port}?tls=never", relay_connections="4", batch_size="25"
        )
        installation.start("--sample")
        readers = tmp_path / "readers.csv"
        now = "2026-05-04T10:00:00Z"
        rows = "".join(f"cy{n}@reader.example,{now}\n" for n in range(READERS))
        readers.write_text("email,confirmed_at\n" + rows)
        installation.command(
            "readers",
            "import",
            str(readers),
            "--topic",
            "breaking",
            "--provenance",
            "a test's readers",
        )
        story = tmp_path / "story.md"
        story.write_text("Harbour bridge closed\n\nNobody is hurt, the port authority said.\n")
        telling = threading.Thread(
            target=installation.command,
            args=("stories", "break", str(story), "--topic", "breaking", "--hold", "0", "--yes"),
            kwargs={"check": False},
        )
        telling.start()
        until("some of the mails", lambda: len(relay.taken()) >= READERS // 10)
        backup = tmp_path / "backup"
        back_up(installation, backup)
        telling.join(120)
        until("all mails", lambda: len(relay.taken()) == READERS)
        installation.stop()
        restore(installation, backup)

        installation.start()
        until(
            "the question",
            lambda: installation.query("SELECT 1 FROM stories_alert WHERE state = 'asking'"),
        )
        assert sign_up(installation.url, STRANGER, "10.0.0.3")
        assert "Mail is sent again" in installation.command("restores", "go-on").stdout
        until("the confirmation", lambda: len(relay.taken()) > READERS)
        got = by_recipient(relay.taken())
        assert len(got.pop(STRANGER)) == 1
        assert {address: len(ids) for address, ids in got.items()} == {
            f"cy{n}@reader.example": 1 for n in range(READERS)
        }
        assert installation.query("SELECT state FROM stories_alert") == [("asking",)], (
            "it is for an editor to answer"
        )


def test_all_is_well_after_a_kill(build: Callable[..., Installation]) -> None:
    installation = build().start("--sample")
    assert sign_up(installation.url, ANN, "10.0.0.1") and confirm(installation, ANN) == 200
    installation.wait_for_mails(ANN, 2, seconds=60)
    installation.kill()
    installation.start()
    assert sign_up(installation.url, BOB, "10.0.0.2") and confirm(installation, BOB) == 200
    assert "older than what this sender last saw" not in installation.output
