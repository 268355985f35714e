"""People of every role, and what each of them may ask about: stories, alerts, a reader."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.test import Client
from django.utils import timezone

from morefollows.accounts.models import Editor, Role
from morefollows.api.keys import create_key
from morefollows.api.webhooks import endpoints
from morefollows.audience.models import Reader, SeedInbox, Suppression, Topic
from morefollows.feedback.models import BounceFlood, IncomingMail
from morefollows.ingest.models import ItemRule, ReceivedItem, Source
from morefollows.ingest.sources.actions import add_source
from morefollows.setup import relays
from morefollows.stories import actions
from morefollows.stories.models import Alert, Story
from tests.live.support import publish
from tests.support.people import PASSWORD
from tests.support.routes import Route

#: The columns of the table: who asks.
PEOPLE = ("stranger", "reporter", "topic", "editor", "offers", "administrator", "disabled")
#: Whose story, or alert, an address is about.
OBJECTS = ("own", "other’s", "drill", "offer")
METHODS = ("GET", "POST")
#: Addresses about a published story; others are about a draft, those below `desk/alert/` about an
#: alert in its hold.
_PUBLISHED = ("story-develop", "story-withdraw", "story-finish")


class Cell(NamedTuple):
    """A request: by whom, to what, and about whose object."""

    route: Route
    method: str
    object: str
    person: str


class Scene(NamedTuple):
    """What is there to be asked about. `stories`: object, state and author → story."""

    people: dict[str, Editor]
    clients: dict[str, Client]
    stories: dict[tuple[str, str, str], Story]
    alerts: dict[tuple[str, str], Alert]
    reader: Reader
    suppression: Suppression
    keys: dict[str, int]  #: beginning of a route's name → primary key of what it is about


@pytest.fixture
def scene(breaking: Topic, cy: Reader) -> Scene:
    people = dict(_people())
    clients = {name: Client(raise_request_exception=False) for name in PEOPLE}
    for name, editor in people.items():
        clients[name].force_login(editor)
    Editor.objects.filter(pk=people["disabled"].pk).update(is_active=False)
    boss = people["administrator"]
    stories: dict[tuple[str, str, str], Story] = {}
    alerts: dict[tuple[str, str], Alert] = {}
    for object, who, author in _authors(people):
        kept = {"author": author, "topic": breaking} | (
            {"drill": True} if object == "drill" else {}
        )
        if object == "offer":
            kept |= {"purpose": "offers", "topic": None}
        for state in ("draft", "published", "held"):
            story = Story.objects.create(headline=f"{object} {who} {state}", text="Text.", **kept)
            stories[object, state, who] = story
            if state == "published":
                publish(story, "first")
            if state == "held":
                alerts[object, who] = actions.send(story, boss, hold=600, alone_reason="x" * 20)
    lost = Suppression.objects.create(key="k" * 64, reason="desk", at=cy.created_at)
    program = create_key("CMS", created_by=boss, role=Role.EDITOR, scopes=["topics:read"])[0]
    webhook = endpoints.add_endpoint("https://cms.example/hook", ["alert.sent"], boss)[0]
    keys = {"api-key": program.pk, "webhook": webhook.pk, "person": people["reporter"].pk}
    keys |= _of_feedback(cy)
    relays.save_relay(boss, "smtp://relay.example:25?name=second")
    return Scene(people, clients, stories, alerts, cy, lost, keys)


def _of_feedback(cy: Reader) -> dict[str, int]:
    """What came back, and where mail is looked for: as `Scene.keys`."""
    now = timezone.now()
    seed = SeedInbox.objects.create(reader=cy, name="Gmail", sealed_url="", added_at=now)
    mail = IncomingMail.objects.create(
        receiver="listener", digest="1", arrived_at=now, size=1, sealed=b"", kind="bounce"
    )
    flood = BounceFlood.objects.create(domain="a.example", since=now, bounced=9, accepted=9)
    back = {"correct-judgement": mail.pk, "export-came-back": mail.pk, "reply-done": mail.pk}
    return {"seed-do": seed.pk, "flood": flood.pk, **back}


def _people() -> Iterator[tuple[str, Editor]]:
    roles = {"topic": "editor", "offers": "reporter", "disabled": "administrator"}
    politics = Topic.objects.get(slug="politics")
    for name in PEOPLE[1:]:
        editor = Editor(
            email=f"{name}@herald.example",
            name=name.capitalize(),
            role=roles.get(name, name),
            writes_offers=name == "offers",
            all_topics=name != "topic",
        )
        editor.set_password(PASSWORD)
        editor.save()
        if name == "topic":
            editor.topics.set([politics])
        yield name, editor


def _authors(people: dict[str, Editor]) -> Iterator[tuple[str, str, Editor]]:
    other = Editor.objects.create(email="other@herald.example", name="Other", role="editor")
    for name in PEOPLE:
        yield "own", name, people.get(name, other)
    for object in OBJECTS[1:]:
        yield object, "", other


def _of_ingest(name: str, boss: Editor) -> int:
    """The primary key of a source, an item of it or a rule, made at the first call."""
    source = Source.objects.filter(name="Wire").first() or add_source(
        "Wire", "push", by=None, topic=Topic.objects.get(slug="breaking")
    )
    if name.startswith("source"):
        return source.pk
    if name.startswith("item-rule"):
        return ItemRule.objects.get_or_create(name="Rule", defaults={"created_by": boss})[0].pk
    made = ReceivedItem.objects.get_or_create(
        source=source,
        item_id="1",
        digest="1",
        defaults={
            "headline": "Fire",
            "item": {"headline": "Fire", "text": "Text."},
            "decision": "kept",
            "raw": b"",
        },
    )
    return made[0].pk


def request(scene: Scene, cell: Cell) -> tuple[str, dict[str, Any]]:
    """Address and form of a request that would be right if its sender had the right to it."""
    name = cell.route.name
    who = cell.person if cell.object == "own" else ""
    state = "published" if name in _PUBLISHED or not cell.route.path.startswith("desk/") else ""
    parts = {"pk": str(scene.reader.pk), "name": "atom", "kind": "alerts", "language": "en"}
    parts |= {"number": "1", "slug": "breaking", "topic": "breaking"}
    form: dict[str, Any] = {"mark": scene.reader.mark}
    if name == "suppression-lift":
        parts["pk"], form["mark"] = str(scene.suppression.pk), scene.suppression.mark
    if name in ("wire-item", "wire-do", "item-rule", "item-rule-do", "source", "source-do"):
        parts["pk"] = str(_of_ingest(name, scene.people["administrator"]))
        form["do"] = "draft" if name == "wire-do" else "off" if "rule" in name else "pause"
    for begins, key in scene.keys.items():
        if name.startswith(begins):
            parts["pk"] = str(key)
    if name.startswith("settings-relay"):
        parts["name"] = "second"
    if cell.object == "–":
        kept = {"uuid": uuid.uuid4(), "revision": 0}
        story = None
    else:
        story = scene.stories[cell.object, state or "draft", who]
        kept = {"uuid": story.uuid, "revision": story.revision}
        alert = scene.alerts[cell.object, who]
        parts["uuid"] = str(alert.uuid if "desk/alert/" in cell.route.path else story.uuid)
    form |= kept
    form |= {"headline": "Other words", "standfirst": "", "text": "Text.", "language": "en"}
    form |= {"topic": Topic.objects.get(slug="breaking").pk, "kind": "update", "note": "Why"}
    form |= {"relay": "local inbox", "purpose": "alerts", "address": "nobody@reader.example"}
    form |= {"alone": "Night shift, nobody else is here", "token": "x", "sure": "on"}
    if name in ("site-add", "site-remove"):
        form |= {"address": "https://other.example", "site": "https://other.example"}
    form |= {"day": "2099-01-01", "clock": "12:00"}
    if name == "seed-do":
        form["do"] = "pause"
    if name == "wire-do":
        form["headline"] = ""
    if name == "reader-find":
        form["address"] = scene.reader.address
    if name == "settings-topic-merge":
        form["into"] = "politics"
    elif cell.method == "GET":
        form = {}
    return cell.route.address(parts), form
