"""Data made by an earlier commit is brought up to date, and the product works on it.

tools/schema-data makes the data, in the folder schema beside this file, and says when.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

import morefollows
from tests.support import sandbox
from tests.support.installation import Installation
from tests.support.waiting import PATIENCE, until

SCHEMA = Path(__file__).with_name("schema")
SOURCE = Path(morefollows.__file__).parent

#: Of the data: what `tools/schema-data` did. By the current code, in a process of its own.
_LOOK = """
import django; django.setup()
import json
from django.test import Client
from morefollows.accounts.models import Editor
from morefollows.audience.consent import seals
from morefollows.audience.models import Reader
from morefollows.audit.models import AuditEntry
from morefollows.courier.ledger import history
from morefollows.live import published
from morefollows.stories.models import Alert, Story, StoryPreference

client = Client(headers={"host": "127.0.0.1"})
client.force_login(Editor.objects.get())
stories = [f"/desk/story/{one.uuid}/" for one in Story.objects.all()]
pages = ["/desk/", "/desk/audience/", "/", *stories]
alert, readers = Alert.objects.order_by("pk").first(), list(Reader.objects.order_by("pk"))
ids = [one.pk for one in readers]
outcomes = {kept["outcome"] for one in ids for kept in history.of_reader(one)}
statuses = {page: client.get(page, follow=True).status_code for page in pages}
checked = seals.verify()
print(json.dumps({
    "pages": {page: code for page, code in statuses.items() if code != 200},
    "readers": [[one.address.partition("@")[0], one.state] for one in readers],
    "had": sorted(history.alerts_had_by([alert.pk], ids)) == ids,
    "outcomes": sorted(outcomes),
    "latest": [story.headline for story in published.latest(5)],
    "choices": list(StoryPreference.objects.values_list("choice", flat=True)),
    "sent": AuditEntry.objects.filter(what="send", alert=alert).count(),
    "sealed": [checked.seals > 0, checked.rows > 0, checked.wrong],
}))
"""


def test_data_of_an_earlier_schema(build: Callable[..., Installation], tmp_path: Path) -> None:
    """It is as it was, the desk opens, the evidence is as it was sealed, and an alert goes out."""
    installation = build(bare=True, hold="0")
    _restore(installation)
    installation.start()
    environment = {
        **installation.environment,
        "DJANGO_SETTINGS_MODULE": "morefollows.config.django",
    }
    done = subprocess.run(
        [sys.executable, "-c", _LOOK],
        env=environment,
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found == {
        "pages": {},
        "readers": [
            ["cy", "confirmed"],
            ["dee", "hard bounced"],
            ["eve", "unsubscribed"],
            ["flo", "confirmed"],
        ],
        "had": True,
        "outcomes": ["accepted"],
        "latest": ["Bridge closed after crack is found"],
        "choices": ["follow"],
        "sent": 1,
        "sealed": [True, True, []],
    }
    story = tmp_path / "story.txt"
    story.write_text("Bridge opens again\n\nThe crack is mended.\n", encoding="utf-8")
    installation.command("stories", "break", str(story), "--yes", "--hold", "0", check=False)
    until(
        "the alert's end",
        lambda: installation.query("SELECT 1 FROM stories_alert WHERE id > 1 AND state = 'sent'"),
    )
    assert len(installation.mails("cy@reader.example")) == 1
    assert not installation.mails("dee@reader.example") + installation.mails("eve@reader.example")


def test_no_migration_was_changed_since_the_data_was_made() -> None:
    """Databases in the field have applied it: a change of the schema adds one."""
    then: dict[str, str] = json.loads((SCHEMA / "migrations.json").read_text())
    for name, hash in then.items():
        file = SOURCE / name
        assert file.exists(), f"{name} is gone: databases have applied it"
        assert hashlib.sha256(file.read_bytes()).hexdigest() == hash, (
            f"{name} was changed: put it back, and add a migration (see tools/schema-data)"
        )


def _restore(installation: Installation) -> None:
    """Puts the data where the installation looks for it."""
    url = installation.environment.get("DATABASE_URL")
    place = SCHEMA / ("postgres" if sandbox.cluster() else "sqlite")
    shutil.copytree(place, installation.data, ignore=shutil.ignore_patterns("database.sql"))
    installation.data.chmod(0o700)
    for file in installation.data.iterdir():
        file.chmod(0o600)
    statements = (place / "database.sql").read_text(encoding="utf-8")
    if url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statements.encode())
    else:
        with closing(sqlite3.connect(installation.data / "morefollows.sqlite3")) as connection:
            connection.executescript(statements)
