"""What each role and right allows, and with which story."""

from __future__ import annotations

import itertools

import pytest
from django.test import Client

from morefollows.accounts.models import Editor
from morefollows.accounts.rights import NewStory, Right, Role, has_right
from morefollows.audience.models import Topic
from morefollows.stories import actions
from morefollows.stories.alerts import hold_actions
from morefollows.stories.drafts.actions import approve, save_story
from morefollows.stories.errors import ActionRefused
from morefollows.stories.models import Alert, Story

NEWS, OFFER, DRILL = NewStory(1), NewStory(None), NewStory(1, drill=True)
_EDITOR = {"SEE", "WRITE", "SEND", "DRILLS", "READERS", "LOG", "RELAYS"}


def allowed(who: Editor) -> set[str]:
    return {right.name for right in Right if has_right(who, right)}


def test_what_a_role_has() -> None:
    assert allowed(Editor(role=Role.REPORTER)) == {"SEE", "WRITE"}
    assert allowed(Editor(role=Role.EDITOR)) == _EDITOR
    assert allowed(Editor(role=Role.ADMINISTRATOR)) == {right.name for right in Right}
    assert allowed(Editor(role=Role.ADMINISTRATOR, is_active=False)) == set()
    assert not any(has_right(None, right) for right in Right)


def test_rights_of_their_own_add_and_take_away() -> None:
    every = {"writes_offers": True, "runs_drills": True, "sees_readers": True}
    assert allowed(Editor(role="reporter", **every)) == {
        *("SEE", "WRITE", "OFFERS", "DRILLS", "READERS")
    }
    none = {"runs_drills": False, "sees_readers": False}
    assert allowed(Editor(role="editor", **none)) == _EDITOR - {"DRILLS", "READERS"}


@pytest.mark.parametrize(
    ("about", "right", "may"),
    [
        (NEWS, Right.SEND, {"editor"}),
        (NEWS, Right.WRITE, {"reporter", "editor", "offers", "drills", "no drills"}),
        (OFFER, Right.SEND, {"offers"}),
        (OFFER, Right.SEE, {"offers"}),
        (OFFER, Right.WRITE, {"offers"}),
        (DRILL, Right.SEND, {"editor", "drills"}),
        (DRILL, Right.SEE, {"reporter", "editor", "offers", "drills", "no drills"}),
    ],
)
def test_what_a_right_is_about(about: NewStory, right: Right, may: set[str]) -> None:
    people = {
        "reporter": Editor(role="reporter"),
        "editor": Editor(role="editor"),
        "offers": Editor(role="reporter", writes_offers=True),
        "drills": Editor(role="reporter", runs_drills=True),
        "no drills": Editor(role="editor", runs_drills=False),
    }
    if about == NEWS and right is Right.SEND:
        may = {*may, "no drills"}
    assert {name for name, who in people.items() if has_right(who, right, about)} == may
    assert has_right(Editor(role="administrator"), right, about)


@pytest.mark.django_db
def test_who_has_the_sports_desk_sends_no_breaking_news(
    story: Story, ada: Editor, ben: Editor, ada_at_desk: Client
) -> None:
    weather = Topic.objects.get(slug="weather")
    ada.all_topics = False
    ada.save()
    ada.topics.set([weather])
    ada = Editor.objects.get(pk=ada.pk)
    its = f"/desk/story/{story.uuid}/"
    assert ada_at_desk.get(f"{its}check/").status_code == 200, "it can be read"
    ada_at_desk.post(f"{its}send/", {"revision": story.revision})
    ada_at_desk.post(f"{its}approve/", {"revision": story.revision})
    assert ada_at_desk.get(f"{its}withdraw/").status_code == 403
    assert ada_at_desk.post("/desk/relays/pause/", {"relay": "inbox"}).status_code == 403
    with pytest.raises(ActionRefused):
        actions.send(story, ada)
    with pytest.raises(ActionRefused):
        approve(story, ada, revision=story.revision)
    words = {"headline": "New", "standfirst": "", "text": "New.", "language": "en"}
    for topic in (story.topic, weather):  # nor is it made one of hers to get hold of it
        with pytest.raises(ActionRefused):
            save_story(story.uuid, ada, revision=story.revision, topic=topic, **words)
    story.refresh_from_db()
    assert (story.revision, story.approved_by, Alert.objects.count()) == (1, None, 0)

    Story.objects.update(topic=weather)
    alert = actions.send(Story.objects.get(), ada)
    Story.objects.update(topic=Topic.objects.get(slug="breaking"))
    for action in (hold_actions.take_back, actions.pause):
        with pytest.raises(ActionRefused):
            action(alert, ada)
    assert Alert.objects.get().state == Alert.State.HELD


@pytest.mark.django_db
def test_every_page_of_an_offer_needs_the_right(
    story: Story, dora: Editor, ada_at_desk: Client
) -> None:
    Story.objects.update(purpose="offers", topic=None)
    alert = actions.send(Story.objects.get(), dora)
    pages = [f"/desk/alert/{alert.uuid}/{page}" for page in ("", "stream/")]
    posted = [f"/desk/story/{story.uuid}/{page}/" for page in ("send", "approve", "here")]
    posted += [f"/desk/alert/{alert.uuid}/{action}/" for action in ("take-back", "stop", "pause")]
    for page, method in itertools.chain(
        ((page, "get") for page in pages), ((page, "post") for page in posted)
    ):
        assert getattr(ada_at_desk, method)(page).status_code == 403, page
    assert Alert.objects.get().state == Alert.State.HELD


@pytest.mark.django_db
def test_approving_with_a_long_revision_is_refused(story: Story, ada_at_desk: Client) -> None:
    answer = ada_at_desk.post(f"/desk/story/{story.uuid}/approve/", {"revision": "9" * 5000})
    assert answer.status_code == 302
