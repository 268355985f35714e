"""Following and muting a story by the links in its mails."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from morefollows.audience.link_tokens import links
from morefollows.audience.link_tokens.tokens import TokenRow
from morefollows.audience.models import Reader
from morefollows.stories.models import Story, StoryPreference


def row(story: Story) -> TokenRow:
    return TokenRow(story.pk, story.uuid.bytes)


def story_preferences(reader: Reader) -> list[str]:
    return list(StoryPreference.objects.filter(reader=reader).values_list("choice", flat=True))


@pytest.mark.parametrize("wanted", ["follow", "mute"])
def test_one_click_and_an_undo(client: Client, story: Story, cy: Reader, wanted: str) -> None:
    page = reverse(wanted, args=(links.link_tokens().story(links.row(cy), row(story)).decode(),))
    for _ in range(2):  # link scanners open every link
        shown = client.get(page)
        assert story.headline in shown.content.decode()
        assert story_preferences(cy) == []
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in shown.headers["Cache-Control"]
    assert "Undo" in client.post(page, {"choice": wanted}).content.decode()
    assert "Undo" in client.post(page, {"choice": wanted}).content.decode()
    assert story_preferences(cy) == [wanted]
    assert "Undo" not in client.post(page, {"choice": "none"}).content.decode()
    assert story_preferences(cy) == []
    assert client.post(page, {"choice": "else"}).status_code == 400
    assert not client.cookies


def test_the_page_speaks_the_readers_language(client: Client, story: Story, cy: Reader) -> None:
    Reader.objects.update(language="de")
    page = reverse("mute", args=(links.link_tokens().story(links.row(cy), row(story)).decode(),))
    assert "stummschalten" in client.get(page).content.decode()


def test_a_link_is_good_for_its_own_purpose_only(client: Client, story: Story, cy: Reader) -> None:
    tokens = links.link_tokens()
    assert story.topic
    another = links.row(cy)._replace(id=cy.pk + 1)
    others = (
        tokens.leave(links.row(cy), links.row(story.topic)),
        tokens.preferences(links.row(cy), 0),
        tokens.story(another, row(story)),
    )
    good = tokens.story(links.row(cy), row(story))
    broken = good[:-1] + (b"A" if good[-1:] != b"A" else b"B")
    for token in (*others, broken, b"x"):
        for wanted in ("follow", "mute"):
            assert client.post(reverse(wanted, args=(token.decode(),))).status_code == 404
    assert story_preferences(cy) == []
    assert links.leaving(tokens.story(links.row(cy), row(story)).decode()) is None
