"""What comes in is for programs, too: the wire and its rules, mail that came back, replies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from morefollows.audience.models import Consent, DrillReader, Letter, Reader, Subscription, Topic
from morefollows.audit.models import AuditEntry
from morefollows.feedback.models import BounceFlood
from morefollows.ingest import pipeline
from morefollows.ingest.item import NewsItem
from morefollows.ingest.matching.known import KNOWN
from morefollows.ingest.models import ItemRule, Source
from morefollows.ingest.pipeline import ArrivedItem
from morefollows.ingest.sources.actions import add_source
from morefollows.stories.models import Story
from tests.api.support import Program
from tests.feedback.intake.support import come, reply, use

FERRY = NewsItem(
    headline="Ferry aground off Arholma with 312 on board",
    text="The ferry Cinderella ran aground off Arholma. The coast guard reported no injuries.",
    id="urn:wire:ferry",
    urgency=2,
    language="en",
    notes=("Contact: the desk",),
)


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    KNOWN.clear()
    yield
    KNOWN.clear()


@pytest.fixture
def wire(breaking: Topic) -> Source:
    return add_source("Wire", "push", by=None, topic=breaking, unmatched="keep")


def receive(source: Source, *items: NewsItem) -> None:
    pipeline.receive_items(source, [ArrivedItem(one, b"raw \0") for one in items], "push")
    pipeline.decide_waiting()


def last_deed() -> str:
    return str(AuditEntry.objects.order_by("pk").values_list("what", flat=True).last())


def test_an_item_of_the_wire_is_read_and_becomes_a_draft(wire: Source) -> None:
    receive(wire, FERRY, replace(FERRY, id="urn:2", headline="", text="Nobody knows.", urgency=5))
    program = Program("wire:read", "wire:write", role="reporter")
    shown = program("GET", "/wire").json()["items"]
    assert [one["became"] for one in shown] == ["kept", "kept"]
    found = program("GET", "/wire?most_urgency=2&words=ferry&became=kept&topic=breaking").json()
    [one] = found["items"]
    assert program("GET", "/wire?words=zeppelin").json()["items"] == []
    whole = program("GET", f"/wire/{one['id']}").json()
    assert (whole["notes"], whole["raw"], whole["story"]) == (
        *(["Contact: the desk"], "raw \ufffd", None),
    )
    body = {"do": "draft", "headline": "Another"}
    assert program("POST", f"/wire/{one['id']}/decision", body).status_code == 409
    drafted = program("POST", f"/wire/{one['id']}/decision", {"do": "draft"})
    assert drafted.status_code == 200, drafted.content
    assert drafted.json()["story"] == str(Story.objects.get().uuid)
    assert last_deed() == "decide item"
    other = next(row for row in shown if row["id"] != one["id"])
    ignored = program("POST", f"/wire/{other['id']}/decision", {"do": "ignore"}).json()
    assert ignored["became"] == "ignored"


RULE = {"name": "Ferries", "action": "draft", "words": ["ferry"], "most_urgency": 3}


def test_rules_are_made_simulated_ordered_and_removed(wire: Source) -> None:
    receive(wire, FERRY)
    program = Program()
    told = program("POST", "/rules/simulation", RULE).json()
    assert (told["looked_at"], told["fitted"], told["became"]) == (1, 1, {"draft": 1})
    made = program("POST", "/rules", RULE | {"sources": [str(wire.uuid)]})
    assert made.status_code == 201, made.content
    first = made.json()["id"]
    assert made["Location"] == f"/api/v1/rules/{first}"
    assert made.json()["sources"] == [str(wire.uuid)]
    second = program("POST", "/rules", RULE | {"name": "No", "action": "ignore"}).json()["id"]
    assert program("PUT", "/rules", {"rules": [second]}).status_code == 409
    ordered = program("PUT", "/rules", {"rules": [second, first]}).json()["items"]
    assert [one["id"] for one in ordered] == [second, first]
    assert last_deed() == "move item rule"
    off = program("PUT", f"/rules/{second}", RULE | {"active": False}).json()
    assert (off["active"], off["name"]) == (False, "Ferries")
    assert program("DELETE", f"/rules/{second}").status_code == 204
    assert program("GET", f"/rules/{second}").status_code == 404
    unknown = "00000000-0000-0000-0000-000000000007"
    assert program("POST", "/rules", RULE | {"sources": [unknown]}).status_code == 404
    assert Program(role="reporter")("POST", "/rules", RULE).status_code == 403


def test_a_rule_that_sends_alone_needs_the_role_and_the_scope(wire: Source) -> None:
    Source.objects.update(sends_alone=True)
    alone = RULE | {"action": "send", "most_urgency": 2, "sources": [str(wire.uuid)]}
    assert Program(role="editor")("POST", "/rules", alone).status_code == 409
    drafting = Program("rules:read", "rules:write", role="administrator")
    refused = drafting("POST", "/rules", alone)
    assert (refused.status_code, refused.json()["scope"]) == (403, "alerts:send-alone")
    program = Program(role="administrator")
    made = program("POST", "/rules", alone).json()
    assert (made["live"], made["drilled"], made["hold_seconds"]) == (False, False, 60)
    assert program("POST", f"/rules/{made['id']}/let-send").status_code == 409, "no drill yet"
    ItemRule.objects.update(options={**ItemRule.objects.get().options, "drilled_at": "now"})
    assert drafting("POST", f"/rules/{made['id']}/let-send").status_code == 403
    assert program("POST", f"/rules/{made['id']}/let-send").json()["live"] is True


def test_replies_are_read_and_put_away(breaking: Topic, cy: Reader, settings: Any) -> None:
    use(settings)
    come(reply("Please take me off this list."))
    program = Program()
    [one] = program("GET", "/replies").json()["items"]
    assert (one["sender"], "off this list" in one["text"]) == ("cy@reader.example", True)
    assert Program(role="reporter")("GET", "/replies").status_code == 403
    path = f"/replies/{one['id']}/done"
    assert program("POST", path, {"unsubscribe": True}).status_code == 204
    assert Subscription.objects.get(reader=cy).state == Subscription.State.ENDED
    assert Consent.objects.filter(reader=cy, event="withdrawn", how=Consent.How.DESK).exists()
    assert program("GET", "/replies").json()["items"] == []
    assert program("POST", path, {}).status_code == 404


def test_what_came_back_is_counted_judged_and_decided(breaking: Topic, settings: Any) -> None:
    use(settings)
    mail = come(reply("I like it."))
    program = Program(role="administrator")
    shown = program("GET", "/came-back").json()
    assert shown["counts"] == [{"kind": "reply", "reason": "", "number": 1}]
    [one] = program("GET", "/came-back/mails?kind=reply").json()["items"]
    corrected = program("POST", f"/came-back/mails/{one['id']}/correction", {"really": "other"})
    assert corrected.json()["corrected_to"] == "other"
    assert program("GET", f"/came-back/mails/{mail.pk}/export").status_code == 409, "her own words"
    flood = BounceFlood.objects.create(since=mail.arrived_at, bounced=30, accepted=0)
    assert [row["id"] for row in program("GET", "/came-back").json()["floods"]] == [flood.pk]
    path = f"/came-back/floods/{flood.pk}"
    assert Program(role="editor")("POST", path, {"count": False}).status_code == 403
    assert program("POST", path, {"count": False}).json() == {"bounces": 0}
    assert program("POST", path, {"count": True}).status_code == 409, "it is decided"
    assert last_deed() == "dismiss held bounces"


def test_who_takes_part_in_drills(breaking: Topic) -> None:
    program = Program()
    body = {"address": "cy@reader.example", "language": "en"}
    asked = program("POST", "/drills/readers", body)
    assert asked.status_code == 202, asked.content
    assert asked.json()["accepted_at"] is None
    assert Letter.objects.get().kind == Letter.Kind.INVITATION
    assert last_deed() == "invite to drills"
    [one] = program("GET", "/drills/readers").json()["items"]
    assert Program(role="reporter")("GET", "/drills/readers").status_code == 403
    assert program("DELETE", f"/drills/readers/{one['id']}").status_code == 204
    assert not DrillReader.objects.exists()
    assert program("DELETE", f"/drills/readers/{one['id']}").status_code == 404
    assert program("POST", "/drills/readers", {"address": "nobody"}).status_code == 409


def test_a_file_becomes_a_draft(breaking: Topic) -> None:
    program = Program()
    page = "By Ada Marsh\n\nFerry runs aground\n\nThe ferry ran aground off Arholma on Sunday.\n"
    path = "/api/v1/bring-in/file?file_name=ferry.txt"
    unsure = program.client.post(path, "Ferry.", content_type="text/plain")
    assert unsure.status_code == 409, unsure.content
    made = program.client.post(path, page, content_type="text/plain")
    assert made.status_code == 201, made.content
    story = made.json()["story"]
    assert story["headline"] == "Ferry runs aground"
    assert made["Location"] == f"/api/v1/stories/{story['id']}"
    empty = program.client.post(path, b"", content_type="text/plain")
    assert empty.status_code in (400, 409), empty.content
    inside = program("POST", "/bring-in/page", {"address": "http://127.0.0.1:9/"})
    assert (inside.status_code, inside.json()["errors"][0]["field"]) == (409, "address")
