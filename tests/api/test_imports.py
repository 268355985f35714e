"""Programs upload files of readers."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from morefollows.api.imports import actions
from morefollows.api.models import ReaderImport, UploadedPart, WebhookEvent
from morefollows.api.webhooks import endpoints
from morefollows.audience.models import Reader, Topic
from morefollows.audit.models import AuditEntry
from morefollows.database import retry_queue
from tests.api.support import Program

FILE = b"email,given_at\nann@reader.example,2024-05-04\nno address,2024-05-04\n"
PROVENANCE = "?provenance=At+the+fair"


def upload(program: Program, file: bytes = FILE, query: str = "", **headers: str) -> Any:
    return program.client.post(
        f"/api/v1/imports{query}",
        file,
        content_type="text/csv",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


@pytest.mark.django_db
def test_a_file_is_imported_and_told(breaking: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "_PART", 20)
    endpoints.add_endpoint("https://cms.example/hook", ["import.finished"], None)
    program = Program(role="administrator")
    taken = upload(program, query=PROVENANCE, idempotency_key="one")
    assert (taken.status_code, taken.json()["state"]) == (202, "waiting")
    again = upload(program, query=PROVENANCE, idempotency_key="one")
    assert again.json() == taken.json() and ReaderImport.objects.count() == 1
    other = upload(program, FILE + b"x", query=PROVENANCE, idempotency_key="one")
    assert other.status_code == 422
    assert UploadedPart.objects.count() == 4
    assert actions.import_next() and not actions.import_next()
    done = program("GET", taken["Location"].removeprefix("/api/v1")).json()
    assert (done["state"], done["counts"]["confirmed"], done["counts"]["bad"]) == ("finished", 1, 1)
    assert [one["line"] for one in done["problems"]] == [3]
    assert done["position"] == done["size"] == len(FILE)
    assert Reader.objects.get().address == "ann@reader.example"
    assert not UploadedPart.objects.exists()
    event = json.loads(WebhookEvent.objects.get().body)
    assert (event["type"], event["data"]["import"]) == ("import.finished", done["id"])
    who = AuditEntry.objects.filter(what__in=["upload readers", "import readers"])
    assert [one.editor for one in who] == [program.key.account] * 2


def test_what_is_unclear_comes_back_as_a_question(breaking: Topic) -> None:
    program = Program(role="administrator")
    file = b"email,opted\nann@reader.example,perhaps\n"
    taken = upload(program, file, "?column=opted%3Dstatus").json()
    actions.import_next()
    done = program("GET", f"/imports/{taken['id']}").json()
    assert done["state"] == "failed" and "perhaps" in done["error"]
    assert not Reader.objects.exists()
    clear = upload(program, file, "?column=opted%3Dignore&dry_run=true").json()
    actions.import_next()
    done = program("GET", f"/imports/{clear['id']}").json()
    assert (done["state"], done["counts"]["pending"]) == ("finished", 1)
    assert not Reader.objects.exists(), "a dry run"


def test_another_process_takes_over_what_was_broken_off(
    breaking: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Program(role="administrator")
    taken = upload(program, query=PROVENANCE).json()
    with monkeypatch.context() as patch:
        patch.setattr(actions.lists, "import_readers", lambda *_a, **_b: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            actions.import_next()
    assert program("GET", f"/imports/{taken['id']}").json()["state"] == "running"
    assert not actions.import_next(), "it is claimed for a minute"
    ReaderImport.objects.update(due_at=retry_queue.database_now())
    assert actions.import_next()
    assert program("GET", f"/imports/{taken['id']}").json()["state"] == "finished"
    assert actions.forget_imports() == 0
    ReaderImport.objects.update(ended_at=timezone.now() - timedelta(days=31))
    assert actions.forget_imports() == 1


def test_only_administrators_import(breaking: Topic) -> None:
    assert upload(Program()).status_code == 403
    assert upload(Program("readers:read", role="administrator")).status_code == 403
    program = Program(role="administrator")
    assert program("POST", "/imports", {"email": "x"}).status_code == 415
    assert upload(program, query="?column=nothing").status_code == 422
    assert not ReaderImport.objects.exists()
