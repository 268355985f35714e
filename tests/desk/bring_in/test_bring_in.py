"""Ada drops a file on the desk, or pastes an address."""

from __future__ import annotations

import html
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from morefollows.accounts.models import Editor
from morefollows.audience.models import Topic
from morefollows.stories.models import Story
from tests.ingest.web_page import WebPages, web_pages

__all__ = ["web_pages"]  # a fixture

pytestmark = pytest.mark.usefixtures("newsroom")
URL = "/desk/bring-in/"


def dropped(client: Client, text: str, name: str = "story.txt") -> str:
    """Drops a file, follows, and returns the page."""
    file = SimpleUploadedFile(name, text.encode())
    answer = client.post(URL, {"file": file, "address": ""}, follow=True)
    return html.unescape(answer.content.decode())


def test_a_file_becomes_a_draft_that_tells_what_was_left_out(
    ada_at_desk: Client, ada: Editor, breaking: Topic
) -> None:
    page = dropped(
        ada_at_desk,
        "Ship hits bridge, six missing\nBy JANE DOE\nShare\n\n"
        "Six people are missing, police said.\n\n"
        "The search goes on in the harbour.\n\nNotes to editors\n\nCall 020 7946 0000 at night.\n",
    )
    story = Story.objects.get()
    assert (story.headline, story.byline, story.author) == (
        "Ship hits bridge, six missing",
        "Jane Doe",
        ada,
    )
    assert (
        story.text == "Six people are missing, police said.\n\nThe search goes on in the harbour."
    )
    assert "Brought in from story.txt" in page
    assert "Call 020 7946 0000 at night." in page and "1 line left out" in page
    again = html.unescape(ada_at_desk.get(f"/desk/story/{story.uuid}/").content.decode())
    assert "Call 020 7946 0000 at night." in again


def test_a_headline_that_is_not_certain_is_asked_for(ada_at_desk: Client, breaking: Topic) -> None:
    page = dropped(
        ada_at_desk, "A ship rammed the bridge, which fell.\n\nSix people are missing.\n"
    )
    assert not Story.objects.exists()
    assert "Choose the headline" in page and "A ship rammed the bridge, which fell" in page
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    fields.pop("csrfmiddlewaretoken", None)
    text = "A ship rammed the bridge, which fell.\n\nSix people are missing."
    assert text in page
    answer = ada_at_desk.post(
        URL, fields | {"text": text, "candidate": "A ship rammed", "headline": "Bridge falls"}
    )
    story = Story.objects.get()
    assert answer["Location"] == f"/desk/story/{story.uuid}/"
    assert (story.headline, story.text) == ("Bridge falls", text)


def test_what_is_doubtful_is_seen_by_all_who_open_the_draft(
    ada_at_desk: Client, ben_at_desk: Client, breaking: Topic
) -> None:
    dropped(
        ada_at_desk,
        "# Bridge falls\n\nSix are missing.\n\nNotes to editors:\n\nCall Ann first.\n",
        "bridge.md",
    )
    story = Story.objects.get()
    page = ben_at_desk.get(f"/desk/story/{story.uuid}/").content.decode()
    assert "Brought in from bridge.md" in page and "Call Ann first." in page
    assert "Call Ann first." not in story.text


def test_a_page_from_the_web(ada_at_desk: Client, breaking: Topic, web_pages: WebPages) -> None:
    web_pages.put(
        "/1", b"<title>Ship hits bridge</title><h1>Ship hits bridge</h1><p>Six are missing.</p>"
    )
    ada_at_desk.post(URL, {"address": web_pages.url("/1")})
    assert Story.objects.get().text == "Six are missing."


def test_an_address_that_no_rule_can_be_asked_about(
    ada_at_desk: Client, breaking: Topic, web_pages: WebPages
) -> None:
    web_pages.put("/robots.txt", b"User-agent: *\nDisallow: /x", "text/plain")
    address = web_pages.url("/1").replace("//", "//u%5B@")
    page = ada_at_desk.post(URL, {"address": address}, follow=True).content.decode()
    assert "robots.txt keeps programs from this page" in page


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"address": ""}, "choose one, or paste a web address"),
        ({"address": "http://169.254.169.254/latest/"}, "not public"),
        ({"address": "file:///etc/passwd"}, "no web address"),
    ],
)
def test_what_cannot_be_brought_in_is_told(
    ada_at_desk: Client, breaking: Topic, given: dict[str, str], told: str
) -> None:
    answer = ada_at_desk.post(URL, given, follow=True)
    page = html.unescape(answer.content.decode())
    assert "Nothing was brought in." in page and told in page
    assert not Story.objects.exists()


def test_a_file_that_can_not_be_read_is_named(ada_at_desk: Client, breaking: Topic) -> None:
    page = dropped(ada_at_desk, "%PDF-1.7 and so on", "report.pdf")
    assert "is a PDF" in page and not Story.objects.exists()


def test_nobody_but_who_works_here_brings_in(client: Client, breaking: Topic) -> None:
    assert client.post(URL, {"address": "https://paper.example/"}).status_code == 302
    assert not Story.objects.exists()
