"""Writing a story: what is kept, what is refused and why, and two editors at once."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from morefollows.accounts.models import Editor
from morefollows.audience.models import Reader, Topic
from morefollows.audit.models import AuditEntry
from morefollows.desk.stories.writing.difference import difference
from morefollows.stories import actions
from morefollows.stories.alerts import hold_actions, publication
from morefollows.stories.drafts import actions as stories
from morefollows.stories.models import Alert, Story

NEW = "/desk/story/new/"


def form(topic_: Topic, /, **changes: Any) -> dict[str, Any]:
    return {
        "uuid": str(uuid.uuid4()),
        "revision": "0",
        "headline": "Lock bridge stuck open",
        "standfirst": "",
        "text": "It has stood open since 14:05.",
        "topic": str(topic_.pk),
        "language": "en",
        **changes,
    }


def of(story: Story, **changes: Any) -> dict[str, Any]:
    kept = {
        name: getattr(story, name)
        for name in ("uuid", "revision", "headline", "standfirst", "text", "language")
    }
    return form(story.topic, **{**{name: str(value) for name, value in kept.items()}, **changes})


def edit(story: Story) -> str:
    return reverse("story-edit", args=(story.uuid,))


def test_a_reporter_drafts(ben_at_desk: Client, ben: Editor, breaking: Topic) -> None:
    response = ben_at_desk.post(
        NEW, form(breaking, headline="  Lock bridge stuck open ", text="One\r\n\r\nTwo")
    )
    story = Story.objects.get()
    assert response.headers["Location"] == edit(story)
    assert (story.headline, story.text, story.author, story.revision) == (
        "Lock bridge stuck open",
        "One\n\nTwo",
        ben,
        1,
    )
    assert AuditEntry.objects.get().what == "save"
    page = ben_at_desk.get(edit(story)).content.decode()
    assert "Lock bridge stuck open" in page
    assert "Lock bridge stuck open" in ben_at_desk.get("/desk/").content.decode()


def test_send_saves_and_sends_what_is_on_the_screen(
    ada_at_desk: Client, breaking: Topic, cy: Reader
) -> None:
    response = ada_at_desk.post(NEW, form(breaking, send="1", flash="1"))
    alert = Alert.objects.get()
    assert response.headers["Location"] == reverse("alert", args=(alert.uuid,))
    assert (alert.update.headline, alert.flash) == ("Lock bridge stuck open", True)


def test_what_is_to_do_gets_the_focus_and_nothing_is_sent(
    ada_at_desk: Client, dora: Editor, breaking: Topic, cy: Reader
) -> None:
    typed = form(breaking, send="1")
    page = ada_at_desk.post(NEW, typed)
    assert page.status_code == 409
    assert 'data-focus="approval"' in page.content.decode()
    assert "Alone on shift" in page.content.decode()
    assert Story.objects.count() == 1 and not Alert.objects.exists()
    again = form(breaking, send="1", uuid=typed["uuid"], revision="1", alone="Danger to life")
    assert ada_at_desk.post(edit(Story.objects.get()), again).status_code == 302
    assert AuditEntry.objects.get(what="send alone").details["reason"] == "Danger to life"


def test_parts_of_the_screen_follow_what_is_typed_and_save_nothing(
    ada_at_desk: Client, breaking: Topic, cy: object
) -> None:
    typed = form(
        breaking, headline="A **new** headline", when="later", day="2020-01-01", clock="10:00"
    )
    parts = ada_at_desk.post(reverse("story-live"), typed).content.decode()
    assert "A **new** headline" in parts and "Send to 1" in parts
    assert "1 January 2020, 10:00 has passed" in parts
    assert 'id="act"' in parts and 'id="rail"' in parts
    frame = ada_at_desk.post(reverse("story-live-mail"), typed)
    assert "sandbox" in frame.headers["Content-Security-Policy"]
    assert "A **new** headline" in frame.content.decode()
    assert not Story.objects.exists()


def test_what_is_typed_asks_no_more_than_it_needs(
    ada_at_desk: Client, story: Story, cy: Reader, django_assert_max_num_queries: Any
) -> None:
    """The page asks for it at each pause of the keys."""
    typed = of(story, headline="A new headline")
    ada_at_desk.post(reverse("story-live"), typed)
    with django_assert_max_num_queries(17):
        parts = ada_at_desk.post(reverse("story-live"), typed).content.decode()
    assert "A new headline" in parts and "Send to 1" in parts


def test_a_double_click_makes_one_story(ada_at_desk: Client, breaking: Topic) -> None:
    twice = form(breaking)
    locations = {ada_at_desk.post(NEW, twice).headers["Location"] for _ in range(2)}
    assert len(locations) == 1
    assert Story.objects.get().revision == 1


def test_each_save_raises_the_revision(ada_at_desk: Client, story: Story) -> None:
    ada_at_desk.post(edit(story), of(story, headline="Harbour bridge open again"))
    story.refresh_from_db()
    assert (story.headline, story.revision) == ("Harbour bridge open again", 2)


WRONG = [
    ("headline", "", "A story needs a headline"),
    ("headline", "  ", "A story needs a headline"),
    ("headline", "x" * 151, "1 character too long"),
    ("headline", "one\r\nBcc: victim@reader.example", "one line"),
    ("headline", "one\nline", "one line"),
    ("headline", "bell \x07 here", "U+0007"),
    ("headline", "bad \u2028 break", "one line"),
    ("headline", "nul \x00", "U+0000"),
    ("standfirst", "x" * 302, "2 characters too long"),
    ("standfirst", "a\tb", "tabs"),
    ("text", "x" * 50_001, "1 character too long"),
    ("text", "del \x7f", "U+007F"),
    ("text", "c1 \x9b", "U+009B"),
    ("topic", "99999", "This topic is gone"),
    ("language", "xx", "Choose a language of the list"),
]


@pytest.mark.parametrize(("field", "value", "words"), WRONG)
def test_what_is_wrong_is_named_beside_its_field(
    ada_at_desk: Client, breaking: Topic, field: str, value: str, words: str
) -> None:
    response = ada_at_desk.post(NEW, form(breaking, **{field: value}))
    page = response.content.decode()
    assert response.status_code == 422
    beside = re.search(rf'<p class="err" id="id_{field}_error">(.*?)</p>', page, re.S)
    assert beside is not None
    assert words in beside[1]
    control = re.search(rf'<(?:input|textarea|select)[^>]*id="id_{field}"[^>]*>', page)
    assert control is not None
    assert 'aria-invalid="true"' in control[0]
    assert f"id_{field}_error" in control[0]
    assert not Story.objects.exists()


def test_what_was_typed_survives_an_error(ada_at_desk: Client, breaking: Topic) -> None:
    page = ada_at_desk.post(
        NEW, form(breaking, headline="", text="Typed <b>with</b> care")
    ).content.decode()
    assert "Typed &lt;b&gt;with&lt;/b&gt; care" in page


def test_a_post_far_too_large_is_answered_in_plain_words(
    ada_at_desk: Client, breaking: Topic
) -> None:
    response = ada_at_desk.post(NEW, form(breaking, text="x" * 10_000_000))
    assert response.status_code == 413
    assert "50,000 characters" in response.content.decode()
    assert not Story.objects.exists()


@pytest.mark.parametrize("field", ["headline", "standfirst", "text"])
def test_the_action_itself_refuses_half_characters(
    ada: Editor, breaking: Topic, field: str
) -> None:
    wording: dict[str, Any] = {
        "headline": "h",
        "standfirst": "s",
        "text": "t",
        "language": "en",
        "topic": breaking,
    }
    with pytest.raises(ValidationError) as refused:
        stories.save_story(uuid.uuid4(), ada, revision=0, **{**wording, field: "half \ud83d"})
    assert list(refused.value.message_dict) == [field]
    assert not Story.objects.exists()


def test_two_editors_at_once_lose_nothing(
    ada_at_desk: Client, ben_at_desk: Client, story: Story
) -> None:
    ben_at_desk.post(edit(story), of(story, headline="Harbour bridge shut after ferry collision"))
    response = ada_at_desk.post(
        edit(story), of(story, headline="Harbour bridge closed, ferry adrift")
    )
    page = response.content.decode()
    assert response.status_code == 409
    assert "Ben Okoro saved this story while you wrote" in page
    assert "<del>shut after</del><ins>closed,</ins>" in page, "what differs is marked"
    assert "Harbour bridge closed, ferry adrift</textarea>" in page, "hers is still in the form"
    story.refresh_from_db()
    assert story.headline == "Harbour bridge shut after ferry collision", "his is still kept"

    # To save over his is a decision of hers: the form now carries the revision that it showed.
    assert 'name="revision" value="2"' in page
    ada_at_desk.post(
        edit(story), of(story, headline="Harbour bridge closed, ferry adrift", revision="2")
    )
    story.refresh_from_db()
    assert (story.headline, story.revision) == ("Harbour bridge closed, ferry adrift", 3)


def test_a_new_form_never_overwrites_a_story(ada_at_desk: Client, story: Story) -> None:
    response = ada_at_desk.post(NEW, of(story, revision="0", headline="Another story"))
    assert response.status_code == 409
    story.refresh_from_db()
    assert story.headline.startswith("Harbour bridge closed")


def test_a_form_of_one_story_can_not_be_sent_to_another(
    ada_at_desk: Client, story: Story, breaking: Topic
) -> None:
    assert ada_at_desk.post(edit(story), form(breaking)).status_code == 400


@pytest.mark.parametrize(
    "broken", [{"uuid": "x"}, {"uuid": ""}, {"revision": "-1"}, {"revision": "9" * 30}]
)
def test_a_broken_form_is_refused(
    ada_at_desk: Client, breaking: Topic, broken: dict[str, str]
) -> None:
    assert ada_at_desk.post(NEW, form(breaking, **broken)).status_code == 422
    assert not Story.objects.exists()


def test_a_story_in_its_hold_is_not_changed(ada_at_desk: Client, ada: Editor, story: Story) -> None:
    opened = of(story, headline="Too late")
    alert = actions.send(story, ada)
    response = ada_at_desk.post(edit(story), opened)
    assert response.status_code == 409
    assert "Take it back to change the story" in response.content.decode()
    assert "Too late</textarea>" in response.content.decode(), "what was typed is not thrown away"
    assert ada_at_desk.get(edit(story)).headers["Location"] == reverse("alert", args=(alert.uuid,))
    hold_actions.take_back(alert, ada)
    assert ada_at_desk.post(edit(story), opened).status_code == 302


def test_a_sent_story_is_not_changed(ada: Editor, story: Story, breaking: Topic) -> None:
    alert = actions.send(story, ada, hold=0)
    assert publication.release(alert.pk)
    with pytest.raises(actions.ActionRefused, match="has been sent"):
        stories.save_story(
            story.uuid,
            ada,
            revision=1,
            headline="x",
            standfirst="",
            text="y",
            topic=breaking,
            language="en",
        )


def test_a_difference_holds_both_texts() -> None:
    first, second = "The bridge is shut.\nTrains wait.", "The old bridge is closed.\nTrains wait."
    pieces = difference(first, second)
    assert "".join(piece.text for piece in pieces if piece.where != "second") == first
    assert "".join(piece.text for piece in pieces if piece.where != "first") == second
    assert [piece.where for piece in difference("same", "same")] == ["both"]
    long = difference("word " * 10_000, "word " * 9_999 + "end")
    assert "".join(piece.text for piece in long if piece.where != "first").endswith("end")
