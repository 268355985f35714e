"""A developing story: four eyes, updates, corrections, withdrawal, schedule, embargo."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import Error as DatabaseError
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.models import Reader
from morefollows.audit.models import AuditEntry
from morefollows.stories import actions
from morefollows.stories.actions import ActionRefused, NotApproved, now_ms
from morefollows.stories.alerts import alert_audience, hold_actions, publication
from morefollows.stories.alerts.transition_table import Event
from morefollows.stories.drafts import actions as stories
from morefollows.stories.models import Alert, Story, StoryPreference, Update
from morefollows.stories.prepared_withdrawal import prewritten

pytestmark = pytest.mark.django_db


def told(story: Story, editor: Editor, **how: Any) -> Alert:
    """Sent, and the hold is over."""
    alert = actions.send(story, editor, hold=0, alone_reason="Night shift", **how)
    assert publication.release(alert.pk)
    story.refresh_from_db()
    alert.refresh_from_db()
    return alert


def draft(story: Story, editor: Editor, kind: str = "update", **more: Any) -> Story:
    """The draft of the next update."""
    wording = {"headline": "Bridge stays closed", "standfirst": "", "text": "Until Friday."}
    return stories.save_update(
        story, editor, revision=story.revision, kind=kind, **{**wording, **more}
    )


def correction(story: Story, editor: Editor, *answers: int) -> Story:
    return draft(
        story,
        editor,
        "correction",
        note="We said that the bridge is closed.",
        answers=answers or (1,),
    )


@pytest.fixture
def fay(db: None) -> Editor:
    return Editor.objects.create(email="fay@herald.example", name="Fay Lund", role="editor")


@pytest.fixture
def live(story: Story, ada: Editor, cy: Reader) -> Story:
    """Told once, to its topic."""
    told(story, ada)
    return story


def test_a_story_from_draft_to_final(story: Story, ada: Editor, cy: Reader) -> None:
    told(story, ada)
    assert (story.state, story.text, story.kind) == ("live", "", "update"), (
        "and the next draft is blank"
    )
    with pytest.raises(ActionRefused, match="Write an update first"):
        actions.send(story, ada)
    told(draft(story, ada), ada)
    assert story.state == "developing" or Story.objects.get().state == "developing"
    told(draft(Story.objects.get(), ada, "final", text="The bridge is open again."), ada)
    final = Story.objects.get()
    assert final.state == "final"
    with pytest.raises(ActionRefused, match="not possible"):
        draft(final, ada)
    told(correction(final, ada, 3), ada)
    assert Story.objects.get().state == "final", "what was final stays so when it is corrected"
    assert list(Update.objects.values_list("number", "kind")) == [
        (1, "first"),
        (2, "update"),
        (3, "final"),
        (4, "correction"),
    ]


def test_what_was_told_can_not_be_changed(live: Story) -> None:
    for change in ({"text": "Else"}, {"note": "Else"}, {"answers": [1]}):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            Update.objects.update(**change)


def test_an_update_taken_back_is_a_draft_again(live: Story, ada: Editor) -> None:
    alert = actions.send(draft(live, ada), ada)
    with pytest.raises(ActionRefused, match="in its hold"):
        draft(Story.objects.get(), ada, text="Until Saturday.")
    hold_actions.take_back(alert, ada)
    kept = Story.objects.get()
    assert (kept.state, kept.text) == ("live", "Until Friday.")
    assert actions.send(kept, ada).update.number == 2


def test_a_correction_says_what_was_wrong_and_of_what(live: Story, ada: Editor) -> None:
    with pytest.raises(ValidationError) as missing:
        draft(live, ada, "correction", answers=(1,))
    assert set(missing.value.message_dict) == {"note"}
    for answers in ((), (2,)):
        with pytest.raises(ValidationError) as wrong:
            draft(live, ada, "correction", note="Wrong pier", answers=answers)
        assert set(wrong.value.message_dict) == {"answers"}
    assert correction(live, ada).answers == [1]


def test_two_editors_never_overwrite_each_other(live: Story, ada: Editor, fay: Editor) -> None:
    draft(live, ada)
    with pytest.raises(stories.Conflict) as conflict:
        stories.save_update(
            live, fay, revision=2, kind="update", headline="Mine", standfirst="", text="Mine"
        )
    assert conflict.value.theirs.text == "Until Friday."


# -- four eyes -------------------------------------------------------------------------------------


def test_who_wrote_it_can_not_approve_it(
    live: Story, ada: Editor, ben: Editor, fay: Editor
) -> None:
    written = draft(live, ada)
    with pytest.raises(ActionRefused, match="You wrote some of this"):
        stories.approve(written, ada, revision=written.revision)
    with pytest.raises(ActionRefused, match="You may not approve"):
        stories.approve(written, ben, revision=written.revision)
    with pytest.raises(NotApproved):
        actions.send(written, ada)
    with pytest.raises(ActionRefused, match="was changed"):
        stories.approve(written, fay, revision=written.revision - 1)
    stories.approve(written, fay, revision=written.revision)
    assert actions.send(written, ada).state == "held"
    assert not AuditEntry.objects.filter(what="send alone", alert__update__kind="update").exists()


def test_a_change_undoes_the_approval(live: Story, ada: Editor, fay: Editor) -> None:
    written = draft(live, ada)
    stories.approve(written, fay, revision=written.revision)
    changed = draft(written, ada, text="Until Saturday.")
    with pytest.raises(NotApproved):
        actions.send(changed, ada)
    assert actions.send(changed, fay).state == "held", (
        "sending what another wrote is a second pair of eyes"
    )


def test_alone_wants_a_reason_and_is_logged(live: Story, ada: Editor, fay: Editor) -> None:
    alert = actions.send(draft(live, ada), ada, alone_reason="Nobody else is here.")
    entry = AuditEntry.objects.get(what="send alone", alert=alert)
    assert (entry.editor, entry.details["reason"]) == (ada, "Nobody else is here.")


def test_a_newsroom_of_one_is_not_asked(
    live: Story, ada: Editor, ben: Editor, settings: Any
) -> None:
    written = draft(live, ada)
    settings.MOREFOLLOWS = dataclasses.replace(settings.MOREFOLLOWS, four_eyes="always")
    with pytest.raises(NotApproved):
        actions.send(written, ada)
    settings.MOREFOLLOWS = dataclasses.replace(settings.MOREFOLLOWS, four_eyes="auto")
    assert actions.send(written, ada).state == "held", "a reporter can't send"


def test_nobody_is_offered_their_own_approval(
    live: Story, dora_at_desk: Client, fay: Editor
) -> None:
    page = dora_at_desk.get(reverse("story-develop", args=(live.uuid,)))
    assert fay in page.context["approvers"]
    assert "Dora Quay" not in [one.name for one in page.context["approvers"]]
    assert reverse("story-withdraw", args=(live.uuid,)) in page.content.decode()


# -- who gets what ---------------------------------------------------------------------------------


def test_each_kind_has_its_audiences(live: Story, ada: Editor, cy: Reader) -> None:
    assert alert_audience.offered(live)[0] == Alert.Audience.FOLLOWERS
    assert alert_audience.offered(live, "correction")[0] == Alert.Audience.RECIPIENTS
    assert alert_audience.followers(live) == 0
    stories.set_story_preference(cy, live, StoryPreference.Choice.FOLLOW)
    assert alert_audience.followers(live) == 1
    with pytest.raises(ActionRefused, match="can’t go to this audience"):
        actions.send(draft(live, ada), ada, audience=Alert.Audience.RECIPIENTS)
    assert Alert.objects.count() == 1


def test_a_correction_stops_what_it_puts_right(live: Story, ada: Editor) -> None:
    first = Alert.objects.get()
    alert = actions.send(correction(live, ada), ada)
    first.refresh_from_db()
    assert (first.state, first.ended_by) == ("stopped", ada), "at once, in the hold"
    assert (alert.audience, alert.answers) == ("recipients", [first.pk])
    assert alert.expires_at_ms - alert.held_until_ms == 5 * 24 * 3_600_000
    with pytest.raises(ActionRefused, match="stopped or taken back"):
        actions.reopen(Event.RETRY, first.pk, ada)


def test_a_correction_of_a_correction_reaches_who_missed_the_first(
    live: Story, ada: Editor
) -> None:
    first = Alert.objects.get()
    second = told(correction(live, ada), ada)
    third = actions.send(correction(Story.objects.get(), ada, 2), ada)
    assert third.answers == [first.pk, second.pk]
    second.refresh_from_db()
    assert second.state == "stopped"


def test_an_update_overtakes_the_older_one(live: Story, ada: Editor) -> None:
    first = Alert.objects.get()
    told(draft(live, ada), ada, audience=Alert.Audience.FOLLOWERS)
    first.refresh_from_db()
    assert first.state == "sending", "its readers would get nothing instead"
    told(correction(Story.objects.get(), ada, 2), ada)
    owed_correction = Alert.objects.get(audience="recipients")
    told(draft(Story.objects.get(), ada), ada, audience=Alert.Audience.TOPIC)
    assert [Alert.objects.get(pk=pk).state for pk in (first.pk, owed_correction.pk)] == [
        "overtaken",
        "sending",
    ]
    publication.finish(owed_correction.pk, {}, expired=True)
    actions.reopen(Event.RETRY, owed_correction.pk, ada)
    Alert.objects.filter(pk=first.pk).update(state="expired")
    with pytest.raises(ActionRefused, match="overtaken"):
        actions.reopen(Event.RETRY, first.pk, ada)


def test_a_withdrawal_ends_everything(live: Story, ada: Editor, ben: Editor) -> None:
    first = Alert.objects.get()
    later = told(draft(live, ada), ada)
    planned = actions.send(draft(Story.objects.get(), ada, text="Else."), ada)
    words = prewritten(live)
    assert words.headline == "Harbour bridge closed after ferry collision"
    with pytest.raises(ActionRefused, match="Your role"):
        actions.withdraw(live, ben, reason="Fabricated", text=words.text)
    with pytest.raises(ValidationError):
        actions.withdraw(live, ada, reason=" ", text=words.text)
    alert = actions.withdraw(
        live, ada, reason="The picture was fabricated.", text=words.text, hold=0
    )
    assert [Alert.objects.get(pk=one.pk).state for one in (first, later, planned)] == [
        "stopped",
        "stopped",
        "taken back",
    ]
    assert (alert.answers, alert.update.answers) == ([first.pk, later.pk], [1, 2])
    assert publication.release(alert.pk)
    assert Story.objects.get().state == "withdrawn"
    for refused in (
        lambda: actions.send(live, ada),
        lambda: actions.withdraw(live, ada, reason="x", text="x"),
    ):
        with pytest.raises(ActionRefused, match="retracted"):
            refused()


def test_the_end_of_a_story_needs_no_mail(live: Story, ada: Editor) -> None:
    stories.finish_story(live, ada)
    assert Story.objects.get().state == "final"
    with pytest.raises(ActionRefused, match="not open"):
        stories.finish_story(live, ada)


# -- not before ------------------------------------------------------------------------------------


def test_nothing_is_told_before_its_time(story: Story, ada: Editor) -> None:
    """Neither by patience, nor by a clock that seems to be wrong, nor by pausing and resuming."""
    for hours in (-1, 24 * 400):
        with pytest.raises(ActionRefused, match="still ahead"):
            actions.send(story, ada, at=timezone.now() + timedelta(hours=hours))
    at = timezone.now() + timedelta(hours=2)
    alert = actions.send(story, ada, hold=0, at=at)
    assert alert.held_until_ms == alert.not_before_ms == int(at.timestamp() * 1000)
    assert not publication.release(alert.pk)
    assert not publication.release(alert.pk, early=True)
    actions.pause(alert, ada)
    actions.resume(alert, ada)
    alert.refresh_from_db()
    assert (alert.state, alert.held_until_ms) == ("held", alert.not_before_ms)
    assert alert.expires_at_ms > alert.held_until_ms + 3_600_000
    Alert.objects.update(held_until_ms=now_ms(), not_before_ms=now_ms())
    assert publication.release(alert.pk)


def test_an_embargo_holds_whatever_is_chosen(story: Story, ada: Editor) -> None:
    ends = timezone.now() + timedelta(hours=3)
    Story.objects.update(embargo_until=ends)
    for at in (None, timezone.now() + timedelta(hours=1)):
        alert = actions.send(story, ada, hold=0, at=at)
        assert alert.not_before_ms == int(ends.timestamp() * 1000)
        hold_actions.take_back(alert, ada)
    Story.objects.update(embargo_until=timezone.now())
    assert actions.send(story, ada).not_before_ms is None


# -- on the screen ---------------------------------------------------------------------------------


def page(client: Client, name: str, story: Story) -> str:
    return client.get(reverse(name, args=(story.uuid,))).content.decode()


def test_from_the_next_update_to_its_alert(
    ada_at_desk: Client, live: Story, ada: Editor, cy: Reader
) -> None:
    stories.set_story_preference(cy, live, StoryPreference.Choice.FOLLOW)
    desk = reverse("story-develop", args=(live.uuid,))
    assert ada_at_desk.get(reverse("story-edit", args=(live.uuid,))).headers["Location"] == desk
    form = {
        "kind": "update",
        "headline": "Still closed",
        "text": "Until Friday.",
        "revision": str(live.revision),
    }
    assert ada_at_desk.post(desk, {**form, "kind": "withdrawal"}).status_code == 422
    saved = ada_at_desk.post(desk, form).headers["Location"]
    shown = ada_at_desk.get(saved).content.decode()
    for words in (
        "Followers of this story",
        "Everyone on Breaking news",
        "Nobody: publish to live page only",
        "Still closed",
    ):
        assert words in shown
    send = reverse("story-send", args=(live.uuid,))
    revision = str(Story.objects.get().revision)
    assert (
        "Choose a date and a time"
        in ada_at_desk.post(send, {"revision": revision, "when": "later"}).content.decode()
    )
    ada_at_desk.post(
        send, {"revision": revision, "when": "later", "day": "2999-01-01", "clock": "00:00"}
    )
    assert Alert.objects.count() == 1, "not within a year"
    ada_at_desk.post(send, {"revision": revision, "audience": "followers", "flash": "1"})
    alert = Alert.objects.get(update__kind="update")
    assert (alert.audience, alert.flash) == ("followers", True)
    led = ada_at_desk.get(reverse("story-develop", args=(live.uuid,)))
    assert led.headers["Location"] == reverse("alert", args=(alert.uuid,))


def test_a_conflict_over_an_update_shows_both(
    ada_at_desk: Client, live: Story, fay: Editor
) -> None:
    draft(live, fay, text="Until Friday.")
    form = {
        "kind": "update",
        "headline": "Mine",
        "text": "Until Monday.",
        "revision": str(live.revision),
    }
    response = ada_at_desk.post(reverse("story-develop", args=(live.uuid,)), form)
    assert response.status_code == 409
    shown = response.content.decode()
    assert "Fay Lund saved this story while you wrote" in shown
    assert "<del>Friday.</del>" in shown
    assert "<ins>Monday.</ins>" in shown
    again = {**form, "revision": str(Story.objects.get().revision)}
    assert ada_at_desk.post(reverse("story-develop", args=(live.uuid,)), again).status_code == 302
    assert Story.objects.get().text == "Until Monday."


def test_a_second_editor_approves(
    ada_at_desk: Client, live: Story, ada: Editor, fay: Editor
) -> None:
    written = draft(live, ada)
    assert "Or send without approval" in page(ada_at_desk, "story-check", live)
    assert "Approve only" not in page(ada_at_desk, "story-check", live)
    fays = Client()
    fays.force_login(fay)
    shown = page(fays, "story-check", live)
    assert "Approve only" in shown and "Approve and send to" in shown
    fays.post(reverse("story-approve", args=(live.uuid,)), {"revision": str(written.revision)})
    shown = page(ada_at_desk, "story-check", live)
    assert "Approved by Fay Lund" in shown
    assert "Or send without approval" not in shown


def test_withdrawing_takes_a_reason_and_one_click(
    ada_at_desk: Client, live: Story, ben: Editor
) -> None:
    desk = reverse("story-withdraw", args=(live.uuid,))
    assert "Please do not rely on it" in ada_at_desk.get(desk).content.decode()
    assert ada_at_desk.post(desk, {"reason": "", "text": "Gone."}).status_code == 422
    bens = Client()
    bens.force_login(ben)
    assert bens.post(desk, {"reason": "x", "text": "y"}).status_code == 403
    response = ada_at_desk.post(
        desk, {"reason": "It was a drill.", "text": "Gone.", "audience": "recipients"}
    )
    alert = Alert.objects.get(update__kind="withdrawal")
    assert response.headers["Location"] == reverse("alert", args=(alert.uuid,))
    Alert.objects.update(held_until_ms=now_ms())
    assert publication.release(alert.pk)
    assert "This is its end" in page(ada_at_desk, "story-develop", live)


def test_an_embargo_stands_in_the_form(ada_at_desk: Client, story: Story, newsroom: object) -> None:
    form = {
        "headline": "Budget",
        "text": "x",
        "topic": story.topic_id,
        "language": "en",
        "uuid": story.uuid,
    }
    at = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    ada_at_desk.post(
        reverse("story-edit", args=(story.uuid,)), {**form, "revision": "1", "embargo_until": at}
    )
    assert at in page(ada_at_desk, "story-edit", story)
    assert "Embargo until" in page(ada_at_desk, "story-check", story)
