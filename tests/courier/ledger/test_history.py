"""Who was sent what: the ledger answers exactly, though no reader has a row in it."""

from __future__ import annotations

import dataclasses

import pytest
from django.conf import settings
from django.test import override_settings

from morefollows.courier.ledger import history
from morefollows.courier.models import Outcome
from morefollows.stories.models import Alert
from tests.courier import support

pytestmark = pytest.mark.django_db


def outcome(alert: Alert, reader: int, what: Outcome) -> None:
    """Writes one reader's outcome into the ledger."""
    batch = alert.batches.get(first__lte=reader, last__gte=reader)
    at = support.ids(batch).index(reader)
    outcomes = bytearray(batch.outcomes)
    outcomes[at] = what
    batch.outcomes = bytes(outcomes)
    batch.save()


def test_who_had_an_alert_is_who_was_accepted_or_uncertain() -> None:
    with override_settings(MOREFOLLOWS=dataclasses.replace(settings.MOREFOLLOWS, batch_size=4)):
        first = support.alert_for(10)
        support.cut_from_start(first)
        second = support.alert_again(first)
        support.cut_from_start(second)
    readers = sorted(support.audience(first))
    outcome(first, readers[0], Outcome.ACCEPTED)
    outcome(second, readers[0], Outcome.ACCEPTED)
    outcome(first, readers[5], Outcome.UNCERTAIN)
    outcome(first, readers[6], Outcome.REFUSED)
    outcome(second, readers[9], Outcome.ACCEPTED)

    both = [second.pk, first.pk]
    assert history.alerts_had_by(both, readers) == {
        readers[0]: [second.pk, first.pk],
        readers[5]: [first.pk],
        readers[9]: [second.pk],
    }
    assert history.alerts_had_by([first.pk], readers[1:6]) == {readers[5]: [first.pk]}
    assert history.alerts_had_by([], readers) == history.alerts_had_by(both, []) == {}
