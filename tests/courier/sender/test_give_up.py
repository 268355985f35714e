"""An alert that can't be composed must not keep the others waiting."""

from __future__ import annotations

import pytest

from morefollows.audit.models import AuditEntry
from morefollows.stories.alerts import publication
from morefollows.stories.models import Alert
from tests.courier.support import alert_for

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", ["held", "sending"])
def test_it_is_stopped_and_the_log_says_why(state: str) -> None:
    alert = alert_for(3, state=state)
    publication.give_up(alert.pk, "Subject: has a control character")
    assert Alert.objects.get(pk=alert.pk).state == "stopped"
    entry = AuditEntry.objects.get(alert=alert)
    assert (entry.editor, entry.what) == (None, "give up")
    assert "control character" in entry.details["reason"]


def test_what_has_ended_stays_as_it_ended() -> None:
    alert = alert_for(3, state="sent")
    publication.give_up(alert.pk, "too late")
    assert Alert.objects.get(pk=alert.pk).state == "sent"
    assert not AuditEntry.objects.filter(alert=alert).exists()
