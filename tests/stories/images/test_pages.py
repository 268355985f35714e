"""Adding an image at the desk, and who may see it where."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from morefollows.accounts.models import Editor
from morefollows.stories import actions, markdown
from morefollows.stories.alerts import publication
from morefollows.stories.images import figure, storing
from morefollows.stories.images.actions import add
from morefollows.stories.images.address import Picture
from morefollows.stories.models import Image, Story
from tests.live.support import publish
from tests.stories.images.pictures import photo, sideways

ADD = "/desk/images/add/"
HTMX = {"HX-Request": "true"}


def form(file: bytes | None = None, name: str = "pier.jpg", **changes: Any) -> dict[str, Any]:
    shown = SimpleUploadedFile(name, photo() if file is None else file, "image/jpeg")
    return {
        "file": shown,
        "alt": "Tugs at the [pier]",
        "caption": "The ‘pier’",
        "credit": "Photo: Ben",
        **changes,
    }


def line(page: str) -> str:
    """The Markdown that the page gives."""
    found = re.search(r'data-markdown="(.+?)"', page)
    assert found
    return html.unescape(found[1])


class TestAdding:
    def test_who_writes_may_add_one(self, ben_at_desk: Client, ben: Editor) -> None:
        page = ben_at_desk.get(ADD).content.decode()
        assert 'enctype="multipart/form-data"' in page and '<label for="id_alt">' in page
        answer = ben_at_desk.post(ADD, form(sideways(), "../../pier.exe"))
        image = Image.objects.get()
        assert image.added_by == ben and (image.width, image.height) == (1000, 1600)
        [shown] = markdown.images(line(answer.content.decode()))
        assert shown == (
            figure.PlacedImage(_of(image), "Tugs at the [pier]", "The ‘pier’", "Photo: Ben")
        )
        assert "<html" not in ben_at_desk.post(ADD, form(), headers=HTMX).content.decode(), (
            "for the dialog"
        )

    def test_nobody_else_may(self, client: Client, ben_at_desk: Client, ben: Editor) -> None:
        assert client.post(ADD, form()).headers["Location"].startswith("/desk/sign-in/")
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(ben)
        assert strict.post(ADD, form()).status_code == 403
        ben.is_active = False
        ben.save()
        assert ben_at_desk.post(ADD, form()).status_code == 302
        assert not Image.objects.exists()

    def test_what_is_wrong_stands_at_its_field(self, ben_at_desk: Client) -> None:
        wrong = [
            ("file", form(b"%PDF-1.7")),
            ("file", form(b"")),
            ("alt", form(alt=" ")),
            ("alt", form(alt="a\nb")),
            ("caption", form(caption="a | b")),
            ("credit", form(credit="x" * 101)),
        ]
        for field, posted in wrong:
            answer = ben_at_desk.post(ADD, posted)
            page = answer.content.decode()
            assert answer.status_code == 422 and f'href="#id_{field}"' in page, field
            control = re.search(rf'<(?:input|textarea)[^>]*id="id_{field}"[^>]*>', page)
            assert (
                control and 'aria-invalid="true"' in control[0] and f'id_{field}_error"' in page
            ), field
        assert ben_at_desk.post(ADD, form(alt=""), headers=HTMX).status_code == 200, (
            "htmx puts it in place"
        )
        assert not Image.objects.exists()


@given(
    st.text("ab |\\`*_[]()<>&\"'!#-é", max_size=12),
    st.text("ab \\`*_[]<>&\"'", max_size=12),
    st.text('a "\\', max_size=5),
)
def test_the_line_says_what_was_typed(alt: str, caption: str, credit: str) -> None:
    alt, caption, credit = (" ".join(f"x{one}".split()) for one in (alt, caption, credit))
    shown = figure.PlacedImage(
        Picture("0" * 32, 600, 400, "jpg"), alt.replace("|", ""), caption, credit
    )
    [read] = markdown.images(figure.markdown(*shown))
    assert read == shown


class TestWhoSeesIt:
    @pytest.fixture
    def picture(self, story: Story, ada: Editor) -> Picture:
        picture = add(photo(), ada)
        story.text = f"Fog.\n\n{figure.markdown(picture, 'Tugs')}"
        story.save()
        return picture

    def test_nobody_before_it_is_told_and_then_everybody_for_ever(
        self, client: Client, ada_at_desk: Client, picture: Picture, story: Story, ada: Editor
    ) -> None:
        hidden = client.get(picture.path)
        assert hidden.status_code == 404 and hidden["Cache-Control"] == "no-store"
        assert (
            "data:image/jpeg;base64,"
            in ada_at_desk.get(f"/desk/story/{story.uuid}/mail/").content.decode()
        )
        alert = actions.send(story, ada, hold=0)
        assert client.get(picture.path).status_code == 404, "in its hold"
        publication.release(alert.pk)
        for size in picture.sizes():
            shown = client.get(size.path)
            assert (
                shown["Content-Type"] == "image/jpeg"
                and shown.content == storing.picture_path(size).read_bytes()
            )
            assert shown["Cache-Control"] == "public, max-age=31536000, s-maxage=60, immutable"
            assert (
                shown["X-Content-Type-Options"] == "nosniff"
                and not shown.cookies
                and "Vary" not in shown
            )
            assert shown["Cross-Origin-Resource-Policy"] == "cross-origin"
            assert (
                client.get(size.path, headers={"If-None-Match": shown["ETag"]}).status_code == 304
            )
        for other in (
            picture._replace(width=900),
            picture._replace(extension="png"),
            picture._replace(name="0" * 32),
        ):
            assert client.get(other.path).status_code == 404
        Story.objects.update(embargo_until=timezone.now() + timedelta(hours=1))
        assert client.get(picture.path).status_code == 404, "an embargo holds it, too"

    def test_nobody_once_it_is_withdrawn(
        self, client: Client, picture: Picture, story: Story, ada: Editor
    ) -> None:
        publication.release(actions.send(story, ada, hold=0).pk)
        assert client.get(picture.path).status_code == 200
        other = add(photo(700, 500), ada)
        text = f"Not this pier.\n\n{figure.markdown(other, 'The right pier')}"
        publication.release(
            actions.withdraw(story, ada, reason="Wrong pier.", text=text, hold=0).pk
        )
        assert client.get(picture.path).status_code == 404
        assert client.get(other.path).status_code == 200, "what the withdrawal shows"

    def test_a_picture_in_another_story_stays(
        self, client: Client, picture: Picture, story: Story, ada: Editor
    ) -> None:
        other = Story.objects.create(
            headline="Again", text=story.text, topic=story.topic, author=ada
        )
        for one in (story, other):
            publication.release(actions.send(one, ada, hold=0).pk)
        publish(story, "withdrawal")
        assert client.get(picture.path).status_code == 200


def _of(image: Image) -> Picture:
    return Picture(image.name, image.width, image.height, image.extension)
