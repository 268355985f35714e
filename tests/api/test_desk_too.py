"""What a person can do at the desk a program can do, with the same rights and the same log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from morefollows.accounts.models import Editor, Role
from morefollows.audience.models import Letter, Reader, Topic
from morefollows.audit.models import AuditEntry
from morefollows.courier.models import Relay
from morefollows.ingest.models import Source
from morefollows.nodes.models import NodeProcess
from morefollows.stories.models import Alert, Story
from tests.api.support import Program


def log() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("what", flat=True))


def test_sources_are_added_changed_paused_and_removed(breaking: Topic) -> None:
    program = Program(role="administrator")
    body = {
        "name": "County feed",
        "kind": "feed",
        "address": "https://ada:secret@county.example/feed.xml",
        "topic": "breaking",
        "interval_seconds": 60,
    }
    made = program("POST", "/sources", body)
    assert made.status_code == 201, made.content
    assert made["Location"] == f"/api/v1/sources/{made.json()['id']}"
    assert made.json()["address"] == "https://ada@county.example/feed.xml"
    assert made.json()["has_password"] and b"secret" not in made.content
    path = f"/sources/{made.json()['id']}"
    changed = program("PATCH", path, {"paused": True, "unmatched": "keep"}).json()
    assert (changed["paused"], changed["unmatched"], changed["topic"]) == (True, "keep", "breaking")
    assert program("POST", f"{path}/poll").status_code == 409, "it is paused"
    assert program("PATCH", path, {"paused": False}).json()["paused"] is False
    assert program("POST", f"{path}/poll").status_code == 202
    assert program("POST", "/sources", body | {"name": "X", "address": "/x"}).status_code == 409
    assert program("POST", "/sources", body | {"topic": "nonsense"}).status_code == 404
    assert program("DELETE", path).status_code == 204
    assert program("GET", path).status_code == 404
    assert Source.objects.get().removed_at is not None
    entries = ["add source", "change source", "pause source", "resume source", "try source"]
    assert [what for what in log() if what.endswith("source")] == [*entries, "remove source"]
    for asked in (("GET", "/sources", None), ("POST", "/sources", body)):
        assert Program(role="editor")(*asked).status_code == 403


def test_topics_are_added_ordered_and_retired(breaking: Topic) -> None:
    program = Program(role="administrator")
    made = program("POST", "/topics", {"name": "City hall", "access": "invited"})
    assert (made.status_code, made["Location"]) == (201, "/api/v1/topics/city-hall")
    assert made.json()["access"] == "invited"
    again = program("POST", "/topics", {"name": "Other", "slug": "city-hall"})
    assert again.status_code == 409
    first = program("PUT", "/topics", {"slugs": ["city-hall"]}).json()["items"][0]
    assert first["slug"] == "city-hall"
    assert program("PUT", "/topics", {"slugs": ["nonsense"]}).status_code == 404
    retired = program("PATCH", "/topics/city-hall", {"access": "retired"}).json()
    assert retired["access"] == "retired"
    back = program("PATCH", "/topics/city-hall", {"access": "open", "name": "Town hall"}).json()
    assert (back["access"], back["name"], back["slug"]) == ("open", "Town hall", "city-hall")
    for method, body in (("POST", {"name": "X"}), ("PUT", {"slugs": ["breaking"]})):
        assert Program(role="editor")(method, "/topics", body).status_code == 403


def test_the_last_topic_stays(breaking: Topic) -> None:
    Topic.objects.exclude(pk=breaking.pk).delete()
    answer = Program(role="administrator")("PATCH", "/topics/breaking", {"access": "retired"})
    assert answer.status_code == 409


def test_a_draft_is_deleted_and_brought_back(breaking: Topic) -> None:
    program = Program()
    path = f"/stories/{program.draft()['id']}"
    assert program("DELETE", path).status_code == 204
    assert program("GET", "/stories").json()["items"] == []
    deleted = program("GET", "/stories?deleted=true").json()["items"]
    assert [one["deleted"] for one in deleted] == [True]
    assert program("POST", f"{path}/alerts", {}).status_code == 409
    assert program("POST", f"{path}/restore").json()["deleted"] is False
    assert len(program("GET", "/stories").json()["items"]) == 1
    assert log()[-2:] == ["delete draft", "bring back draft"]


def test_a_program_asks_for_approval_and_sends_what_was_approved(
    breaking: Topic, ada: Editor, ben: Editor
) -> None:
    program = Program("stories:read", "stories:write", "alerts:send", "alerts:read")
    story = program.draft()
    path = f"/stories/{story['id']}"
    assert program("POST", f"{path}/alerts", {}).status_code == 403
    who = program("GET", f"{path}/approvers").json()["items"]
    assert {"id": ada.pk, "name": ada.name} in who
    assert ben.pk not in [one["id"] for one in who], "a reporter may not"
    body = {"approver": ada.pk, "note": "The harbour office confirms."}
    refused = program("POST", f"{path}/approval-request", body | {"approver": ben.pk})
    assert refused.status_code == 409
    assert program("POST", f"{path}/approval-request", body, if_match='"9"').status_code == 412
    assert program("POST", f"{path}/approval-request", body, if_match='"1"').status_code == 202
    assert Letter.objects.get().kind == "approval"
    from morefollows.stories.drafts.actions import approve

    approve(Story.objects.get(), ada, revision=1)
    assert program("POST", f"{path}/alerts", {}).status_code == 202


def test_a_hold_is_ended_and_a_schedule_moved(breaking: Topic) -> None:
    program = Program()
    sent = program("POST", f"/stories/{program.draft()['id']}/alerts", {"hold_seconds": 600})
    path = f"/alerts/{sent.json()['id']}"
    assert program("POST", f"{path}/send-now").status_code == 200
    later = timezone.now() + timedelta(hours=2)
    refused = program("POST", f"{path}/schedule", {"at": later.isoformat()})
    assert refused.status_code == 409, "it is not scheduled"

    other = program.draft(headline="Lighthouse goes dark")
    asked = {"at": (later + timedelta(hours=1)).isoformat()}
    planned = program("POST", f"/stories/{other['id']}/alerts", asked).json()
    path = f"/alerts/{planned['id']}"
    moved = program("POST", f"{path}/schedule", {"at": later.isoformat()})
    assert moved.status_code == 200, moved.content
    assert Alert.objects.get(uuid=planned["id"]).not_before_ms == int(later.timestamp() * 1000)
    assert program("POST", f"{path}/send-now").status_code == 409, "it is scheduled"


def test_a_closed_story_is_reopened(breaking: Topic) -> None:
    program = Program()
    story = Story.objects.get(uuid=program.draft()["id"])
    Story.objects.update(state=Story.State.FINAL)
    assert program("POST", f"/stories/{story.uuid}/reopen").json()["state"] == "developing"
    assert program("POST", f"/stories/{story.uuid}/reopen").status_code == 409


def test_relays_are_paused_by_who_may(breaking: Topic, settings: Any) -> None:
    name = settings.MOREFOLLOWS.relays_or_inbox[0].name
    program = Program()
    assert program("POST", "/relays/pause", {"relay": name}).status_code == 204
    assert Relay.objects.get(name=name).paused_by == "CMS"
    assert program("POST", "/relays/resume", {"relay": name}).status_code == 204
    assert Relay.objects.get(name=name).paused_at is None
    assert log()[-2:] == ["pause relay", "resume relay"]
    assert program("POST", "/relays/pause", {"relay": "nonsense"}).status_code == 404
    assert Program(role="reporter")("POST", "/relays/pause", {"relay": name}).status_code == 403


def test_a_change_of_a_person_is_done_as_a_whole(breaking: Topic, dora: Editor) -> None:
    program = Program(role="administrator")
    other = Editor.objects.create(
        email="eli@herald.example", name="Eli", role=Role.ADMINISTRATOR, is_active=False
    )
    # The last administrator can't be disabled: then nothing of the change is done.
    body = {"offers": True, "topics": ["breaking"], "all_topics": False, "active": False}
    Editor.objects.filter(api_key=program.key).update(role=Role.ADMINISTRATOR)
    answer = program("PATCH", f"/people/{dora.pk}", body)
    assert answer.status_code == 409, answer.content
    dora.refresh_from_db()
    assert (dora.is_active, dora.all_topics, dora.topics.count()) == (True, True, 0)
    assert not other.is_active


def test_topics_are_merged_and_links_renewed(breaking: Topic, cy: Reader) -> None:
    program = Program(role="administrator")
    program("POST", "/topics", {"name": "City hall", "access": "invited"})
    link = program("GET", "/topics/city-hall/invitation").json()["url"]
    assert program("POST", "/topics/city-hall/invitation").json()["url"] != link
    assert program("GET", "/topics/breaking/invitation").status_code == 409
    body = {"into": "city-hall", "dry_run": True}
    counted = {"moved": 1, "both": 0, "left": 0, "unconfirmed": 0}
    assert program("POST", "/topics/breaking/merge", body).json() == counted
    assert Program(role="editor")("POST", "/topics/breaking/merge", body).status_code == 403
    assert cy.subscriptions.get().topic == breaking
    merged = program("POST", "/topics/breaking/merge", {"into": "city-hall"})
    assert merged.json() == counted
    assert cy.subscriptions.filter(topic__slug="city-hall", state="active").exists()
    assert program("POST", "/topics/breaking/merge", {"into": "city-hall"}).status_code == 409
    assert "merge topics" in log()


def test_sites_may_show_the_box(breaking: Topic) -> None:
    program = Program(role="administrator")
    made = program("POST", "/sites", {"address": "https://www.herald.example/news?x=1"})
    assert made.json()["origin"] == "https://www.herald.example"
    assert len(program("GET", "/sites").json()["items"]) == 1
    assert program("POST", "/sites", {"address": "ftp://x"}).status_code == 409
    assert program("POST", "/sites/remove", {"address": "www.herald.example"}).status_code == 204
    assert program("POST", "/sites/remove", {"address": "www.herald.example"}).status_code == 404
    assert Program(role="editor")("POST", "/sites", {"address": "x.example"}).status_code == 403


def test_a_silent_process_is_forgotten_and_sending_goes_on_after_a_restore(db: None) -> None:
    NodeProcess.objects.create(
        name="old", host="tower", role="sender", number=1, started_at_ms=1, seen_at_ms=1
    )
    program = Program()
    [one] = program("GET", "/machines").json()["items"]
    assert (one["host"], one["silent_seconds"] > 0) == ("tower", True)
    assert Program(role="reporter")("POST", "/machines/forget", {"name": "old"}).status_code == 403
    assert program("POST", "/machines/forget", {"name": "old"}).status_code == 204
    assert program("POST", "/machines/forget", {"name": "old"}).status_code == 409
    assert program("POST", "/machines/go-on").status_code == 409, "nothing is held"


def test_an_offer_needs_the_right_to_offers(breaking: Topic) -> None:
    offer = {"headline": "Two for one", "text": "At the harbour.", "offer": True}
    program = Program(offers=True)
    made = program("POST", "/stories", offer)
    assert (made.status_code, made.json()["purpose"]) == (201, "offers")
    assert program("POST", "/stories", offer | {"topic": "breaking"}).status_code == 409
    assert Program()("POST", "/stories", offer).status_code == 409
