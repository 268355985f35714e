"""The first run: five steps that can be left and resumed, and nothing is mailed before the last."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from morefollows.accounts.models import Editor
from morefollows.audience import newsroom as audience_newsroom
from morefollows.audience import placeholders
from morefollows.audience.models import Newsroom, Topic
from morefollows.audit.models import AuditEntry
from morefollows.config.addresses.relay_address import relays as read_relays
from morefollows.courier.checkup.trial_alert import send_trial_alert
from morefollows.setup import first_run
from morefollows.setup.brand.look import brand_in_force
from tests.support.scripted_relay import Script, running

NEWSROOM = {
    "name": "The Quay Post",
    "sender_address": "alerts@quaypost.org",
    "postal_address": "1 Quay Street",
    "time_zone": "Europe/London",
    "language": "en",
}


@pytest.fixture
def new_newsroom(db: None) -> Newsroom:
    """As the first start makes it."""
    return audience_newsroom.set_up_newsroom()


def test_it_is_offered_until_done(new_newsroom: Newsroom, dora_at_desk: Client) -> None:
    assert 'href="/desk/setup/"' in dora_at_desk.get("/desk/settings/topics/").content.decode()
    assert dora_at_desk.get("/desk/setup/")["Location"] == "/desk/setup/1/"
    first = dora_at_desk.get("/desk/setup/1/")
    assert first.context["form"]["name"].value() == ""
    assert dora_at_desk.get("/desk/setup/6/").status_code == 404


def test_five_steps(
    new_newsroom: Newsroom, dora_at_desk: Client, dora: Editor, settings: Any
) -> None:
    desk = dora_at_desk
    assert desk.post("/desk/setup/1/", NEWSROOM | {"name": ""}).status_code == 422
    assert first_run.next_step() == 0
    assert desk.post("/desk/setup/1/", NEWSROOM)["Location"] == "/desk/setup/2/"
    assert Newsroom.objects.get(pk=1).name == "The Quay Post"
    assert desk.post("/desk/setup/2/", {"main": "#b00020"})["Location"] == "/desk/setup/3/"
    assert brand_in_force().main == "#b00020"
    # Left here, and resumed. Going back does not make it begin anew.
    assert desk.get("/desk/setup/")["Location"] == "/desk/setup/3/"
    desk.post("/desk/setup/1/", NEWSROOM)
    assert first_run.next_step() == 3
    desk.post("/desk/setup/3/", {"name": "Breaking", "more": ["weather"]})
    assert [one.name for one in Topic.objects.all()] == ["Breaking", "Weather"]
    desk.post("/desk/setup/4/", {"skip": "1"})
    assert first_run.next_step() == 5

    # With a relay, and all filled in, the unfinished run alone holds mail back.
    relay = read_relays("smtp://127.0.0.1:9")
    settings.MOREFOLLOWS = replace(
        settings.MOREFOLLOWS, relays=relay, url="https://alerts.quaypost.org"
    )
    assert [one.field for one in placeholders.blocking()] == ["setup"]
    refused = desk.post("/desk/setup/5/", {"go": "1"})
    assert "Send the test mail first." in refused.content.decode()
    failed = desk.post("/desk/setup/5/", {"address": "dora@quaypost.org"})
    assert "did not take it" in failed.content.decode()
    assert not first_run.was_tested()
    first_run.note_test()
    assert desk.post("/desk/setup/5/", {"go": "1"})["Location"] == "/desk/"
    assert placeholders.blocking() == []
    assert AuditEntry.objects.filter(what="finish setup", editor=dora).count() == 1
    assert "/desk/setup/" not in desk.get("/desk/settings/topics/").content.decode()


def test_the_step_with_the_relay_asks_again_who_it_is(
    newsroom: Newsroom, dora_at_desk: Client, settings: Any
) -> None:
    """As the page of a relay does: a session that was carried off could send mail elsewhere."""
    settings.MOREFOLLOWS = replace(settings.MOREFOLLOWS, fresh_minutes=0)
    for asked in (dora_at_desk.get, dora_at_desk.post):
        assert asked("/desk/setup/4/")["Location"].startswith("/desk/confirm/")
    assert dora_at_desk.get("/desk/setup/1/").status_code == 200


def test_an_installation_by_commands_is_not_held_back(newsroom: Newsroom, settings: Any) -> None:
    audience_newsroom.set_up_newsroom(
        "The Quay Post", sender_address="alerts@quaypost.org", postal_address="1 Quay Street"
    )
    settings.MOREFOLLOWS = replace(
        settings.MOREFOLLOWS,
        relays=read_relays("smtp://127.0.0.1:9"),
        url="https://alerts.quaypost.org",
    )
    assert placeholders.blocking() == []


def test_the_test_mail_is_a_real_alert(newsroom: Newsroom, settings: Any, tmp_path: Path) -> None:
    with running(tmp_path / "taken", Script()) as relay:
        there = read_relays(f"smtp://127.0.0.1:{relay.port}")
        settings.MOREFOLLOWS = replace(settings.MOREFOLLOWS, relays=there)
        result = send_trial_alert("dora@herald.example", first=True)
        assert result.taken, result.message
        [mail] = relay.taken()
    assert mail["recipients"] == ["dora@herald.example"]
    assert mail["sender"] == "alerts@herald.example"
