"""What Excel, Word and mail programs leave in lists, and lists that come back as they went."""

from __future__ import annotations

import contextlib
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from morefollows.audience.addresses import BadAddress, parse
from morefollows.audience.lists import ImportReport, NotReadable, export_readers
from morefollows.audience.lists.parsing import cells, dates, vocabulary
from morefollows.audience.models import Consent, Reader, Topic
from tests.audience.test_imports import bring, state

DATE = "2023-03-04"


def take(text: str | bytes, topic: Topic, **told: Any) -> ImportReport:
    """An import in which only the file itself says when its readers agreed."""
    return bring(text, topic, consented_at=None, **told)


def states() -> dict[str, str]:
    """Of those whose address is kept."""
    return dict(Reader.objects.exclude(address="").values_list("address", "state"))


class TestWhatProgramsLeave:
    @pytest.mark.parametrize(
        ("cell", "kind"),
        [
            ("dee@reader.example", ""),
            (" dee@reader.example\t", ""),
            ("dee@reader.example.", cells.MARKS),
            ("dee@reader.example;", cells.MARKS),
            ("dee@reader.example ,", cells.MARKS),
            ("<dee@reader.example>", cells.NAMES),
            ("Dee <dee@reader.example>", cells.NAMES),
            ("'Dee, the first' <dee@reader.example>;", cells.NAMES),
            ("dee@reader.example <mailto:dee@reader.example>", cells.NAMES),
            ("Dee (Dee@Reader.example)", cells.NAMES),
            ("mailto:dee@reader.example?subject=News", cells.MAILTO),
            ("MAILTO:dee@reader.example", cells.MAILTO),
            ("\u200bdee@reader.example", cells.BLANKS),
            ("\u00a0dee@reader.example\u00a0", cells.BLANKS),
            ("\ufeffdee@rea\u00adder.example", cells.BLANKS),
            ("\u200fdee@reader.example\u202c", cells.BLANKS),
            ("dee@reader.example\x00\x00", cells.BLANKS),
            ("\u201cdee@reader.example\u201d", cells.QUOTES),
            ("\u201edee@reader.example\u201c", cells.QUOTES),
            ("'dee@reader.example'", cells.QUOTES),
            ('=""dee@reader.example""', cells.QUOTES),
            ("dee@reader.example (Dee, the first)", cells.NAMES),
            ("dee@reader.example\n", ""),
            ("\u00abdee@reader.example\u00bb", cells.QUOTES),
        ],
    )
    def test_around_an_address(self, breaking: Topic, cell: str, kind: str) -> None:
        report = take(f'name;email;confirmed_at\nDee;"{cell}";{DATE}\n', breaking)
        assert (report.confirmed, state("dee@reader.example")) == (1, "confirmed")
        assert kind in report.repairs if kind else not report.repairs

    @pytest.mark.parametrize(
        "cell",
        [
            "dee@reader.example, eve@reader.example",
            "dee@reader.example eve@reader.example",
            "Dee <dee@reader.example>; Eve <eve@reader.example>",
            "o\u2019brien@reader.example",
            "\uff44ee@reader.example",
            "dee smith@reader.example",
            '""dee smith""@reader.example',
            "d\u202eee@reader.example",
            "dee\x00@reader.example",
            "dee(at)reader.example",
        ],
    )
    def test_what_is_not_certain_is_named_by_its_line(self, breaking: Topic, cell: str) -> None:
        report = take(
            f'name;email;confirmed_at\nDee;"{cell}";{DATE}\nFay;fay@reader.example;{DATE}\n',
            breaking,
        )
        assert [problem.line for problem in report.problems] == [2]
        assert "@" not in report.problems[0].reason.replace("the @", "").replace(
            "name@example.org", ""
        )
        assert list(states()) == ["fay@reader.example"]

    @pytest.mark.parametrize(
        "file",
        [
            "email\tname\r\ndee@reader.example\tJos\u00e9\r\n".encode("utf-16"),
            "email\tname\ndee@reader.example\tDee\n".encode("utf-16-le"),
            "email,name\ndee@reader.example,Dee\n".encode("utf-32"),
            "email,name\ndee@reader.example,Andr\u00e9\n".encode("cp1252"),
            "email,pr\u00e9nom\ndee@reader.example,Andr\u00e9\n".encode("mac_roman"),
            b"email,name\rdee@reader.example,Dee\r",
            b"email,name\r\ndee@reader.example,Dee\reve@nowhere,Eve\r\n",
            b"sep=;\r\nemail;name\r\ndee@reader.example;Dee\r\n",
            b'email;"Name, vorname"\ndee@reader.example;"B, A"\n',
            b"email|name\ndee@reader.example|Dee, B\n",
            b'"email,name"\n"dee@reader.example,""Dee, B"""\n',
            b'"email;name";;\n"dee@reader.example;Dee";;\n',
            b"Unsere Leser 2024;;\n;;\nName;E-Mail Address;Ort\nDee;dee@reader.example;Elle\n",
            b"\n\nName,Kontakt\nDee,dee@reader.example\n\nName,Kontakt\n",
            b"Dee,dee@reader.example\n",
            "\u201cemail\u201d\ndee@reader.example\n".encode(),
            "Adresse de courriel;Pr\u00e9nom\ndee@reader.example;D\n".encode(),
            "Correo electr\u00f3nico\ndee@reader.example\n".encode(),
            b"postal address,mail\n1 Harbour Road,dee@reader.example\n",
            b"address,phone\ndee@reader.example,1234567\n",
        ],
    )
    def test_files(self, breaking: Topic, file: bytes) -> None:
        report = bring(file, breaking)
        assert report.confirmed == 1
        assert list(states()) == ["dee@reader.example"]

    @pytest.mark.parametrize("file", [b"PK\x03\x04rest", b"\xd0\xcf\x11\xe0", b"\x1f\x8b\x08"])
    def test_what_is_no_text_is_named(self, breaking: Topic, file: bytes) -> None:
        with pytest.raises(NotReadable, match="save the list as CSV"):
            bring(file, breaking)

    def test_two_columns_of_addresses_are_asked_about(self, breaking: Topic) -> None:
        text = "Ours,Theirs\ndee@reader.example,eve@reader.example\n"
        with pytest.raises(NotReadable, match="Ours, Theirs"):
            bring(text, breaking)
        assert bring(text, breaking, columns={"Theirs": "email"}).confirmed == 1
        assert list(states()) == ["eve@reader.example"]

    def test_a_line_of_nothing_but_addresses_is_as_many_readers(self, breaking: Topic) -> None:
        report = bring(
            "Dee <dee@reader.example>, eve@reader.example; fay@reader.example\n"
            "gil@reader.example\n",
            breaking,
        )
        assert (report.confirmed, report.repairs[cells.SEVERAL]) == (4, 1)

    def test_letters_of_an_unknown_encoding_are_not_guessed_in_an_address(
        self, breaking: Topic
    ) -> None:
        report = bring(
            "email,name\nj\u00f6rg@reader.example,J\ndee@reader.example,D\u00f6\n".encode("cp1252"),
            breaking,
        )
        assert [problem.line for problem in report.problems] == [2]
        assert list(states()) == ["dee@reader.example"]

    @pytest.mark.parametrize(
        ("cell", "then"),
        [
            ("2023-03-04", "2023-03-04T00:00"),
            ("2023-03-04T05:06:07.5+02:00", "2023-03-04T03:06"),
            ("45231.5", "2023-11-01T12:00"),
            ("45231", "2023-11-01T00:00"),
            ("04.03.2023 05:06", "2023-03-04T05:06"),
            ("4.3.23", "2023-03-04T00:00"),
            ("31/03/2023 5:06 PM", "2023-03-31T17:06"),
            ("03/31/2023, 12:06 am", "2023-03-31T00:06"),
            ("2023/03/04 05:06", "2023-03-04T05:06"),
            ("4 March 2023", "2023-03-04T00:00"),
            ("Mar 4, 2023 5:06:07 AM", "2023-03-04T05:06"),
            ("4. März 2023", "2023-03-04T00:00"),
            ("4 février 2023", "2023-02-04T00:00"),
            ("4 juin 2023", "2023-06-04T00:00"),
            ("4 de enero de 2023", "2023-01-04T00:00"),
            ("04-Mar-23", "2023-03-04T00:00"),
            ("Sat, 04 Mar 2023 05:06:07 +0100", "2023-03-04T04:06"),
            (
                "Sat Mar 04 2023 05:06:07 GMT+0100 (Central European Standard Time)",
                "2023-03-04T04:06",
            ),
            ("1677906367", "2023-03-04T05:06"),
            ("1677906367000", "2023-03-04T05:06"),
            ("2023-03-04 05:06:07.123456789 +0000 UTC", "2023-03-04T05:06"),
        ],
    )
    def test_dates(self, cell: str, then: str) -> None:
        assert dates.parse_time(cell)[0].astimezone(UTC).isoformat().startswith(then)

    @pytest.mark.parametrize(
        "cell", ["yesterday", "31/31/2023", "32.01.2023", "1", "12:30", "2023", "99999999999999"]
    )
    def test_what_is_no_date_is_none(self, cell: str) -> None:
        with pytest.raises(dates.Unreadable):
            dates.parse_time(cell)

    def test_day_and_month_are_told_by_the_file_or_by_the_operator(self, breaking: Topic) -> None:
        two_ways = "email,confirmed_at\ndee@reader.example,02/03/2023\n"
        report = take(two_ways, breaking)
        assert (report.pending, report.untimed, "say --dates" in " ".join(report.repairs)) == (
            1,
            1,
            True,
        )
        take(two_ways, breaking, dates="month-first")
        assert Reader.objects.get().confirmed_at == datetime(2023, 2, 3, tzinfo=UTC)
        take(
            "email,confirmed_at\neve@reader.example,02/03/2023\nfay@reader.example,13/03/2023\n",
            breaking,
        )
        assert Reader.objects.get(address="eve@reader.example").confirmed_at == datetime(
            2023, 3, 2, tzinfo=UTC
        )


LOCALS = st.from_regex(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\.[a-z0-9=+'-]{1,5})?", fullmatch=True
) | st.from_regex(r"[a-zéßñ=+'-]{1,12}", fullmatch=True)


@given(st.lists(LOCALS, min_size=1, max_size=20), st.data())
@pytest.mark.django_db(transaction=False)
def test_every_address_comes_through_a_cell_as_it_went(
    locals_: list[str], data: st.DataObject
) -> None:
    from morefollows.helpers import spreadsheet

    for local in locals_:
        try:
            address = parse(f"{local}@reader.example")
        except BadAddress:
            continue
        found = cells.addresses_in(str(spreadsheet.harmless(address.text)))
        assert [parse(one).key for one in found.addresses] == [address.key]
        assert found.addresses == [address.text]


def test_our_own_export_comes_back_without_loss(breaking: Topic) -> None:
    """Into another newsroom's empty database."""
    made = [
        "=cmd|'x'@reader.example",
        "+1@reader.example",
        "'a'@reader.example",
        "o'neill@bücher.example",
    ]
    rows = "".join(
        f"{spreadsheet_cell(one)},de,breaking politics,confirmed,{DATE}T10:00:00+00:00\n"
        for one in made
    )
    rows += (
        "pam@reader.example,en,weather,pending,\n"
        f"lea@reader.example,en,breaking,confirmed,{DATE}T10:00:00+00:00\n"
    )
    bring("email,language,topics,status,confirmed_at\n" + rows, breaking)
    out = io.BytesIO()
    export_readers(out)
    before = [
        *Reader.objects.order_by("address").values_list(
            "address", "language", "state", "confirmed_at", "key"
        )
    ]
    from morefollows.audience.models import Erasure, Subscription

    topics = sorted(Subscription.objects.values_list("reader__address", "topic__slug", "state"))
    for reader in Reader.objects.all():
        Erasure.objects.create(reader=reader)
        Consent.objects.filter(reader=reader).delete()
        reader.delete()
    assert take(out.getvalue(), breaking).bad == 0
    after = [
        *Reader.objects.order_by("address").values_list(
            "address", "language", "state", "confirmed_at", "key"
        )
    ]
    assert after == before
    assert (
        sorted(Subscription.objects.values_list("reader__address", "topic__slug", "state"))
        == topics
    )


def spreadsheet_cell(text: str) -> str:
    from morefollows.helpers import spreadsheet

    return str(spreadsheet.harmless(text))


@pytest.mark.parametrize(
    "note",
    [
        "asked to be taken off the list in March",
        "please remove from mailing list",
        "phoned: doesn’t want it any more",
        "stop sending",
        "is no longer with us",
        "bitte nicht mehr anschreiben",
        "möchte keine Post",
        "ne veut plus rien recevoir",
        "ya no quiere",
        "wil geen berichten",
        "non vuole più",
    ],
)
def test_a_note_that_somebody_wants_no_mail_is_found(note: str) -> None:
    assert vocabulary.tells_who_left(note)


@pytest.mark.parametrize(
    "note",
    [
        "nice person",
        "took part in March",
        "offers a list of sights",
        "removed the doubt",
        "schreibt",
    ],
)
def test_other_notes_are_no_reason_to_ask(note: str) -> None:
    assert not vocabulary.tells_who_left(note)


@given(st.text())
def test_no_cell_breaks_the_words_and_dates(text: str) -> None:
    vocabulary.tells_who_left(text)
    vocabulary.may_tell_who_left(vocabulary.compact(text))
    assert isinstance(vocabulary.is_empty(text), bool)
    cells.addresses_in(text)
    assert "@reader" not in cells.masked_addresses(f"dee@reader.example {text}")
    with contextlib.suppress(dates.Unreadable, dates.Ambiguous):
        dates.parse_time(text)


_WORDS = [
    "email",
    "Opt-out",
    "status",
    "dee@reader.example",
    "unsubscribed",
    "yes",
    "sep=;",
    "2023-01-02",
    "45231.5",
]
PIECES = st.sampled_from(
    [*_WORDS, *"<>'=é|@,;", " ", "\t", '"', "\n", "\r\n", "\r", "\ufeff", "\x00", "\u202e"]
)
ENCODINGS = st.sampled_from(["utf-8", "utf-16", "utf-16-le", "cp1252"])


@given(st.lists(PIECES, max_size=60).map("".join), ENCODINGS, st.binary())
def test_whatever_the_file_it_is_surveyed_or_refused(text: str, encoding: str, more: bytes) -> None:
    from morefollows.audience.lists.parsing.sheet import Sheet
    from morefollows.audience.lists.parsing.survey import OperatorAnswers, survey

    with (
        contextlib.suppress(NotReadable),
        Sheet(io.BytesIO(text.encode(encoding, "replace") + more)) as sheet,
    ):
        found = survey(sheet, OperatorAnswers())
        sheet.go_back()
        assert sum(1 for _ in sheet.records()) == found.lines
        found.restrictions.close()
