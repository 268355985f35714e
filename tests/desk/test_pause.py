"""An alert that waits for an editor's word, and the report of what became of it."""

from __future__ import annotations

from array import array

import pytest
from django.test import Client
from django.urls import reverse

from morefollows.accounts.models import Editor
from morefollows.audience.models import Reader, Topic
from morefollows.courier import actions as courier
from morefollows.courier.models import Batch, Outcome
from morefollows.stories import actions
from morefollows.stories.alerts import publication
from morefollows.stories.alerts.late_alerts import ask_about_late
from morefollows.stories.models import Alert, Story
from tests.support.people import reader


def page_of(client: Client, alert: Alert) -> str:
    return client.get(reverse("alert", args=(alert.uuid,))).content.decode()


def post(client: Client, name: str, alert: Alert) -> str:
    """What the page says after the form."""
    return client.post(reverse(name, args=(alert.uuid,)), follow=True).content.decode()


def state_of(alert: Alert) -> str:
    return Alert.objects.get(pk=alert.pk).state


@pytest.fixture
def held(ada: Editor, story: Story, cy: Reader) -> Alert:
    return actions.send(story, ada)


@pytest.fixture
def ended(ada: Editor, story: Story, breaking: Topic) -> Alert:
    """Sent: one accepted, two refused (one reader gone), one uncertain after a sender died."""
    ids = [reader(f"cy{number}@reader.example", breaking).pk for number in range(4)]
    Reader.objects.filter(pk=ids[1]).update(state="hard bounced")
    alert = actions.send(story, ada, hold=0)
    assert publication.release(alert.pk)
    outcomes = [Outcome.ACCEPTED, Outcome.REFUSED, Outcome.REFUSED, Outcome.UNCERTAIN]
    Batch.objects.create(
        alert=alert,
        number=1,
        size=4,
        readers=array("q", ids).tobytes(),
        first=ids[0],
        last=ids[-1],
        outcomes=bytes(outcomes),
        times=array("I", [120] + [0xFFFFFFFF] * 3).tobytes(),
        accepted=1,
        refused=2,
        uncertain=1,
        repeated=1,
        worker="host/1",
        due_at_ms=1,
    )
    courier.note_deaths(["host/1"])
    Batch.objects.update(due_at_ms=None)
    Alert.objects.filter(pk=alert.pk).update(cut_done=True, repeat=False)
    empty = {
        "rate": 0.0,
        "seconds": dict.fromkeys(("first", "p50", "p90", "p99", "last")),
        "points": [],
    }
    publication.finish(alert.pk, empty)
    alert.refresh_from_db()
    return alert


def test_ada_pauses_the_hold_and_sends_it_after_all(ada_at_desk: Client, held: Alert) -> None:
    said = post(ada_at_desk, "alert-pause", held)
    assert "Paused. Nothing has left." in said
    assert "Take back" in said and "Stop for good?" not in said
    assert "Resumed." in post(ada_at_desk, "alert-resume", held)
    assert state_of(held) == "held"


def test_ada_pauses_what_is_being_sent(ada_at_desk: Client, held: Alert) -> None:
    Alert.objects.filter(pk=held.pk).update(held_until_ms=1)
    assert publication.release(held.pk)
    assert 'data-key="p"' in page_of(ada_at_desk, held)
    said = post(ada_at_desk, "alert-pause", held)
    assert "Nothing is leaving." in said
    assert "Resume sending to" in said and "Stop for good?" in said
    assert "This alert is not being sent now" in post(ada_at_desk, "alert-pause", held)
    assert "Resume sending to" in ada_at_desk.get("/desk/").content.decode()


@pytest.mark.parametrize(
    ("published", "question"), [(False, "Is this still"), (True, "Is the rest still")]
)
def test_an_old_alert_asks(
    ada_at_desk: Client, held: Alert, published: bool, question: str
) -> None:
    Alert.objects.filter(pk=held.pk).update(held_until_ms=1)
    if published:
        publication.release(held.pk)
    assert ask_about_late(2) == [held.pk]
    page = page_of(ada_at_desk, held)
    assert question in page
    assert ("Resume sending to" if published else "Send to ") in page
    assert "Needs an answer" in ada_at_desk.get("/desk/").content.decode()
    post(ada_at_desk, "alert-stop" if published else "alert-take-back", held)
    assert state_of(held) == ("stopped" if published else "taken back")


def test_the_report_tells_sent_not_sent_and_uncertain(ada_at_desk: Client, ended: Alert) -> None:
    page = page_of(ada_at_desk, ended)
    assert "How it stands" in page
    assert "A sender process died in the middle of this alert" in page
    assert "1 mail was sent again" in page
    assert "2 refused, expired or stopped." in page
    assert "It is for you to decide" in page


def test_the_failed_and_the_uncertain_go_out_again_at_a_word(
    ada_at_desk: Client, ended: Alert
) -> None:
    assert "1 mail is sent once more." in post(ada_at_desk, "alert-retry", ended)
    assert state_of(ended) == "sending"
    assert "still on its way" in post(ada_at_desk, "alert-repeat", ended)
    Batch.objects.update(due_at_ms=None)
    Alert.objects.filter(pk=ended.pk).update(state="sent")
    assert "1 mail is sent once more." in post(ada_at_desk, "alert-repeat", ended)
    page = page_of(ada_at_desk, ended)
    assert "It is sent again by itself" in page and "Send the uncertain again" not in page


def test_a_death_without_a_loss_is_good_news(ada_at_desk: Client, ended: Alert) -> None:
    Batch.objects.update(
        outcomes=bytes([Outcome.ACCEPTED] * 4), accepted=4, refused=0, uncertain=0, repeated=0
    )
    page = page_of(ada_at_desk, ended)
    assert "Nobody is missing." in page and "Every mail was answered." in page


def test_nothing_is_told_of_an_alert_that_goes_well(ada_at_desk: Client, held: Alert) -> None:
    assert "How it stands" not in page_of(ada_at_desk, held)


def test_ben_sees_it_and_decides_nothing(ben_at_desk: Client, ended: Alert) -> None:
    page = page_of(ben_at_desk, ended)
    assert "How it stands" in page
    for words in ("Try the failed again", "Send the uncertain again"):
        assert words not in page
    for name in ("alert-retry", "alert-repeat", "alert-pause", "alert-resume"):
        assert "Your role can’t" in post(ben_at_desk, name, ended)
        assert ben_at_desk.get(reverse(name, args=(ended.uuid,))).status_code == 405
    assert state_of(ended) == "sent"
