"""Every desk page: strict HTML, no inline script or style, CSRF, and GET changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import html5lib
import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from morefollows.accounts import actions as accounts
from morefollows.accounts.models import Editor
from morefollows.audience.models import Newsroom, Reader
from morefollows.courier.relay_pauses import pause_relay
from morefollows.stories import actions
from morefollows.stories.alerts import hold_actions, publication
from morefollows.stories.models import Alert, Story

HTML = "{http://www.w3.org/1999/xhtml}"


@pytest.fixture
def addresses(story: Story, ada: Editor, cy: Reader, newsroom: Newsroom) -> dict[str, str]:
    """Every page of the desk, with something on it."""
    sent = Story.objects.create(
        headline="Sent <i>&</i> gone", text="t", topic=story.topic, author=ada
    )
    alert = actions.send(sent, ada, hold=0, alone_reason="Night shift")
    assert publication.release(alert.pk)
    held = Story.objects.create(headline="In its hold", text="t", topic=story.topic, author=ada)
    in_hold = actions.send(held, ada, alone_reason="Night shift")
    back = Story.objects.create(headline="Taken back", text="t", topic=story.topic, author=ada)
    taken = actions.send(back, ada, alone_reason="Night shift")
    hold_actions.take_back(taken, ada)
    pause_relay("local inbox", "550 5.7.1 not you")
    return {
        "stories": reverse("desk"),
        "new": reverse("story-new"),
        "edit": reverse("story-edit", args=(story.uuid,)),
        "check": reverse("story-check", args=(story.uuid,)),
        "check of a sent story": reverse("story-check", args=(sent.uuid,)),
        "sending": reverse("alert", args=(alert.uuid,)),
        "held": reverse("alert", args=(in_hold.uuid,)),
        "taken back": reverse("alert", args=(taken.uuid,)),
        "readers": reverse("audience"),
        "reader": reverse("reader", args=(cy.pk,)),
        "evidence": reverse("reader-evidence", args=(cy.pk,)),
        "relays": reverse("relays"),
        "nowhere": "/desk/nowhere/",
    }


def everything_kept() -> dict[str, list[Any]]:
    """Every row of every table, but the browser's own session."""
    models = [model for model in apps.get_models() if model is not Session]
    return {
        model.__name__: sorted(map(repr, model._default_manager.values_list())) for model in models
    }


def test_pages_are_strict_html_without_inline_code(
    ada_at_desk: Client, dora: Editor, addresses: dict[str, str]
) -> None:
    pages = {name: ada_at_desk.get(address).content.decode() for name, address in addresses.items()}
    link = accounts.invitation_link(accounts.add_editor("dee@herald.example", "Dee", "reporter"))
    pages["first sign-in"] = (
        Client().get(link.replace("https://alerts.herald.example", "")).content.decode()
    )
    pages["link used"] = Client().get("/desk/first/x/y/").content.decode()
    administrator = Client()
    administrator.force_login(dora)
    pages["words"] = administrator.get(reverse("words")).content.decode()
    pages["new words"] = administrator.get(
        reverse("words-publish", args=("privacy", "de"))
    ).content.decode()
    pages["sign-in"] = Client().get("/desk/sign-in/").content.decode()
    pages["sign-in refused"] = Client().post("/desk/sign-in/", {}).content.decode()
    pages["write refused"] = ada_at_desk.post(addresses["new"], {"headline": "\n"}).content.decode()
    for name, page in pages.items():
        tree = html5lib.HTMLParser(strict=True).parse(page)
        assert len(list(tree.iter(f"{HTML}h1"))) == 1, name
        for element in tree.iter():
            assert "style" not in element.attrib, name
            assert not [attribute for attribute in element.attrib if attribute.startswith("on")], (
                name
            )
            assert element.tag != f"{HTML}style", name
            if element.tag == f"{HTML}script":
                assert element.get("src") or element.get("type") == "application/json", name


def test_looking_changes_nothing(ada_at_desk: Client, addresses: dict[str, str]) -> None:
    before = everything_kept()
    for address in addresses.values():
        ada_at_desk.get(address)
        ada_at_desk.head(address)
    assert everything_kept() == before


def changing(story: Story, alert: Alert, reader: Reader) -> Iterator[str]:
    yield reverse("reader-find")
    yield reverse("reader-withdraw", args=(reader.pk,))
    yield reverse("reader-erase", args=(reader.pk,))
    yield reverse("suppression-lift", args=(1,))
    yield reverse("story-send", args=(story.uuid,))
    yield reverse("story-here", args=(story.uuid,))
    yield reverse("alert-take-back", args=(alert.uuid,))
    yield reverse("alert-stop", args=(alert.uuid,))
    yield reverse("relay-pause")
    yield reverse("relay-resume")
    yield reverse("sign-out")


def test_what_changes_something_takes_a_post_with_a_token(
    dora: Editor, addresses: dict[str, str], story: Story, cy: Reader
) -> None:
    wary = Client(enforce_csrf_checks=True)
    wary.force_login(dora)
    alert = Alert.objects.filter(state=Alert.State.HELD).get()
    before = everything_kept()
    for address in changing(story, alert, cy):
        assert wary.get(address).status_code == 405, address
        refused = wary.post(address, {"revision": "1"})
        assert refused.status_code == 403, address
        assert "open for too long" in refused.content.decode()
    assert wary.post(addresses["new"], {"headline": "x"}).status_code == 403
    assert everything_kept() == before


def test_pages_of_the_desk_are_not_kept_by_caches(
    ada_at_desk: Client, addresses: dict[str, str]
) -> None:
    for name, address in addresses.items():
        if name != "nowhere":
            assert "no-store" in ada_at_desk.get(address).headers["Cache-Control"], name


@pytest.mark.parametrize("name", ["stories", "sending", "edit"])
def test_the_sheet_of_keys_names_every_key(
    ada_at_desk: Client, addresses: dict[str, str], name: str
) -> None:
    page = ada_at_desk.get(addresses[name]).content.decode()
    keys = set(re.findall(r'data-(?:key|go)="(.)"', page))
    assert {"h", "s"} <= keys
    sheet = page[page.index('<dialog id="shortcuts"') :]
    named = {key.lower() for key in re.findall(r"<kbd>(.)</kbd>", sheet)}
    assert keys | {"?", "n", "/", "g", "t", "p", "x", "w"} <= named
    assert 'id="single-keys"' in sheet, "they can be switched off (WCAG 2.2, 2.1.4)"


def test_the_desk_speaks_german(ada_at_desk: Client, addresses: dict[str, str]) -> None:
    page = ada_at_desk.get(addresses["stories"], headers={"Accept-Language": "de"}).content.decode()
    assert '<html lang="de">' in page
