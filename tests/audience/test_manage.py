"""*Manage my alerts*, *Unsubscribe from everything*, and the public archive."""

from __future__ import annotations

import dataclasses
import email.policy
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from morefollows.audience.models import (
    Consent,
    Letter,
    Reader,
    SignUpTally,
    Subscription,
    Suppression,
    Topic,
)
from morefollows.audience.preferences.actions import unsubscribe_from_everything
from morefollows.courier.outbox import letter_claims
from morefollows.courier.outbox.mails import LetterMails
from morefollows.public.preferences.forms import city
from morefollows.stories.models import Story, Update
from tests.support import mail_parsing

pytestmark = pytest.mark.usefixtures("newsroom")
KNOWN, UNKNOWN = "cy@reader.example", "nobody@reader.example"


def ask(address: str) -> Any:
    return Client().post("/manage/", {"email": address})


@pytest.fixture
def no_wait(settings: Any) -> None:
    settings.MOREFOLLOWS = dataclasses.replace(settings.MOREFOLLOWS, sign_up_seconds=0)


@pytest.mark.usefixtures("no_wait")
def test_the_answer_tells_nothing(cy: Reader) -> None:
    assert "Manage my alerts" in Client().get("/").content.decode()
    answers = [ask(address) for address in (KNOWN, UNKNOWN)]
    assert [one.status_code for one in answers] == [303, 303]
    assert {one.headers["Location"] for one in answers} == {"/manage/sent/"}
    assert [one.reader for one in Letter.objects.filter(kind="preferences")] == [cy]
    assert "If this address gets alerts" in Client().get("/manage/sent/").content.decode()
    assert KNOWN not in "".join(f"{one.headers}{one.content!r}" for one in answers)


@pytest.mark.usefixtures("no_wait")
def test_the_link_is_mailed_and_opens_the_preferences(cy: Reader) -> None:
    ask("Cy@Reader.example")
    [job] = letter_claims.claim_letters("one", 10)
    content = b"".join(LetterMails().mail(job).content)
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    assert mail["Subject"] == "Your link to manage alerts from The Harbour Herald"
    [link] = {one for one in mail_parsing.links(mail) if "/preferences/" in one}
    assert KNOWN in Client().get(urlsplit(link).path).content.decode()


@pytest.mark.usefixtures("no_wait")
def test_it_is_mailed_once_in_a_while(cy: Reader) -> None:
    for _try in range(3):
        assert ask(KNOWN).status_code == 303
    letters = Letter.objects.filter(kind="preferences")
    assert letters.count() == 1
    for _day in range(9):
        letters.update(created_at=timezone.now() - timedelta(hours=2))
        ask(KNOWN)
    assert letters.count() < 9


@pytest.mark.usefixtures("no_wait")
@pytest.mark.parametrize("state", ["pending", "unsubscribed", "complained"])
def test_nobody_else_is_mailed(cy: Reader, state: str) -> None:
    Reader.objects.update(state=state)
    assert ask(KNOWN).status_code == 303 and not Letter.objects.exists()


@pytest.mark.usefixtures("no_wait")
def test_a_suppressed_address_is_not_mailed(cy: Reader) -> None:
    Suppression.objects.create(key=cy.key, reason="complained", at=timezone.now())
    assert ask(KNOWN).status_code == 303 and not Letter.objects.exists()


def test_a_network_is_limited_before_an_address_is_looked_up(cy: Reader, settings: Any) -> None:
    settings.MOREFOLLOWS = dataclasses.replace(
        settings.MOREFOLLOWS, sign_up_seconds=0, sign_ups_a_network_at_most=2
    )
    found = [ask(UNKNOWN).status_code for _try in range(3)] + [ask(KNOWN).status_code]
    assert found == [303, 303, 429, 429] and not Letter.objects.exists()
    assert SignUpTally.objects.get().count == 4


def test_a_wrong_address_is_shown_again(cy: Reader) -> None:
    page = ask("cy@")
    assert page.status_code == 422 and 'value="cy@"' in page.content.decode()
    assert not SignUpTally.objects.exists()


def test_unsubscribe_from_everything(cy: Reader, breaking: Topic) -> None:
    other = Topic.objects.exclude(pk=breaking.pk).first()
    Subscription.objects.create(reader=cy, topic=other, state="active", since=timezone.now())
    unsubscribe_from_everything(cy)
    unsubscribe_from_everything(cy)
    assert set(Subscription.objects.values_list("state", flat=True)) == {"ended"}
    assert Consent.objects.filter(event="withdrawn").count() == 2


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("Europe/London", "London (Europe)"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires (Argentina, America)"),
    ],
)
def test_time_zones_are_named_by_city(zone: str, name: str) -> None:
    assert city(zone) == name


def told(story: Story, headline: str, hours: int, **values: Any) -> Story:
    other = Story.objects.create(
        headline=headline, topic=story.topic, author=story.author,
        **{"state": "final", "language": "en", **values},
    )  # fmt: skip
    Update.objects.create(
        story=other, number=1, headline=headline, text=f"About {headline}.", author=story.author,
        language=other.language, published_at=timezone.now() - timedelta(hours=hours),
    )  # fmt: skip
    return other


def test_the_archive_finds_what_is_published(story: Story) -> None:
    told(story, "Bridge open again", 1)
    told(story, "Market burns", 2, state="developing", language="ar")
    told(story, "Hoax at the bridge", 3, state="withdrawn")
    told(story, "Drill at the bridge", 4, drill=True)
    told(story, "Under embargo bridge", 5, embargo_until=timezone.now() + timedelta(hours=1))
    page = Client().get("/stories/").content.decode()
    assert page.index("Bridge open again") < page.index("Market burns")
    assert 'lang="ar" dir="rtl"' in page
    for hidden in ("Hoax", "Drill", "embargo", story.headline):
        assert hidden not in page, hidden
    for query, found in (("q=about+BRIDGE", True), ("q=market", False), ("topic=breaking", True)):
        shown = Client().get(f"/stories/?{query}").content.decode()
        assert ("Bridge open again" in shown) == found, query
        assert 'content="noindex"' in shown
    for nonsense in ("before=x", "topic=x", "q=%00", "before=2026-01-01"):
        assert Client().get(f"/stories/?{nonsense}").status_code == 200


def test_the_archive_has_pages(story: Story) -> None:
    for number in range(35):
        told(story, f"Story {number:02}.", number)
    first = Client().get("/stories/").content.decode()
    older = first.partition('href="/stories/?before=')[2].partition('"')[0]
    second = Client().get(f"/stories/?before={older}").content.decode()
    assert [f"Story {n:02}." in first for n in (0, 29, 30, 34)] == [True, True, False, False]
    assert [f"Story {n:02}." in second for n in (29, 30, 34)] == [False, True, True]
    assert "Older stories" not in second
