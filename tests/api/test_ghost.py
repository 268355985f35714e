"""What a Ghost publishes becomes a story, once. The bodies have the form of Ghost 6."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from morefollows.api.ghost import catch_up
from morefollows.api.ghost.connections import NewConnection, connect_ghost, disconnect_ghost
from morefollows.api.ghost.posts import read_ghost_post, text_of_ghost_post
from morefollows.api.models import GhostConnection
from morefollows.audience.models import Topic
from morefollows.audit.models import AuditEntry
from morefollows.cli.main import run
from morefollows.ingest.sources.fetching import FetchResponse
from morefollows.stories.models import Alert, Story, Update

POST: dict[str, Any] = {
    "id": "6741f0a3c5d2b40001a1b2c3",
    "title": "Ferry runs aground",
    "custom_excerpt": "All are safe.",
    "html": "<p>The <strong>ferry</strong> ran aground.</p><figure><img src='x'>no</figure>",
    "url": "https://herald.example/ferry/",
    "status": "published",
    "visibility": "public",
    "updated_at": "2026-11-29T17:00:00.000Z",
    "tags": [{"slug": "harbour"}],
}


class Ghost:
    """Posts webhooks as Ghost does."""

    def __init__(self, made: NewConnection) -> None:
        self.made = made
        self.client = Client()

    def tell(self, event: str, secret: str | None = None, at: float = 0, **changes: Any) -> Any:
        body = json.dumps({"event": event, "post": {"current": POST | changes, "previous": {}}})
        stamp = str(int((time.time() + at) * 1000))
        key = (self.made.secret if secret is None else secret).encode()
        signed = hmac.new(key, (body + stamp).encode(), hashlib.sha256).hexdigest()
        return self.client.post(
            f"/hooks/ghost/{self.made.token}/",
            body,
            content_type="application/json",
            headers={"X-Ghost-Signature": f"sha256={signed}, t={stamp}"},
        )

    def done(self, event: str, **changes: Any) -> str:
        answer = self.tell(event, **changes)
        assert answer.status_code == 200, answer.content
        return str(answer.json()["done"])


def connected(topic: Topic, **more: Any) -> Ghost:
    return Ghost(connect_ghost("Our Ghost", by=None, topic=topic, **{"tags": {}, **more}))


PUBLISHED, EDITED, UNPUBLISHED = "post.published", "post.published.edited", "post.unpublished"


def test_a_post_becomes_a_draft_for_an_editor(breaking: Topic) -> None:
    ghost = connected(breaking)
    assert ghost.done(PUBLISHED) == "drafted"
    story = Story.objects.get()
    assert (story.headline, story.standfirst) == ("Ferry runs aground", "All are safe.")
    assert story.text == "The **ferry** ran aground.\n\n<https://herald.example/ferry/>"
    assert not Alert.objects.exists()
    assert ghost.done(EDITED, title="Ferry is aground", updated_at="2") == "drafted"
    assert Story.objects.get().headline == "Ferry is aground"


def test_with_the_right_it_is_sent_once_however_often_ghost_tells_it(breaking: Topic) -> None:
    ghost = connected(breaking, send_alone=True)
    assert ghost.done(PUBLISHED) == "sent"
    assert ghost.done(PUBLISHED) == "known already"
    ghost.done(PUBLISHED, updated_at="later")
    assert Alert.objects.count() == Story.objects.count() == 1
    assert AuditEntry.objects.get(what="send", editor__name="Our Ghost")


def test_tags_choose_the_topic(breaking: Topic) -> None:
    harbour = Topic.objects.create(slug="port", name="Port", position=2)
    ghost = connected(breaking, tags={"harbour": harbour})
    ghost.done(PUBLISHED)
    assert Story.objects.get().topic == harbour
    ghost.done(PUBLISHED, id="other", tags=[{"slug": "port"}])
    ghost.done(PUBLISHED, id="none", tags=[])
    slugs = Story.objects.order_by("pk").values_list("topic__slug", flat=True)
    assert list(slugs) == ["port", "port", breaking.slug]


def test_edits_and_unpublishing_do_what_was_chosen(breaking: Topic) -> None:
    ghost = connected(breaking, send_alone=True, on_edit="update", on_unpublish="retract")
    ghost.done(PUBLISHED)
    Alert.objects.update(state="sent", ended_at="2026-01-01T00:00Z")
    Story.objects.update(state="live")
    assert ghost.done(EDITED, updated_at="2") == "nothing to tell"
    assert ghost.done(EDITED, updated_at="3", html="<p>It floats.</p>") == "sent"
    assert ghost.done(UNPUBLISHED, updated_at="4", status="draft") == "retracted"
    kinds = Alert.objects.order_by("pk").values_list("update__kind", flat=True)
    assert list(kinds) == ["first", "update", "withdrawal"]


def test_the_command_line_lists_and_removes_them(
    breaking: Topic, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["ghost", "add", "Our Ghost", "--tag", "harbour=breaking", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert "/hooks/ghost/" in made["url"]
    assert run(["keys", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["created_at"]
    assert run(["ghost", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["tags"] == {"harbour": "breaking"}
    assert run(["ghost", "remove", made["id"]]) == 0
    assert not GhostConnection.objects.exists()
    assert AuditEntry.objects.filter(what="disconnect Ghost").exists()


def test_only_ghost_is_believed(breaking: Topic) -> None:
    ghost = connected(breaking, send_alone=True)
    assert ghost.tell(PUBLISHED, secret="another").status_code == 400
    assert ghost.tell(PUBLISHED, at=-3600).status_code == 400
    unsigned = ghost.client.post(f"/hooks/ghost/{ghost.made.token}/", "{}", "application/json")
    assert unsigned.status_code == 400
    assert ghost.client.get(f"/hooks/ghost/{ghost.made.token}/").status_code == 405
    assert ghost.client.post("/hooks/ghost/guessed/", "{}", "application/json").status_code == 404
    disconnect_ghost(ghost.made.connection, None)
    assert ghost.tell(PUBLISHED).status_code == 404
    assert not Story.objects.exists()


def test_a_secret_is_never_stored_as_it_is(breaking: Topic) -> None:
    made = connected(breaking).made
    stored = repr(GhostConnection.objects.values())
    assert made.token not in stored
    assert made.secret not in stored
    with pytest.raises(ValidationError, match="without approval"):
        connected(breaking, on_unpublish="retract")


def told(**changes: Any) -> bytes:
    return json.dumps({"post": {"current": POST | changes, "previous": {}}}).encode()


def test_what_members_paid_for_is_not_mailed() -> None:
    post = read_ghost_post(told(visibility="paid"))
    assert post is not None
    assert text_of_ghost_post(post, whole=True) == "<https://herald.example/ferry/>"


@pytest.mark.parametrize(
    ("status", "before", "event"),
    [
        ("published", "draft", PUBLISHED),
        ("published", "published", EDITED),
        ("draft", "published", UNPUBLISHED),
        ("draft", "draft", None),
        ("sent", "draft", None),
    ],
)
def test_without_a_name_the_event_is_read_from_the_states(
    status: str, before: str, event: str | None
) -> None:
    body = {"post": {"current": POST | {"status": status}, "previous": {"status": before}}}
    post = read_ghost_post(json.dumps(body).encode())
    assert (post and post.event) == event


@pytest.mark.django_db
@pytest.mark.parametrize(
    "post",
    [
        {"id": 7},
        {"title": None, "html": "<p" * 5000},
        {"tags": "x"},
        {"title": "\u202eX\n" * 200, "html": "<div>" * 20_000 + "x"},
    ],
)
def test_nonsense_is_answered_and_does_no_harm(breaking: Topic, post: dict[str, Any]) -> None:
    answer = connected(breaking).tell(PUBLISHED, **post)
    assert answer.status_code in (200, 400)


def test_a_post_that_says_what_was_wrong_becomes_a_correction(breaking: Topic) -> None:
    ghost = connected(breaking, send_alone=True, on_edit="update")
    ghost.done(PUBLISHED)
    Alert.objects.update(state="sent", ended_at="2026-01-01T00:00Z")
    Story.objects.update(state="live")
    Update.objects.update(number=1, published_at="2026-01-01T00:00Z")
    html = (
        "<p>All 14 are safe.</p><p><strong>Correction:</strong> We said that <em>40</em> were.</p>"
    )
    assert ghost.done(EDITED, updated_at="2", html=html) == "sent"
    found = Update.objects.get(kind="correction")
    assert (found.note, found.answers) == ("We said that 40 were.", [1])
    assert found.text == "All 14 are safe.\n\n<https://herald.example/ferry/>"
    Update.objects.filter(published_at=None).update(number=2, published_at="2026-01-02T00:00Z")
    Alert.objects.update(state="sent", ended_at="2026-01-01T00:00Z")
    later = html + "<p>It floats.</p>"
    assert ghost.done(EDITED, updated_at="3", html=later) == "sent"
    assert Update.objects.latest("pk").kind == "update", "that correction was sent already"


def test_what_was_missed_is_read_from_the_content_api(
    breaking: Topic, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ghost = connected(breaking, send_alone=True)
    ghost.done(PUBLISHED)
    Story.objects.update(state="live")
    shown = {name: value for name, value in POST.items() if name != "status"}
    missed = shown | {"id": "missed", "title": "Lighthouse goes dark", "updated_at": "9"}
    asked = []

    async def fetch(url: str, *_more: Any) -> FetchResponse:
        asked.append(url)
        return FetchResponse(200, {}, json.dumps({"posts": [shown, missed]}).encode(), url, "")

    monkeypatch.setattr(catch_up, "fetch", fetch)
    words = ["--site", "https://herald.example/blog/", "--content-key", "k", "--json"]
    command = ["ghost", "catch-up", str(ghost.made.connection.uuid), *words]
    assert run(command) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == [
        {"headline": "Ferry runs aground", "done": "nothing to tell"},
        {"headline": "Lighthouse goes dark", "done": "sent"},
    ]
    assert asked[0].startswith("https://herald.example/blog/ghost/api/content/posts/?key=k&")
    assert run(command) == 0
    assert Alert.objects.count() == 2
    assert AuditEntry.objects.filter(what="send", editor__name="Our Ghost").count() == 2
