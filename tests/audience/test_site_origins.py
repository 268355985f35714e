"""Which sites may show the box: exact origins, and nothing that only looks like one."""

from __future__ import annotations

import pytest
from django.test import Client

from morefollows.audience.models import Newsroom, Site
from morefollows.audience.newsroom import add_topic
from morefollows.audience.signup.site_origins import BadOrigin, origin


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("https://www.herald.example", "https://www.herald.example"),
        ("www.herald.example", "https://www.herald.example"),
        (" https://WWW.Herald.example:443/news/?a=b#c ", "https://www.herald.example"),
        ("http://herald.example:80", "http://herald.example"),
        ("https://herald.example:8443/", "https://herald.example:8443"),
        ("https://straße.example", "https://xn--strae-oqa.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[2001:DB8::1]:8080", "http://[2001:db8::1]:8080"),
        ("http://192.0.2.1", "http://192.0.2.1"),
    ],
)
def test_an_address_names_its_site(typed: str, meant: str) -> None:
    assert origin(typed) == meant


@pytest.mark.parametrize(
    "typed",
    ["", "*", "https://*.herald.example", "null", "herald", "ftp://herald.example", "https://",
     "javascript:alert(1)",
     "https://me:secret@herald.example", "https://herald.example:99999", "https://her ald.example",
     "file:///x"],
)  # fmt: skip
def test_what_is_no_site(typed: str) -> None:
    with pytest.raises(BadOrigin, match="such as https://www"):
        origin(typed)


def test_only_administrators_change_them(
    newsroom: Newsroom, ada_at_desk: Client, ben_at_desk: Client, dora_at_desk: Client
) -> None:
    for client in (ada_at_desk, ben_at_desk):
        client.post("/desk/box/sites/add/", {"address": "www.herald.example"})
        assert not Site.objects.exists()
        assert b'name="address"' not in client.get("/desk/box/").content
    dora_at_desk.post("/desk/box/sites/add/", {"address": "www.herald.example/about/"})
    assert Site.objects.get().origin == "https://www.herald.example"
    ben_at_desk.post("/desk/box/sites/remove/", {"site": "https://www.herald.example"})
    assert Site.objects.exists()
    answer = dora_at_desk.post("/desk/box/sites/add/", {"address": "*"}, follow=True)
    assert "That is no site" in answer.content.decode()
    dora_at_desk.post("/desk/box/sites/remove/", {"site": "https://www.herald.example"})
    assert not Site.objects.exists()


def test_the_desk_has_the_line_to_copy(newsroom: Newsroom, ben_at_desk: Client) -> None:
    add_topic("local", 'Local "news" & more')
    page = ben_at_desk.get("/desk/box/?topic=local").content.decode()
    line = '<script async src="https://alerts.herald.example/box.js" data-topic="local"></script>'
    assert line.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;") in page
    assert "/desk/box/preview/local/" in page
    framed = ben_at_desk.get("/desk/box/preview/local/?lang=de").content.decode()
    assert (
        '<html lang="de"' in framed
        and '<script async src="/box.js" data-topic="local"></script>' in framed
    )
    assert Client().get("/desk/box/").status_code == 302
