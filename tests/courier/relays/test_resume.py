"""An editor lets a paused relay go on."""

from __future__ import annotations

import pytest

from morefollows.audience.models import Letter, Topic
from morefollows.courier import relay_pauses
from morefollows.stories.actions import now_ms
from tests.audience.support import sign_up

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("attempts", "at_once"), [(1, True), (0, False)])
def test_letters_that_were_refused_go_at_once(
    breaking: Topic, attempts: int, at_once: bool
) -> None:
    """Mails never tried keep waiting: two confirmations to one address must not be sent."""
    sign_up(breaking)
    Letter.objects.update(attempts=attempts, due_at_ms=now_ms() + 600_000)
    relay_pauses.resume_relay("relay.example:25")
    assert (Letter.objects.get().due_at_ms <= now_ms()) == at_once
