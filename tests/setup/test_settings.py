"""Settings kept in the database: checked, audited, locked by the environment, and applied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from pytest_django import DjangoCaptureOnCommitCallbacks

from morefollows.accounts.models import Editor
from morefollows.audit.models import AuditEntry
from morefollows.config.editable import EDITABLE, SPECS, field_of
from morefollows.setup import actions, in_force
from morefollows.setup.models import SetupState, StoredSetting
from morefollows.setup.shown_settings import shown_settings

RELAY = "smtp://herald:open-sesame@mail.example.org:587"


@pytest.fixture
def stored(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Settings as at the start; afterwards nothing of the test is in force."""
    monkeypatch.setattr(in_force, "_originals", {})
    settings.MOREFOLLOWS = replace(settings.MOREFOLLOWS)
    return settings


def test_every_editable_setting_exists() -> None:
    assert not EDITABLE.keys() - SPECS.keys()
    assert field_of("MOREFOLLOWS_RELAY") == field_of("relay") == "relays"
    assert field_of("four-eyes") == "four_eyes"
    assert field_of("database_url") is None


def test_a_change_acts_at_once_and_is_audited(
    stored: Any, dora: Editor, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    assert stored.MOREFOLLOWS.hold == 10
    with django_capture_on_commit_callbacks(execute=True):
        assert actions.change_settings(dora, {"hold": "25", "four_eyes": "always"}) == {
            "hold",
            "four_eyes",
        }
    assert stored.MOREFOLLOWS.hold == 25
    assert stored.MOREFOLLOWS.four_eyes == "always"
    entry = AuditEntry.objects.get(subject="hold")
    assert (entry.editor, entry.details) == (dora, {"changed": {"hold": ["", "25"]}})
    with django_capture_on_commit_callbacks(execute=True):
        assert not actions.change_settings(dora, {"hold": " 25 "})
        assert actions.change_settings(dora, {"hold": None})
    assert stored.MOREFOLLOWS.hold == 10
    assert stored.MOREFOLLOWS.four_eyes == "always"


def test_another_process_takes_it_when_the_version_changes(
    stored: Any, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=False):
        actions.change_settings(None, {"digest_time": "07:30"})
    assert SetupState.objects.get(pk=1).version == 1
    assert in_force.apply_stored() == {"digest_time"}
    assert stored.MOREFOLLOWS.digest_time == 450
    assert in_force.apply_stored() == set()


def test_what_is_wrong_changes_nothing(stored: Any) -> None:
    with pytest.raises(ValidationError) as raised:
        actions.change_settings(None, {"hold": "soon", "alert_ttl": "600"})
    assert list(raised.value.message_dict) == ["hold"]
    with pytest.raises(ValidationError, match="environment only"):
        actions.change_settings(None, {"port": "1"})
    with pytest.raises(ValidationError) as raised:
        actions.change_settings(
            None, {"sign_ups_a_network": "500", "sign_ups_a_network_at_most": "10"}
        )
    assert list(raised.value.message_dict) == ["sign_ups_a_network"]
    assert not StoredSetting.objects.exists()


def test_the_environment_wins(stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    actions.change_settings(None, {"hold": "25"})
    monkeypatch.setenv("MOREFOLLOWS_HOLD", "3")
    with pytest.raises(ValidationError, match="MOREFOLLOWS_HOLD"):
        actions.change_settings(None, {"hold": "30"})
    assert in_force.apply_stored() == set()
    hold = next(one for one in shown_settings("rules") if one.name == "hold")
    assert hold.locked
    assert hold.text == "10"  # what this process started with


def test_secrets_are_encrypted_and_never_shown(stored: Any) -> None:
    actions.change_settings(None, {"relays": RELAY})
    kept = StoredSetting.objects.get(pk="relays").value
    assert "sesame" not in kept
    assert in_force.apply_stored() == {"relays"}
    assert stored.MOREFOLLOWS.relays[0].password == "open-sesame"
    shown = next(one for one in shown_settings() if one.name == "relays")
    assert (shown.text, shown.is_set) == ("", True)
    assert AuditEntry.objects.get(what="change setting").details == {
        "changed": {"relays": ["", "…"]}
    }
    # With other keys it can't be read. That does not keep the others from acting.
    StoredSetting.objects.filter(pk="relays").update(value="gAAAA")
    StoredSetting.objects.create(pk="hold", value="1", changed_at="2026-11-29T12:00Z")
    assert in_force.apply_stored() == {"hold", "relays"}
    assert stored.MOREFOLLOWS.relays == ()
