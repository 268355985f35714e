"""Programs look readers up, sign them up, and let them go."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection

from morefollows.audience.models import Consent, Reader, Suppression, Topic
from morefollows.audit.models import AuditEntry
from tests.api.support import Program
from tests.support.people import readers


def test_a_reader_is_found_by_the_exact_address(cy: Reader) -> None:
    program = Program()
    found = program("POST", "/readers/lookup", {"address": "CY@Reader.example"})
    assert found.json()["state"] == "confirmed"
    assert found.json()["subscriptions"][0]["topic"] == "breaking"
    assert (
        program("POST", "/readers/lookup", {"address": "nobody@reader.example"}).status_code == 404
    )
    assert program("GET", f"/readers/{found.json()['id']}").status_code == 200
    assert AuditEntry.objects.filter(what="look up reader").count() == 2


def test_a_role_without_readers_sees_none(cy: Reader) -> None:
    program = Program(role="reporter")
    assert program("POST", "/readers/lookup", {"address": cy.address}).status_code == 403
    assert program("GET", "/readers/export").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_a_person_signs_up_and_is_asked_to_confirm(breaking: Topic) -> None:
    program = Program()
    body = {
        "address": "dee@reader.example",
        "topic": "breaking",
        "page": "https://news.example/a?secret=1",
        "client_address": "192.0.2.7",
    }
    first = program("POST", "/readers", body)
    assert (first.status_code, first.json()) == (202, {"state": "asked to confirm"})
    assert program("POST", "/readers", body).json() == first.json(), "known or not, the same"
    line = Consent.objects.get(reader__address="dee@reader.example", purpose="alerts")
    assert (line.page, line.form_version) == ("https://news.example/a", "api-1")
    assert Reader.objects.get().state == "pending"


@pytest.mark.parametrize(
    ("wrong", "field", "status"),
    [
        ({"address": "no address"}, "address", 409),
        ({"topic": "nothing"}, "topic", 404),
        ({"topic": "no slug"}, "topic", 422),
        ({"language": "xx"}, "language", 422),
        ({"client_address": "here"}, "client_address", 422),
    ],
)
def test_a_wrong_sign_up_names_the_field(
    breaking: Topic, wrong: dict[str, str], field: str, status: int
) -> None:
    body = {"address": "dee@reader.example", "topic": "breaking"} | wrong
    answer = Program()("POST", "/readers", body)
    assert answer.status_code == status
    assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_consent_is_withdrawn_and_a_reader_erased(cy: Reader) -> None:
    program = Program(role="administrator")
    found = program("POST", "/readers/lookup", {"address": cy.address}).json()["id"]
    left = program("POST", f"/readers/{found}/withdrawal", {"topic": "breaking"})
    assert left.json()["state"] == "unsubscribed"
    assert Program()("DELETE", f"/readers/{found}").status_code == 403
    assert program("DELETE", f"/readers/{found}").status_code == 204
    assert not Reader.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_readers_are_exported_line_by_line(breaking: Topic) -> None:
    readers([f"r{number}@reader.example" for number in range(1_200)], breaking)
    answer = Program()("GET", "/readers/export?topic=breaking")

    async def read() -> list[bytes]:
        return [part async for part in answer.streaming_content]

    parts = async_to_sync(read)()
    assert len(parts) == 2, "a thousand at a time"
    lines: list[dict[str, Any]] = [json.loads(line) for line in b"".join(parts).splitlines()]
    assert len(lines) == 1_200
    assert (lines[0]["email"], lines[0]["topics"]) == ("r0@reader.example", "breaking")


def test_suppressions_are_found_made_and_lifted(cy: Reader) -> None:
    program = Program(role="administrator")
    address = {"address": cy.address}
    assert program("POST", "/suppressions/lookup", address).status_code == 404
    assert program("POST", "/suppressions", address).status_code == 204
    assert program("POST", "/suppressions/lookup", address).json()["reason"] == "desk"
    assert Program()("POST", "/suppressions/lift", address).status_code == 403
    assert program("POST", "/suppressions/lift", address).status_code == 204
    assert not Suppression.objects.exists()
    assert program("POST", "/suppressions", {"address": "no"}).status_code == 409


def test_the_log_and_health_are_read(cy: Reader) -> None:
    program = Program()
    program.draft()
    assert program("GET", "/log").json()["items"][0]["what"] == "save"
    assert program("GET", "/health/sending").json()["senders"] == 0
    assert program.client.get("/api/v1/health", headers={"authorization": ""}).json() == {
        "status": "ok"
    }


def test_a_reader_is_found_by_an_index(cy: Reader) -> None:
    """Without one a million readers would be read to show one of them."""
    asked = Reader.objects.filter(uid=cy.uid)
    assert asked.get() == cy
    if connection.vendor == "sqlite":
        assert "readers_by_uid" in asked.explain()


def test_readers_are_counted_with_few_queries(
    breaking: Topic, django_assert_max_num_queries: Any
) -> None:
    program = Program()
    for number in range(20):
        Topic.objects.create(slug=f"t{number}", name=f"Topic {number}", position=number + 10)
    with django_assert_max_num_queries(10):
        found = program("GET", "/audience").json()
    assert len(found["topics"]) == Topic.objects.count()
