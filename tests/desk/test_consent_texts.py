"""Consent texts: every version is kept, and an administrator puts a new one in force."""

from __future__ import annotations

import hashlib
import re

import pytest
from django.test import Client
from django.urls import reverse

from morefollows.audience.consent import texts
from morefollows.audience.models import Consent, Newsroom, Topic, Wording
from morefollows.audience.newsroom import set_up_newsroom
from morefollows.audit.models import AuditEntry
from tests.audience.support import sign_up

PAGE = "/desk/words/alerts/en/"
NEW = "Get {topic} by email, free of charge."


def publish(client: Client, page: str, text: str, version: int = 1) -> int:
    """Looks at the preview, then puts in force what was seen. Returns the last status."""
    seen = client.post(page, {"text": text, "version": version, "preview": "1"})
    found = re.search(r'name="seen" value="(\w+)"', seen.content.decode())
    if found is None:
        return seen.status_code
    return client.post(
        page, {"text": text, "version": version, "publish": "1", "seen": found[1]}
    ).status_code


def test_a_new_version_holds_from_then_on(dora_at_desk: Client, breaking: Topic) -> None:
    sign_up(breaking)
    preview = dora_at_desk.post(PAGE, {"text": NEW, "version": 1, "preview": "1"}).content.decode()
    assert "<p>Get Breaking news by email, free of charge.</p>" in preview
    assert Wording.objects.filter(kind="alerts", language="en").count() == 1, (
        "looking publishes nothing"
    )
    assert publish(dora_at_desk, PAGE, NEW) == 302
    sign_up(breaking, "dee@reader.example")
    assert [(line.version, line.words) for line in Consent.objects.order_by("pk")] == [
        (
            1,
            "For free real time alerts sent straight to your inbox sign up to our Breaking news "
            "emails.",
        ),
        (2, "Get Breaking news by email, free of charge."),
    ]
    entry = AuditEntry.objects.get()
    assert (entry.what, entry.details) == (
        "publish words",
        {"kind": "alerts", "language": "en", "version": 2},
    )
    page = dora_at_desk.get("/desk/words/").content.decode()
    for wording in Wording.objects.all():
        assert wording.digest in page


def test_only_what_was_seen_is_put_in_force(dora_at_desk: Client, newsroom: Newsroom) -> None:
    seen = hashlib.sha256(b"something else").hexdigest()
    answer = dora_at_desk.post(PAGE, {"text": NEW, "version": 1, "publish": "1", "seen": seen})
    assert "As readers will see it" in answer.content.decode()
    assert Wording.objects.filter(kind="alerts", language="en").count() == 1


def test_nobody_passes_over_what_a_colleague_published(
    dora_at_desk: Client, newsroom: Newsroom
) -> None:
    texts.publish(Wording.Kind.ALERTS, "en", "A colleague’s words.")
    assert publish(dora_at_desk, PAGE, NEW) == 409
    assert texts.current(Wording.Kind.ALERTS, "en").text == "A colleague’s words."
    assert publish(dora_at_desk, PAGE, NEW, version=2) == 302


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (PAGE, ""),
        (PAGE, "x" * 501),
        (PAGE, "Get {name}."),
        ("/desk/words/offers/de/", "{topic}"),
        (PAGE, "a\x07b"),
    ],
)
def test_words_that_will_not_do(
    dora_at_desk: Client, newsroom: Newsroom, page: str, text: str
) -> None:
    answer = dora_at_desk.post(page, {"text": text, "version": 1, "preview": "1"})
    assert answer.status_code == 422
    assert "Not published:" in answer.content.decode()


def test_a_notice_can_do_no_harm(dora_at_desk: Client, newsroom: Newsroom) -> None:
    text = "# Notice\n\n<script>alert(1)</script> [x](javascript:alert(1)) {curly}"
    preview = dora_at_desk.post(
        "/desk/words/privacy/en/", {"text": text, "version": 1}
    ).content.decode()
    shown = preview.partition("As readers will see it")[2].partition("<form")[0]
    assert "<script" not in shown
    assert "href=" not in shown
    assert publish(dora_at_desk, "/desk/words/privacy/en/", text) == 302
    assert "<script>alert" not in Client().get("/privacy/").content.decode()


def test_setting_the_newsroom_up_again_leaves_a_notice_of_its_own(newsroom: Newsroom) -> None:
    texts.publish(Wording.Kind.PRIVACY, "de", "Unsere eigenen Worte.")
    set_up_newsroom("The Harbour Post", postal_address="13 Ropewalk, Port Ellery")
    assert texts.current(Wording.Kind.PRIVACY, "de").text == "Unsere eigenen Worte."
    standard = texts.current(Wording.Kind.PRIVACY, "en")
    assert standard.version == 2
    assert "The Harbour Post" in standard.text


def test_only_administrators_change_words(ada_at_desk: Client, newsroom: Newsroom) -> None:
    assert ada_at_desk.get(reverse("words")).status_code == 403
    assert ada_at_desk.get(PAGE).status_code == 403
    assert publish(ada_at_desk, PAGE, NEW) == 403


def test_there_are_no_other_words(dora_at_desk: Client, newsroom: Newsroom) -> None:
    for page in ("/desk/words/nothing/en/", "/desk/words/alerts/tlh/"):
        assert dora_at_desk.get(page).status_code == 404
