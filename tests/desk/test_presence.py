"""Writing together: autosaved drafts overwrite nothing, and editors see each other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audit.models import AuditEntry
from morefollows.stories import actions
from morefollows.stories.alerts import publication
from morefollows.stories.drafts import approval
from morefollows.stories.drafts.presence import STAYS
from morefollows.stories.models import Presence, Story
from tests.desk.test_writing import edit, form, of

pytestmark = pytest.mark.django_db


def save(client: Client, story: Story, **changes: Any) -> Any:
    """As the page does it by itself."""
    return client.post(edit(story), of(story, auto="1", **changes))


# -- saving by itself ------------------------------------------------------------------------------


def test_a_draft_saves_itself_and_goes_on_with_the_new_version(
    ada_at_desk: Client, story: Story
) -> None:
    answer = save(ada_at_desk, story, headline="Bridge shut")
    assert answer.status_code == 200
    kept = answer.json()
    assert kept["said"].startswith("Saved ") and kept["said"].count(":") == 2
    assert (kept["revision"], kept["address"]) == (2, edit(story))
    story.refresh_from_db()
    assert (story.headline, story.revision) == ("Bridge shut", 2)


def test_a_new_story_has_an_address_from_its_first_save_on(
    ada_at_desk: Client, story: Story
) -> None:
    new = form(story.topic, auto="1")
    kept = ada_at_desk.post("/desk/story/new/", new).json()
    again = ada_at_desk.post(
        kept["address"], {**new, "revision": kept["revision"], "text": "More."}
    )
    assert again.json()["revision"] == 2
    assert Story.objects.get(uuid=new["uuid"]).text == "More."


def test_what_is_not_ready_is_not_saved_and_says_why(ada_at_desk: Client, story: Story) -> None:
    answer = save(ada_at_desk, story, headline="")
    assert answer.json() == {"said": "Not saved yet: Headline: A story needs a headline."}


def test_it_never_overwrites_what_somebody_else_saved(
    ada_at_desk: Client, ben_at_desk: Client, story: Story
) -> None:
    save(ben_at_desk, story, headline="Ben’s words")
    answer = save(ada_at_desk, story, headline="Ada’s words")
    assert answer.json()["stop"] is True
    assert "Ben Okoro saved this story while you wrote" in answer.json()["said"]
    story.refresh_from_db()
    assert story.headline == "Ben’s words"
    # With the button she sees both; that page does not save itself, as it carries the newer
    # version's number.
    page = ada_at_desk.post(edit(story), {**of(story), "revision": "1", "headline": "Ada’s words"})
    assert page.status_code == 409
    assert "<del>Ben’s</del><ins>Ada’s</ins>" in page.content.decode()
    assert "data-autosave" not in page.content.decode()
    assert "data-autosave" in ada_at_desk.get(edit(story)).content.decode()


def test_in_the_hold_it_stops(ada_at_desk: Client, ada: Editor, story: Story) -> None:
    actions.send(story, ada)
    answer = save(ada_at_desk, story, headline="Too late")
    assert answer.json()["stop"] is True
    story.refresh_from_db()
    assert story.headline != "Too late"


def test_an_update_saves_itself_too(
    ada_at_desk: Client, ben_at_desk: Client, ada: Editor, story: Story
) -> None:
    assert publication.release(actions.send(story, ada, hold=0).pk)
    story.refresh_from_db()
    where = reverse("story-develop", args=(story.uuid,))
    words = {"kind": "update", "headline": "Still shut", "text": "Until Friday.", "auto": "1"}
    kept = ada_at_desk.post(where, {**words, "revision": story.revision}).json()
    assert kept["revision"] == story.revision + 1
    assert kept["address"] == where
    late = ben_at_desk.post(where, {**words, "revision": story.revision, "text": "Until Monday."})
    assert late.json()["stop"] is True
    empty = ada_at_desk.post(where, {**words, "revision": kept["revision"], "headline": ""})
    assert "Not saved yet" in empty.json()["said"]
    assert Story.objects.get().text == "Until Friday."


def test_the_log_keeps_who_wrote_not_every_few_seconds(
    ada_at_desk: Client, ben_at_desk: Client, ada: Editor, ben: Editor, story: Story
) -> None:
    def type_on(client: Client, times: int) -> None:
        for number in range(times):
            story.refresh_from_db()
            assert save(client, story, text=f"{story.text} {number}").status_code == 200

    type_on(ada_at_desk, 4)
    type_on(ben_at_desk, 3)
    type_on(ada_at_desk, 2)
    saved = AuditEntry.objects.filter(story=story, what="save").order_by("pk")
    assert [entry.editor for entry in saved] == [ada, ben, ada], (
        "once each time that somebody else has saved between"
    )
    assert saved[0].details == {"revision": 2, "by itself": True}
    assert approval.writers(story) == {ada.pk, ben.pk}, "four eyes know of everybody who wrote"


# -- who else is here ------------------------------------------------------------------------------


def here(client: Client, story: Story, **more: str) -> Any:
    return client.post(
        reverse("story-here", args=(story.uuid,)), {"revision": str(story.revision), **more}
    )


def test_editors_see_each_other(
    ada_at_desk: Client, ben_at_desk: Client, ben: Editor, story: Story
) -> None:
    assert here(ada_at_desk, story).json() == {"present": [], "newer": ""}
    here(ben_at_desk, story)
    Presence.objects.filter(editor=ben).update(since=timezone.now().replace(hour=11, minute=58))
    assert here(ada_at_desk, story).json()["present"][0].startswith("Ben Okoro is here, since 1")
    here(ben_at_desk, story, writing="1")
    began = Presence.objects.get(editor=ben).writing_since
    here(ben_at_desk, story, writing="1")
    assert Presence.objects.get(editor=ben).writing_since == began, (
        "since the first key, not the last"
    )
    assert "Ben Okoro is here, writing since " in here(ada_at_desk, story).json()["present"][0]
    assert here(ben_at_desk, story, gone="1").status_code == 204
    assert here(ada_at_desk, story).json()["present"] == []


def test_who_gives_no_sign_is_forgotten(
    ada_at_desk: Client, ben_at_desk: Client, story: Story
) -> None:
    here(ben_at_desk, story)
    Presence.objects.update(seen_at=timezone.now() - STAYS - timedelta(seconds=1))
    assert here(ada_at_desk, story).json()["present"] == []
    assert Presence.objects.count() == 1


def test_a_newer_version_is_told_before_anybody_saves(
    ada_at_desk: Client, ben_at_desk: Client, story: Story
) -> None:
    save(ben_at_desk, story, headline="Ben’s words")
    assert "Ben Okoro saved version 2 at" in here(ada_at_desk, story).json()["newer"]
    assert here(ben_at_desk, story).json()["newer"] == "", "one’s own is no news"


def test_offers_are_for_those_with_that_right(ada_at_desk: Client, dora: Editor) -> None:
    offer = Story.objects.create(headline="Half price", text="t", purpose="offers", author=dora)
    assert here(ada_at_desk, offer).status_code == 403
    assert here(Client(), offer).status_code == 302
