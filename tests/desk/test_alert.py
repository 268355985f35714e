"""From Send to the end: the hold, taking back, the live stream, stopping, and the relay."""

from __future__ import annotations

import json
import time
import uuid
from array import array
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from morefollows.accounts.models import Editor
from morefollows.audience.models import Reader
from morefollows.audit.models import AuditEntry
from morefollows.courier.models import Batch, Outcome, Relay, ReplyCount
from morefollows.courier.relay_pauses import pause_relay
from morefollows.desk.alerts import views
from morefollows.feedback import actions as feedback
from morefollows.stories import actions
from morefollows.stories.alerts import publication
from morefollows.stories.models import Alert, Story


def send(client: Client, story: Story, revision: object = 1) -> Any:
    return client.post(reverse("story-send", args=(story.uuid,)), {"revision": str(revision)})


def page_of(client: Client, alert: Alert) -> str:
    return client.get(reverse("alert", args=(alert.uuid,))).content.decode()


def post(client: Client, name: str, alert: Alert) -> str:
    """What the page says after the form."""
    response = client.post(reverse(name, args=(alert.uuid,)), follow=True)
    assert response.status_code == 200
    return response.content.decode()


@pytest.fixture
def held(ada: Editor, story: Story, cy: Reader) -> Alert:
    """Ada's alert, in a hold of ten seconds."""
    return actions.send(story, ada)


@pytest.fixture
def leaving(ada: Editor, story: Story, cy: Reader) -> Alert:
    """The hold is over: one mail was accepted, one refused, one waits."""
    alert = actions.send(story, ada, hold=0)
    assert publication.release(alert.pk)
    Alert.objects.filter(pk=alert.pk).update(cut_done=True)
    Batch.objects.create(
        alert=alert,
        number=1,
        size=3,
        readers=array("q", [1, 2, 3]).tobytes(),
        first=1,
        last=3,
        outcomes=bytes([Outcome.ACCEPTED, Outcome.REFUSED, Outcome.WAITING]),
        times=array("I", [120, 0xFFFFFFFF, 0xFFFFFFFF]).tobytes(),
        accepted=1,
        refused=1,
        due_at_ms=actions.now_ms(),
        changed_at_ms=actions.now_ms(),
    )
    ReplyCount.objects.create(
        alert=alert,
        domain="box.example",
        outcome=Outcome.REFUSED,
        code=550,
        status="5.1.1",
        text="no <such> user",
        count=1,
    )
    alert.refresh_from_db()
    return alert


def test_send_opens_the_hold(ada_at_desk: Client, story: Story, cy: Reader) -> None:
    response = send(ada_at_desk, story)
    alert = Alert.objects.get()
    assert response.headers["Location"] == reverse("alert", args=(alert.uuid,))
    page = page_of(ada_at_desk, alert)
    assert f'data-held-until="{alert.held_until_ms}"' in page
    assert "Nothing has left yet." in page
    assert "To 1 reader" in page
    assert "Take back" in page
    assert "Alert, on hold" in page, "what is on its way is named"
    assert "On hold" in ada_at_desk.get("/desk/").content.decode()


def test_a_double_click_sends_once(ada_at_desk: Client, story: Story, cy: Reader) -> None:
    first, second = send(ada_at_desk, story), send(ada_at_desk, story)
    assert first.headers["Location"] == second.headers["Location"]
    assert Alert.objects.count() == 1


def test_a_colleague_who_was_faster_is_told_of(
    ada_at_desk: Client, held: Alert, story: Story
) -> None:
    fay = Editor.objects.create(email="fay@herald.example", name="Fay Lund", role="editor")
    client = Client()
    client.force_login(fay)
    response = client.post(
        reverse("story-send", args=(story.uuid,)), {"revision": "1"}, follow=True
    )
    assert "An alert of this story is on its way" in response.content.decode()
    assert Alert.objects.count() == 1


def test_only_what_was_checked_is_sent(ada_at_desk: Client, story: Story, cy: Reader) -> None:
    Story.objects.filter(pk=story.pk).update(revision=2, headline="Changed meanwhile")
    response = send(ada_at_desk, story, revision=1)
    assert response.status_code == 409
    assert "was changed since you looked" in response.content.decode()
    assert not Alert.objects.exists()
    for nonsense in ("", "x", "-1", "9" * 50):
        assert send(ada_at_desk, story, revision=nonsense).status_code == 400


def test_taking_back_leaves_a_draft(ada_at_desk: Client, held: Alert, story: Story) -> None:
    said = post(ada_at_desk, "alert-take-back", held)
    assert "Nothing was mailed" in said
    assert "the story is a draft again" in said
    assert 'id="id_headline"' in said, "the words can be changed at once"
    story.refresh_from_db()
    assert story.state == Story.State.DRAFT
    assert "has been taken back already" in post(ada_at_desk, "alert-take-back", held)
    Alert.objects.update(ended_at=timezone.now() - timedelta(seconds=4))
    assert send(ada_at_desk, story).status_code == 302, "and it can be sent anew"
    assert Alert.objects.filter(state=Alert.State.HELD).count() == 1


def test_too_late_to_take_back_is_said(ada_at_desk: Client, leaving: Alert) -> None:
    assert "You can still stop the rest" in post(ada_at_desk, "alert-take-back", leaving)
    leaving.refresh_from_db()
    assert leaving.state == Alert.State.SENDING


def test_stopping(ada_at_desk: Client, leaving: Alert) -> None:
    assert "Stop for good?" in page_of(ada_at_desk, leaving)
    assert "can’t be called back" in post(ada_at_desk, "alert-stop", leaving)
    assert "This alert is not being sent now" in post(ada_at_desk, "alert-stop", leaving)
    leaving.refresh_from_db()
    assert leaving.state == Alert.State.STOPPED


def test_the_page_tells_all_without_a_script(ada_at_desk: Client, leaving: Alert) -> None:
    page = page_of(ada_at_desk, leaving)
    assert '<dd id="n-waiting">1</dd>' in page
    assert '<dd id="n-refused">1</dd>' in page
    assert '<span id="s-first">0.120</span>' in page
    assert '<span id="s-last">–</span>' in page
    assert "550 5.1.1 no &lt;such&gt; user" in page
    assert "See how it stands now" in page


@pytest.mark.parametrize("name", ["story-send", "alert-take-back", "alert-stop"])
def test_a_reporter_neither_sends_nor_stops(
    ben_at_desk: Client, story: Story, cy: Reader, ada: Editor, name: str
) -> None:
    if name == "story-send":
        response = ben_at_desk.post(
            reverse(name, args=(story.uuid,)), {"revision": "1"}, follow=True
        )
        assert not Alert.objects.exists()
    else:
        alert = actions.send(story, ada, hold=0 if name == "alert-stop" else 10)
        if name == "alert-stop":
            assert publication.release(alert.pk)
        before = Alert.objects.get().state
        response = ben_at_desk.post(reverse(name, args=(alert.uuid,)), follow=True)
        assert Alert.objects.get().state == before
        assert 'id="take-back"' not in response.content.decode()
    assert "Ask an editor" in response.content.decode()


def test_a_paused_relay_is_resumed_at_the_desk(
    ada_at_desk: Client, ben_at_desk: Client, leaving: Alert
) -> None:
    pause_relay("local inbox", "550 5.7.1 not you")
    assert "Resume the relay" in page_of(ada_at_desk, leaving)
    assert ben_at_desk.post("/desk/relays/resume/").status_code == 403
    assert Relay.objects.get().paused_at is not None
    here = reverse("alert", args=(leaving.uuid,))
    assert (
        ada_at_desk.post("/desk/relays/resume/", {"relay": "other", "back": here}).status_code
        == 404
    )
    ours = {"relay": "local inbox"}
    assert (
        ada_at_desk.post("/desk/relays/resume/", {**ours, "back": here}).headers["Location"] == here
    )
    assert Relay.objects.get().paused_at is None
    assert AuditEntry.objects.filter(what="resume relay").count() == 1
    for elsewhere in ("https://evil.example/", "//evil.example"):
        assert (
            ada_at_desk.post("/desk/relays/resume/", {**ours, "back": elsewhere}).headers[
                "Location"
            ]
            == "/desk/"
        )


# The stream


def stream_of(
    alert: Alert, editor: Editor | None, then: Callable[[int], None] = lambda number: None
) -> tuple[int, list[tuple[str, Any]], str]:
    """Status, events and raw text; `then(n)` is called when the nth event has come."""

    async def read() -> tuple[int, list[tuple[str, Any]], str]:
        client = AsyncClient()
        if editor is not None:
            await client.aforce_login(editor)
        response = await client.get(reverse("alert-stream", args=(alert.uuid,)))
        events: list[tuple[str, Any]] = []
        raw = ""
        if not isinstance(response, StreamingHttpResponse):
            return response.status_code, events, raw
        assert response.headers["Content-Type"] == "text/event-stream"
        assert "no-cache" in response.headers["Cache-Control"]
        async for piece in response:  # type: ignore[union-attr]
            text = piece.decode()
            raw += text
            if text.startswith("event: "):
                name, _number, data = (line.partition(": ")[2] for line in text.strip().split("\n"))
                events.append((name, json.loads(data)))
                await views.sync_to_async(then)(len(events))
        return response.status_code, events, raw

    return async_to_sync(read)()


def test_a_retraction_says_who_is_still_waiting(ada_at_desk: Client, leaving: Alert) -> None:
    """One of three waits; readers who were skipped do not."""
    address = reverse("story-withdraw", args=(leaving.update.story.uuid,))
    assert "1 reader who is still waiting" in " ".join(
        ada_at_desk.get(address).content.decode().split()
    )
    Batch.objects.update(skipped=1)
    assert "still waiting" not in ada_at_desk.get(address).content.decode()


def test_the_stream_follows_the_alert_to_its_end(ada: Editor, leaving: Alert) -> None:
    def finish(number: int) -> None:
        if number == 1:
            outcomes = bytes([Outcome.ACCEPTED, Outcome.REFUSED, Outcome.ACCEPTED])
            times = array("I", [120, 0xFFFFFFFF, 340]).tobytes()
            Batch.objects.update(
                outcomes=outcomes,
                times=times,
                accepted=2,
                due_at_ms=None,
                changed_at_ms=actions.now_ms(),
            )
            feedback.close(leaving.pk)

    status, events, raw = stream_of(leaving, ada, finish)
    assert status == 200
    assert raw.startswith("retry: ")
    assert [name for name, _ in events] == ["progress", "progress", "end"]
    first, last = events[0][1], events[1][1]
    assert (first["state"], first["waiting"], first["accepted"], first["refused"]) == (
        "sending",
        1,
        1,
        1,
    )
    assert (last["state"], last["waiting"], last["accepted"]) == ("sent", 0, 2)
    assert last["seconds"] == {"first": 0.12, "p50": 0.12, "p90": 0.34, "p99": 0.34, "last": 0.34}
    assert last["reply_counts"][0]["count"] == 1
    assert [line for line in raw.split("\n") if line.startswith("id: ")] == [
        "id: 1",
        "id: 2",
        "id: 3",
    ]


def test_the_stream_is_silent_while_nothing_changes(
    ada: Editor, held: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "_LOOK_EVERY", 0.01)
    monkeypatch.setattr(views, "_HEARTBEAT", 0.05)
    monkeypatch.setattr(views, "_LONGEST", 0.4)
    _status, events, raw = stream_of(held, ada)
    assert [name for name, _ in events] == ["progress"]
    assert 2 <= raw.count(": still here") <= 8
    assert "event: end" not in raw, "the browser comes again"


def test_a_stopped_alert_ends_when_its_last_mails_have_come_to_their_outcome(
    ada_at_desk: Client, ada: Editor, leaving: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "_LOOK_EVERY", 0.01)
    Batch.objects.update(worker="sender 1", due_at_ms=actions.now_ms() + 30_000)
    actions.stop(leaving, ada)
    assert " data-moving" in page_of(ada_at_desk, leaving)  # so the page goes on listening

    def one_more(number: int) -> None:
        if number == 1:
            time.sleep(0.05)
            Batch.objects.update(
                accepted=2, worker="", due_at_ms=actions.now_ms(), changed_at_ms=actions.now_ms()
            )

    _status, events, _raw = stream_of(leaving, ada, one_more)
    assert events[-1] == ("end", {"state": "stopped"})
    assert [data["accepted"] for _, data in (events[0], events[-2])] == [1, 2]
    assert " data-moving" not in page_of(ada_at_desk, leaving)


def test_a_stopped_alert_whose_sender_died_ends_too(ada: Editor, leaving: Alert) -> None:
    Batch.objects.update(worker="sender 1", due_at_ms=actions.now_ms() - 1)
    actions.stop(leaving, ada)
    assert stream_of(leaving, ada)[1][-1] == ("end", {"state": "stopped"})


def test_the_stream_is_for_the_desk_only(held: Alert, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "_LONGEST", 0.1)
    status, events, _raw = stream_of(held, None)
    assert status == 403
    assert events == []


def test_a_stream_of_no_alert(ada: Editor, held: Alert) -> None:
    held.uuid = held.update.story.uuid
    assert stream_of(held, ada)[0] == 404


# -- the withdrawal, ready -------------------------------------------------------------------------


def test_in_the_hold_of_a_first_update_taking_it_back_is_what_helps(
    ada_at_desk: Client, held: Alert
) -> None:
    words = {"reason": "Wrong bridge.", "text": "Gone."}
    story = held.update.story
    refused = ada_at_desk.post(reverse("story-withdraw", args=(story.uuid,)), words, follow=True)
    assert refused.redirect_chain[-1][0] == reverse("alert", args=(held.uuid,))
    assert "Take the alert back" in refused.content.decode()
    assert not Alert.objects.filter(update__kind="withdrawal").exists()


def test_a_retraction_goes_to_those_who_had_the_story(ada_at_desk: Client, leaving: Alert) -> None:
    Batch.objects.update(outcomes=bytes([Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.UNCERTAIN]))
    where = reverse("story-withdraw", args=(leaving.update.story.uuid,))
    assert f'href="{where}"' in page_of(ada_at_desk, leaving)
    ready = ada_at_desk.get(where).content.decode()
    assert "Retract and tell 3" in ready and "Withdrawn: our alert of" in ready
    assert "Please do not rely on it" in ready
    words = {
        "reason": "Wrong bridge.",
        "text": "Please do not rely on it.",
        "audience": "recipients",
    }
    answer = ada_at_desk.post(where, words)
    withdrawal = Alert.objects.get(update__kind="withdrawal")
    assert answer.headers["Location"] == reverse("alert", args=(withdrawal.uuid,))
    assert (withdrawal.audience, withdrawal.update.note) == ("recipients", "Wrong bridge.")
    leaving.refresh_from_db()
    assert leaving.state == Alert.State.STOPPED, "what was still waiting"
    held = page_of(ada_at_desk, withdrawal)
    assert "Retraction, on hold" in held and where not in held
    assert held.partition("<h2 ")[2].partition(">")[2].startswith("Withdrawn: our alert of")
    assert f"<s>{withdrawal.update.headline}</s>" in held, "the false words are struck"
    said = post(ada_at_desk, "alert-take-back", withdrawal)
    assert "The story stays published" in said and "draft again" not in said


def test_a_reporter_can_only_tell_an_editor(ben_at_desk: Client, leaving: Alert) -> None:
    page = page_of(ben_at_desk, leaving)
    assert "Only an editor can retract a story" in page
    assert reverse("story-withdraw", args=(leaving.update.story.uuid,)) not in page


@pytest.mark.parametrize("state", ["sent", "stopped", "expired", "overtaken", "paused", "asking"])
def test_it_stays_ready_whatever_becomes_of_the_alert(
    ada_at_desk: Client, leaving: Alert, state: str
) -> None:
    Alert.objects.update(state=state)
    assert "Retract …" in page_of(ada_at_desk, leaving)


def test_send_now_ends_the_hold_but_not_a_schedule(
    ada_at_desk: Client, held: Alert, story: Story
) -> None:
    post(ada_at_desk, "alert-send-now", held)
    held.refresh_from_db()
    assert held.held_until_ms <= actions.now_ms()
    Alert.objects.update(not_before_ms=actions.now_ms() + 7_200_000)
    assert "is scheduled" in post(ada_at_desk, "alert-send-now", held)


def test_a_schedule_is_told_with_its_day_and_can_be_moved(
    ada_at_desk: Client, story: Story, ada: Editor
) -> None:
    at = timezone.now() + timedelta(days=2)
    alert = actions.send(story, ada, at=at)
    page = page_of(ada_at_desk, alert)
    assert "Goes out " in page and "SCHEDULED" not in page
    assert "Take back" in page and "Send now" not in page
    where = reverse("alert-change-time", args=(alert.uuid,))
    past = ada_at_desk.post(where, {"day": "2020-01-01", "clock": "10:00"}, follow=True)
    assert "has passed" in past.content.decode()
    later = timezone.localtime(at + timedelta(days=1))
    form = {"day": f"{later:%Y-%m-%d}", "clock": f"{later:%H:%M}"}
    assert "It goes out " in ada_at_desk.post(where, form, follow=True).content.decode()
    moved = Alert.objects.get()
    assert moved.held_until_ms > alert.held_until_ms == alert.not_before_ms


def test_figures_and_a_picture_to_take_along(ada_at_desk: Client, leaving: Alert) -> None:
    figures = ada_at_desk.get(reverse("alert-figures", args=(leaving.uuid,)))
    assert "attachment" in figures.headers["Content-Disposition"]
    assert "readers size,3" in figures.content.decode()
    picture = ada_at_desk.get(reverse("alert-curve", args=(leaving.uuid,)))
    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert leaving.update.headline[:40] in picture.content.decode()
    compared = ada_at_desk.get(reverse("alert-compare", args=(leaving.uuid,)))
    assert "no other alert to compare with" in compared.content.decode()


def test_alerts_of_one_story_are_told_apart_by_their_times(
    ada_at_desk: Client, leaving: Alert
) -> None:
    other = Alert.objects.get(pk=leaving.pk)
    other.pk, other.uuid, other.frozen_at = None, uuid.uuid4(), timezone.now() - timedelta(hours=1)
    other.save()
    page = ada_at_desk.get(reverse("alert-compare", args=(leaving.uuid,))).content.decode()
    option = page.partition("<option")[2].partition("</option>")[0]
    assert f"{timezone.localtime(other.frozen_at):%H:%M} ·" in option


def test_the_mail_bears_the_time_that_was_chosen(
    ada_at_desk: Client, ada: Editor, story: Story
) -> None:
    at = (timezone.now() + timedelta(days=40)).replace(hour=12)
    day = date_format(at, "j F Y")
    alert = actions.send(story, ada, at=at, alone_reason="alone")
    mail = ada_at_desk.get(reverse("alert-mail", args=(alert.uuid,))).content.decode()
    assert day in mail
    held = page_of(ada_at_desk, alert)
    assert "Save new time" in held and day in held
