"""Whom an update goes to by itself: a correction to those who got the error, and never nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from morefollows.accounts.models import Editor
from morefollows.audience.models import Reader
from morefollows.courier.recipients import earlier_recipients
from morefollows.stories import actions
from morefollows.stories.alerts import publication
from morefollows.stories.drafts.actions import save_update
from morefollows.stories.models import Alert, Story


@pytest.fixture
def live(ada: Editor, story: Story, cy: Reader, monkeypatch: pytest.MonkeyPatch) -> Story:
    """Its first alert has been sent, and nobody follows it."""
    monkeypatch.setattr(earlier_recipients, "count_recipients", lambda alerts: 3 if alerts else 0)
    assert publication.release(actions.send(story, ada, hold=0, alone_reason="Night").pk)
    story.refresh_from_db()
    return story


@pytest.fixture
def screen(ada_at_desk: Client, live: Story) -> Callable[..., str]:
    """The parts of the screen after a change of the Update's form."""

    def show(**typed: Any) -> str:
        form = {
            "story": str(live.uuid),
            "headline": "Bridge open",
            "note": "We said that it is closed.",
            "answers": "1",
            "revision": str(live.revision),
            **typed,
        }
        return " ".join(ada_at_desk.post(reverse("story-live"), form).content.decode().split())

    return show


def test_the_tab_correction_chooses_those_who_got_it(screen: Callable[..., str]) -> None:
    update = screen(kind="update", audience="followers", audience_for="news")
    assert "0 followers" in update and "1 to do: recipients" in update
    assert "Nobody would get this alert. Choose other recipients." in update
    page = screen(kind="correction", audience="followers", audience_for="news")
    assert "Send correction to 3" in page and "to do: recipients" not in page
    chosen = screen(kind="correction", audience="topic", audience_for="answer")
    assert "Send correction to 1" in chosen, "a choice is kept"


def test_it_is_sent_to_them_even_if_the_page_did_not_follow(
    ada_at_desk: Client, live: Story
) -> None:
    where = reverse("story-develop", args=(live.uuid,))
    form = {
        "kind": "correction",
        "headline": "Bridge open",
        "note": "We said that it is closed.",
        "answers": "1",
        "revision": str(live.revision),
        "audience": "followers",
        "audience_for": "news",
        "send": "1",
    }
    assert ada_at_desk.post(where, form).status_code == 302
    assert Alert.objects.get(update__kind="correction").audience == "recipients"


def test_both_ways_to_a_correction_bring_the_wrong_words_along(
    ada_at_desk: Client, live: Story
) -> None:
    where = reverse("story-develop", args=(live.uuid,))
    by_tab = ada_at_desk.get(where)
    sent = live.updates.get()
    assert by_tab.context["wrong"] == {
        "headline": [live.headline, sent.headline],
        "standfirst": ["", sent.standfirst],
        "text": ["", sent.text],
    }
    assert 'id="wrong-words"' in by_tab.content.decode()
    by_choice = ada_at_desk.get(where, {"kind": "correction"})
    assert by_choice.context["to"].audience == "recipients"
    initial = by_choice.context["form"].initial
    assert all(initial[name] == words for name, (_, words) in by_tab.context["wrong"].items())


def test_who_opens_an_empty_update_is_the_one_who_writes_it(
    ada_at_desk: Client, dora_at_desk: Client, ada: Editor, live: Story
) -> None:
    where = reverse("story-develop", args=(live.uuid,))
    page = ada_at_desk.get(where).content.decode()
    assert "You did not write this" not in page and "Approve and send" not in page
    assert "Nobody else has checked this story" in page
    words = {"headline": "Still closed", "standfirst": "", "text": "Until Friday."}
    save_update(live, ada, revision=live.revision, kind="update", **words)
    assert "You did not write this" not in ada_at_desk.get(where).content.decode()
    assert "You did not write this" in dora_at_desk.get(where).content.decode()
