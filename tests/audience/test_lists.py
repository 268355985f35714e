"""Lists of other tools, which also hold who has left: nobody of those is mailed."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from morefollows.audience.addresses import parse
from morefollows.audience.lists import ImportReport, NotReadable, Unclear
from morefollows.audience.models import Consent, Letter, Reader, Suppression, Topic
from tests.audience.test_imports import bring, state

DATE = "2023-03-04"


def take(text: str | bytes, topic: Topic, **told: Any) -> ImportReport:
    """An import in which only the file itself says when its readers agreed."""
    return bring(text, topic, consented_at=None, **told)


def states() -> dict[str, str]:
    """Of those whose address is kept."""
    return dict(Reader.objects.exclude(address="").values_list("address", "state"))


class TestWhoLeftElsewhere:
    """No import mails somebody who opted out in another tool."""

    @pytest.mark.parametrize(
        ("tool", "heading", "stays", "goes"),
        [
            ("MailPoet", "Email,List,Subscription time,List status,Global status",
             ["{},News,2023-03-04 10:00:00,subscribed,Subscribed"],
             ["{},News,2023-03-04 10:00:00,unsubscribed,Subscribed",
              "{},News,2023-03-04 10:00:00,subscribed,Bounced",
              "{},News,2023-03-04 10:00:00,Subscribed,Inactive",
              "{},News,2023-03-04 10:00:00,unconfirmed,Subscribed"]),
            ("Mailjet", "email,name,IsUnsubscribed,IsExcludedFromCampaigns,SubscribedAt",
             ["{},A,false,false,2023-03-04T10:00:00Z"],
             ["{},A,true,false,2023-03-04T10:00:00Z", "{},A,false,true,2023-03-04T10:00:00Z"]),
            ("Brevo",
             "CONTACT ID;EMAIL;FIRSTNAME;EMAIL_BLACKLISTED;SMS_BLACKLISTED;"
             "ADDED_TIME;MODIFIED_TIME",
             ["1;{};A;No;Yes;2023-03-04;2023-03-04", "2;{};A;0;0;04-03-2023 13:14:15;"],
             ["3;{};A;Yes;No;2023-03-04;2023-03-04", "4;{};A;1;0;2023-03-04;"]),
            ("Substack",
             "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at",
             ["{},false,,other,false,2023-03-04T10:00:00.000Z,"],
             ["{},true,,yearly,true,2023-03-04T10:00:00.000Z,2023-03-04"]),
            ("beehiiv", "email,First Name,status,tier,created_at,unsubscribed_at",
             ["{},A,active,free,2023-03-04 10:00:00 UTC,"],
             ["{},A,inactive,free,2023-03-04 10:00:00 UTC,",
              "{},A,active,free,2023-03-04 10:00:00 UTC,2024-01-02",
              "{},A,pending,free,2023-03-04 10:00:00 UTC,"]),
            ("Sendy", "Name,Email,Joined,Last activity,Status",
             ["A,{},2023-03-04,2024-01-01,Active"],
             ["A,{},2023-03-04,,Unsubscribed", "A,{},2023-03-04,,Bounced",
              "A,{},2023-03-04,,Marked as spam",
              "A,{},2023-03-04,,Soft bounced", "A,{},2023-03-04,,Unconfirmed"]),
            ("Ghost", "id,email,name,note,subscribed_to_emails,created_at,deleted_at",
             ["1,{},A,,true,2023-03-04T10:00:00.000Z,"],
             ["2,{},A,,false,2023-03-04T10:00:00.000Z,",
              "3,{},A,,true,2023-03-04T10:00:00.000Z,2024-01-01T00:00:00Z"]),
        ],
        ids=lambda value: value if isinstance(value, str) and value.isalpha() else "",
    )  # fmt: skip
    def test_tools(
        self, breaking: Topic, tool: str, heading: str, stays: list[str], goes: list[str]
    ) -> None:
        lines = [line.format(f"stays{n}@reader.example") for n, line in enumerate(stays)]
        lines += [line.format(f"goes{n}@reader.example") for n, line in enumerate(goes)]
        random.Random(tool).shuffle(lines)
        if tool == "Brevo":
            lines.sort(key=lambda line: "13:14" not in line)
        report = take("\ufeff" + "\r\n".join([heading, *lines]), breaking, dates="day-first")
        assert report.tool == tool
        assert (report.confirmed, report.bad) == (len(stays), 0)
        assert {address for address, is_ in states().items() if is_ == "confirmed"} == {
            f"stays{n}@reader.example" for n in range(len(stays))
        }
        given_at = Consent.objects.order_by("pk")[0].at
        assert given_at.date().isoformat() == DATE

    @pytest.mark.parametrize(
        "heading", ["EMAIL,FIRSTNAME,ADDED_TIME", "uuid,email,attributes,created_at"]
    )
    def test_an_export_that_does_not_say_who_left_is_not_taken(
        self, breaking: Topic, heading: str
    ) -> None:
        line = ",".join(
            "a@reader.example" if "email" in name.lower() else "" for name in heading.split(",")
        )
        with pytest.raises(Unclear, match="without the column that says who has unsubscribed"):
            take(f"{heading}\n{line}\n", breaking)
        assert take(f"{heading}\n{line}\n", breaking, status="confirmed").bad == 0

    @pytest.mark.parametrize(
        "heading",
        [
            "Opt-out", "opt_in", "OptIn", "Unsubscribed", "Email Permission Status",
            "Marketing consent",
            "Accepts Email Marketing", "GDPR", "Bounced", "hard bounces", "Complained",
            "Suppressed?", "Cleaned",
            "Inactive", "Active", "Blocklisted", "black_listed", "Do not email",
            "Subscription state", "Newsletter",
            "abgemeldet", "Abmeldung am", "Werbe-Einwilligung", "Gesperrt", "Widerruf",
            "Zustellbar",
            "désabonné", "Désinscrit le", "Consentement", "Ne pas contacter", "Bloqué",
            "dado de baja", "Cancelado", "Desuscrito", "Consentimiento", "Rebotado",
            "uitgeschreven", "Afgemeld op", "Toestemming", "Geblokkeerd",
            "disiscritto", "Cancellato", "Consenso", "Bloccato", "Rimosso",
        ],
    )  # fmt: skip
    def test_a_heading_that_looks_like_it_stops_the_import(
        self, breaking: Topic, heading: str
    ) -> None:
        text = (
            f"email,{heading},confirmed_at\ndee@reader.example,7,{DATE}\n"
            f"eve@reader.example,,{DATE}\n"
        )
        with pytest.raises(Unclear) as stopped:
            take(text, breaking)
        assert f'--column "{heading}=WORD"' in str(stopped.value)
        assert "dee@" not in str(stopped.value)
        assert not Reader.objects.exists()
        ignored = take(text, breaking, columns={heading: "ignore"})
        assert (
            ignored.confirmed,
            [column.name for column in ignored.columns if column.meaning.value == "ignore"],
        ) == (
            2,
            [heading],
        )

    def test_also_when_nothing_stands_below_it(self, breaking: Topic) -> None:
        with pytest.raises(Unclear, match="0 of 1 lines"):
            take(f"email,Opt-in,confirmed_at\ndee@reader.example,,{DATE}\n", breaking)

    @pytest.mark.parametrize(
        "cell",
        [
            "unsubscribed", "Opted out", "hard bounce", "INACTIVE", "vip; unsubscribed",
            "do not mail", "cleaned",
            "abgemeldet", "désabonné", "dado de baja", "uitgeschreven", "disiscritto",
            "Marked as spam",
            "News (unsubscribed)", "State: opted out", "hat sich am 3. Mai abgemeldet",
            "please do not mail",
        ],
    )  # fmt: skip
    def test_cells_that_look_like_it_stop_the_import(self, breaking: Topic, cell: str) -> None:
        lines = "".join(f"r{n}@reader.example,note {n},{DATE}\n" for n in range(300))
        with pytest.raises(Unclear, match=r'Remark looks as if it told .*--column "Remark=WORD"'):
            take(
                f'email,Remark,confirmed_at\n{lines}dee@reader.example,"{cell}",{DATE}\n', breaking
            )
        assert not Reader.objects.exists()

    def test_a_column_of_yes_and_no_stops_the_import_and_names_do_not(
        self, breaking: Topic
    ) -> None:
        with pytest.raises(Unclear, match="Rundbrief"):
            take(
                f"email,Rundbrief,confirmed_at\ndee@reader.example,ja,{DATE}\n"
                f"eve@reader.example,nein,{DATE}\n",
                breaking,
            )
        harmless = (
            "email,Nachname,Stadt,Bestellungen,confirmed_at\n"
            f"dee@reader.example,Block,Spam,1,{DATE}\n"
        )
        harmless = harmless.replace("Spam", "Elle")
        assert take(harmless, breaking).confirmed == 1

    @pytest.mark.parametrize(
        ("meaning", "cell", "then"),
        [
            *(("opted-out", cell, "unsubscribed") for cell in ("yes", "TRUE", "1", "x", "ja", "oui",
                "sí", DATE, "so so")),
            *(("opted-out", cell, "confirmed") for cell in ("no", "False", "0", "", "nein", "-",
                "0000-00-00", "nie")),
            *(("opted-in", cell, "unsubscribed") for cell in ("no", "false", "0", "nein", "n",
                "unsubscribed", "what")),
            *(("opted-in", cell, "confirmed") for cell in ("yes", "Ja", "1", "x", "✓",
                "subscribed", "2023-01-02")),
            ("opted-in", "", "pending"),
            ("bounced", "hard", "hard bounced"),
            ("bounced", "no", "confirmed"),
            ("complained", "yes", "complained"),
            ("status", "ausgetragen", "unsubscribed"),
            ("status", "Awaiting confirmation", "pending"),
            ("status", "Opted In", "confirmed"),
        ],
    )  # fmt: skip
    def test_what_the_operator_says_a_column_means_counts(
        self, breaking: Topic, meaning: str, cell: str, then: str
    ) -> None:
        text = f"email,Flag,confirmed_at\ndee@reader.example,{cell},{DATE}\n"
        take(text, breaking, columns={"Flag": meaning})
        key = parse("dee@reader.example").key
        found = Suppression.objects.filter(key=key).first()
        reason = {"bounced": "hard bounced", "complained": "complained"}
        assert (reason[found.reason] if found else state("dee@reader.example")) == then

    def test_unknown_words_for_a_status_stop_it_until_they_are_told(self, breaking: Topic) -> None:
        text = (
            f"email,status,confirmed_at\ndee@reader.example,Express,{DATE}\n"
            f"eve@reader.example,Dormant,{DATE}\n"
        )
        with pytest.raises(Unclear, match='"Express", "Dormant"'):
            take(text, breaking)
        assert not Reader.objects.exists()
        take(text, breaking, words={"express": "confirmed", "dormant": "unsubscribed"})
        assert (state("dee@reader.example"), state("eve@reader.example")) == (
            "confirmed",
            "unsubscribed",
        )

    @pytest.mark.parametrize("turned", [False, True])
    def test_the_most_restrictive_row_of_an_address_counts(
        self, breaking: Topic, turned: bool
    ) -> None:
        words = (
            ["subscribed", "unsubscribed", "subscribed"],
            ["subscribed", "unconfirmed"],
            ["active", "bounced", "left"],
        )
        lines = [
            f"{name}@{'READER' if n else 'reader'}.example,{word},{DATE}\n"
            for name, row in zip(("dee", "eve", "fay"), words, strict=True)
            for n, word in enumerate(row)
        ]
        take(
            "email,status,confirmed_at\n" + "".join(reversed(lines) if turned else lines), breaking
        )
        assert (state("dee@reader.example"), state("eve@reader.example")) == (
            "unsubscribed",
            "pending",
        )
        assert Suppression.objects.get().key == parse("fay@reader.example").key
        assert not Consent.objects.filter(event="confirmed").exists()

    def test_also_when_its_own_row_can_not_come_in(self, breaking: Topic) -> None:
        text = f"email,status,language,confirmed_at\ndee@reader.example,active,,{DATE}\n"
        take(text + f"<dee@reader.example>,unsubscribed,tlh,{DATE}\n", breaking)
        assert state("dee@reader.example") == "unsubscribed"

    def test_without_any_time_they_are_pending(self, breaking: Topic) -> None:
        heading = "Email Address,First Name,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LEID,EUID\n"
        text = (
            heading
            + "dee@reader.example,Dee,,,,,1,x\n"
            + f"eve@reader.example,Eve,{DATE} 10:00:00,,,,2,y\n"
        )
        report = take(text, breaking)
        assert (report.tool, report.confirmed, report.pending, report.untimed) == (
            "Mailchimp",
            1,
            1,
            1,
        )
        assert states() == {"dee@reader.example": "pending", "eve@reader.example": "confirmed"}
        assert not Letter.objects.exists()
        assert bring("email\nfay@reader.example\n", breaking, consented_at=None).untimed == 1
        assert bring("email\nfay@reader.example\n", breaking).confirmed == 1, (
            "when the operator says when"
        )
        assert Consent.objects.get(reader__address="fay@reader.example").at == datetime(
            2024, 3, 1, tzinfo=UTC
        )

    def test_a_time_that_lies_ahead_is_none(self, breaking: Topic) -> None:
        year = timezone.now().year + 2
        report = take(f"email,confirmed_at\ndee@reader.example,{year}-01-01\n", breaking)
        assert (report.confirmed, report.bad) == (0, 1)

    @pytest.mark.parametrize(
        "name", ["unsubscribes_24.csv", "suppression-list.csv", "Abgemeldete.csv", "bounces.csv"]
    )
    def test_a_list_of_who_must_not_be_mailed_is_refused(self, breaking: Topic, name: str) -> None:
        with pytest.raises(Unclear, match="morefollows suppressions import FILE"):
            take("email\ndee@reader.example\n", breaking, file_name=name)
        take("email\ndee@reader.example\n", breaking, file_name=name, status="unsubscribed")
        assert state("dee@reader.example") == "unsubscribed"

    def test_so_is_one_that_says_why(self, breaking: Topic) -> None:
        with pytest.raises(Unclear, match="morefollows suppressions import FILE"):
            take(
                "status,reason,email,created\n5.1.1,unknown user,dee@reader.example,1700000000\n",
                breaking,
            )

    def test_a_row_with_cells_too_many_is_not_guessed_at(self, breaking: Topic) -> None:
        text = (
            f"email,name,confirmed_at,Unsubscribed\ndee@reader.example,Dee, the first,{DATE},yes\n"
        )
        report = take(
            text + f"eve@reader.example,Eve,{DATE},no,,\n",
            breaking,
            columns={"Unsubscribed": "opted-out"},
        )
        assert (report.confirmed, [problem.line for problem in report.problems]) == (1, [2])
        assert "has 5 cells" in report.problems[0].reason

    def test_what_is_said_of_everybody_brings_nobody_back(self, breaking: Topic) -> None:
        text = f"email,status,Stop,confirmed_at\ndee@reader.example,unsubscribed,,{DATE}\n"
        text += f"eve@reader.example,x,,{DATE}\n"
        text += f"fay@reader.example,active,yes,{DATE}\ngil@reader.example,pending,,{DATE}\n"
        with pytest.raises(Unclear, match="Stop"):
            take(text, breaking, status="confirmed")
        take(text, breaking, status="confirmed", columns={"Stop": "opted-out"})
        assert {name: state(f"{name}@reader.example") for name in ("dee", "eve", "fay", "gil")} == {
            "dee": "unsubscribed",
            "eve": "confirmed",
            "fay": "unsubscribed",
            "gil": "pending",
        }
        assert take(text, breaking, status="unsubscribed").left == 4

    def test_a_word_for_leaving_in_a_tools_own_lists_stops_it(self, breaking: Topic) -> None:
        heading = "uuid,email,attributes,status,lists,created_at\n"
        line = (
            '1,dee@reader.example,"{{""news"": ""{}""}}",enabled,{},2023-03-04 10:00:00 +0000 UTC\n'
        )
        assert take(heading + line.format("daily", "Politics"), breaking).confirmed == 1
        for attribute, lists in (
            ("unsubscribed", "Politics"),
            ("daily", "Politics (unsubscribed)"),
        ):
            with pytest.raises(Unclear, match="--column"):
                take(heading + line.format(attribute, lists).replace("dee", "eve"), breaking)

    @pytest.mark.parametrize(
        "columns",
        [{"Nonsense": "ignore"}, {"Mail": "nonsense"}],
        ids=["no such column", "no such meaning"],
    )
    def test_what_is_told_of_no_column_is_refused(
        self, breaking: Topic, columns: dict[str, str]
    ) -> None:
        with pytest.raises(NotReadable, match="--column"):
            take("Mail\ndee@reader.example\n", breaking, columns=columns)


@pytest.mark.django_db
class TestCommand:
    @pytest.fixture
    def morefollows(
        self, capsys: pytest.CaptureFixture[str]
    ) -> Callable[..., tuple[int, str, str]]:
        from morefollows.cli.main import run

        def command(*words: str) -> tuple[int, str, str]:
            code = run(list(words))
            return code, *capsys.readouterr()

        return command

    def test_a_person_sees_what_each_column_was_taken_for(
        self, breaking: Topic, tmp_path: Path, morefollows: Callable[..., tuple[int, str, str]]
    ) -> None:
        path = tmp_path / "readers.csv"
        path.write_text(
            "Name;Kontakt;Opt-out;angemeldet am\n"
            f"Dee;dee@reader.example;nein;{DATE}\nEve;eve@reader.example;ja;{DATE}\n"
        )
        words = ("readers", "import", str(path), "--provenance", "fair")
        code, out, err = morefollows(*words)
        assert (code, out) == (1, "")
        assert '--column "Opt-out=WORD"' in err
        code, out, err = morefollows(*words, "--column", "Opt-out=opted-out", "--dry-run")
        assert code == 0
        assert "d…@….example" in out
        assert "dee@" not in out
        for words_ in (
            ("Kontakt", "email", "2"),
            ("Opt-out", "opted-out", "nein"),
            ("Name", "left out", "Dee, Eve"),
        ):
            assert any(all(word in line for word in words_) for line in out.splitlines()), (
                words_,
                out,
            )
        assert "Columns that were left out: Name." in out
        assert not Reader.objects.exists()
        code, out, _err = morefollows(*words, "--column", "Opt-out=opted-out", "--yes")
        assert (code, Reader.objects.get(state="confirmed").address) == (0, "dee@reader.example")

    def test_options_that_make_no_sense_are_refused(
        self, breaking: Topic, tmp_path: Path, morefollows: Callable[..., tuple[int, str, str]]
    ) -> None:
        path = tmp_path / "readers.csv"
        path.write_text("email\ndee@reader.example\n")
        for words in (
            ("--column", "email"),
            ("--value", "x=nonsense"),
            ("--consented-at", "soon"),
            ("--dates", "x"),
        ):
            assert morefollows("readers", "import", str(path), *words)[0] == 2
        assert not Reader.objects.exists()
