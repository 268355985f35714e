"""Relays and DKIM keys that are kept in the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.exceptions import ValidationError
from pytest_django import DjangoCaptureOnCommitCallbacks

from morefollows.accounts.models import Editor
from morefollows.courier.checkup.dns_records import wanted_records
from morefollows.courier.message import dkim
from morefollows.desk.settings.delivery.forms import RelayForm
from morefollows.desk.settings.delivery.views import try_relay
from morefollows.setup import actions, dkim_keys, relays
from morefollows.setup.models import StoredSetting
from tests.setup.test_settings import stored as stored


def test_relays_are_added_changed_and_removed(
    stored: Any,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    url = relays.smtp_url(
        "mail.example.org", 587, "ada@herald", "p/?#ss", implicit_tls=False, tls="require", name=""
    )
    with django_capture_on_commit_callbacks(execute=True):
        address = relays.save_relay(None, url)
    assert (address.user, address.password, address.starttls) == ("ada@herald", "p/?#ss", "require")
    with django_capture_on_commit_callbacks(execute=True):
        relays.save_relay(None, "smtps://second.example.org?name=second")
        relays.save_relay(None, "smtp://mail.example.org:2525", replaces="mail.example.org:587")
    names = [one.name for one in stored.MOREFOLLOWS.relays]
    assert names == ["mail.example.org:2525", "second"]
    with pytest.raises(ValidationError, match="give each a name"):
        relays.save_relay(None, "smtps://third.example.org?name=second")
    with pytest.raises(ValidationError, match="must look like"):
        relays.save_relay(None, "mail.example.org")
    with django_capture_on_commit_callbacks(execute=True):
        assert relays.remove_relay(None, "second")
        assert relays.remove_relay(None, "mail.example.org:2525")
        assert not relays.remove_relay(None, "second")
    assert stored.MOREFOLLOWS.inbox


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("relays", "smtp://ada@evil.example:25?password_file={}"),
        ("alarm_relay", "smtp://ada@evil.example:25?weight=1&password_file={}"),
        ("intake", "imaps://ada@evil.example/INBOX?password_file={}"),
        ("intake", "webhook://postmark?secret=abcdefghijklmnopqrstuvwxyz&name%5Ffile={}"),
    ],
)
def test_the_desk_can_not_have_a_file_of_this_machine_read(
    stored: Any, dora: Editor, tmp_path: Path, name: str, text: str
) -> None:
    """What is in it would be sent to whatever host the address names, or shown as a name."""
    file = tmp_path / "key"
    file.write_text("secret")
    text = text.format(quote(str(file), safe=""))
    with pytest.raises(ValidationError, match="A file on this machine"):
        actions.change_settings(dora, {name: text})
    assert not StoredSetting.objects.exists()
    actions.change_settings(None, {name: text})
    assert actions.change_settings(dora, {name: f"{text} "}) == set()
    with pytest.raises(ValidationError, match="A file on this machine"):
        actions.change_settings(dora, {name: text.replace("://", "://x.", 1) + "2"})


def test_the_relays_form_names_no_file_and_keeps_a_password_to_its_host(
    stored: Any, dora: Editor, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("secret")
    given = {"security": "require", "url": f"smtp://a@b.example?password_file={tmp_path / 'key'}"}
    form = RelayForm(given)
    assert form.is_valid()
    assert try_relay(form, dora) == []
    assert "A file on this machine" in str(form.errors)
    assert form.apply(dora) is None
    relays.save_relay(None, "smtp://ada:open-sesame@mail.example:587")
    [known] = relays.stored_relays()
    for host, password in (("MAIL.example", "open-sesame"), ("evil.example", "")):
        form = RelayForm({"security": "require", "host": host, "user": "ada"}, known=known)
        assert form.is_valid()
        assert relays.parse_relay(dora, form.relay_url()).password == password


def test_a_new_key_waits_until_it_is_used(
    stored: Any,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with pytest.raises(ValidationError, match="no new key"):
        dkim_keys.use_new_key(None)
    made = dkim_keys.make_key(None, "Autumn")
    assert dkim_keys.waiting_key() == made
    assert dkim_keys.key_in_use() is None
    assert "PRIVATE" not in "".join(StoredSetting.objects.values_list("value", flat=True))
    record, policy, _dmarc, _reports = wanted_records(stored.MOREFOLLOWS, "herald.example", made)
    assert record.name == "autumn._domainkey.herald.example"
    assert record.value.startswith("v=DKIM1; k=rsa; p=MII")
    assert policy.value == "v=spf1 mx -all"
    with django_capture_on_commit_callbacks(execute=True):
        dkim_keys.use_new_key(None)
    [signer] = dkim.signers(stored.MOREFOLLOWS)
    assert signer.selector == "autumn"
    assert dkim_keys.waiting_key() is None
    with pytest.raises(ValidationError, match="has this selector"):
        dkim_keys.make_key(None, "autumn")


def test_a_key_of_the_environment_stays(
    stored: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MOREFOLLOWS_DKIM_KEY", "PEM")
    with pytest.raises(ValidationError, match="MOREFOLLOWS_DKIM_KEY"):
        dkim_keys.make_key(None)
    monkeypatch.setenv("MOREFOLLOWS_RELAY", "smtp://mail.example.org")
    with pytest.raises(ValidationError, match="MOREFOLLOWS_RELAY"):
        relays.save_relay(None, "smtp://other.example.org")
