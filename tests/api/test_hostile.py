"""Requests that mean harm, or come from a broken program: refused in the documented form."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ninja import Schema
from pydantic import ValidationError

from morefollows.accounts.models import Editor
from morefollows.api.models import IdempotentRequest
from morefollows.api.v1 import document
from morefollows.audience.models import Reader, Topic
from morefollows.stories.models import Alert, Story
from tests.api.support import BODY, Program

DEEP = b'{"headline":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def sent(program: Program, body: bytes, kind: str = "application/json", **headers: str) -> Any:
    return program.client.post("/api/v1/stories", body, content_type=kind, headers=headers)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"headline": "Ferry", "text": "T", "drill": NaN}', "application/json", (400, 422)),
        (b'{"headline": NaN}', "application/json", (400, 422)),
        (b'{"headline": "\\ud800", "text": "T"}', "application/json", (409, 422)),
        (b'{"headline": "a\\u0000b", "text": "T"}', "application/json", (422,)),
        (b'{"headline": "a\\u202eb", "text": "T"}', "application/json", (422,)),
        (b'{"headline": "Ferry", "text": "T", "topic": "\\ud83d"}', "application/json", (422,)),
        (b'{"headline": ' + b"9" * 5_000 + b"}", "application/json", (400,)),
        (b"\xff\xfe", "application/json", (400,)),
        (DEEP, "application/json", (400,)),
        (b"[]", "application/json", (400,)),
        (b"", "application/json", (400, 422)),
        (json.dumps(BODY).encode("utf-16"), "application/json", (201, 400)),
        (json.dumps(BODY).encode(), "text/plain", (415,)),
        (json.dumps(BODY).encode(), "application/x-www-form-urlencoded", (415,)),
        (json.dumps(BODY).encode(), "multipart/form-data; boundary=x", (415,)),
        (b"headline=Ferry&text=T", "application/json", (400,)),
    ],
)
def test_a_body_that_is_none_is_refused(
    breaking: Topic, body: bytes, kind: str, status: tuple[int, ...]
) -> None:
    answer = sent(Program(), body, kind)
    assert answer.status_code in status, answer.content
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json"
        assert json.loads(answer.content)["status"] == answer.status_code
        assert not Story.objects.exists()


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "k1",
        "////",
        "azk5OTk5OTk5OTk5OTk5OTk5OTk5OTk",
        "ay0x",
        "azA",
        "a2U",
        "%00",
        "😀",
        "a" * 65,
    ],
)
def test_a_cursor_that_is_not_ours_is_refused(breaking: Topic, cursor: str) -> None:
    answer = Program().client.get("/api/v1/stories", {"cursor": cursor})
    assert answer.status_code in (404, 422), answer.content


def test_a_cursor_opens_no_other_topic(breaking: Topic, ada: Editor) -> None:
    other = Topic.objects.exclude(pk=breaking.pk)[0]
    mine = Program(topics=[breaking])
    theirs = Program(topics=[other])
    story = theirs.draft(topic=other.slug)
    alert = theirs("POST", f"/stories/{story['id']}/alerts", {"hold_seconds": 600}).json()
    above = base64.urlsafe_b64encode(b"k%d" % (2**62)).decode().rstrip("=")
    for path in ("/stories", "/alerts"):
        assert mine("GET", f"{path}?cursor={above}").json()["items"] == []
        assert len(theirs("GET", f"{path}?cursor={above}").json()["items"]) == 1
    draft = BODY | {"kind": "update"}
    for method, path, body in (
        ("GET", f"/stories/{story['id']}", None),
        ("PATCH", f"/stories/{story['id']}", {"headline": "Mine"}),
        ("DELETE", f"/stories/{story['id']}", None),
        ("PUT", f"/stories/{story['id']}/draft", draft),
        ("GET", f"/stories/{story['id']}/updates", None),
        ("GET", f"/stories/{story['id']}/approvers", None),
        ("POST", f"/stories/{story['id']}/alerts", {"again": True}),
        ("POST", f"/stories/{story['id']}/close", {}),
        ("POST", f"/stories/{story['id']}/reopen", {}),
        ("POST", f"/stories/{story['id']}/restore", {}),
        ("POST", f"/stories/{story['id']}/withdrawal", {"reason": "X", "text": "Y"}),
        *(("GET", f"/alerts/{alert['id']}{of}", None) for of in ("", "/progress", "/report")),
        *(
            ("POST", f"/alerts/{alert['id']}/{action}", {})
            for action in ("take-back", "pause", "resume", "stop", "retry", "repeat", "send-now")
        ),
    ):
        assert mine(method, path, body).status_code == 404, (method, path)
    assert Alert.objects.get().state == "held"
    # Its own story can't be moved to a topic of others, nor begun there.
    own = mine.draft(topic=breaking.slug, headline="Lighthouse goes dark")
    moved = mine("PATCH", f"/stories/{own['id']}", {"topic": other.slug})
    assert moved.status_code == 403
    assert mine("POST", "/stories", BODY | {"topic": other.slug}).status_code == 403
    assert mine("POST", "/stories", BODY | {"id": story["id"]}).status_code in (403, 409)
    assert Story.objects.get(uuid=story["id"]).topic == other


def test_an_idempotency_key_is_its_programs_own(breaking: Topic, cy: Reader) -> None:
    first, second = Program(), Program()
    made = first("POST", "/stories", BODY, idempotency_key="same")
    other = second("POST", "/stories", BODY, idempotency_key="same")
    assert made.json()["id"] != other.json()["id"]
    assert IdempotentRequest.objects.count() == 2
    # Nor does it answer for another address.
    story = made.json()["id"]
    wrong = first("POST", f"/stories/{story}/alerts", BODY, idempotency_key="same")
    assert wrong.status_code == 422


@pytest.mark.parametrize("tag", ["1", 'W/"1"', '"2"', '""', '"1', '*, "7"', "x" * 5_000])
def test_only_the_very_etag_matches(breaking: Topic, tag: str) -> None:
    program = Program()
    story = program.draft()
    changed = program("PATCH", f"/stories/{story['id']}", {"headline": "New"}, if_match=tag)
    assert changed.status_code == 412, changed.content
    assert Story.objects.get().headline == BODY["headline"]


def test_words_stay_words(breaking: Topic, ada: Editor) -> None:
    """What looks like HTML, JSON, a formula or a header is text wherever it is told."""
    nasty = '=HYPERLINK("https://evil.example") <script>alert(1)</script> {"a": 1}'
    program = Program()
    story = program.draft(headline=nasty)
    assert program("GET", f"/stories/{story['id']}").json()["headline"] == nasty
    page = program("GET", "/stories/nonsense%0d%0aSet-Cookie:x=1")
    assert page.status_code == 404 and "Set-Cookie" not in page


def bodies() -> list[type[Schema]]:
    """Every model of a request's body."""
    named = {
        one["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for operations in document()["paths"].values()
        for one in operations.values()
        if "application/json" in one.get("requestBody", {}).get("content", {})
        and "$ref" in one["requestBody"]["content"]["application/json"]["schema"]
    }
    waiting, found = [Schema], []
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        if one.__name__ in named:
            found.append(one)
    assert len(found) >= len(named) > 10
    return found


@pytest.mark.parametrize("model", bodies(), ids=lambda one: one.__name__)
def test_no_type_of_json_stands_for_another(model: type[Schema]) -> None:
    """`false` is no number of seconds, 1 is no yes, and neither comes as text."""
    wrong = {"boolean": (1, 0, "true", "yes"), "number": (False, "1"), "integer": (True, "1", 1.5)}
    for name, schema in model.model_json_schema()["properties"].items():
        kinds = [one.get("type") for one in schema.get("anyOf", [schema])]
        for kind in set(kinds) & set(wrong):
            for value in wrong[str(kind)]:
                with pytest.raises(ValidationError) as caught:
                    model.model_validate({name: value})
                assert name in {one["loc"][0] for one in caught.value.errors()}, (name, value)


def test_seven_point_nought_is_a_whole_number(breaking: Topic) -> None:
    """JSON Schema 2020-12, Validation §6.1.1."""
    program = Program(role="administrator")
    made = program("POST", "/sources", {"name": "Wire", "kind": "push", "interval_seconds": 70.0})
    assert (made.status_code, made.json()["interval_seconds"]) == (201, 70)
    for wrong in ("70.5", "1e400", "NaN"):
        body = f'{{"name": "Other", "kind": "push", "interval_seconds": {wrong}}}'.encode()
        answer = program.client.post("/api/v1/sources", body, content_type="application/json")
        assert answer.status_code in (400, 422), answer.content


def test_a_line_feed_in_an_address_is_a_problem_too(breaking: Topic) -> None:
    answer = Program()("GET", "/sources/a%0Ab")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
