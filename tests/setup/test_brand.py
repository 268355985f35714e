"""The brand: colours that can be read, in mails, pages and the box, and a logo from a file."""

from __future__ import annotations

import io
import re

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from morefollows.accounts.models import Editor
from morefollows.audit.models import AuditEntry
from morefollows.courier.message import preview as previews
from morefollows.setup.brand import palette
from morefollows.setup.brand.actions import change_brand
from morefollows.setup.brand.look import logo_of, look, style_sheet
from morefollows.stories.images.logos import store_logo
from morefollows.stories.models import Story
from tests.courier.message import contrast

TEXT_ON_GROUND = (
    *((text, ground) for text in ("ink", "ink-2", "main", "link") for ground in ("paper", "soft")),
    ("warm", "warm-soft"),
    ("ink", "warm-soft"),
    ("on", "main"),
    ("on-warm", "warm"),
)
colours = st.tuples(*[st.integers(0, 255)] * 3).map(lambda one: "#{:02x}{:02x}{:02x}".format(*one))


@given(main=colours, notice=colours, link=colours)
def test_any_choice_is_readable_or_refused_with_one_that_is(
    main: str, notice: str, link: str
) -> None:
    chosen = {"main": main, "notice": notice, "link": link}
    for _ in range(3):  # a suggestion may make another colour's ground darker
        for problem in palette.colour_problems(**chosen):
            assert problem.ratio < palette.ENOUGH
            chosen[problem.field] = problem.suggestion
    assert not palette.colour_problems(**chosen)
    for mode in palette.palette(**chosen):
        for text, ground in TEXT_ON_GROUND:
            assert palette.ratio(mode[text], mode[ground]) >= palette.ENOUGH, (text, ground, mode)


def test_it_computes_what_the_tests_compute() -> None:
    for one, other in (("#0b5563", "#ffffff"), ("#777777", "#000000")):
        assert palette.ratio(one, other) == pytest.approx(contrast.ratio(one, other))
    assert palette.colour(" 0B5 ") == "#00bb55"
    with pytest.raises(ValueError, match="no colour"):
        palette.colour("url(//x)")


def test_nothing_chosen_is_the_default(db: None) -> None:
    assert (look().version, style_sheet(look())) == ("", "")
    assert palette.palette().light["main"] == palette.LIGHT["main"]


def test_a_change_is_checked_and_audited(dora: Editor) -> None:
    with pytest.raises(ValidationError) as raised:
        change_brand(dora, main="#5fb3bf", site_url="javascript:alert(1)", link="teal")
    assert set(raised.value.message_dict) == {"site_url", "link"}
    with pytest.raises(ValidationError) as raised:
        change_brand(dora, main="#5fb3bf")
    suggestion = raised.value.messages[0].rpartition("take ")[2].rstrip(".")
    change_brand(dora, main=suggestion, footer="Independent since 1871.")
    changed = AuditEntry.objects.get(what="change brand").details["changed"]
    assert changed == {"main": ["", suggestion], "footer": ["", "Independent since 1871."]}
    with pytest.raises(ValidationError):
        change_brand(dora, typeface="own", own_typeface='x";}</style>')


@pytest.mark.parametrize("main", ["#b00020", "#004d00", "#1a1a1a"])
def test_mails_take_it_and_can_be_read(story: Story, main: str) -> None:
    change_brand(
        None, main=main, footer="Owned by its readers.", site_url="https://herald.example/"
    )
    preview = previews.preview(story)
    assert main in preview.html
    assert palette.LIGHT["main"] not in preview.html
    assert "Owned by its readers." in preview.html
    assert "Owned by its readers. https://herald.example/" in preview.text
    assert "More Follows" not in preview.html + preview.text
    for dark in (False, True):
        assert contrast.weakest(preview.html, dark=dark).ratio >= contrast.ENOUGH


def test_pages_and_box_take_it(newsroom: object, client: Client) -> None:
    assert "brand.css?v=" not in client.get("/").content.decode()
    assert client.get("/box/breaking/").json()["colours"] == {}
    change_brand(None, main="#b00020", typeface="sans")
    page = client.get("/").content.decode()
    sheet = client.get(f"/brand.css?v={look().version}")
    assert f"/brand.css?v={look().version}" in page
    assert "--b-main:light-dark(#b00020," in sheet.content.decode()
    assert "max-age=86400" in sheet["Cache-Control"]
    assert client.get("/brand.css")["Cache-Control"] == "no-cache"
    assert client.get("/box/breaking/").json()["colours"]["--accent"].startswith("light-dark(#b00")


def test_a_page_fetches_the_typefaces_it_shows_beforehand(newsroom: object, client: Client) -> None:
    """Those that come late are not shown (`font-display: optional`), so that nothing moves."""

    def fetched() -> list[str]:
        return re.findall(r'href="([^"]+\.woff2)"', client.get("/").content.decode())

    sans, serif = (
        f"/static/morefollows/fonts/{name}.woff2" for name in ("public-sans-latin", "mf-serif")
    )
    assert fetched() == [sans, serif]
    for path in fetched():
        assert client.get(path)["Cache-Control"] == "max-age=2592000, public"
    change_brand(None, typeface="sans")
    assert fetched() == [sans]
    change_brand(None, typeface="own", own_typeface="Helvetica Neue")
    assert fetched() == []


def test_a_logo_is_public_while_the_brand_shows_it(
    newsroom: object, client: Client, story: Story
) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (800, 200), "#0b556380").save(out, "PNG")
    path = store_logo(out.getvalue())
    assert client.get(path).status_code == 404
    change_brand(None, logo=path)
    assert client.get(path)["Content-Type"] == "image/png"
    shown = logo_of(path)
    assert shown is not None
    assert (shown.width, shown.height) == (160, 40)
    html = previews.preview(story).html
    assert f'src="https://alerts.herald.example{path}"' in html
    assert 'alt="The Harbour Herald"' in html
    with pytest.raises(ValidationError):
        store_logo(b"<svg/>")
    with pytest.raises(ValidationError, match="1 MB"):
        store_logo(bytes(1_000_001))


def test_a_mail_from_the_right_is_mirrored(story: Story) -> None:
    story.language, story.headline = "ar", "إغلاق جسر الميناء"
    html = previews.preview(story, "ar").html
    assert 'dir="rtl"' in html
    assert "text-align:left" not in html
    assert "direction:ltr" not in html
    assert "border-left:4px" not in html
    english = previews.preview(story, "en").html
    # The English mail of the Arabic story: from the left, and the story from the right.
    assert "direction:ltr" in english
    assert '<h1 lang="ar" dir="rtl"' in english
