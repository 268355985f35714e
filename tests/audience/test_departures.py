"""Departures survive the restore of a backup: a file keeps them and they are replayed."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from morefollows.audience import departures, erasure, lists
from morefollows.audience import drills as drill
from morefollows.audience.addresses import parse
from morefollows.audience.consent import confirmation, withdrawal
from morefollows.audience.departures import DepartureKind, log, replay
from morefollows.audience.departures.log import Departure
from morefollows.audience.link_tokens import links
from morefollows.audience.models import (
    Consent,
    DepartureMark,
    DrillReader,
    Letter,
    Purpose,
    Reader,
    Subscription,
    Suppression,
    Topic,
)
from morefollows.audience.preferences import address_change
from morefollows.audience.suppression import actions as suppressions
from morefollows.audience.suppression import suppressing
from tests.audience.support import CY, leave_link, newest_link, sign_up
from tests.support.waiting import PATIENCE

KEY = "a" * 64


@pytest.fixture(autouse=True)
def no_file() -> Iterator[None]:
    departures.log_path().unlink(missing_ok=True)
    yield
    departures.log_path().unlink(missing_ok=True)


def _import(text: str, topic: Topic) -> None:
    file = io.BytesIO(text.encode())
    lists.import_readers(
        file, topic=topic, provenance="the old list", progress=lambda position: None
    )


class Backup:
    """Stands for a backup of the database: `restore` undoes every change, but not in the file."""

    def __enter__(self) -> Backup:
        self._atomic = transaction.atomic()
        self._atomic.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *others: object) -> None:
        if kind is None:
            transaction.set_rollback(True)
        self._atomic.__exit__(kind, *others)  # type: ignore[arg-type]


@pytest.fixture
def confirmed(breaking: Topic) -> Reader:
    sign_up(breaking, offers=True)
    assert confirmation.confirm(newest_link()) is not None
    return Reader.objects.get()


def states() -> dict[str, str]:
    return dict(Subscription.objects.values_list("topic__slug", "state"))


class TestWhoHasLeft:
    def test_by_the_link_in_the_mail(self, confirmed: Reader, breaking: Topic) -> None:
        with Backup():
            assert withdrawal.unsubscribe(leave_link(confirmed, breaking), "one-click")
        assert states() == {"breaking": "active"}
        assert +replay.own() == {"topic": 1}, "which ends the offers, too"
        confirmed.refresh_from_db()
        assert states() == {"breaking": "ended"} and (confirmed.state, confirmed.offers) == (
            "unsubscribed",
            False,
        )
        last = Consent.objects.filter(purpose=Purpose.ALERTS).latest("pk")
        assert (last.event, last.how) == ("withdrawn", "restored")
        assert last.at <= timezone.now()
        lines = Consent.objects.count()
        assert not +replay.own() and Consent.objects.count() == lines, "again, it changes nothing"

    def test_offers_alone(self, confirmed: Reader) -> None:
        with Backup():
            withdrawal.withdraw_consent(confirmed, Purpose.OFFERS, how="link")
        replay.own()
        confirmed.refresh_from_db()
        assert not confirmed.offers and states() == {"breaking": "active"}

    def test_drills(self, confirmed: Reader) -> None:
        part = drill.invite_reader(parse(CY), "en")
        DrillReader.objects.filter(pk=part.pk).update(confirmed_at=timezone.now())
        with Backup():
            assert drill.remove_reader(confirmed.pk)
        replay.own()
        assert not DrillReader.objects.exists()

    def test_by_erasure_and_then_the_address_is_not_mailed(
        self, confirmed: Reader, breaking: Topic
    ) -> None:
        with Backup():
            erasure.erase(confirmed)
        replay.own()
        assert not Reader.objects.exists() and Suppression.objects.get().reason == "erased"

    def test_whom_the_backup_does_not_know_at_all(self, breaking: Topic) -> None:
        with Backup():
            sign_up(breaking)
            erasure.erase(Reader.objects.get())
        replay.own()
        assert Suppression.objects.get().key == parse(CY).key

    @pytest.mark.parametrize(
        ("reason", "state"), [("complained", "complained"), ("bounced", "hard bounced")]
    )
    def test_by_a_complaint_or_as_the_mailbox_is_gone(
        self, confirmed: Reader, reason: str, state: str
    ) -> None:
        with Backup():
            suppressing.suppress_readers([confirmed.pk], reason)
        replay.own()
        confirmed.refresh_from_db()
        assert confirmed.state == state and Suppression.objects.get().reason == reason

    def test_by_a_list_of_those_who_left_elsewhere(self, breaking: Topic) -> None:
        """Holds for known and unknown readers, and no later import brings them back."""
        came = (
            "email,confirmed_at\ncy@reader.example,2024-03-01 09:00\n"
            "flo@reader.example,2024-03-01 09:00\n"
        )
        _import(came, breaking)
        with Backup():
            _import(
                "email,status\ncy@reader.example,unsubscribed\neve@reader.example,unsubscribed\n",
                breaking,
            )
        replay.own()
        _import(came.replace("flo@", "eve@"), breaking)
        cy, flo = (
            Reader.objects.get(key=parse(f"{name}@reader.example").key) for name in ("cy", "flo")
        )
        assert (cy.state, flo.state) == ("unsubscribed", "confirmed")
        active = Subscription.objects.filter(state="active").values_list("reader", flat=True)
        assert list(active) == [flo.pk]
        assert replay.own() == Counter()

    def test_to_another_address(self, confirmed: Reader) -> None:
        with Backup():
            address_change.ask_new_address(confirmed, parse("new@reader.example"))
            letter = Letter.objects.get(kind=Letter.Kind.NEW_ADDRESS)
            assert address_change.move(links.link_tokens().new_address(links.row(letter)).decode())
        confirmed.refresh_from_db()
        assert confirmed.address == CY
        replay.own()
        confirmed.refresh_from_db()
        assert confirmed.state == "unsubscribed" and states() == {"breaking": "ended"}, (
            "nothing goes to the old address"
        )

    def test_a_suppression_that_was_lifted_stays_lifted(
        self, confirmed: Reader, django_capture_on_commit_callbacks: Callable[..., Any]
    ) -> None:
        suppressing.suppress_readers([confirmed.pk], "bounced")
        with Backup(), django_capture_on_commit_callbacks(execute=True):
            suppressions.lift(Suppression.objects.get(), "desk")
        replay.own()
        confirmed.refresh_from_db()
        assert confirmed.state == "confirmed" and not Suppression.objects.exists()


class TestWhoCameBack:
    def test_to_a_topic_stays(self, confirmed: Reader, breaking: Topic) -> None:
        assert withdrawal.unsubscribe(leave_link(confirmed, breaking), "one-click")
        sign_up(breaking)
        assert confirmation.confirm(newest_link()) is not None
        assert not +replay.replay(departures.log_path(), whole=True)
        assert states() == {"breaking": "active"}

    def test_before_the_file_was_put_in_stays(self, confirmed: Reader, breaking: Topic) -> None:
        with Backup():
            suppressing.suppress_readers([confirmed.pk], "bounced")
        Letter.objects.all().delete()
        sign_up(Topic.objects.get(slug="politics"))
        assert confirmation.confirm(newest_link()) is not None
        replay.own()
        assert not Suppression.objects.exists()


def test_only_what_the_database_has_not_seen_is_looked_at(
    confirmed: Reader, breaking: Topic
) -> None:
    withdrawal.withdraw_consent(confirmed, Purpose.OFFERS, how="link")
    replay.own()
    mark = DepartureMark.objects.get()
    assert mark.log == log.name_of(departures.log_path())
    later = mark.at_ms + 2 * 3_600_000
    log.append(departures.log_path(), [Departure(later, DepartureKind.SUPPRESSED, KEY, "desk")])
    log.append(departures.log_path(), [Departure(5, DepartureKind.SUPPRESSED, "b" * 64, "desk")])
    assert +replay.own() == {"suppressed": 1}
    assert Suppression.objects.get().key == KEY


def test_what_is_rolled_back_is_in_the_file_and_no_address_is(
    confirmed: Reader, breaking: Topic
) -> None:
    with Backup():
        withdrawal.unsubscribe(leave_link(confirmed, breaking), "one-click")
        raw = departures.log_path().read_text()
        assert confirmed.key in raw, "on disk before the commit"
    assert CY not in raw and "reader.example" not in raw
    assert departures.log_path().stat().st_mode & 0o777 == 0o600


def test_a_departure_does_not_fail_of_a_disk_that_does(
    confirmed: Reader,
    breaking: Topic,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(log, "append", full)
    assert withdrawal.unsubscribe(leave_link(confirmed, breaking), "one-click")
    assert states() == {"breaking": "ended"} and "No space left" in caplog.text


class TestFile:
    def test_a_torn_last_line_costs_nothing_but_itself(self, tmp_path: Path) -> None:
        file = tmp_path / log.NAME
        entries = [Departure(number, "topic", KEY, f"{number:032x}") for number in range(1, 4)]
        log.append(file, entries)
        whole = file.read_bytes()
        for length in range(len(whole) - 1, whole.index(b"\n") + 1, -7):
            file.write_bytes(whole[:length])
            log.append(file, [Departure(9, "suppressed", KEY, "left elsewhere")])
            found = list(log.read_entries(file))
            assert found[-1] == Departure(9, "suppressed", KEY, "left elsewhere")
            assert found[:-1] == entries[: len(found) - 1]

    def test_several_processes_write_at_once(self, tmp_path: Path) -> None:
        file = tmp_path / log.NAME
        code = (
            "import sys; from pathlib import Path; from morefollows.audience.departures import "
            "log\n"
            "for n in range(50): log.append(Path(sys.argv[1]), [log.Departure(n, sys.argv[2], 'k' "
            "* 64, 'd')] * 3)"
        )
        # The package's own settings are not read: this part needs no Django.
        code = code.replace("from morefollows.audience.departures import log", _LOAD)
        writers = [
            subprocess.Popen([sys.executable, "-c", code, str(file), f"w{n}"], env=os.environ)
            for n in range(4)
        ]
        assert [writer.wait(PATIENCE) for writer in writers] == [0] * 4
        assert Counter(entry.what for entry in log.read_entries(file)) == {
            f"w{n}": 150 for n in range(4)
        }
        assert file.read_text().count("morefollows-departures") == 1

    def test_it_is_compacted_when_a_month_can_go(self, tmp_path: Path) -> None:
        file, day = tmp_path / log.NAME, 86_400_000
        log.append(
            file, [Departure(number * day, "topic", f"{number:064x}", "t") for number in range(100)]
        )
        log.append(
            file,
            [
                Departure(99 * day, "suppressed", KEY, "desk"),
                Departure(99 * day + 1, "lifted", KEY),
            ],
        )
        name = log.name_of(file)
        assert log.compact(file, 20 * day) == 0
        assert log.compact(file, 60 * day) > 0
        kept = list(log.read_entries(file))
        assert [entry.at_ms // day for entry in kept] == [*range(60, 100), 99]
        assert kept[-1].what == "lifted" and log.name_of(file) == name
        log.append(file, [Departure(200 * day, "topic", KEY, "t")])
        assert len(list(log.read_entries(file))) == 42

    def test_another_file_is_refused(self, tmp_path: Path) -> None:
        other = tmp_path / "other.txt"
        other.write_text("a, b\n")
        with pytest.raises(ValueError, match="is not a file of departures"):
            log.name_of(other)


_LOAD = (
    "import importlib.util; spec = importlib.util.spec_from_file_location('log', "
    f"{str(Path(log.__file__))!r}); log = importlib.util.module_from_spec(spec); "
    "sys.modules['log'] = log; "
    "spec.loader.exec_module(log)"
)


def test_the_mark_goes_back_with_the_database(confirmed: Reader) -> None:
    with Backup():
        withdrawal.withdraw_consent(confirmed, Purpose.OFFERS, how="link")
        replay.own()
        assert DepartureMark.objects.exists()
    assert not DepartureMark.objects.exists() and connection.in_atomic_block
    assert +replay.own() == {"offers": 1}
