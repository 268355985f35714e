"""A key with every scope has the rights of its role, and no other: every request × who asks."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from morefollows.accounts.models import Editor
from morefollows.api.v1 import document
from morefollows.audience.models import Reader, Topic
from morefollows.stories import actions
from morefollows.stories.models import Story
from tests.api.support import Program
from tests.api.test_scopes import NUMBERED, operations

#: `topic`: an editor of another topic.
WHO = ("reporter", "topic", "editor", "administrator")
#: Who of them is denied what an administrator is given → requests; an offer is no editor's.
_DENIED = {
    "": """
        listStories listAlerts placeImage:story placeImage:offer uploadImage listTopics getTopic
        getAudience signUp listSources pushItems bringInFile bringInPage listWireItems getWireItem
        decideWireItem getCameBack listSites listProcesses getKey getHealth getSendingHealth
    """,
    "topic": """
        createStory getStory:story changeStory:story deleteDraft:story draftUpdate:story
        listUpdates:story withdrawStory:story listApprovers:story requestApproval:story
        restoreDraft:story closeStory:story reopenStory:story getAlert:story getProgress:story
        getReport:story changeTime:story resumeAlert:story stopAlert:story retryAlert:story
        repeatAlert:story
    """,
    "reporter topic editor": """
        getStory:offer changeStory:offer deleteDraft:offer draftUpdate:offer listUpdates:offer
        sendAlert:offer withdrawStory:offer listApprovers:offer requestApproval:offer
        restoreDraft:offer closeStory:offer reopenStory:offer getAlert:offer getProgress:offer
        getReport:offer takeBack:offer sendNow:offer changeTime:offer pauseAlert:offer
        resumeAlert:offer stopAlert:offer retryAlert:offer repeatAlert:offer importReaders
        listImports getImport listPeople invitePerson getPerson changePerson endSessions
        listSettings getSetting changeSetting unsetSetting addTopic orderTopics changeTopic
        mergeTopic getInvitation renewInvitation eraseReader suppressAddress liftSuppression
        listWebhooks addWebhook getWebhook changeWebhook removeWebhook rotateWebhookSecret
        testWebhook listDeliveries sendWebhookAgain listFullSources addSource getSource changeSource
        removeSource pollSource decideFlood listCameBack correctJudgement exportCameBack addSite
        removeSite
    """,
    "reporter topic": """
        sendAlert:story takeBack:story sendNow:story pauseAlert:story forgetProcess goOnAfterRestore
        pauseRelay resumeRelay
    """,
    "reporter": """
        countAudience findReader getReader withdrawConsent exportReaders findSuppression listRules
        addRule orderRules getRule changeRule removeRule letRuleSend simulateRule listDrillReaders
        inviteToDrills removeFromDrills listReplies finishReply listLog
    """,
}
_TEXTS = {"address": "nobody@reader.example", "email": "nobody@herald.example"}
_TEXTS |= {"url": "https://cms.example/hook", "relay": "local inbox", "at": "2099-01-01T12:00:00Z"}
_NUMBERS: dict[str, int] = {}  #: those that must be of somebody who is there
_FORMATS = {"uuid": str(UUID(int=7)), "date-time": "2099-01-01T12:00:00Z"}


def test_every_request_is_answered_as_the_role_has_it(
    cy: Reader,
    breaking: Topic,
    story: Story,
    dora: Editor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(_NUMBERS, "approver", dora.pk)
    kept = {"headline": "Words", "text": "Text.", "author": dora}
    offer = Story.objects.create(purpose="offers", topic=None, **kept)
    own = {"story": {"story_id": str(story.uuid)}, "offer": {"story_id": str(offer.uuid)}}
    for name, topic in (("story", breaking), ("offer", None)):
        sent = Story.objects.create(purpose="alerts" if topic else "offers", topic=topic, **kept)
        alert = actions.send(sent, dora, hold=600, alone_reason="x" * 20)
        own[name]["alert_id"] = str(alert.uuid)
    programs = {who: Program(role=who) for who in WHO if who != "topic"}
    programs["topic"] = Program(role="editor", topics=[Topic.objects.get(slug="politics")])
    found: dict[str, str] = {}
    for method, path, one in operations():
        for about in own if re.search("{(story|alert)_id}", path) else ("",):
            address = path.removeprefix("/api/v1")
            for part, uuid in own.get(about, {}).items():
                address = address.replace(f"{{{part}}}", uuid)
            codes = {who: _ask(programs[who], method, _filled(address), one) for who in WHO}
            name = f"{one['operationId']}:{about}".rstrip(":")
            found[name] = " ".join(who for who in WHO if _denied(codes, who))
    expected = {name: who for who, names in _DENIED.items() for name in names.split()}
    assert found == expected


def _ask(program: Program, method: str, address: str, one: dict[str, Any]) -> int:
    """The status. Nothing of it stays in the database."""
    with transaction.atomic():
        answer = program(method, address, _body(one), idempotency_key="k")
        transaction.set_rollback(True)
    return int(answer.status_code)


def _denied(codes: dict[str, int], who: str) -> bool:
    """Refused, or told that there is no such thing, where an administrator gets on."""
    code, boss = codes[who], codes["administrator"]
    return code == 403 or (code >= 400 > boss) or (code == 404 != boss)


def _filled(address: str) -> str:
    address = re.sub(NUMBERED, "1", address)
    address = re.sub(r"{\w+_id}", str(UUID(int=7)), address)
    return re.sub(r"{\w+}", "breaking", address)


def _body(one: dict[str, Any]) -> Any:
    """The shortest body that the document allows; None without one."""
    found = one.get("requestBody", {}).get("content", {}).get("application/json")
    return _least(found["schema"]) if found else None


def _least(schema: dict[str, Any], name: str = "") -> Any:
    if "$ref" in schema:
        name_of = schema["$ref"].rpartition("/")[2]
        return _least(document()["components"]["schemas"][name_of], name)
    if several := schema.get("anyOf") or schema.get("allOf"):
        return _least(several[0], name)
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    match schema.get("type"):
        case "object":
            needed = schema.get("required", ())
            return {key: _least(schema["properties"][key], key) for key in needed}
        case "array":
            return [_least(schema["items"], name)] if schema.get("minItems") else []
        case "integer" | "number":
            return _NUMBERS.get(name) or max(1, schema.get("minimum", 1))
        case "boolean":
            return True
    return _TEXTS.get(name) or _FORMATS.get(schema.get("format", ""), "breaking")
