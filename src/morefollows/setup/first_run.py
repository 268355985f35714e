"""The first run in the browser: five steps, and nothing goes to readers until the last is done.

It holds mail back from the first step that was saved until `go_live`; see `audience.placeholders`.
An installation that is set up by commands alone never begins it.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from morefollows.audit.actions import record
from morefollows.setup.models import SetupState

STEPS = 5


def next_step() -> int:
    """Returns the step to do next, from 1; 0 if it was not begun or is finished."""
    row = SetupState.objects.filter(pk=1, finished_at=None).values_list("step", flat=True).first()
    return row or 0


def is_finished() -> bool:
    """Whether the newsroom went live by the first run."""
    return SetupState.objects.filter(pk=1, finished_at__isnull=False).exists()


def was_tested() -> bool:
    """Whether a relay has taken the test mail."""
    return SetupState.objects.filter(pk=1, tested_at__isnull=False).exists()


def reach_step(step: int) -> None:
    """Notes that the steps before this one are done. Going back changes nothing."""
    with transaction.atomic():
        state, _made = SetupState.objects.get_or_create(pk=1)
        if state.finished_at is None and state.step < step:
            SetupState.objects.filter(pk=1).update(step=min(step, STEPS))


def note_test() -> None:
    """Notes that a relay has taken the test mail."""
    with transaction.atomic():
        SetupState.objects.get_or_create(pk=1)
        SetupState.objects.filter(pk=1).update(tested_at=timezone.now())


def go_live(by: Model | None) -> None:
    """Ends the first run: mail goes to readers from now on. Idempotent."""
    with transaction.atomic():
        SetupState.objects.get_or_create(pk=1)
        if SetupState.objects.filter(pk=1, finished_at=None).update(finished_at=timezone.now()):
            record(by, "finish setup")
