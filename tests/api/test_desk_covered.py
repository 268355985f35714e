"""Each action of the desk has its request, or a reason why it has none."""

from __future__ import annotations

import re
from pathlib import Path

from morefollows.api.v1 import document

PERMISSIONS = Path(__file__).parents[2] / "docs" / "reference" / "permissions.md"
_ROW = re.compile(r"\| `([a-z-]+)` \| POST \| [^|]+ \| (?:sign in|no) \|")

#: Why a program has no such action.
EYES = "four eyes: a person approves, or sends back, what a program wrote"
OWN = "of the person who is signed in"
SECRETS = "keys, relays and what signs are set by a person who has just signed in"
SEEN = "made of the text by the desk while somebody writes"
LEGAL = "texts of consent are published by a person who has read them"
#: Route of the desk → ids of requests with which a program does the same.
REQUESTS: dict[str, str | tuple[str, ...]] = {
    "story-bring-in": ("bringInFile", "bringInPage"),
    "story-start": ("createStory",),
    "story-new": ("createStory",),
    "drill-new": ("createStory",),
    "offer-new": ("createStory",),
    "story-delete": ("deleteDraft",),
    "story-restore": ("restoreDraft",),
    "story-edit": ("changeStory", "requestApproval"),
    "story-here": OWN,
    "story-develop": ("draftUpdate",),
    "story-withdraw": ("withdrawStory",),
    "story-approve": EYES,
    "story-send-back": EYES,
    "story-finish": ("closeStory",),
    "story-reopen": ("reopenStory",),
    "story-live": SEEN,
    "story-live-mail": SEEN,
    "story-outside": SEEN,
    "story-send": ("sendAlert",),
    "image-add": ("uploadImage", "placeImage"),
    "drill-invite": ("inviteToDrills",),
    "drill-remove": ("removeFromDrills",),
    "wire-do": ("decideWireItem",),
    "item-rule-new": ("addRule", "simulateRule"),
    "item-rule": ("changeRule",),
    "item-rule-do": ("orderRules", "removeRule", "letRuleSend"),
    "source-new": ("addSource",),
    "source": ("changeSource",),
    "source-do": ("changeSource", "removeSource", "pollSource"),
    "arrival": SECRETS,
    "seed-new": SECRETS,
    "seed-do": SECRETS,
    "flood": ("decideFlood",),
    "correct-judgement": ("correctJudgement",),
    "export-came-back": ("exportCameBack",),
    "reply-done": ("finishReply",),
    "log-export": ("listLog",),
    "site-add": ("addSite",),
    "site-remove": ("removeSite",),
    "reader-find": ("findReader",),
    "reader-withdraw": ("withdrawConsent",),
    "reader-erase": ("eraseReader",),
    "suppression-lift": ("liftSuppression",),
    "suppressions-lift": ("liftSuppression",),
    "setup-step": OWN,
    "settings-newsroom": ("changeSetting", "unsetSetting"),
    "settings-brand": ("changeSetting", "unsetSetting"),
    "settings-topic-new": ("addTopic",),
    "settings-topic": ("changeTopic",),
    "settings-topic-do": ("orderTopics", "changeTopic", "renewInvitation"),
    "settings-topic-merge": ("mergeTopic",),
    "settings-delivery": ("changeSetting", "unsetSetting"),
    "settings-check": SECRETS,
    "settings-dkim": SECRETS,
    "settings-relay-new": SECRETS,
    "settings-relay": SECRETS,
    "settings-relay-remove": SECRETS,
    "settings-rules": ("changeSetting", "unsetSetting"),
    "settings-sign-ups": ("changeSetting", "unsetSetting"),
    "settings-retention": ("changeSetting", "unsetSetting"),
    "api-key-new": SECRETS,
    "api-key-revoke": SECRETS,
    "webhook-new": ("addWebhook",),
    "webhook": ("changeWebhook",),
    "webhook-do": ("removeWebhook", "rotateWebhookSecret", "testWebhook", "sendWebhookAgain"),
    "words-publish": LEGAL,
    "alert-take-back": ("takeBack",),
    "alert-send-now": ("sendNow",),
    "alert-change-time": ("changeTime",),
    "alert-stop": ("stopAlert",),
    "alert-pause": ("pauseAlert",),
    "alert-resume": ("resumeAlert",),
    "alert-retry": ("retryAlert",),
    "alert-repeat": ("repeatAlert",),
    "restore-go-on": ("goOnAfterRestore",),
    "machine-forget": ("forgetProcess",),
    "relay-pause": ("pauseRelay",),
    "relay-resume": ("resumeRelay",),
    "confirm-identity": OWN,
    "people-invite": ("invitePerson",),
    "person": ("changePerson",),
    "person-do": ("changePerson", "endSessions"),
    "account-save": OWN,
    "account-password": OWN,
    "account-passkey": OWN,
    "account-app": OWN,
    "account-codes": OWN,
    "account-remove": OWN,
    "account-sessions": OWN,
}


def test_what_a_person_does_at_the_desk_a_program_can_do() -> None:
    documented = {found[1] for found in _ROW.finditer(PERMISSIONS.read_text())}
    assert documented - set(REQUESTS) == set(), (
        "add its request to the API, or say why there is none"
    )
    assert set(REQUESTS) - documented == set()
    known = {one["operationId"] for path in document()["paths"].values() for one in path.values()}
    named = {name for one in REQUESTS.values() if isinstance(one, tuple) for name in one}
    assert named - known == set()
