"""The log of who did what: what stands in it stays, and who may read it."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audit.actions import record
from morefollows.audit.models import AuditEntry
from morefollows.desk.activity_log.entries import WHAT
from morefollows.stories import actions, transition_table
from morefollows.stories.models import Story

pytestmark = pytest.mark.django_db


def test_the_database_itself_lets_nobody_edit_the_log(
    ada: Editor, dora: Editor, story: Story
) -> None:
    record(ada, "send alone", story=story, reason="Night shift")
    entry = AuditEntry.objects.get()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.update(editor=dora)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        entry.delete()
    for sql in (
        "UPDATE audit_auditentry SET details = '{}'",
        "UPDATE audit_auditentry SET at = '2001-01-01T00:00:00+00:00'",
        "DELETE FROM audit_auditentry",
    ):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)
    assert AuditEntry.objects.get().details == {"reason": "Night shift"}


# -- the page --------------------------------------------------------------------------------------


def log(client: Client, **asked: Any) -> str:
    answer = client.get(reverse("log"), asked)
    assert answer.status_code == 200
    return answer.content.decode()


def rows(page: str) -> list[str]:
    return re.findall(r"<tr>\n(.*?)</tr>", page, re.DOTALL)


@pytest.fixture
def busy(story: Story, ada: Editor, ben: Editor) -> Story:
    """Ben saved it, Ada sent it alone and took it back; the relay was paused by nobody."""
    record(ben, "save", story=story, revision=2)
    alert = actions.send(story, ada, alone_reason="Night <shift>")
    actions.take_back(alert, ada)
    record(None, "pause relay", relay="local inbox")
    return story


def test_who_did_what_in_words_the_newest_first(dora_at_desk: Client, busy: Story) -> None:
    page = log(dora_at_desk)
    found = rows(page)
    said = (
        "paused a relay",
        "took the alert back",
        "sent it alone, though",
        "sent it<",
        "saved the draft",
    )
    assert [words in row for words, row in zip(said, found, strict=True)] == [True] * 5
    assert "by itself, or a command" in found[0]
    assert "Ada Marsh" in found[1]
    assert "Night &lt;shift&gt;" in found[2]
    assert "the topic’s readers" in found[3], "in words, not as the code has it"
    assert reverse("story-edit", args=(busy.uuid,)) in found[4]


def test_it_is_searched_by_who_what_story_and_day(
    dora_at_desk: Client, busy: Story, ada: Editor, ben: Editor
) -> None:
    assert len(rows(log(dora_at_desk, editor=ben.pk))) == 1
    assert len(rows(log(dora_at_desk, editor=ada.pk, what="take back"))) == 1
    assert len(rows(log(dora_at_desk, story="HARBOUR bridge"))) == 4
    today = timezone.localdate()
    assert (
        len(
            rows(
                log(dora_at_desk, since=today - timedelta(days=1), until=today + timedelta(days=1))
            )
        )
        == 5
    )
    assert "Nothing of that kind" in log(dora_at_desk, until=today - timedelta(days=2))
    assert "Nothing of that kind" in log(
        dora_at_desk, since=today + timedelta(days=2), until="9999-12-31"
    )
    for nonsense in ({"editor": "x"}, {"what": "x"}, {"since": "x"}, {"story": "x" * 200}):
        assert dora_at_desk.get(reverse("log"), nonsense).status_code == 422


def test_a_long_log_has_pages_that_keep_what_was_asked(
    dora_at_desk: Client, busy: Story, ben: Editor
) -> None:
    for number in range(60):
        record(ben, "save", story=busy, revision=number)
    first = log(dora_at_desk, editor=ben.pk)
    assert (len(rows(first)), "Page 1 of 2" in first) == (50, True)
    assert f'href="?editor={ben.pk}&amp;page=2"' in first
    assert len(rows(log(dora_at_desk, editor=ben.pk, page=2))) == 11


def test_the_export_is_what_the_page_shows(dora_at_desk: Client, busy: Story, ben: Editor) -> None:
    Story.objects.filter(pk=busy.pk).update(headline='=HYPERLINK("https://evil.example")')
    answer = dora_at_desk.get(reverse("log-export"), {"editor": ben.pk})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    head, line = csv.reader(io.StringIO(answer.content.decode()))
    exported = dict(zip(head, line, strict=True))
    assert (exported["editor"], exported["what"]) == ("Ben Okoro", "save")
    assert json.loads(exported["details"]) == {"revision": 2}
    assert datetime.fromisoformat(exported["at"]).utcoffset() == timedelta(0)
    assert exported["headline"].startswith("'="), "no spreadsheet takes it for a formula"
    assert (
        len(list(csv.reader(io.StringIO(dora_at_desk.get(reverse("log-export")).content.decode()))))
        == 6
    )


def test_reporters_do_not_read_it_and_offers_are_for_those_with_that_right(
    ada_at_desk: Client, ben_at_desk: Client, dora_at_desk: Client, dora: Editor
) -> None:
    for name in ("log", "log-export"):
        assert ben_at_desk.get(reverse(name)).status_code == 403
        assert Client().get(reverse(name)).status_code == 302
    assert reverse("log") not in ben_at_desk.get("/desk/").content.decode()
    offer = Story.objects.create(headline="Half price", text="t", purpose="offers", author=dora)
    record(dora, "save", story=offer, revision=1)
    record(dora, "add site", site="https://herald.example")
    assert len(rows(log(dora_at_desk))) == 2
    assert len(rows(log(ada_at_desk))) == 1


def test_no_address_changes_the_log(dora_at_desk: Client, busy: Story) -> None:
    before = list(AuditEntry.objects.values_list())
    for name in ("log", "log-export"):
        for verb in (dora_at_desk.post, dora_at_desk.put, dora_at_desk.patch, dora_at_desk.delete):
            assert verb(reverse(name)).status_code == 405
    assert list(AuditEntry.objects.values_list()) == before


def test_every_deed_has_words() -> None:
    """Whatever the code writes into the log, the page says in the editor's language."""
    source = Path(actions.__file__).parents[1]
    written = set()
    for path in source.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        written |= set(re.findall(r'\brecord\([^()"]*(?:\([^()]*\))?[^()"]*"([a-z ]+)"', text))
    written |= {row.entry for row in transition_table.TABLE if row.entry}
    assert {"save", "send", "retry failed", "sender died", "add site"} <= written
    assert written - set(WHAT) == set()
