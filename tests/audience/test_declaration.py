"""The whole declaration of a reader, and the command that prints it."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import pytest
from django.test import Client

from morefollows.audience import erasure
from morefollows.audience.consent import confirmation, texts, withdrawal
from morefollows.audience.consent.declaration import declaration, find
from morefollows.audience.models import Reader, Topic, Wording
from morefollows.audience.suppression import suppressing
from morefollows.cli.main import run
from tests.audience.support import CY, leave_link, newest_link, sign_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(breaking: Topic) -> Reader:
    """A reader confirmed alerts and offers; then the wording changed and offers were withdrawn."""
    sign_up(breaking, offers=True)
    assert confirmation.confirm(newest_link()) is not None
    texts.publish(Wording.Kind.ALERTS, "en", "Other words about {topic}.")
    texts.publish(Wording.Kind.PRIVACY, "en", "# Another notice")
    withdrawal.withdraw_consent(Reader.objects.get(), "offers", how="link")
    return Reader.objects.get()


def test_each_purpose_apart_with_the_words_of_its_time(reader: Reader, breaking: Topic) -> None:
    told = declaration(reader)
    alerts, offers = told.parts
    assert (alerts.purpose, alerts.topic, alerts.in_force) == ("alerts", breaking, True)
    assert [(line.event, line.how) for line in alerts.lines] == [
        ("given", "form"),
        ("confirmed", "link"),
    ]
    given = alerts.lines[0]
    first = texts.CONSENTS[Wording.Kind.ALERTS, "en"]
    assert given.words == first.replace("{topic}", "Breaking news"), (
        "a new version does not rewrite old evidence"
    )
    assert (given.version, given.digest) == (1, hashlib.sha256(first.encode()).hexdigest())
    assert (given.page, given.client_address) == (
        "https://alerts.herald.example/story/1/",
        "192.0.2.7",
    )
    assert [(notice.version, notice.digest) for notice in told.notices] == [
        (1, given.privacy_digest)
    ]
    assert (offers.topic, offers.in_force) == (None, False)
    assert [line.event for line in offers.lines] == ["given", "confirmed", "withdrawn"]


def test_the_notice_is_the_one_in_the_readers_language(breaking: Topic) -> None:
    sign_up(breaking, language="de")
    given = declaration(Reader.objects.get()).parts[0].lines[0]
    assert given.privacy_digest == texts.current(Wording.Kind.PRIVACY, "de").digest


def test_where_the_button_was_pressed_is_kept_too(breaking: Topic) -> None:
    sign_up(breaking)
    Client(REMOTE_ADDR="192.0.2.99").post(f"/confirm/{newest_link()}/", {"button": "1"})
    assert [line.client_address for line in declaration(Reader.objects.get()).parts[0].lines] == [
        "192.0.2.7",
        "192.0.2.99",
    ]


def test_nothing_is_in_force_for_who_must_not_be_mailed(reader: Reader) -> None:
    suppressing.suppress_readers([reader.pk], "complained")
    reader.refresh_from_db()
    told = declaration(reader)
    assert told.suppression is not None
    assert not any(part.in_force for part in told.parts)


def test_an_address_is_found_as_it_may_be_written(reader: Reader) -> None:
    assert find(" CY@Reader.example ").reader == reader
    assert find("dee@reader.example") == (None, None)
    erasure.erase(reader)
    found = find(CY)
    assert found.reader is None
    assert found.suppression is not None


def test_the_command_prints_it(
    reader: Reader, breaking: Topic, capsys: pytest.CaptureFixture[str]
) -> None:
    withdrawal.unsubscribe(leave_link(reader, breaking), "one-click")
    assert run(["consent", "show", CY]) == 0
    out = capsys.readouterr().out
    assert out.startswith(
        "cy@reader.example, unsubscribed\n\nalerts: Breaking news (not in force)\n"
    )
    digest = declaration(reader).parts[0].lines[0].digest
    for words in (
        f"version         1, SHA-256 {digest}",
        "client address  192.0.2.7",
        "withdrawn, one-click",
    ):
        assert words in out


def test_the_address_may_come_by_standard_input(
    reader: Reader, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{CY}\n"))
    assert run(["consent", "show", "-", "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert [part["purpose"] for part in found["purposes"]] == ["alerts", "offers"]
    assert found["purposes"][0]["lines"][0]["words"].startswith("For free real time alerts")


def test_nobody_and_the_erased_are_told_apart(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    erasure.erase(reader)
    assert run(["consent", "show", CY]) == 1
    assert "suppressed (erased, 20" in capsys.readouterr().err
    assert run(["consent", "show", "dee@reader.example"]) == 1
    assert capsys.readouterr().err == "No reader has this address.\n"
    assert run(["consent", "show", "dee"]) == 1
    assert "the @ is missing" in capsys.readouterr().err
