"""Evidence: what the database refuses and allows, and that tampering is detected."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.test import override_settings
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience import erasure
from morefollows.audience.consent import seals
from morefollows.audience.models import Consent, Reader, Seal, Wording
from morefollows.audit import actions as audit
from morefollows.audit.models import AuditEntry
from morefollows.cli.doctor.evidence import examine_evidence
from morefollows.database import append_only
from morefollows.helpers.networks import shortened
from morefollows.stories.models import Story, Update
from tests.live.support import publish
from tests.support.people import reader

SQLITE = connection.vendor == "sqlite"
TABLES = ("audience_consent", "audience_wording", "stories_update", "audit_auditentry")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[None]:
    """The newest seal's file stands in a folder of its own."""
    with override_settings(MOREFOLLOWS=replace(settings.MOREFOLLOWS, data=tmp_path)):
        yield


@pytest.fixture
def evidence(cy: Reader, story: Story, ada: Editor) -> dict[str, int]:
    """Table → the number of a row in it."""
    told = publish(story, "first")
    audit.record(ada, "send", story=story)
    consent = Consent.objects.filter(reader=cy).latest("pk")
    return {
        "audience_consent": consent.pk,
        "audience_wording": Wording.objects.latest("pk").pk,
        "stories_update": told.pk,
        "audit_auditentry": AuditEntry.objects.latest("pk").pk,
    }


def execute(sql: str, *values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        if (
            not SQLITE
        ):  # what is checked at the end of a transaction is checked now: each is one for itself
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(sql, values)


def refused(sql: str, *values: Any) -> None:
    with pytest.raises(DatabaseError, match="append-only"):
        execute(sql, *values)


def contents(table: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY id")
        return list(cursor.fetchall())


@pytest.mark.parametrize("table", TABLES)
def test_no_row_is_changed_or_deleted(evidence: dict[str, int], table: str) -> None:
    before, row = contents(table), evidence[table]
    with connection.cursor() as cursor:
        columns = [
            one.name for one in connection.introspection.get_table_description(cursor, table)
        ]
    for column in columns:
        kept = column in ("id", "client_address")
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {column} IS NULL FROM {table} WHERE id = %s", (row,))
            [empty] = cursor.fetchone()
        if not kept and not empty:
            refused(f"UPDATE {table} SET {column} = NULL WHERE id = %s", row)
    refused(f"UPDATE {table} SET id = id + 1000 WHERE id = %s", row)
    refused(f"DELETE FROM {table} WHERE id = %s", row)
    refused(f"DELETE FROM {table}")
    assert contents(table) == before


@pytest.mark.skipif(
    not SQLITE, reason="only SQLite has OR REPLACE and a number of its own for rows"
)
@pytest.mark.parametrize("table", TABLES)
def test_no_row_is_replaced(evidence: dict[str, int], table: str) -> None:
    before, row = contents(table), evidence[table]
    refused(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE id = %s", row)
    refused(f"REPLACE INTO {table} SELECT * FROM {table}")
    for name in ("rowid", "_rowid_", "oid"):
        refused(f"UPDATE {table} SET {name} = {name} + 5000 WHERE id = %s", row)
        refused(f"UPDATE OR REPLACE {table} SET {name} = 1 WHERE id = %s", row)
    assert contents(table) == before


@pytest.mark.skipif(not SQLITE, reason="only SQLite has OR REPLACE")
def test_no_row_is_replaced_by_one_with_the_same_key(evidence: dict[str, int], ada: Editor) -> None:
    words = Wording.objects.latest("pk")
    refused(
        "INSERT OR REPLACE INTO audience_wording (kind, language, version, text, digest, "
        "created_at)"
        " VALUES (%s, %s, %s, 'Other words', '', '2026-01-01')",
        words.kind,
        words.language,
        words.version,
    )
    told = Update.objects.get(pk=evidence["stories_update"])
    draft = Update.objects.create(
        story=told.story, headline="Draft", text="x", language="en", author=ada
    )
    refused("UPDATE OR REPLACE stories_update SET number = 1 WHERE id = %s", draft.pk)
    refused("UPDATE OR REPLACE stories_update SET id = %s WHERE id = %s", told.pk, draft.pk)
    assert Update.objects.filter(pk=told.pk, headline=told.headline).exists()
    Update.objects.filter(pk=draft.pk).update(number=2, headline="What is not told yet may change")
    draft.delete()


@pytest.mark.parametrize("table", TABLES)
def test_no_row_is_changed_by_an_insert(evidence: dict[str, int], table: str) -> None:
    """ON CONFLICT DO UPDATE on both; MERGE, and DELETE within a query, on PostgreSQL."""
    before, row = contents(table), evidence[table]
    with connection.cursor() as cursor:
        description = connection.introspection.get_table_description(cursor, table)
    column = next(one.name for one in description if one.name in ("words", "text", "what"))
    copied = f"INSERT INTO {table} SELECT * FROM {table} WHERE id = %s"
    conflict = f"ON CONFLICT (id) DO UPDATE SET {column} = 'x'"
    refused(f"{copied} {'AND true ' if SQLITE else ''}{conflict}", row)
    if not SQLITE:
        refused(f"WITH gone AS (DELETE FROM {table} RETURNING id) SELECT * FROM gone")
        refused(
            f"MERGE INTO {table} t USING (SELECT 1) x ON t.id = %s"
            f" WHEN MATCHED THEN UPDATE SET {column} = 'x'",
            row,
        )
        refused(
            f"MERGE INTO {table} t USING (SELECT 1) x ON t.id = %s WHEN MATCHED THEN DELETE", row
        )
    assert contents(table) == before


def test_no_row_goes_with_what_it_is_about(evidence: dict[str, int], cy: Reader) -> None:
    """No foreign key deletes evidence: who deletes its reader, story or editor is refused."""
    before = {table: contents(table) for table in TABLES}
    for parent in ("audience_reader", "stories_story", "accounts_editor", "audience_topic"):
        with pytest.raises(DatabaseError), transaction.atomic():
            if not SQLITE:
                execute("SET CONSTRAINTS ALL IMMEDIATE")
            execute(f"DELETE FROM {parent}")
            connection.check_constraints()
    assert {table: contents(table) for table in TABLES} == before


@pytest.mark.skipif(SQLITE, reason="only PostgreSQL has TRUNCATE")
@pytest.mark.parametrize("table", [*TABLES, "stories_image_updates", "audience_seal"])
def test_no_table_is_emptied(evidence: dict[str, int], table: str) -> None:
    before = contents(TABLES[0])
    refused(f"TRUNCATE {table} CASCADE")
    refused(f"TRUNCATE ONLY {table} RESTART IDENTITY CASCADE")
    refused("TRUNCATE audience_reader CASCADE")
    refused("TRUNCATE accounts_editor, audience_topic CASCADE")
    assert contents(TABLES[0]) == before


@pytest.mark.skipif(SQLITE, reason="only PostgreSQL has roles of sessions")
@pytest.mark.parametrize("table", TABLES)
def test_no_session_switches_the_protection_off_for_itself(
    evidence: dict[str, int], table: str
) -> None:
    with transaction.atomic():
        execute("SET LOCAL session_replication_role = replica")
        refused(f"DELETE FROM {table}")
        refused(f"UPDATE {table} SET id = id + 1000")
        execute("SET LOCAL session_replication_role = origin")


ADDRESSES = (
    "192.0.2.77", "10.0.0.1", "198.51.100.255", "2001:db8:1:2:3::4", "2001:db8::1", "2001:0:0:5::1",
    "fe80::1", "::1", "2a00:1450:4001:82a::200e", "1:2:3:4:5:6:7:8", "2001:db8:0:1::",
)  # fmt: skip


def line(cy: Reader, address: str) -> Consent:
    now = timezone.now()
    return Consent.objects.create(
        reader=cy, purpose="alerts", event="given", how="form", at=now, client_address=address
    )


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_of_a_client_may_become_its_network_and_nothing_else(
    cy: Reader, address: str
) -> None:
    kept = line(cy, address)
    sql = "UPDATE audience_consent SET client_address = %s WHERE id = %s"
    others = (
        "",
        "203.0.113.9",
        "203.0.113.0/24",
        "2001:db8:ffff::/48",
        "203.0.113.0/8",
        address + "1",
        address[:-1],
        "0.0.0.0/24",
        "nobody",
        address + "/24",
        address + "/48",
        "%",
        "1.0/24",
    )
    for other in others:
        if other not in (address, shortened(address)):
            refused(sql, other, kept.pk)
    refused(f"{sql} AND how <> ''".replace("SET", "SET how = 'desk',"), shortened(address), kept.pk)
    execute(sql, address, kept.pk)
    execute(sql, shortened(address), kept.pk)
    refused(sql, address, kept.pk)
    refused(sql, "", kept.pk)
    kept.refresh_from_db()
    assert kept.client_address == shortened(address)


def test_nobody_gives_a_line_an_address_and_who_never_confirmed_loses_theirs(cy: Reader) -> None:
    sql = "UPDATE audience_consent SET client_address = %s WHERE id = %s"
    refused(sql, "192.0.2.0/24", line(cy, "").pk)
    kept = line(cy, "192.0.2.77")
    Reader.objects.filter(pk=cy.pk).update(state="pending")
    execute(sql, "", kept.pk)


def test_a_missing_protection_is_found_and_made_again(evidence: dict[str, int]) -> None:
    assert append_only.missing() == []
    on = "" if SQLITE else " ON audit_auditentry"
    execute(f"DROP TRIGGER audit_auditentry_no_delete{on}")
    assert append_only.missing() == ["audit_auditentry"]
    assert [(one.state, "audit_auditentry" in one.message) for one in examine_evidence()] == [
        ("wrong", True)
    ]
    append_only.create_triggers("default")
    assert append_only.missing() == []
    refused("DELETE FROM audit_auditentry")


class TestSeals:
    @pytest.fixture(autouse=True)
    def small_seals(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(seals, "_ROWS", 3)

    @pytest.fixture
    def sealed(self, evidence: dict[str, int], breaking: Any) -> dict[str, int]:
        for number in range(5):
            reader(f"r{number}@reader.example", breaking)
        assert self.seal() > 5
        return evidence

    def seal(self) -> int:
        """All that is there; and what is written meanwhile is not waited for."""
        return seals.seal(settled=timedelta(0)) + seals.seal(settled=timedelta(0))

    def behind(self, sql: str, *values: Any) -> None:
        """By somebody who may do everything in the database."""
        execute("SELECT 1")
        append_only.drop_triggers("default", plan=["an attack"])
        execute(sql, *values)
        execute("SELECT 1")
        append_only.create_triggers("default")

    def test_all_evidence_is_sealed_once(
        self, sealed: dict[str, int], ada: Editor, story: Story
    ) -> None:
        report = seals.verify()
        every = Consent.objects.count() + Wording.objects.count() + AuditEntry.objects.count() + 1
        assert (report.rows, report.wrong, report.erased) == (every, [], 0)
        assert self.seal() == 0
        audit.record(ada, "send")
        publish(story)
        assert self.seal() == 2 and seals.verify().rows == every + 2
        [found] = examine_evidence()
        assert found.state == "ok" and str(every + 2) in found.message

    def test_rows_are_sealed_only_when_they_are_settled(self, evidence: dict[str, int]) -> None:
        assert seals.seal() == 0 and seals.seal() == 0
        assert seals.verify() == (0, 0, 0, [])

    @pytest.mark.parametrize(
        ("table", "column", "value"),
        [
            ("audience_consent", "words", "Other words"),
            ("audience_consent", "purpose", "offers"),
            ("audience_consent", "at", "2020-01-01 00:00:00+00:00"),
            ("audience_wording", "text", "Other words"),
            ("stories_update", "headline", "Never said"),
            ("audit_auditentry", "what", "stop"),
        ],
    )
    def test_a_change_is_found(
        self, sealed: dict[str, int], table: str, column: str, value: str
    ) -> None:
        self.behind(f"UPDATE {table} SET {column} = %s WHERE id = %s", value, sealed[table])
        assert seals.verify().wrong == [f"{table}: row {sealed[table]} was changed"]

    @pytest.mark.parametrize("table", TABLES)
    def test_a_row_that_is_missing_or_too_many_is_found(
        self, sealed: dict[str, int], table: str
    ) -> None:
        if table == "stories_update":
            self.behind("DELETE FROM stories_alert")
            self.behind("DELETE FROM stories_update WHERE id = %s", sealed[table])
        else:
            self.behind(f"UPDATE {table} SET id = 100000 WHERE id = %s", sealed[table])
        assert seals.verify().wrong == [f"{table}: row {sealed[table]} is missing"]

    def test_a_row_that_was_put_in_between_is_found(self, sealed: dict[str, int]) -> None:
        late, last = AuditEntry.objects.create(what="send"), AuditEntry.objects.create(what="send")
        self.behind("DELETE FROM audit_auditentry WHERE id = %s", late.pk)
        self.seal()
        assert seals.verify().wrong == []
        AuditEntry.objects.create(pk=late.pk, what="stop")
        words = f"audit_auditentry: row {late.pk} was not there when the rows beside it were sealed"
        assert seals.verify().wrong == [words] and last.pk > late.pk

    def test_erasure_and_shorter_addresses_leave_it_whole(
        self, sealed: dict[str, int], cy: Reader
    ) -> None:
        lines = Consent.objects.filter(reader=cy).count()
        erasure.erase(cy)
        report = seals.verify()
        assert (report.erased, report.wrong) == (lines, [])
        shorter = line(reader("last@reader.example", cy_topic()), "192.0.2.7")
        self.seal()
        execute(
            "UPDATE audience_consent SET client_address = '192.0.2.0/24' WHERE id = %s", shorter.pk
        )
        assert seals.verify().wrong == []

    def test_a_reader_who_was_never_erased_does_not_explain_what_is_missing(
        self, sealed: dict[str, int], cy: Reader
    ) -> None:
        lines = list(Consent.objects.filter(reader=cy).order_by("pk").values_list("pk", flat=True))
        execute("SELECT 1")
        append_only.drop_triggers("default", plan=["an attack"])
        Consent.objects.filter(reader=cy).delete()
        cy.delete()
        execute("SELECT 1")
        append_only.create_triggers("default")
        assert seals.verify().wrong == [
            f"audience_consent: row {number} is missing" for number in lines
        ]

    @pytest.mark.parametrize(
        ("attack", "found"),
        [
            ("UPDATE audience_seal SET last = last + 1 WHERE number = 2", "seal 2 was changed"),
            ("DELETE FROM audience_seal WHERE number = 2", "seal 2 is missing"),
            (
                "UPDATE audience_seal SET previous = '' WHERE number = 2",
                "seal 2 does not follow from the one before",
            ),
            ("DELETE FROM audience_seal WHERE number > 2", "is older, or was cut off"),
            ("DELETE FROM audience_seal", "is older, or was cut off"),
        ],
    )
    def test_a_change_of_the_chain_is_found(
        self, sealed: dict[str, int], attack: str, found: str
    ) -> None:
        self.behind(attack)
        assert any(found in words for words in seals.verify().wrong)

    def test_a_chain_that_somebody_made_anew_is_found(self, sealed: dict[str, int]) -> None:
        self.behind("UPDATE audit_auditentry SET what = 'stop'")
        previous = ""
        append_only.drop_triggers("default", plan=["an attack"])
        for one in Seal.objects.order_by("number"):
            kind = next(kind for kind in seals._kinds.values() if kind.table == one.table)
            numbers = seals.SealedRows.unpacked(bytes(one.leaves), one.count).numbers
            one.leaves = seals._leaves(kind, kind.rows.filter(pk__in=numbers), one.format).packed()
            one.previous = previous
            one.hash = previous = seals._hash_of(one)
            one.save()
        append_only.create_triggers("default")
        wrong = seals.verify().wrong
        assert any("made with another secret" in words for words in wrong)
        assert any("is not the one that was made here" in words for words in wrong)

    def test_sealing_goes_on_after_the_end_was_cut_off_and_still_says_so(
        self, sealed: dict[str, int], ada: Editor, caplog: pytest.LogCaptureFixture
    ) -> None:
        head = (settings.MOREFOLLOWS.data / seals.HEAD).read_text()
        newest = Seal.objects.order_by("number").last()
        assert newest is not None
        self.behind("DELETE FROM audience_seal WHERE number > 2")
        assert any("is older, or was cut off" in words for words in seals.verify().wrong)
        audit.record(ada, "send")
        while Seal.objects.count() <= newest.number:
            audit.record(ada, "send")
            assert self.seal()
        assert (settings.MOREFOLLOWS.data / seals.HEAD).read_text() == head
        assert any("is not the one that was made here" in words for words in seals.verify().wrong)
        assert "is not what was sealed here before" in caplog.text

    def test_some_rows_are_looked_at_or_all(
        self, sealed: dict[str, int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        every = seals.verify()
        some = seals.verify(4)
        assert some.seals == every.seals > 4 and 0 < some.rows < every.rows and some.wrong == []
        newest = Seal.objects.order_by("number").last()
        assert newest is not None
        for _ in range(20):
            chosen = seals._chosen(4)
            assert (
                chosen is not None
                and len(chosen) == 4
                and {newest.number, newest.number - 1} <= chosen
            )
        monkeypatch.setattr("morefollows.cli.doctor.evidence._SEALS", 4)
        [short], [long] = list(examine_evidence()), list(examine_evidence(every=True))
        assert "--evidence" in short.message and str(every.rows) in long.message

    def test_the_file_with_the_newest_seal_may_be_gone_but_not_broken(
        self, sealed: dict[str, int]
    ) -> None:
        head = settings.MOREFOLLOWS.data / seals.HEAD
        newest = Seal.objects.order_by("number").last()
        assert newest is not None
        assert json.loads(head.read_text()) == {"number": newest.number, "hash": newest.hash}
        head.write_text("{}")
        assert seals.verify().wrong == [f"{head} can't be read"]
        head.unlink()
        assert seals.verify().wrong == []


def cy_topic() -> Any:
    from morefollows.audience.models import Topic

    return Topic.objects.get(slug="breaking")
