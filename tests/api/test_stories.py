"""Programs write stories, and break them."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import pytest

from morefollows.accounts.models import Editor
from morefollows.audience.models import Reader, Topic
from morefollows.audit.models import AuditEntry
from morefollows.stories.alerts import publication
from morefollows.stories.drafts import actions as drafts
from morefollows.stories.drafts import approval
from morefollows.stories.models import Alert, Story, Update
from tests.api.support import BODY, HEADLINE, Program


def test_a_story_is_written_changed_and_listed(breaking: Topic) -> None:
    program = Program()
    made = program.draft(standfirst="Tugs are on their way.")
    assert made["topic"] == "breaking"
    assert made["page_url"].endswith(f"/story/{made['id']}/")
    shown = program("GET", f"/stories/{made['id']}")
    assert shown["ETag"] == '"1"'
    changed = program("PATCH", f"/stories/{made['id']}", {"text": "All are safe."}, if_match='"1"')
    assert (changed.status_code, changed["ETag"]) == (200, '"2"')
    assert changed.json()["standfirst"] == "Tugs are on their way."
    assert AuditEntry.objects.filter(what="save", editor=program.key.account).count() == 2
    assert [one["id"] for one in program("GET", "/stories?state=draft").json()["items"]] == [
        made["id"]
    ]
    assert program("GET", "/stories?state=live").json()["items"] == []


def test_nobody_overwrites_what_they_have_not_seen(breaking: Topic) -> None:
    program = Program()
    story = program.draft()
    program("PATCH", f"/stories/{story['id']}", {"text": "B"})
    late = program("PATCH", f"/stories/{story['id']}", {"text": "C"}, if_match='"1"')
    assert late.status_code == 412
    assert Story.objects.get().text == "B"
    same = program("GET", f"/stories/{story['id']}", if_none_match='"2"')
    assert (same.status_code, same.content) == (304, b"")


def test_a_program_may_choose_the_id(breaking: Topic) -> None:
    program, chosen = Program(), str(uuid.uuid4())
    assert program.draft(id=chosen)["id"] == chosen
    assert program("POST", "/stories", BODY | {"id": chosen}).status_code == 409


def test_pages_follow_each_other(breaking: Topic) -> None:
    program = Program()
    made = [program.draft(headline=f"Story {number}")["id"] for number in range(5)]
    seen: list[str] = []
    path = "/stories?limit=2"
    while path:
        answer = program("GET", path)
        seen += [one["id"] for one in answer.json()["items"]]
        link = answer.get("Link", "")
        path = link.partition(">")[0].removeprefix("</api/v1") if link else ""
    assert seen == made[::-1]


@pytest.mark.parametrize("cursor", ["x", "k1", "azA", "a" * 65, "a00"])
def test_a_cursor_that_is_not_ours_is_refused(breaking: Topic, cursor: str) -> None:
    assert Program()("GET", f"/stories?cursor={cursor}").status_code == (
        422 if len(cursor) > 64 else 404
    )


def test_a_key_that_may_send_alone_breaks_a_story(cy: Reader) -> None:
    program = Program()
    story = program.draft()
    sent = program("POST", f"/stories/{story['id']}/alerts", {"hold_seconds": 60})
    assert sent.status_code == 202
    assert sent["Location"] == f"/api/v1/alerts/{sent.json()['id']}"
    assert sent.json()["state"] == "held"
    back = program("POST", f"/alerts/{sent.json()['id']}/take-back")
    assert back.json()["state"] == "taken back"
    assert program("POST", f"/alerts/{sent.json()['id']}/take-back").status_code == 409


def test_a_key_that_may_not_waits_for_a_person(cy: Reader, ada: Editor) -> None:
    program = Program("stories:write", "alerts:send")
    story = program.draft()
    refused = program("POST", f"/stories/{story['id']}/alerts", {})
    assert (refused.status_code, refused.json()["type"]) == (403, "/api/v1/docs#not-approved")
    assert not Alert.objects.exists()
    drafts.approve(Story.objects.get(), ada, revision=1)
    assert program("POST", f"/stories/{story['id']}/alerts", {}).status_code == 202


def test_a_program_is_no_second_pair_of_eyes(cy: Reader, ada: Editor, settings: Any) -> None:
    """An editor who wrote the story at the desk can't approve of it by an API key."""
    bea = Editor.objects.create(email="bea@herald.example", name="Bea", role="editor")
    breaking, program = Topic.objects.get(slug="breaking"), Program()
    how = {"headline": HEADLINE, "standfirst": "", "text": "Text.", "language": "en"}
    for mode, status in (("always", 403), ("auto", 202)):
        settings.MOREFOLLOWS = dataclasses.replace(settings.MOREFOLLOWS, four_eyes=mode)
        story = drafts.save_story(uuid.uuid4(), ada, revision=0, topic=breaking, **how)
        answer = program("POST", f"/stories/{story.uuid}/alerts", {"again": True})
        assert answer.status_code == status, answer.content
    assert approval.asked_for(story) and bea.may_send
    told = AuditEntry.objects.get(what="send alone")
    assert told.details["reason"] == "sent by CMS, which may send alone"


def test_the_same_headline_is_not_sent_twice_unasked(cy: Reader) -> None:
    program = Program()
    first = program("POST", f"/stories/{program.draft()['id']}/alerts", {})
    path = f"/stories/{program.draft()['id']}/alerts"
    like = program("POST", path, {})
    assert (like.status_code, like.json()["alert"]) == (409, first.json()["id"])
    assert program("POST", path, {"again": True}).status_code == 202


def test_a_story_goes_on(cy: Reader) -> None:
    program = Program()
    story = program.draft()
    path = f"/stories/{story['id']}"
    sent = program("POST", f"{path}/alerts", {"hold_seconds": 0}).json()
    publication.release(Alert.objects.get(uuid=sent["id"]).pk)
    wrong = {"kind": "correction", "headline": "It was a barge", "text": "Not a ferry."}
    assert program("PUT", f"{path}/draft", wrong).status_code == 409
    right = wrong | {"note": "We said that it was a ferry.", "corrects": [1]}
    assert program("PUT", f"{path}/draft", right).status_code == 200
    assert program("POST", f"{path}/alerts", {"hold_seconds": 0}).json()["audience"] == "recipients"
    listed = program("GET", f"{path}/updates").json()["items"]
    assert [one["kind"] for one in listed] == ["correction", "first"]
    gone = program("POST", f"{path}/withdrawal", {"reason": "All wrong", "text": "We are sorry."})
    assert gone.status_code == 202
    assert Update.objects.filter(kind="withdrawal").exists()


def test_progress_and_report_are_told(cy: Reader) -> None:
    program = Program()
    sent = program("POST", f"/stories/{program.draft()['id']}/alerts", {}).json()
    progress = program("GET", f"/alerts/{sent['id']}/progress").json()
    assert (progress["state"], progress["accepted"], progress["complete"]) == ("held", 0, False)
    assert program("GET", f"/alerts/{sent['id']}/report").json()["sent"] == 0
    assert [one["id"] for one in program("GET", "/alerts?state=held").json()["items"]] == [
        sent["id"]
    ]


def test_topics_tell_their_readers(cy: Reader) -> None:
    program = Program()
    assert [one["slug"] for one in program("GET", "/topics").json()["items"]][:1] == ["breaking"]
    assert program("GET", "/topics/breaking/audience").json() == {
        "topic": "breaking",
        "readers": 1,
        "by_language": {"en": 1},
    }
    assert program("GET", "/topics/none").status_code == 404


def test_a_headline_is_one_line(breaking: Topic) -> None:
    answer = Program()("POST", "/stories", {"headline": f"{HEADLINE}\r\nBcc: x@y.example"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "headline"


@pytest.mark.parametrize("wrong", [0, "2026-11-30", "2099-01-01T10:00:00", True, "tomorrow"])
def test_a_time_has_a_zone(breaking: Topic, wrong: object) -> None:
    program = Program()
    path = f"/stories/{program.draft()['id']}/alerts"
    assert program("POST", path, {"at": wrong}).status_code == 422
    assert not Alert.objects.exists()
