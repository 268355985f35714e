"""Each write of an outcome is in the table of transitions, whatever happens around it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test

from morefollows.courier.batch import batch_mails, mail_states
from morefollows.courier.ledger import claims, outcomes, recovery
from morefollows.courier.models import Outcome
from morefollows.courier.refusals import bounces
from morefollows.feedback import old_alerts
from tests.courier.ledger.test_editor_model import WithAnEditor

_seen: set[tuple[str, str]] = set()


class Watched(bytearray):
    """A batch's outcomes, as the sender has them: each write is held against the table."""

    def __setitem__(self, place: Any, new: Any) -> None:
        old = self[place]
        before, after = Outcome(old).name, Outcome(new).name
        assert outcomes.allowed(old, new), f"{before} became {after}"
        _seen.add((before, after))
        super().__setitem__(place, new)


class WatchedStates(bytearray):
    """The states of a batch's mails in a sender: each write is one of an outcome, too."""

    def __setitem__(self, place: Any, new: Any) -> None:
        old, now = mail_states.outcomes(bytearray([self[place], new]))
        before, after = Outcome(old).name, Outcome(now).name
        assert outcomes.allowed(old, now), f"{before} became {after}"
        _seen.add((before, after))
        super().__setitem__(place, new)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    _seen.clear()
    for module in (claims, recovery, bounces, old_alerts):
        monkeypatch.setattr(module, "bytearray", Watched, raising=False)
    monkeypatch.setattr(batch_mails, "bytearray", WatchedStates, raising=False)


@pytest.mark.django_db
@pytest.mark.usefixtures("watched")
def test_every_write_is_in_the_table() -> None:
    machine: Any = WithAnEditor
    with override_settings(MOREFOLLOWS=dataclasses.replace(settings.MOREFOLLOWS, batch_size=10)):
        run_state_machine_as_test(
            machine,
            settings=hypothesis_settings(
                max_examples=20,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    assert {("WAITING", "ACCEPTED"), ("WAITING", "UNCERTAIN"), ("UNCERTAIN", "ACCEPTED")} <= _seen


def test_what_is_final_stays() -> None:
    for final in (Outcome.ACCEPTED, Outcome.IN_DIGEST):
        assert [other for other in Outcome if outcomes.allowed(final, other)] == [final]
    assert {row.target for row in outcomes.TABLE} == set(Outcome)
