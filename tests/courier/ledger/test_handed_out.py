"""After a sender was killed only mails in flight are uncertain, and accepted ones are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from morefollows.audit.models import AuditEntry
from morefollows.courier import actions
from morefollows.courier.batch.batch_run import BatchRun
from morefollows.courier.ledger import claims, handed_out, recovery
from morefollows.courier.ledger.handed_out import HandedOutJournal
from morefollows.courier.models import Batch, Outcome
from morefollows.courier.relays.interface import Reached, Reply
from morefollows.nodes import identity
from tests.courier.support import (
    A_RELAY,
    alert_for,
    claim_batch_runs,
    cut_from_start,
    prepared_alert,
    write,
)

pytestmark = pytest.mark.django_db

OK = Reply(250, "2.0.0", "Ok", Reached.CONTENT)
LATER = Reply(451, "4.3.0", "not now", Reached.RCPT)
SILENCE = Reply(0, "", "connection lost", Reached.CONTENT)


def at_work(data: Path, readers: int = 20) -> BatchRun:
    """A batch of which everything may be handed out; its sender is called one/1."""
    alert = alert_for(readers)
    cut_from_start(alert)
    journal = HandedOutJournal(data, "one/1", readers)
    batch_runs = claim_batch_runs("one/1", prepared_alert(alert), journal=journal)
    [batch_run] = batch_runs
    write("one/1", batch_runs, ahead=readers)
    return batch_run


def hand_out(batch_run: BatchRun, *replies: Reply | None) -> None:
    for reply in replies:
        mail = batch_run.take(A_RELAY)
        assert mail is not None
        if reply is not None:
            mail.settle(mail, reply)


def test_only_what_was_in_flight_is_uncertain(data: Path) -> None:
    batch_run = at_work(data)
    hand_out(
        batch_run, OK, OK, OK, LATER, None, SILENCE, None
    )  # and killed before anything of it is written
    actions.note_deaths(["one/1"])
    batch = Batch.objects.get(pk=batch_run.claim.batch)
    assert list(batch.outcomes[:8]) == [Outcome.ACCEPTED] * 3 + [Outcome.WAITING] + [
        Outcome.UNCERTAIN
    ] * 3 + [0]
    assert (batch.accepted, batch.uncertain, batch.handed_out_to, batch.worker) == (3, 3, 0, "")
    assert AuditEntry.objects.get(what="sender died").details == {"begun": 3}
    [claim] = claims.claim_batches("two/1", batch.alert_id, 1)
    assert all(0 <= time < 60_000 for time in claim.times[:3])
    assert handed_out.read_marks(data, "one/1") is None, "it is in the ledger now"


def test_a_mail_of_which_only_the_envelope_was_sent_is_not_uncertain(data: Path) -> None:
    batch_run = at_work(data)
    for content in (True, False, None):
        mail = batch_run.take(A_RELAY)
        assert mail is not None and mail.hand_over is not None
        for step in (False, True)[: {True: 2, False: 1, None: 0}[content]]:
            mail.hand_over(mail.ticket, step)
    actions.note_deaths(["one/1"])
    batch = Batch.objects.get(pk=batch_run.claim.batch)
    # the third one's relay does not tell: its content may have been sent
    assert list(batch.outcomes[:3]) == [Outcome.UNCERTAIN, Outcome.WAITING, Outcome.UNCERTAIN]


@pytest.mark.parametrize("then", ["offered", "refused"])
def test_a_doubtful_mail_that_is_tried_again_stays_uncertain(data: Path, then: str) -> None:
    batch_run = at_work(data)
    [first] = [batch_run.take(A_RELAY)]
    assert first is not None
    first.settle(first, SILENCE._replace(reached=Reached.BEHIND))  # repeated at once
    found = [mail for mail in iter(lambda: batch_run.take(A_RELAY), None) if mail.ticket == 0]
    again = found[0]
    assert again.hand_over is not None
    again.hand_over(0, False)
    if then == "refused":
        again.settle(again, LATER)
    actions.note_deaths(["one/1"])  # before anything of it is written
    batch = Batch.objects.get(pk=batch_run.claim.batch)
    assert batch.outcomes[0] == Outcome.UNCERTAIN


def test_a_repeat_that_was_accepted_is_counted(data: Path) -> None:
    batch_run = at_work(data)
    hand_out(batch_run, SILENCE)
    write("one/1", [batch_run], ahead=20)
    batch_run.mails.marks[0] = handed_out.accepted(70)
    actions.note_deaths(["one/1"])
    batch = Batch.objects.get(pk=batch_run.claim.batch)
    assert (batch.accepted, batch.uncertain, batch.repeated) == (1, 0, 1)


@pytest.mark.parametrize(
    "why", ["the machine was started again", "no file", "another claim", "cut off"]
)
def test_without_such_a_file_all_that_was_allowed_is_uncertain(
    data: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    batch_run = at_work(data)
    hand_out(batch_run, OK, None)
    path = data / "senders" / "one-1"
    match why:
        case "the machine was started again":
            monkeypatch.setattr(identity, "kernel", lambda: "another")
        case "no file":
            path.unlink()
        case "another claim":
            Batch.objects.update(lease_version=7)
        case _:
            path.write_bytes(path.read_bytes()[:1000])
    actions.note_deaths(["one/1"])
    assert Batch.objects.get(pk=batch_run.claim.batch).uncertain == 20
    path.unlink(missing_ok=True)


def test_a_place_in_the_file_is_used_again(tmp_path: Path) -> None:
    journal = HandedOutJournal(tmp_path, "one/1", 4)
    marks = journal.open(1, 1, 4)
    marks[0] = handed_out.HANDED_OUT
    journal.close(1)
    assert handed_out.read_marks(tmp_path, "one/1") == {}
    journal.open(2, 5, 3)[2] = handed_out.accepted(9)
    found: Any = handed_out.read_marks(tmp_path, "one/1")
    assert {key: list(marks) for key, marks in found.items()} == {(2, 5): [0, 0, 11]}


def test_without_room_for_it_sending_goes_on(tmp_path: Path) -> None:
    (tmp_path / "senders").write_text("a file is in the way")
    journal = HandedOutJournal(tmp_path, "one/1", 4)
    assert list(journal.open(1, 1, 4)) == [0] * 4
    journal.close(1)
    assert handed_out.read_marks(tmp_path, "one/1") is None


def test_more_batches_than_there_is_room_for_are_as_before(tmp_path: Path) -> None:
    journal = HandedOutJournal(tmp_path, "one/1", 1)
    for batch in range(1, 300):
        journal.open(batch, 1, 1)[0] = handed_out.HANDED_OUT
    found = handed_out.read_marks(tmp_path, "one/1")
    assert found is not None and len(found) == 256


def test_a_batch_that_was_stopped_keeps_what_is_known(data: Path) -> None:
    batch_run = at_work(data)
    hand_out(batch_run, OK, None)
    left = recovery.release_claims("one/1", lambda: handed_out.read_marks(data, "one/1"))
    assert [one.begun for one in left or ()] == [1]
    handed_out.forget(data, "one/1")
