"""What every request of the API goes through: keys, scopes, rates, replays, errors."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from morefollows.accounts.models import Editor, Role
from morefollows.api import keys
from morefollows.api.http.repeated_requests import forget_answers
from morefollows.api.models import ApiKey, IdempotentRequest
from morefollows.api.scopes import Scope
from morefollows.audience.models import Newsroom, Topic
from morefollows.audit.models import AuditEntry
from morefollows.stories.models import Alert, Story
from tests.api.support import BODY, HEADLINE, Program


def test_a_key_is_shown_once_and_stored_as_a_hash(newsroom: Newsroom, dora: Editor) -> None:
    key, text = keys.create_key("CMS", created_by=dora, role=Role.EDITOR, scopes=["log:read"])
    assert text.startswith("mf_")
    assert text not in repr(ApiKey.objects.values())
    assert keys.find_key(text) == key
    assert not key.account.has_usable_password()
    logged = AuditEntry.objects.get(what="make API key")
    assert logged.editor_id == dora.pk
    assert text not in str(logged.details)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["stories:eat"]}, "scopes"),
        ({"expires_at": timezone.now() - timedelta(days=1)}, "expires_at"),
        ({"name": "C\nMS"}, "name"),
        ({"name": " "}, "name"),
    ],
)
def test_a_key_that_can_not_be_made_says_why(
    db: None, wrong: dict[str, object], field: str
) -> None:
    good = {"name": "CMS", "created_by": None, "role": Role.EDITOR, "scopes": ["log:read"]}
    with pytest.raises(ValidationError) as caught:
        keys.create_key(**(good | wrong))  # type: ignore[arg-type]
    assert field in caught.value.message_dict
    assert not ApiKey.objects.exists()
    assert not Editor.objects.exists()


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer mf_x", "Basic YTpi", "bearer \x00", "Bearer mf_é"]
)
def test_without_a_good_key_nothing_is_answered(newsroom: Newsroom, given: str) -> None:
    answer = Client(headers={"authorization": given}).get("/api/v1/stories")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_key_that_ended_opens_nothing(newsroom: Newsroom) -> None:
    program = Program()
    assert program("GET", "/stories").status_code == 200
    ApiKey.objects.update(expires_at=timezone.now())
    assert program("GET", "/stories").status_code == 401
    ApiKey.objects.update(expires_at=None)
    keys.revoke_key(program.key, None)
    assert program("GET", "/stories").status_code == 401


def test_a_key_opens_only_what_its_scopes_say(breaking: Topic) -> None:
    program = Program("stories:read")
    assert program("GET", "/stories").status_code == 200
    answer = program("POST", "/stories", BODY)
    assert answer.status_code == 403
    assert answer.json()["scope"] == "stories:write"
    assert not Story.objects.exists()


def test_a_key_is_bound_to_its_topics(breaking: Topic) -> None:
    sport = Topic.objects.create(slug="sport", name="Sport")
    theirs = Program().draft(topic="sport")
    program = Program(topics=[breaking])
    mine = program.draft(topic="breaking")
    assert program("POST", "/stories", BODY | {"topic": "sport"}).status_code == 403
    assert [one["id"] for one in program("GET", "/stories").json()["items"]] == [mine["id"]]
    assert program("GET", f"/stories/{theirs['id']}").status_code == 404
    moved = program("PATCH", f"/stories/{mine['id']}", {"topic": "sport"})
    assert moved.status_code == 403
    assert not Story.objects.filter(topic=sport, uuid=mine["id"]).exists()


def test_offers_are_nothing_to_a_key_without_the_right(breaking: Topic, dora: Editor) -> None:
    offer = Story.objects.create(headline="Half price", purpose="offers", author=dora)
    assert Program()("GET", f"/stories/{offer.uuid}").status_code == 404
    assert Program(offers=True)("GET", f"/stories/{offer.uuid}").status_code == 200


def test_every_answer_has_a_number_and_says_what_is_left(newsroom: Newsroom) -> None:
    answer = Program()("GET", "/topics")
    assert answer["Request-Id"]
    assert answer["RateLimit-Policy"] == '"key";q=600;w=60'
    assert answer["RateLimit"].startswith('"key";r=599;')
    assert answer["Cache-Control"] == "no-store"


def test_a_key_that_asks_too_often_waits(newsroom: Newsroom, settings: object) -> None:
    program = Program()
    settings.MOREFOLLOWS = settings.MOREFOLLOWS.__class__(  # type: ignore[attr-defined]
        **{**vars(settings.MOREFOLLOWS), "api_requests": 2}  # type: ignore[attr-defined]
    )
    assert [program("GET", "/topics").status_code for _ in range(3)] == [200, 200, 429]
    answer = program("GET", "/topics")
    assert int(answer["Retry-After"]) >= 1
    assert Program()("GET", "/topics").status_code == 200, "another key is another bucket"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/stories/0", 404),
        ("DELETE", "/stories", 405),
        ("GET", "", 404),
    ],
)
def test_what_is_not_there_is_a_problem_too(
    newsroom: Newsroom, method: str, path: str, status: int
) -> None:
    answer = Program()(method, path)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_wrong_json_names_the_field(breaking: Topic) -> None:
    answer = Program()("POST", "/stories", {"headline": ["x"], "text": 7, "topic": "x\0"})
    assert answer.status_code == 422
    assert {one["field"] for one in answer.json()["errors"]} == {"headline", "text", "topic"}
    broken = Program().client.post("/api/v1/stories", "{", content_type="application/json")
    assert broken.status_code == 400


def test_the_document_names_every_scope_and_the_page_every_request(newsroom: Newsroom) -> None:
    client = Client()
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    requests = [one for path in document["paths"].values() for one in path.values()]
    used = {one["x-scope"] for one in requests if "x-scope" in one}
    assert used == set(Scope.values)
    page = client.get("/api/v1/docs").content.decode()
    for one in requests:
        assert f'id="{one["operationId"]}"' in page
        assert "default" in one["responses"]


# -- done once ------------------------------------------------------------------------------------


def test_a_repeated_request_is_done_once(breaking: Topic) -> None:
    program = Program()
    body = {"headline": HEADLINE, "text": "Nobody is hurt."}
    first = program("POST", "/stories", body, idempotency_key="post-17")
    again = program("POST", "/stories", body, idempotency_key="post-17")
    assert Story.objects.count() == 1
    assert (again.status_code, again.content, again["Location"]) == (
        201,
        first.content,
        first["Location"],
    )
    assert again["Idempotency-Replayed"] == "true"


def test_the_same_idempotency_key_for_something_else_is_refused(breaking: Topic) -> None:
    program = Program()
    assert program("POST", "/stories", BODY, idempotency_key="1").status_code == 201
    other = program("POST", "/stories", BODY | {"headline": "Another"}, idempotency_key="1")
    assert (other.status_code, other.json()["type"]) == (422, "/api/v1/docs#key-reused")
    assert Story.objects.count() == 1
    assert Program()("POST", "/stories", BODY, idempotency_key="1").status_code == 201, (
        "another program's keys are its own"
    )


def test_a_failed_request_leaves_nothing_and_may_be_repeated(breaking: Topic) -> None:
    program = Program()
    draft = program.draft()
    path = f"/stories/{draft['id']}/alerts"
    once = {"audience": "followers"}  # which a first update can't go to
    assert program("POST", path, once, idempotency_key="send").status_code == 409
    assert not IdempotentRequest.objects.exists()
    assert not Alert.objects.exists()
    assert program("POST", path, {}, idempotency_key="send").status_code == 202
    assert Alert.objects.count() == 1


def test_answers_are_forgotten_after_a_day(breaking: Topic) -> None:
    program = Program()
    program("POST", "/stories", BODY, idempotency_key="old")
    assert forget_answers() == 0
    IdempotentRequest.objects.update(at=timezone.now() - timedelta(hours=25))
    assert (
        program("POST", "/stories", BODY | {"headline": "Other"}, idempotency_key="old").status_code
        == 201
    )
    IdempotentRequest.objects.update(at=timezone.now() - timedelta(hours=25))
    assert forget_answers() == 1


@pytest.mark.parametrize("wrong", ["", "é", "a b", "x" * 256])
def test_an_idempotency_key_is_plain_and_short(breaking: Topic, wrong: str) -> None:
    answer = Program()("POST", "/stories", BODY, idempotency_key=wrong)
    assert answer.status_code == 400
    assert not Story.objects.exists()


def test_a_key_tells_what_it_may_be_used_for(breaking: Topic, newsroom: Newsroom) -> None:
    program = Program("stories:read", topics=[breaking])
    answer = program("GET", "/key")
    assert answer.status_code == 200
    told = answer.json()
    assert told["scopes"] == ["stories:read"]
    assert told["topics"] == [breaking.slug]
    assert told["newsroom"] == newsroom.name
    assert program.text not in answer.content.decode()
    assert Program("log:read")("GET", "/key").json()["topics"] is None
    assert Client().get("/api/v1/key").status_code == 401


def test_alerts_are_listed_by_story(breaking: Topic) -> None:
    program = Program()
    first, second = program.draft(), program.draft(headline="Lock gate jammed")
    for story in (first, second):
        sent = program("POST", f"/stories/{story['id']}/alerts", {"hold_seconds": 60})
        assert sent.status_code == 202, sent.content
    found = program("GET", f"/alerts?story={second['id']}").json()["items"]
    assert [one["story"] for one in found] == [second["id"]]
