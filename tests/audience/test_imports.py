"""Imports of other tools' files, rehearsals, interrupted imports, and suppression files."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.apps import apps

from bench import readers_import
from morefollows.audience import erasure, lists
from morefollows.audience.addresses import parse
from morefollows.audience.consent import confirmation
from morefollows.audience.lists import ImportReport, NotReadable, OperatorAnswers, importing
from morefollows.audience.lists.chunk import Chunk
from morefollows.audience.lists.resume import ImportInProgress
from morefollows.audience.models import (
    Consent,
    Reader,
    Subscription,
    Suppression,
    Topic,
    UnfinishedImport,
)
from morefollows.audience.suppression.actions import lift
from morefollows.audience.suppression.importing import import_suppressions
from tests.audience.support import CY, newest_link, sign_up

FROM = "Newsletter box of the old site"
LISTMONK = (
    "uuid,email,name,attributes,status,created_at,updated_at\n"
    '5b0c-1,dee@reader.example,Dee,"{""city"": ""Elle"", ""lang"": ""de""}",enabled,'
    "2023-05-04 10:30:00.123456789 +0000 UTC,\n"
    '5b0c-2,eve@reader.example,"Eve, the first",{},blocklisted,'
    "2023-05-05 10:30:00 +0000 UTC,2024-01-01 00:00:00 +0000 UTC\n"
    "5b0c-3,fay@reader.example,Fay,not json,disabled,"
    "2023-05-05 10:30:00 +0000 UTC,2024-01-01 00:00:00 +0000 UTC\n"
)
GHOST = """\
id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers
1,dee@reader.example,Dee,"Wrote twice:
once about the ""harbour"",
once about the bridge",true,false,,2024-01-15T10:00:00.000Z,,"VIP, politics",
2,eve@reader.example,Eve,,false,false,,2024-01-16T10:00:00.000Z,,,
"""
MAILCHIMP = {
    "subscribed": "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,"
    "CONFIRM_IP,LAST_CHANGED,"
    "LEID,EUID,NOTES,TAGS\r\n"
    "dee@reader.example,Dee,2,2019-03-01 09:00:00,192.0.2.30,2019-03-01 09:05:00,192.0.2.31,"
    "2020-01-01 00:00:00,"
    '7,c2,,"""vip"""\r\n'
    "gil@reader.example,Gil,2,,,2019-03-02 09:05:00,not an address,2020-01-01 00:00:00,8,c3,,\r\n",
    "unsubscribed": "Email Address,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,"
    "UNSUB_TIME,"
    "UNSUB_REASON,LEID\n"
    "eve@reader.example,2,2019-03-01 09:00:00,192.0.2.30,2019-03-01 09:05:00,192.0.2.31,,NORMAL,"
    "9\n",
    "cleaned": "Email Address,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,"
    "CLEAN_TIME,LEID\n"
    "fay@reader.example,2,2019-03-01 09:00:00,,2019-03-01 09:05:00,,2021-03-01 09:00:00,10\n",
}


AT = datetime(2024, 3, 1, tzinfo=UTC)


def bring(
    text: str | bytes,
    topic: Topic | None,
    provenance: str | None = FROM,
    *,
    consented_at: datetime | None = AT,
    dry_run: bool = False,
    **told: Any,
) -> ImportReport:
    """`told`: as for `OperatorAnswers`."""
    return lists.import_readers(
        io.BytesIO(text.encode() if isinstance(text, str) else text),
        topic=topic,
        provenance=provenance,
        progress=lambda position: None,
        answers=OperatorAnswers(**told),
        consented_at=consented_at,
        dry_run=dry_run,
    )


def counts(report: ImportReport) -> dict[str, int]:
    return {name: count for name, count in report.counts().items() if count}


def state(address: str) -> str:
    return Reader.objects.get(key=parse(address).key).state


class TestTools:
    def test_listmonk(self, breaking: Topic) -> None:
        report = bring(LISTMONK, breaking)
        assert report.tool == "listmonk"
        assert counts(report) == {"lines": 3, "confirmed": 1, "left": 2}
        dee = Reader.objects.get(address="dee@reader.example")
        assert dee.language == "de"
        given, confirmed = Consent.objects.order_by("pk")
        assert (given.event, given.at.isoformat()) == ("given", "2023-05-04T10:30:00.123456+00:00")
        assert (confirmed.event, confirmed.words, confirmed.at) == (
            "confirmed",
            FROM,
            dee.confirmed_at,
        )
        assert not Reader.objects.filter(state="unsubscribed").exclude(address="").exists()

    def test_listmonks_lists_are_topics(self, breaking: Topic) -> None:
        both, other = (
            '1,dee@reader.example,{},enabled,"Politics, Cooking"',
            "2,eve@reader.example,{},enabled,Cooking",
        )
        report = bring(f"uuid,email,attributes,status,lists\n{both}\n{other}\n", breaking)
        assert counts(report) == {"lines": 2, "confirmed": 1, "bad": 1}
        assert "breaking, politics, weather" in report.problems[0].reason
        assert Subscription.objects.get().topic.slug == "politics"

    def test_ghost(self, breaking: Topic) -> None:
        report = bring(GHOST, breaking)
        assert report.tool == "Ghost"
        assert counts(report) == {"lines": 2, "confirmed": 1, "left": 1}
        assert Reader.objects.get(state="confirmed").confirmed_at == Consent.objects.get().at
        assert Consent.objects.get().at.isoformat() == "2024-01-15T10:00:00+00:00"
        assert Subscription.objects.get().topic == breaking, "a label is no consent"

    def test_mailchimp(self, breaking: Topic) -> None:
        reports = {name: bring(text, breaking) for name, text in MAILCHIMP.items()}
        assert {report.tool for report in reports.values()} == {"Mailchimp"}
        assert counts(reports["subscribed"]) == {"lines": 2, "confirmed": 2}
        assert counts(reports["unsubscribed"]) == {"lines": 1, "left": 1}, (
            "also where the time is missing"
        )
        assert counts(reports["cleaned"]) == {"lines": 1, "suppressed": 1}
        assert Suppression.objects.get().reason == "bounced"
        dee = Reader.objects.get(address="dee@reader.example")
        assert [
            (line.event, line.at.isoformat(), line.client_address)
            for line in dee.consents.order_by("pk")
        ] == [
            ("given", "2019-03-01T09:00:00+00:00", "192.0.2.30"),
            ("confirmed", "2019-03-01T09:05:00+00:00", "192.0.2.31"),
        ]
        gil = Consent.objects.get(reader__address="gil@reader.example")
        assert (gil.event, gil.client_address) == ("confirmed", "")

    def test_who_has_not_confirmed_there_stays_pending(self, breaking: Topic) -> None:
        assert counts(bring(MAILCHIMP["subscribed"], breaking, status="unconfirmed")) == {
            "lines": 2,
            "pending": 2,
        }
        assert not Consent.objects.exists()

    def test_a_later_export_ends_what_an_earlier_one_brought(self, breaking: Topic) -> None:
        bring("dee@reader.example\neve@reader.example\n", breaking)
        sign_up(breaking, CY)
        assert confirmation.confirm(newest_link()) is not None
        gone = "email,status\ndee@reader.example,unsubscribed\neve@reader.example,cleaned\n"
        gone += "cy@reader.example,unsubscribed\n"
        for _again in (1, 2):
            bring(gone, breaking)
            assert (state("dee@reader.example"), state("eve@reader.example"), state(CY)) == (
                "unsubscribed",
                "hard bounced",
                "confirmed",
            )
        dee = Reader.objects.get(address="dee@reader.example")
        assert [line.event for line in dee.consents.order_by("pk")] == ["confirmed", "withdrawn"]
        assert dee.subscriptions.get().state == "ended"

    def test_who_stands_in_one_file_as_both_has_left(self, breaking: Topic) -> None:
        report = bring(
            "email,status\ndee@reader.example,active\ndee@reader.example,unsubscribed\n", breaking
        )
        assert counts(report) == {"lines": 2, "left": 2}, "from the first line on"
        assert state("dee@reader.example") == "unsubscribed"
        assert not Consent.objects.exists()

    def test_a_quote_left_open_takes_no_reader_along(self, breaking: Topic) -> None:
        text = (
            'email,name\ndee@reader.example,"Dee\neve@reader.example,Eve "the first"\n'
            'fay@reader.example,"Fay"\n'
        )
        report = bring(text, breaking)
        assert counts(report) == {"lines": 3, "confirmed": 2, "bad": 1}
        assert [problem.line for problem in report.problems] == [2]

    def test_two_stray_quotes_are_no_record_that_spans_lines(self, breaking: Topic) -> None:
        text = (
            'email,name\ndee@reader.example,"Dee\neve@reader.example,Eve\nfay@reader.example",Fay\n'
        )
        report = bring(text, breaking)
        assert counts(report) == {"lines": 3, "confirmed": 1, "bad": 2}
        assert [problem.line for problem in report.problems] == [2, 4]

    def test_a_file_without_addresses_is_refused_whole(self, breaking: Topic) -> None:
        with pytest.raises(NotReadable, match="no column is named email"):
            bring("name;city\nDee;Elle\n", breaking)


def everything() -> list[object]:
    return [
        list(model.objects.order_by("pk").values_list())
        for model in apps.get_app_config("audience").get_models()
    ]


@pytest.fixture
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "_CHUNK", 2)


class TestDryRun:
    TEXT = (
        "email,topics,status\ndee@reader.example,breaking,\neve@reader.example,,pending\n"
        "DEE@reader.example,politics,\n"
        "dee@reader.example,breaking,\ngil@reader.example,,cleaned\n"
        "fay@reader.example,,unsubscribed\n"
        "fay@reader.example,,\ngil@reader.example,,\neve@reader.example,,unsubscribed\n"
        "hal@reader.example,,\nbad\n"
    )

    @pytest.mark.parametrize("provenance", [FROM, None])
    def test_it_tells_what_then_happens_and_writes_nothing(
        self, cy: Reader, breaking: Topic, short_chunks: None, provenance: str | None
    ) -> None:
        text = self.TEXT + "cy@reader.example,,\n"
        before = everything()
        foretold = bring(text, breaking, provenance, dry_run=True)
        assert everything() == before
        assert counts(foretold) == counts(bring(text, breaking, provenance))
        assert foretold.left == 4


class BreaksOff(io.BytesIO):
    """The process dies after so many lines."""

    lines = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        self.lines -= 1
        if self.lines < 0:
            raise KeyboardInterrupt
        return super().readline(size)


class TestResuming:
    TEXT = (
        "email,name\n" + "".join(f'r{n}@reader.example,"Line\none"\n' for n in range(10)) + "bad\n"
    )

    def run(self, breaking: Topic, lines: int = 1000) -> ImportReport:
        file = BreaksOff(self.TEXT.encode())
        file.lines = lines
        return lists.import_readers(
            file,
            topic=breaking,
            provenance=FROM,
            progress=lambda position: None,
            key="k",
            consented_at=AT,
        )

    def test_it_goes_on_where_it_was(
        self, breaking: Topic, short_chunks: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(KeyboardInterrupt):
            self.run(
                breaking, 22 + 1 + 1 + 10
            )  # the survey reads all; then it dies in the second reading
        assert Reader.objects.count() == 4
        written: list[str] = []
        write = Chunk.write
        monkeypatch.setattr(
            Chunk, "write", lambda chunk: written.extend(chunk._keys) or write(chunk)
        )
        report = self.run(breaking)
        assert len(written) == 6, "what was done is not done again"
        assert (report.lines, report.confirmed, report.bad, report.resumed) == (11, 10, 1, 4)
        assert [problem.line for problem in report.problems] == [22]
        assert not UnfinishedImport.objects.exists()
        assert self.run(breaking).known == 10

    def test_the_place_moves_with_the_lines_or_not_at_all(
        self, breaking: Topic, short_chunks: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(chunk: Chunk) -> list[str]:
            raise RuntimeError

        monkeypatch.setattr(Chunk, "_save", broken)
        with pytest.raises(RuntimeError):
            self.run(breaking)
        assert not UnfinishedImport.objects.exists()

    def test_two_at_once_do_not_go_past_each_other(
        self, breaking: Topic, short_chunks: None
    ) -> None:
        def meanwhile(position: int) -> None:
            UnfinishedImport.objects.update(position=position + 40)

        file = io.BytesIO(self.TEXT.encode())
        with pytest.raises(ImportInProgress):
            lists.import_readers(file, topic=breaking, provenance=FROM, progress=meanwhile, key="k")
        assert Reader.objects.count() == 2

    def test_a_file_is_known_by_its_content_and_how_it_is_imported(self, tmp_path: Path) -> None:
        def key(text: str, *how: str | None) -> str:
            path = tmp_path / "readers.csv"
            path.write_text(text)
            with path.open("rb") as file:
                found = lists.identity(file, *how)
                assert file.tell() == 0
            return found

        keys = [key("a", "x", None), key("b", "x", None), key("a", None, "x"), key("a")]
        assert len({*keys, key("a", "x", None)}) == 4


@pytest.mark.django_db
class TestSuppressions:
    def take(self, text: str, reason: str) -> tuple[int, int, int]:
        report = import_suppressions(
            io.BytesIO(text.encode()), reason=reason, progress=lambda position: None
        )
        return report.suppressed, report.known, report.bad

    def test_plain_addresses_and_csv(self, breaking: Topic) -> None:
        assert self.take("Dee@reader.example\nnobody\n", "complained") == (1, 0, 1)
        assert self.take(
            "created,email\n1,dee@READER.example\n2,eve@reader.example\n", "bounced"
        ) == (1, 1, 0)
        assert dict(Suppression.objects.values_list("key", "reason")) == {
            parse("dee@reader.example").key: "complained",
            parse("eve@reader.example").key: "bounced",
        }
        assert counts(bring("dee@reader.example\n", breaking)) == {"lines": 1, "suppressed": 1}
        with pytest.raises(NotReadable):
            self.take("name\nDee\n", "bounced")

    def test_a_list_of_readers_is_not_taken_for_one(self, breaking: Topic) -> None:
        with pytest.raises(NotReadable, match=r"line 3 .*readers import"):
            self.take(
                "email,status\ndee@reader.example,bounced\neve@reader.example,Subscribed\n",
                "bounced",
            )
        assert not Suppression.objects.exists()
        bounces = "status,reason,email,created\n5.1.1,unknown,Dee <dee@reader.example>,1700000000\n"
        assert self.take(bounces.replace(",", "\t"), "bounced") == (1, 0, 0)
        with pytest.raises(NotReadable, match="call that column email"):
            self.take("ours,theirs\ndee@reader.example,eve@reader.example\n", "bounced")

    @pytest.mark.parametrize(
        ("reason", "then"),
        [
            ("bounced", "hard bounced"),
            ("complained", "complained"),
            ("left elsewhere", "unsubscribed"),
            ("desk", "unsubscribed"),
            ("erased", ""),
        ],
    )
    def test_readers_among_them_are_told_of_it(self, cy: Reader, reason: str, then: str) -> None:
        assert self.take("cy@reader.example\n", reason) == (1, 0, 0)
        assert Suppression.objects.get().reason == reason
        assert list(Reader.objects.values_list("state", flat=True)) == ([then] if then else [])
        withdrawn = Consent.objects.filter(event="withdrawn").count()
        assert withdrawn == (1 if then == "unsubscribed" else 0)

    @pytest.mark.parametrize(
        ("reason", "then", "active"),
        [("bounced", "confirmed", True), ("complained", "unsubscribed", False)],
    )
    def test_a_mistake_can_be_lifted(
        self, cy: Reader, reason: str, then: str, active: bool
    ) -> None:
        self.take("cy@reader.example\n", reason)
        suppression = Suppression.objects.get()
        for _again in (1, 2):
            lift(suppression, Consent.How.DESK)
        cy.refresh_from_db()
        assert not Suppression.objects.exists()
        assert cy.state == then
        assert (cy.subscriptions.get().state == "active") is active
        assert Consent.objects.filter(event="withdrawn", how="desk").count() == (0 if active else 1)

    def test_the_erased_may_come_back_by_themselves(self, cy: Reader, breaking: Topic) -> None:
        erasure.erase(cy)
        sign_up(breaking, CY)
        assert not Reader.objects.exists()
        lift(Suppression.objects.get(), Consent.How.COMMAND)
        sign_up(breaking, CY)
        assert confirmation.confirm(newest_link()) is not None


@pytest.mark.django_db
class TestCommands:
    @pytest.fixture
    def morefollows(
        self, capsys: pytest.CaptureFixture[str]
    ) -> Callable[..., tuple[int, str, str]]:
        from morefollows.cli.main import run

        def command(*words: str) -> tuple[int, str, str]:
            code = run(list(words))
            return code, *capsys.readouterr()

        return command

    def test_an_import_is_rehearsed_and_then_made(
        self, breaking: Topic, tmp_path: Path, morefollows: Callable[..., tuple[int, str, str]]
    ) -> None:
        path = tmp_path / "nonsubscribed_segment_export_1.csv"
        path.write_text(MAILCHIMP["subscribed"])
        code, out, _err = morefollows(
            "readers", "import", str(path), "--provenance", FROM, "--dry-run"
        )
        assert code == 0
        assert "2 lines read, as Mailchimp exports them." in out
        assert "Nothing was written" in out
        assert not Reader.objects.exists()
        code, out, _err = morefollows(
            "readers", "import", str(path), "--provenance", FROM, "--json"
        )
        found = json.loads(out)
        assert (found["tool"], found["pending"], found["dry_run"], found["resumed"]) == (
            "Mailchimp",
            2,
            False,
            0,
        )
        code, _out, err = morefollows("readers", "import", str(path), "--status", "asleep")
        assert (code, "--status" in err) == (2, True)

    def test_suppressions_come_in_and_not_out(
        self, cy: Reader, tmp_path: Path, morefollows: Callable[..., tuple[int, str, str]]
    ) -> None:
        path = tmp_path / "list.txt"
        path.write_text("cy@reader.example\nnobody\n")
        code, out, err = morefollows("suppressions", "import", str(path), "--reason", "complained")
        assert (code, out) == (1, "1 addresses suppressed; 0 were so before.\n")
        assert "line 2: the @ is missing" in err
        assert "no export" in morefollows("suppressions", "--help")[1]
        code, out, _err = morefollows("suppressions", "lift", "CY@reader.example")
        assert (code, out.startswith("Lifted."), out.endswith("(complained).\n")) == (0, True, True)
        assert morefollows("suppressions", "lift", "cy@reader.example")[::2] == (
            1,
            "This address is not suppressed.\n",
        )

    def test_the_benchmark_sets_a_larger_import_beside_a_smaller_one(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = readers_import.measure(1_000)
        assert real.lines == 1_000
        assert real.memory > 10_000_000
        monkeypatch.setattr(
            readers_import,
            "measure",
            lambda lines: real._replace(lines=lines, memory=real.memory + lines),
        )
        words = ["--lines", "3000", "--beside", "1000", "--json"]
        done = CliRunner().invoke(readers_import.bench_import, words)
        found = json.loads(done.stdout)
        assert (done.exit_code, [run["lines"] for run in found["runs"]]) == (0, [1000, 3000])
        assert 1 <= found["memory_ratio"] < 1.01

    def test_the_evidence_comes_out(
        self, breaking: Topic, tmp_path: Path, morefollows: Callable[..., tuple[int, str, str]]
    ) -> None:
        sign_up(breaking, CY, offers=True)
        assert confirmation.confirm(newest_link()) is not None
        code, _out, err = morefollows(
            "readers", "export", str(tmp_path / "lines.csv"), "--evidence"
        )
        assert (code, "4 lines of evidence" in err) == (0, True)
        lines = (tmp_path / "lines.csv").read_text().splitlines()
        assert lines[0].startswith(
            "email,purpose,topic,event,how,at,words,version,privacy_version,language,page"
        )
        assert lines[1].startswith("cy@reader.example,alerts,breaking,given,form,20")
        assert lines[1].endswith(",https://alerts.herald.example/story/1/,1,192.0.2.7")
        assert lines[4].startswith("cy@reader.example,offers,,confirmed,link,20")
