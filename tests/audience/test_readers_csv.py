"""Readers in and out as CSV."""

from __future__ import annotations

import io
import re
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st

from morefollows.audience import lists
from morefollows.audience.addresses import parse
from morefollows.audience.consent import confirmation, withdrawal
from morefollows.audience.lists import ImportReport, export_readers
from morefollows.audience.models import Consent, Letter, Reader, Subscription, Suppression, Topic
from morefollows.helpers import spreadsheet
from tests.audience.support import leave_link, newest_link, sign_up

FROM = "sign-up form of the old site, 2024"


AT = datetime(2024, 3, 1, tzinfo=UTC)


def bring(
    text: str | bytes, topic: Topic | None = None, provenance: str | None = FROM
) -> ImportReport:
    file = io.BytesIO(text.encode() if isinstance(text, str) else text)
    return lists.import_readers(
        file, topic=topic, provenance=provenance, progress=lambda position: None, consented_at=AT
    )


def taken(address: str) -> tuple[str, list[str]]:
    """A reader's state and topics."""
    reader = Reader.objects.get(key=parse(address).key)
    active = reader.subscriptions.filter(state="active").order_by("topic__position")
    return reader.state, [subscription.topic.slug for subscription in active]


def counts(report: ImportReport) -> dict[str, int]:
    names = ("lines", "confirmed", "pending", "known", "left", "suppressed", "bad")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


class TestImport:
    def test_with_provenance_readers_come_in_as_confirmed_with_evidence(
        self, breaking: Topic
    ) -> None:
        report = bring(
            "email,language,topics,status,confirmed_at\n"
            "Dee@Reader.example,de,breaking politics,confirmed,2024-03-01T08:00:00Z\n",
        )
        assert counts(report) == {"lines": 1, "confirmed": 1}
        dee = Reader.objects.get()
        assert (dee.address, dee.language, dee.offers) == ("Dee@Reader.example", "de", False)
        assert taken("dee@reader.example") == ("confirmed", ["breaking", "politics"])
        for line in Consent.objects.all():
            assert (line.how, line.event, line.words) == ("import", "confirmed", FROM)
            assert line.at.isoformat() == "2024-03-01T08:00:00+00:00"
        assert Consent.objects.count() == 2
        assert not Letter.objects.exists()

    def test_without_provenance_they_are_pending_and_get_no_mail(self, breaking: Topic) -> None:
        assert counts(bring("dee@reader.example\n", breaking, None)) == {"lines": 1, "pending": 1}
        assert taken("dee@reader.example") == ("pending", [])
        assert not Letter.objects.exists()
        assert not Consent.objects.exists()

    @pytest.mark.parametrize(
        "text",
        [
            "dee@reader.example",
            "\ufeffemail\ndee@reader.example\n",
            "\ufeffdee@reader.example\r\n",
            "E-Mail-Adresse;Sprache\r\ndee@reader.example;de\r\n",
            "name\temail\nDee\tdee@reader.example\n",
            '"email","name"\n"dee@reader.example","Dee, the first"\n',
            "\n\n  dee@reader.example  \n,,\n",
        ],
    )
    def test_it_reads_what_people_have(self, breaking: Topic, text: str) -> None:
        assert counts(bring(text, breaking)) == {"lines": 1, "confirmed": 1}
        assert taken("dee@reader.example") == ("confirmed", ["breaking"])

    def test_bad_lines_are_named_and_the_rest_comes_in(self, breaking: Topic) -> None:
        lines = [
            b"email,language,topics,status,confirmed_at",
            b"dee@reader.example",
            b"not an address",
            b"\xff\xfe@reader.example",
            b'"dee@reader.example',
            b"eve@reader.example,tlh",
            b"eve@reader.example,en,sports",
            b"eve@reader.example,en,,,yesterday",
            b"eve\x00@reader.example",
            b"x" * 20_000,
            b"eve@reader.example",
        ]
        report = bring(b"\n".join(lines), breaking)
        assert counts(report) == {"lines": 10, "confirmed": 2, "bad": 8}
        assert [problem.line for problem in report.problems] == [3, 4, 5, 6, 7, 8, 9, 10]
        assert "the @ is missing" in report.problems[0].reason
        assert "UTF-8" in report.problems[1].reason
        assert "de, en" in report.problems[3].reason
        assert "breaking, politics, weather" in report.problems[4].reason

    def test_no_topic_anywhere_is_a_problem_of_each_line(self, breaking: Topic) -> None:
        report = bring("dee@reader.example\n", None)
        assert [problem.reason for problem in report.problems] == [
            "names no topic, and none was given for the whole file"
        ]

    def test_the_same_twice_changes_nothing_twice(self, breaking: Topic) -> None:
        text = "dee@reader.example\nDEE@reader.example\n"
        assert counts(bring(text, breaking)) == {"lines": 2, "confirmed": 1, "known": 1}
        assert counts(bring(text, breaking)) == {"lines": 2, "known": 2}
        assert Consent.objects.count() == 1

    def test_later_provenance_confirms_who_was_pending(self, breaking: Topic) -> None:
        bring("dee@reader.example\n", breaking, None)
        assert counts(bring("dee@reader.example\n", breaking)) == {"lines": 1, "confirmed": 1}
        assert taken("dee@reader.example") == ("confirmed", ["breaking"])
        assert Subscription.objects.count() == 1

    def test_who_left_is_never_revived(self, breaking: Topic) -> None:
        sign_up(breaking, "dee@reader.example")
        confirmation.confirm(newest_link())
        withdrawal.unsubscribe(leave_link(Reader.objects.get(), breaking), "one-click")
        report = bring("email,topics\nDee@reader.example,breaking weather\n")
        assert counts(report) == {"lines": 1, "left": 1}
        assert taken("dee@reader.example") == ("unsubscribed", [])

    def test_a_topic_that_was_left_stays_left(self, breaking: Topic) -> None:
        bring("email,topics\ndee@reader.example,breaking politics\n")
        withdrawal.unsubscribe(leave_link(Reader.objects.get(), breaking), "link")
        assert counts(bring("dee@reader.example\n", breaking)) == {"lines": 1, "known": 1}
        assert taken("dee@reader.example") == ("confirmed", ["politics"])

    def test_a_suppressed_address_stays_out(self, breaking: Topic) -> None:
        Suppression.objects.create(
            key=parse("dee@reader.example").key, reason="erased", at=timezone.now()
        )
        assert counts(bring("Dee@Reader.Example\n", breaking)) == {"lines": 1, "suppressed": 1}
        assert not Reader.objects.exists()

    def test_who_had_left_before_is_remembered_without_the_address(self, breaking: Topic) -> None:
        text = "email,status\ndee@reader.example,unsubscribed\n"
        text += "eve@reader.example,bounced\nfay@reader.example,complained\n"
        assert counts(bring(text)) == {"lines": 3, "left": 1, "suppressed": 2}
        assert Reader.objects.get().address == ""
        assert sorted(Suppression.objects.values_list("reason", flat=True)) == [
            "bounced",
            "complained",
        ]
        again = bring("dee@reader.example\neve@reader.example\nfay@reader.example\n", breaking)
        assert counts(again) == {"lines": 3, "left": 1, "suppressed": 2}
        sign_up(breaking, "dee@reader.example")  # but Dee herself may
        assert confirmation.confirm(newest_link()) is not None

    def test_the_other_lists_word_does_not_end_a_sign_up_made_here(self, cy: Reader) -> None:
        assert counts(bring("email,status\ncy@reader.example,unsubscribed\n")) == {
            "lines": 1,
            "known": 1,
        }
        assert taken("cy@reader.example") == ("confirmed", ["breaking"])

    def test_progress_is_told_in_bytes(self, breaking: Topic) -> None:
        text = b"".join(b"reader%d@reader.example\n" % n for n in range(2500))
        seen: list[int] = []
        lists.import_readers(
            io.BytesIO(text), topic=breaking, provenance=FROM, progress=seen.append
        )
        assert seen == sorted(seen)
        assert len(seen) == 3
        assert seen[-1] == len(text)

    def test_memory_does_not_grow_with_the_file(self, breaking: Topic) -> None:
        class Endless(io.RawIOBase):
            """Bad lines without end, and without a file behind them."""

            def __init__(self, lines: int) -> None:
                self._lines: Iterator[int] = iter(range(lines))

            def readline(self, size: int | None = -1, /) -> bytes:
                number = next(self._lines, None)
                return b"" if number is None else b"nobody\n" if number else b"email\n"

        def peak(lines: int) -> int:
            tracemalloc.start()
            lists.import_readers(
                Endless(lines), topic=breaking, provenance=FROM, progress=lambda n: None
            )  # type: ignore[arg-type]
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return most

        peak(100)
        assert peak(8_000) < 1.5 * peak(2_000)


class TestExport:
    def test_it_comes_back_as_it_went(self, breaking: Topic) -> None:
        bring(
            "email,language,topics,status\n"
            "dee@reader.example,de,politics breaking,confirmed\n"
            "eve@reader.example,en,weather,pending\n"
        )
        bring("fay@reader.example\n", breaking)
        withdrawal.unsubscribe(
            leave_link(Reader.objects.get(address__startswith="fay"), breaking), "link"
        )
        out = io.BytesIO()
        assert export_readers(out) == 3
        lines = out.getvalue().decode().splitlines()
        assert lines[0] == "email,language,topics,status,confirmed_at,offers"
        assert lines[1].startswith("dee@reader.example,de,breaking politics,confirmed,20")
        assert lines[2] == "eve@reader.example,en,weather,pending,,no"
        assert lines[3].startswith("fay@reader.example,en,,unsubscribed,20")

    def test_only_one_topics_readers(self, breaking: Topic) -> None:
        bring("email,topics\ndee@reader.example,politics\neve@reader.example,breaking\n")
        out = io.BytesIO()
        assert export_readers(out, topic=breaking) == 1
        assert b"dee@" not in out.getvalue()

    def test_no_cell_is_a_formula_and_all_come_back(self, breaking: Topic) -> None:
        locals_ = ["=cmd|'/c.calc'!a0", "+1", "-x", "'=y", "''+z", "'plain"]
        written = [spreadsheet.harmless(f"{local}@reader.example") for local in locals_]
        text = "email,topics\n" + "".join(f"{address},breaking\n" for address in written)
        assert counts(bring(text)) == {"lines": 6, "confirmed": 6}
        assert sorted(Reader.objects.values_list("address", flat=True)) == sorted(
            f"{x}@reader.example" for x in locals_
        )
        out = io.BytesIO()
        export_readers(out)
        assert [
            line.partition(",")[0] for line in out.getvalue().decode().splitlines()[1:]
        ] == written
        assert not any(str(cell).startswith(("=", "+", "-", "@")) for cell in written)
        assert counts(bring(out.getvalue())) == {"lines": 6, "known": 6}


@given(st.one_of(st.text(), st.text("a;'\"=+-@\t\n\r\uff1d", max_size=12)))
@example("x;=cmd|'/c calc'!a0")
@example('x;"=1+1"')
def test_what_is_written_is_never_a_formula_and_can_be_read_back(cell: str) -> None:
    written = spreadsheet.harmless(cell)
    assert isinstance(written, str)
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    # Excel splits at semicolons in half of Europe, and does not mind our quotation marks.
    for part in re.split(r"[;\t\r\n]", written)[1:]:
        assert not part.lstrip('"').startswith(("=", "+", "-", "@"))
    assert spreadsheet.original(written) == cell
