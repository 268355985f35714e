"""Pages of the settings: what they save, refuse, lock and count."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from morefollows.audience.models import Newsroom, Topic
from morefollows.audit.models import AuditEntry
from morefollows.config.addresses.relay_address import relays as read_relays
from morefollows.desk.settings.common import MENU
from morefollows.setup.brand.look import brand_in_force
from morefollows.setup.models import StoredSetting
from tests.setup.test_settings import stored as stored
from tests.support.people import reader
from tests.support.scripted_relay import Script, running

PAGES = ("newsroom", "brand", "topics", "topics/new", "delivery", "rules", "sign-ups", "retention")


def fields(client: Client, page: str) -> dict[str, Any]:
    """What a browser would send back from the page's main form."""
    form = client.get(page).context["form"]
    found = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in found.items() if value not in (None, False)}


@pytest.mark.parametrize("page", PAGES)
def test_only_administrators_see_them(
    newsroom: object, ada_at_desk: Client, dora_at_desk: Client, page: str
) -> None:
    assert ada_at_desk.get(f"/desk/settings/{page}/").status_code == 403
    assert dora_at_desk.get(f"/desk/settings/{page}/").status_code == 200


def test_the_menu_has_every_page_once_and_marks_the_one_that_is_open(
    newsroom: object, ada_at_desk: Client, dora_at_desk: Client
) -> None:
    paths = [reverse(route) for _, pages in MENU for _, route, _ in pages]
    assert len(set(paths)) == 16
    for path in paths:
        page = dora_at_desk.get(path).content.decode()
        if path == reverse("relays"):
            continue  # stands at the foot of the navigation, too
        menu = page[page.index('<nav class="setmenu"') :].partition("</nav>")[0]
        assert [menu.count(f'href="{one}"') for one in paths] == [2] * 16, "wide, and on a phone"
        assert menu.count('aria-current="page"') == 2, path
    for name in ("sites", "item-rules"):  # of editors, too, who have no other settings
        page = ada_at_desk.get(reverse(name)).content.decode()
        assert "setmenu" not in page and reverse("settings") + '"' not in page


def test_the_newsroom_is_saved(newsroom: Newsroom, dora_at_desk: Client) -> None:
    page = "/desk/settings/newsroom/"
    posted = fields(dora_at_desk, page) | {
        "name": "The Quay Post",
        "reply_to": "desk@quay.example",
        "languages": ["en", "fr"],
    }
    assert dora_at_desk.post(page, posted).status_code == 302
    newsroom.refresh_from_db()
    assert (newsroom.name, newsroom.sender_name) == ("The Quay Post", "The Quay Post")
    assert newsroom.reply_to == "desk@quay.example"
    assert StoredSetting.objects.get(pk="languages").value == "en fr"
    wrong = dora_at_desk.post(page, posted | {"reply_to": "nobody", "language": "de"})
    assert wrong.status_code == 422
    assert set(wrong.context["form"].errors) == {"language"}
    wrong = dora_at_desk.post(page, posted | {"reply_to": "nobody"})
    assert set(wrong.context["form"].errors) == {"reply_to"}


def test_rules_are_saved_and_locked(
    newsroom: object, dora_at_desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = "/desk/settings/rules/"
    posted = fields(dora_at_desk, page)
    assert dora_at_desk.post(page, posted | {"hold": "20"}).status_code == 302
    assert [one.name for one in StoredSetting.objects.all()] == ["hold"]
    wrong = dora_at_desk.post(page, posted | {"hold": "soon"})
    assert "must be seconds" in wrong.content.decode()
    monkeypatch.setenv("MOREFOLLOWS_HOLD", "5")
    locked = dora_at_desk.get(page)
    assert "MOREFOLLOWS_HOLD" in locked.content.decode()
    assert "hold" not in locked.context["form"].fields


def test_the_brand_is_saved(newsroom: object, dora_at_desk: Client) -> None:
    page = "/desk/settings/brand/"
    refused = dora_at_desk.post(page, {"main": "#5fb3bf", "typeface": "serif"})
    assert "4.5 to 1" in refused.content.decode()
    out = io.BytesIO()
    Image.new("RGB", (400, 100), "#b00020").save(out, "PNG")
    out.seek(0)
    out.name = "logo.png"
    assert dora_at_desk.post(page, {"main": "b00020", "logo": out}).status_code == 302
    assert (brand_in_force().main, brand_in_force().hides_product) == ("#b00020", False)
    assert brand_in_force().logo
    dora_at_desk.post(page, {"main": "#b00020", "no_logo": "on", "hides_product": "on"})
    assert not brand_in_force().logo
    told = dora_at_desk.get(f"{page}palette/", {"main": "#5fb3bf", "link": "x"}).json()
    assert told["tokens"]["--b-main"].startswith("light-dark(#5fb3bf")
    assert told["colours"]["main"]["suggestion"].startswith("#")


def test_an_alert_in_the_brand_is_mailed_to_whoever_asks(
    newsroom: object, dora_at_desk: Client, settings: Any, tmp_path: Path
) -> None:
    page = "/desk/settings/brand/"
    dora_at_desk.post(page, {"main": "#b00020", "footer": "The Quay Post, 1 Quay Street"})
    with running(tmp_path / "taken", Script()) as relay:
        there = read_relays(f"smtp://127.0.0.1:{relay.port}")
        settings.MOREFOLLOWS = replace(settings.MOREFOLLOWS, relays=there)
        assert 'name="test"' in dora_at_desk.get(page).content.decode()
        answer = dora_at_desk.post(page, {"test": "1"}, follow=True)
        [mail] = relay.taken()
    assert mail["recipients"] == ["dora@herald.example"]
    assert "A test is on its way to dora@herald.example." in answer.content.decode()
    assert brand_in_force().footer, "the button saves nothing"
    assert AuditEntry.objects.filter(what="mail test", subject="brand").count() == 1
    refused = dora_at_desk.post(page, {"test": "1"}, follow=True)  # the relay is gone
    assert "The relay did not take it" in refused.content.decode()


def test_an_address_that_is_taken_is_told(newsroom: object, dora_at_desk: Client) -> None:
    new = "/desk/settings/topics/new/"
    first = dora_at_desk.post(new, {"name": "Lottery", "access": "open"}, follow=True)
    assert "is taken" not in first.content.decode()
    page = dora_at_desk.post(new, {"name": "Lóttery!", "access": "open"}, follow=True)
    assert "“lottery” is taken by another topic." in page.content.decode()
    assert "is /sign-up/lottery-2/." in page.content.decode()
    topic = Topic.objects.get(slug="lottery-2")
    again = {"name": "Lottery draws", "access": "open"}
    saved = dora_at_desk.post(f"/desk/settings/topics/{topic.slug}/", again, follow=True)
    assert "is taken" not in saved.content.decode()


def test_a_topic_is_added_moved_retired_and_merged(newsroom: object, dora_at_desk: Client) -> None:
    desk, page = dora_at_desk, "/desk/settings/topics/"
    posted = {"name": "Sport", "access": "invited", "name_de": "Sport", "description": "Scores."}
    assert desk.post(f"{page}new/", posted).status_code == 302
    assert "invitation=" in desk.get(f"{page}sport/").content.decode()
    desk.post(f"{page}sport/do/", {"do": "up"})
    assert [one.slug for one in Topic.objects.all()][2] == "sport"
    desk.post(f"{page}sport/do/", {"do": "retire"})
    assert Topic.objects.get(slug="sport").access == "retired"
    desk.post(f"{page}sport/do/", {"do": "bring back"})
    politics = Topic.objects.get(slug="politics")
    reader("cy@reader.example", politics)
    asked = desk.get(f"{page}politics/merge/", {"into": "weather"})
    assert asked.context["counts"].moved == 1
    assert Topic.objects.get(slug="politics").merged_into is None
    desk.post(f"{page}politics/merge/", {"into": "weather"})
    merged = Topic.objects.select_related("merged_into").get(slug="politics")
    assert merged.merged_into and merged.merged_into.slug == "weather"
    assert "Merged into Weather" in desk.get(page).content.decode()


def test_relays_and_keys(
    newsroom: object,
    dora_at_desk: Client,
    stored: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    page = "/desk/settings/delivery/"
    with django_capture_on_commit_callbacks(execute=True):
        posted = {"host": "127.0.0.1", "port": "9", "security": "never", "user": "ada"}
        done = dora_at_desk.post(f"{page}relays/new/", posted | {"password": "open sesame"})
    assert done.status_code == 302
    shown = dora_at_desk.get(page).content.decode()
    assert "127.0.0.1:9" in shown
    assert "sesame" not in shown
    form = dora_at_desk.get(f"{page}relays/127.0.0.1:9/")
    assert "sesame" not in form.content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        dora_at_desk.post(f"{page}relays/127.0.0.1:9/", posted | {"name": "own"})
    [relay] = stored.MOREFOLLOWS.relays
    assert (relay.name, relay.password) == ("own", "open sesame")
    tried = dora_at_desk.post(f"{page}relays/new/", posted | {"name": "second", "try": "1"})
    assert [one.state for one in tried.context["tried"]] == ["wrong"]
    with django_capture_on_commit_callbacks(execute=True):
        dora_at_desk.post(f"{page}dkim/", {"do": "make"})
        assert "v=DKIM1; k=rsa; p=" in dora_at_desk.get(page).content.decode()
        dora_at_desk.post(f"{page}dkim/", {"do": "use"})
    assert stored.MOREFOLLOWS.dkim_key
    with django_capture_on_commit_callbacks(execute=True):
        dora_at_desk.post(f"{page}relays/own/remove/")
    assert stored.MOREFOLLOWS.inbox
