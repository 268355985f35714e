"""Images in stories: what a text may contain, what is kept, and what is cleared."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.utils import DatabaseError
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.stories import actions, checks, markdown
from morefollows.stories.drafts.actions import save_story
from morefollows.stories.images import storing
from morefollows.stories.images.actions import add, delete_unused
from morefollows.stories.images.address import Picture
from morefollows.stories.models import Image, Story
from tests.stories.images.pictures import photo


@pytest.fixture
def picture(ada: Editor) -> Picture:
    return add(photo(), ada)


def written(picture: Picture, alt: str = "Tugs at the pier", title: str = "") -> str:
    return f'![{alt}]({picture.path} "{title}")' if title else f"![{alt}]({picture.path})"


def code(text: str) -> str:
    with pytest.raises(ValidationError) as caught:
        checks.story_text(text)
    assert caught.value.messages[0]
    return str(caught.value.code)


class TestWhatATextMayHold:
    def test_an_image_of_ours_with_words_for_who_cannot_see_it(self, picture: Picture) -> None:
        checks.story_text(
            f"Fog.\n\n{written(picture, title='The pier | Photo: Ben Okoro')}\n\nMore fog."
        )
        assert code(f"{written(picture, '')}") == code(f"{written(picture, '  ')}") == "alt"
        assert code(f"Look: {written(picture)}") == "alone"
        assert code(written(picture, "x" * 251)) == "length"
        assert code("\n\n".join([written(picture)] * 31)) == "images"

    @pytest.mark.parametrize(
        "source",
        ["https://x.example/a.jpg", "//x.example/a.jpg", "data:image/png;base64,AA", "a.jpg"],
    )
    def test_none_from_elsewhere(self, picture: Picture, source: str) -> None:
        assert code(f"![A bridge]({source})") == "remote"

    def test_none_that_is_not_kept_just_so(self, picture: Picture) -> None:
        assert code(written(picture._replace(name="0" * 32))) == "unknown"
        assert code(written(picture._replace(height=9))) == "unknown", (
            "the page would be laid out wrongly"
        )
        assert code(written(picture.sizes()[0])) == "unknown"

    def test_what_was_told_before_is_shown_as_it_was(self) -> None:
        assert markdown.to_html("![the bridge](https://x.example/a.jpg)") == "<p>the bridge</p>\n"


def test_a_figure_on_a_page_in_a_mail_and_in_words(picture: Picture) -> None:
    site, small = "https://alerts.herald.example", picture.sizes()[0]
    text = (
        f"Fog.\n\n{written(picture, 'Tugs & <fog>', 'The *pier* | Photo: Ben')}\n\n"
        f"{written(picture)}"
    )
    html = markdown.to_html(text, lazy=False)
    assert (
        f'<p>Fog.</p>\n<figure><img src="{site}{picture.path}" srcset="{site}{small.path} 600w, '
        in html
    )
    assert 'width="1200" height="750" alt="Tugs &amp; &lt;fog&gt;" fetchpriority="high"' in html
    assert (
        '<figcaption>The *pier* <span class="credit">Photo: Ben</span></figcaption></figure>'
        in html
    )
    assert html.count('loading="lazy"') == 1 and "figcaption" not in html.split("</figure>")[1]
    mail = markdown.to_html(text, inline_styles=True)
    assert 'width="540" height="338"' in mail and "max-width:540px" in mail and "figure" not in mail
    assert markdown.to_text(text) == (
        "Fog.\n\n[Image: Tugs & <fog> – Photo: Ben]\nThe *pier*\n\n[Image: Tugs at the pier]"
    )
    assert markdown.to_words(text) == "Fog."


def aged(picture: Picture, days: int) -> None:
    Image.objects.filter(name=picture.name).update(added_at=timezone.now() - timedelta(days=days))


def test_what_nothing_shows_is_cleared_away_after_its_days(
    picture: Picture, story: Story, ada: Editor
) -> None:
    aged(picture, 29)
    assert delete_unused() == 0
    aged(picture, 31)
    save_story(
        story.uuid,
        ada,
        revision=1,
        headline=story.headline,
        standfirst="",
        text=f"Fog.\n\n{written(picture)}",
        topic=story.topic,
        language="en",
    )
    assert delete_unused() == 0, "a draft shows it"
    save_story(
        story.uuid,
        ada,
        revision=2,
        headline=story.headline,
        standfirst="",
        text="Fog.",
        topic=story.topic,
        language="en",
    )
    assert delete_unused() == 1
    assert not Image.objects.exists() and not storing.picture_path(picture).exists()
    again = add(photo(), ada)
    assert again == picture and storing.picture_path(again).exists()


def test_what_an_update_shows_stays(picture: Picture, story: Story, ada: Editor) -> None:
    story.text = f"Fog.\n\n{written(picture)}"
    story.save()
    alert = actions.send(story, ada, hold=0)
    assert list(alert.update.images.all()) == [Image.objects.get()]
    Story.objects.update(text="")
    aged(picture, 4000)
    assert delete_unused() == 0 and storing.picture_path(picture).exists()
    with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
        alert.update.images.clear()


def test_what_is_gone_is_not_sent(picture: Picture, story: Story, ada: Editor) -> None:
    story.text = f"Fog.\n\n{written(picture)}"
    story.save()
    Image.objects.all().delete()
    with pytest.raises(ValidationError, match="Add it again"):
        actions.send(story, ada, hold=0)


def test_an_image_that_is_cleared_away_while_it_is_added_again_is_there(
    ada: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = add(photo(), ada)
    keep = storing.store_image

    def keep_then_lose(file: bytes) -> storing.StoredImage:
        kept = keep(file)
        monkeypatch.setattr(storing, "store_image", keep)
        aged(picture, 31)
        delete_unused()
        return kept

    monkeypatch.setattr(storing, "store_image", keep_then_lose)
    assert storing.picture_path(add(photo(), ada)).exists() and Image.objects.count() == 1
