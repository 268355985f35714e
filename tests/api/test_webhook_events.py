"""Each kind of event is really told, by the action that it is named after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from morefollows.accounts.models import Editor
from morefollows.api.models import WebhookDelivery, WebhookEvent
from morefollows.api.webhooks import endpoints
from morefollows.api.webhooks.events import EventType
from morefollows.audience.consent import confirmation, withdrawal
from morefollows.audience.models import Reader, Topic
from morefollows.audience.suppression import suppressing
from morefollows.audience.suppression.actions import suppress
from morefollows.stories import actions
from morefollows.stories.alerts import hold_actions, publication
from morefollows.stories.alerts.late_alerts import ask_about_late
from morefollows.stories.drafts import actions as drafts
from morefollows.stories.models import Alert, Story
from tests.audience.support import newest_link, sign_up
from tests.support.people import readers

ALONE = "Nobody else is on shift"


class Newsdesk:
    """Does what a newsroom does with one story."""

    def __init__(self, story: Story, editor: Editor) -> None:
        self.story, self.editor = story, editor

    def send(self, *, out: bool = True, **how: Any) -> Alert:
        self.story.refresh_from_db()
        alert = actions.send(self.story, self.editor, hold=0, alone_reason=ALONE, **how)
        if out:
            publication.release(alert.pk)
        return alert

    def draft(self, kind: str, **more: Any) -> None:
        self.story.refresh_from_db()
        drafts.save_update(
            self.story,
            self.editor,
            revision=self.story.revision,
            kind=kind,
            headline="Bridge open again",
            standfirst="",
            text="It is open.",
            **({"note": "", "answers": []} | more),
        )


@pytest.fixture
def newsdesk(story: Story, ada: Editor) -> Newsdesk:
    endpoints.add_endpoint("https://cms.example/hook", EventType.values, None)
    return Newsdesk(story, ada)


def told() -> list[str]:
    return list(WebhookEvent.objects.order_by("pk").values_list("type", flat=True))


def test_an_alert_from_send_to_sent(newsdesk: Newsdesk) -> None:
    alert = newsdesk.send()
    actions.pause(alert, newsdesk.editor)
    actions.resume(alert, newsdesk.editor)
    publication.finish(alert.pk, {"points": []})
    assert told() == [
        *("alert.held", "alert.sending", "story.published"),
        *("alert.paused", "alert.sending", "alert.sent"),
    ]
    stories = set(WebhookEvent.objects.values_list("story", flat=True))
    assert stories == {str(newsdesk.story.uuid)}, "so they stay in order"


@pytest.mark.parametrize(
    ("action", "event"),
    [
        (lambda alert, by: hold_actions.take_back(alert, by), "alert.taken_back"),
        (lambda alert, _: publication.give_up(alert.pk, "no text"), "alert.stopped"),
        (lambda alert, _: ask_about_late(2**50), "alert.asking"),
    ],
)
def test_an_alert_in_its_hold(
    newsdesk: Newsdesk, action: Callable[[Alert, Editor], Any], event: str
) -> None:
    action(newsdesk.send(out=False), newsdesk.editor)
    assert told() == ["alert.held", event]


def test_an_alert_ends_early(newsdesk: Newsdesk) -> None:
    first = newsdesk.send()
    newsdesk.draft("update")
    second = newsdesk.send(audience="topic")
    first.refresh_from_db()
    assert first.state == "overtaken"
    actions.stop(second, newsdesk.editor)
    newsdesk.draft("final")
    third = newsdesk.send()
    publication.finish(third.pk, {"points": []}, expired=True)
    assert {"alert.overtaken", "alert.stopped", "alert.expired", "story.updated"} <= set(told())


def test_a_story_is_corrected_and_withdrawn(newsdesk: Newsdesk) -> None:
    newsdesk.send()
    newsdesk.draft("correction", note="It was another bridge.", answers=[1])
    newsdesk.send()
    newsdesk.story.refresh_from_db()
    alert = actions.withdraw(
        newsdesk.story, newsdesk.editor, reason="All wrong", text="Sorry.", hold=0
    )
    publication.release(alert.pk)
    stories = [one for one in told() if one.startswith("story.")]
    assert stories == ["story.published", "story.corrected", "story.withdrawn"]


def test_a_reader_comes_and_goes(newsdesk: Newsdesk, breaking: Topic) -> None:
    sign_up(breaking)
    assert confirmation.confirm(newest_link())
    reader = Reader.objects.get()
    withdrawal.withdraw_consent(reader, "alerts", how="desk", topic=breaking)
    suppressing.suppress_readers([reader.pk], "bounced")
    suppressing.suppress_readers([reader.pk], "complained")
    assert told() == [
        *("reader.confirmed", "reader.unsubscribed", "reader.bounced", "reader.complained"),
    ]


@pytest.mark.parametrize("number", [1, 40])
def test_many_readers_at_once_are_few_statements(
    newsdesk: Newsdesk, breaking: Topic, number: int
) -> None:
    def written() -> int:
        made = readers([f"r{n}.{number}@reader.example" for n in range(number)], breaking)
        with CaptureQueriesContext(connection) as queries:
            suppress([one.key for one in made], "bounced")
        return len(queries)

    assert written() <= 20
    assert told() == ["reader.bounced"] * number
    assert WebhookDelivery.objects.count() == number
