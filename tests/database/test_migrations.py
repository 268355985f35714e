"""Data that was made before the schema changed is there afterwards, in its new place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import sandbox
from tests.support.waiting import PATIENCE

#: Each app's migration at which the data is made.
BEFORE = {
    "accounts": "0001_initial",
    "audit": "0001_initial",
    "audience": "0001_initial",
    "stories": "0001_initial",
    "courier": "0001_initial",
    "live": "0001_initial",
}

_MAKE = """
import django; django.setup()
import json, sys
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.core.management import call_command
from django.utils import timezone
for app, name in json.loads(sys.argv[1]).items():
    call_command("migrate", app, name, verbosity=0)
apps = MigrationLoader(connection).project_state(list(json.loads(sys.argv[1]).items())).apps
get, now = apps.get_model, timezone.now()
ada = get("accounts", "Editor").objects.create(
    email="ada@herald.example", name="Ada", role="editor"
)
topic = get("audience", "Topic").objects.create(slug="breaking", name="Breaking news")
reader = get("audience", "Reader").objects.create(
    address="cy@reader.example", key="k", domain="reader.example", state="confirmed",
    created_at=now, confirmed_at=now
)
get("audience", "Consent").objects.create(
    reader=reader, purpose="alerts", topic=topic, event="given", how="form", at=now,
    client_address="192.0.2.9"
)
story = get("stories", "Story").objects.create(
    headline="Bridge closed", topic=topic, author=ada, state="live"
)
update = get("stories", "Update").objects.create(
    story=story, number=1, headline="Bridge closed", text="It is.", language="en", author=ada,
    published_at=now
)
alert = get("stories", "Alert").objects.create(
    update=update, topic=topic, state="sent", sent_by=ada, frozen_at=now, held_until_ms=1,
    expires_at_ms=2
)
get("audit", "AuditEntry").objects.create(editor=ada, what="send", story=story, alert=alert)
get("courier", "Batch").objects.create(
    alert=alert, number=1, size=1, readers=reader.pk.to_bytes(8, "little"),
    first=reader.pk, last=reader.pk,
    outcomes=b"\\4", times=bytes(4), skipped=1,
)
letter = get("audience", "Letter").objects.create(
    reader=reader, kind="digest", bulk=True, state="accepted", created_at=now, due_at_ms=1
)
get("courier", "DigestItem").objects.create(letter=letter, reader=reader.pk, alert=alert.pk)
"""

_LOOK = """
import django; django.setup()
import json
from morefollows.audience.models import Consent, Reader
from morefollows.stories.models import Alert
from morefollows.audit.models import AuditEntry
from morefollows.courier.ledger import history
from morefollows.courier.models import Batch
from morefollows.live import published
reader, alert = Reader.objects.get(), Alert.objects.get()
print(json.dumps({
    "had": history.alerts_had_by([alert.pk], [reader.pk]).get(reader.pk) == [alert.pk],
    "outcomes": [kept["outcome"] for kept in history.of_reader(reader.pk)],
    "latest": [story.headline for story in published.latest(5)],
    "evidence": [Consent.objects.count(), AuditEntry.objects.count()],
    "batches": Batch.objects.count(),
}))
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of a process with a data folder and a database of its own."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("MOREFOLLOWS_")
    }
    server = sandbox.cluster()
    if server is not None:
        kept["DATABASE_URL"] = server.create("earlier")
    kept |= {
        "MOREFOLLOWS_DATA": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "morefollows.config.django",
    }
    return kept


def run(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_data_of_an_earlier_schema(environment: dict[str, str]) -> None:
    run(environment, "-c", _MAKE, json.dumps(BEFORE))
    run(environment, "-m", "django", "migrate", "--verbosity", "0")
    found: dict[str, Any] = json.loads(run(environment, "-c", _LOOK))
    assert found == {
        "had": True,
        "outcomes": ["skipped"],
        "latest": ["Bridge closed"],
        "evidence": [1, 1],
        "batches": 1,
    }
