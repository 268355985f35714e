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
from morefollows.audit.entry_names import WHAT
from morefollows.audit.models import AuditEntry
from morefollows.cli.main import run
from morefollows.stories import actions
from morefollows.stories.alerts import hold_actions, transition_table
from morefollows.stories.models import Story
from tests.support import query_plans

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
    hold_actions.take_back(alert, ada)
    record(None, "pause relay", subject="local inbox", relay="local inbox")
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
    assert "System" in found[0]
    assert "Ada Marsh" in found[1]
    assert "Night &lt;shift&gt;" in found[2]
    assert "the topic’s readers" in found[3], "in words, not as the code has it"
    assert reverse("story-edit", args=(busy.uuid,)) in found[4]


def test_it_is_searched_by_who_what_story_and_day(
    dora_at_desk: Client, busy: Story, ada: Editor, ben: Editor
) -> None:
    assert len(rows(log(dora_at_desk, who=ben.pk))) == 1
    assert len(rows(log(dora_at_desk, who=ada.pk, what="take back"))) == 1
    assert len(rows(log(dora_at_desk, about="HARBOUR bridge"))) == 4
    today = timezone.localdate()
    assert (
        len(
            rows(
                log(dora_at_desk, since=today - timedelta(days=1), until=today + timedelta(days=1))
            )
        )
        == 5
    )
    assert "Nothing found" in log(dora_at_desk, until=today - timedelta(days=2))
    assert "Nothing found" in log(dora_at_desk, since=today + timedelta(days=2), until="9999-12-31")
    for nonsense in ({"who": "x"}, {"what": "x"}, {"since": "x"}, {"about": "x" * 200}):
        assert dora_at_desk.get(reverse("log"), nonsense).status_code == 422


def test_a_long_log_has_pages_that_keep_what_was_asked(
    dora_at_desk: Client, busy: Story, ben: Editor
) -> None:
    for number in range(60):
        record(ben, "save", story=busy, revision=number)
    first = log(dora_at_desk, who=ben.pk)
    assert (len(rows(first)), "Newer" in first) == (50, False)
    [older] = re.findall(r'href="(\?who=\d+&amp;before=\d+)"', first)
    second = dora_at_desk.get(reverse("log") + older.replace("&amp;", "&")).content.decode()
    assert (len(rows(second)), "Older" in second) == (11, False)
    [newer] = re.findall(r'href="(\?who=\d+&amp;after=\d+)"', second)
    again = dora_at_desk.get(reverse("log") + newer.replace("&amp;", "&")).content.decode()
    assert rows(again) == rows(first)


def test_the_export_is_what_the_page_shows(dora_at_desk: Client, busy: Story, ben: Editor) -> None:
    Story.objects.filter(pk=busy.pk).update(headline='=HYPERLINK("https://evil.example")')
    answer = dora_at_desk.post(reverse("log-export"), {"who": ben.pk})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    head, line = csv.reader(io.StringIO(answer.content.decode()))
    exported = dict(zip(head, line, strict=True))
    assert (exported["editor"], exported["what"]) == ("Ben Okoro", "save")
    assert json.loads(exported["details"]) == {"revision": 2}
    assert datetime.fromisoformat(exported["at"]).utcoffset() == timedelta(0)
    assert exported["headline"].startswith("'="), "no spreadsheet takes it for a formula"
    assert (
        len(
            list(csv.reader(io.StringIO(dora_at_desk.post(reverse("log-export")).content.decode())))
        )
        == 8
    ), "the exports are entries, too"
    assert AuditEntry.objects.filter(what="export log").count() == 2


def test_reporters_do_not_read_it_and_offers_are_for_those_with_that_right(
    ada_at_desk: Client, ben_at_desk: Client, dora_at_desk: Client, dora: Editor
) -> None:
    assert ben_at_desk.get(reverse("log")).status_code == 403
    assert ben_at_desk.post(reverse("log-export")).status_code == 403
    assert Client().get(reverse("log")).status_code == 302
    assert reverse("log") not in ben_at_desk.get("/desk/").content.decode()
    offer = Story.objects.create(headline="Half price", text="t", purpose="offers", author=dora)
    record(dora, "save", story=offer, revision=1)
    record(dora, "add site", site="https://herald.example")
    assert len(rows(log(dora_at_desk))) == 2
    assert len(rows(log(ada_at_desk))) == 1


def test_no_address_changes_the_log(dora_at_desk: Client, busy: Story) -> None:
    before = list(AuditEntry.objects.values_list())
    for verb in (dora_at_desk.post, dora_at_desk.put, dora_at_desk.patch, dora_at_desk.delete):
        assert verb(reverse("log")).status_code == 405
    assert dora_at_desk.get(reverse("log-export")).status_code == 405
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


# -- fast, however long ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"what": "save"},
        {"who": "commands"},
        {"who": "system"},
        {"about": "breaking"},
        {"since": "2026-01-01", "until": "2026-01-02"},
    ],
)
def test_no_page_reads_the_whole_log(
    dora_at_desk: Client, busy: Story, asked: dict[str, str]
) -> None:
    edge = AuditEntry.objects.latest("pk").pk
    with query_plans.watch() as watched:
        log(dora_at_desk, **asked)
        log(dora_at_desk, **asked, before=edge)
        log(dora_at_desk, **asked, after=edge)
    assert watched.scans(["audit_auditentry"]) == []
    assert not [sql for sql in watched.queries if "COUNT(" in sql and "audit" in sql]


def test_an_edge_that_is_not_there_gives_the_newest(dora_at_desk: Client, busy: Story) -> None:
    for edge in ("0", "999999999999999999", "x", "9" * 5000, "-1", ""):
        assert len(rows(log(dora_at_desk, before=edge))) == 5
        assert len(rows(log(dora_at_desk, after=edge))) == 5


# -- the command -----------------------------------------------------------------------------------


def test_the_command_lists_and_exports_the_same(
    busy: Story, ben: Editor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["log", "list", "--who", ben.email, "--json"]) == 0
    [line] = json.loads(capsys.readouterr().out)
    assert (line["editor"], line["what"], line["headline"]) == ("Ben Okoro", "save", busy.headline)
    assert run(["log", "list", "--about", "local inbox"]) == 0
    assert "paused a relay  local inbox" in capsys.readouterr().out
    out = tmp_path / "log.csv"
    assert run(["log", "export", str(out), "--what", "save"]) == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert len(list(csv.reader(io.StringIO(out.read_text())))) == 2
    assert AuditEntry.objects.latest("pk").details == {"filter": {"what": "save"}}
    assert run(["log", "export", str(out)]) == 1
    assert run(["log", "list", "--what", "nonsense"]) == 1
    assert run(["log", "list", "--who", "nobody@herald.example"]) == 1
