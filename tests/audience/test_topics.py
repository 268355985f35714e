"""Topics: changed, ordered, retired, by invitation, and merged with their readers' consents."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.consent import texts, withdrawal
from morefollows.audience.models import Consent, Reader, Subscription, Topic
from morefollows.audience.topics import actions as topics
from morefollows.audience.topics import merging
from morefollows.audit.models import AuditEntry
from tests.audience.support import leave_link, sign_up
from tests.support.people import reader, readers


@pytest.fixture
def politics(newsroom: object) -> Topic:
    return Topic.objects.get(slug="politics")


@pytest.fixture
def weather(newsroom: object) -> Topic:
    return Topic.objects.get(slug="weather")


def test_a_topic_is_added_renamed_and_translated(newsroom: object, dora: Editor) -> None:
    made = topics.create_topic(dora, "Äußeres & Sport", "Scores.")
    assert made.slug == "ausseres-sport"
    topics.change_topic(dora, made, name="Sport", translations={"de": ("Sportliches", "")})
    made.refresh_from_db()
    assert (made.slug, made.name, made.name_in("de-AT"), made.name_in("fr")) == (
        "ausseres-sport",
        "Sport",
        "Sportliches",
        "Sport",
    )
    assert made.description_in("de") == ""  # none is better than one in another language
    wording = texts.in_force("de").alerts
    assert "„Sportliches“" in texts.shown_text(wording, made)
    changed = AuditEntry.objects.get(what="change topic").details["changed"]
    assert changed["name"] == ["Äußeres & Sport", "Sport"]
    with pytest.raises(ValidationError):
        topics.change_topic(dora, made, name="Sport\r\nBcc: x")


def test_a_form_of_before_a_rename_is_no_evidence_of_the_new_name(breaking: Topic) -> None:
    from morefollows.audience.signup.form_tokens import digest_of

    assert digest_of(b"x", "Old", "a") != digest_of(b"x", "New", "a")


def test_order(newsroom: object) -> None:
    topics.order_topics(None, ["weather", "breaking"])
    assert [one.slug for one in Topic.objects.all()] == ["weather", "breaking", "politics"]
    topics.move_topic(None, Topic.objects.get(slug="politics"), -1)
    topics.move_topic(None, Topic.objects.get(slug="weather"), -1)  # is first already
    assert [one.slug for one in Topic.objects.all()] == ["weather", "politics", "breaking"]


def test_retiring_ends_sign_ups_and_keeps_readers(
    politics: Topic, cy: Reader, client: Client
) -> None:
    reader("dee@reader.example", politics)
    topics.retire_topic(None, politics)
    assert Subscription.objects.filter(topic=politics, state="active").count() == 1
    page = client.get("/sign-up/politics/")
    assert page.status_code == 410
    assert "/sign-up/breaking/" in page.content.decode()
    assert "Politics" not in client.get("/").content.decode()
    assert client.get("/box/politics/").status_code == 404
    politics.refresh_from_db()
    topics.bring_topic_back(None, politics)
    assert client.get("/sign-up/politics/").status_code == 200


def test_the_last_topic_stays(newsroom: object) -> None:
    for slug in ("breaking", "politics"):
        topics.retire_topic(None, Topic.objects.get(slug=slug))
    with pytest.raises(ValidationError, match="only topic"):
        topics.retire_topic(None, Topic.objects.get(slug="weather"))


def test_a_topic_by_invitation(politics: Topic, client: Client) -> None:
    topics.change_topic(None, politics, invited=True)
    politics.refresh_from_db()
    link = topics.topic_invitation(politics).removeprefix("https://alerts.herald.example")
    assert client.get("/sign-up/politics/").status_code == 410
    assert client.get(link).status_code == 200
    assert client.get("/sign-up/politics/?invitation=ü").status_code == 410
    # A form without our statement does not get the form either.
    assert client.post("/sign-up/politics/", {"email": "x@reader.example"}).status_code == 404
    topics.renew_invitation(None, politics)
    assert client.get(link).status_code == 410


def test_merging_moves_consents_and_respects_who_left(
    breaking: Topic, politics: Topic, dora: Editor, client: Client
) -> None:
    only = reader("cy@reader.example", politics)
    both, left = readers(["dee@reader.example", "eve@reader.example"], politics)
    Subscription.objects.bulk_create(
        Subscription(reader=one, topic=breaking, state="active", since=timezone.now())
        for one in (both, left)
    )
    withdrawal.withdraw_consent(left, "alerts", how="link", topic=breaking)
    sign_up(politics, "flo@reader.example")
    counts = merging.count_merge(politics, breaking)
    assert counts == merging.MergeCounts(moved=1, both=1, left=1, unconfirmed=1)
    assert not Consent.objects.filter(how="merged").exists()

    assert merging.merge_topics(dora, politics, breaking) == counts

    states = {
        (row.reader_id, row.topic.slug): row.state
        for row in Subscription.objects.select_related("topic")
    }
    assert states[only.pk, "breaking"] == "active"
    assert states[both.pk, "breaking"] == "active"
    assert states[left.pk, "breaking"] == "ended"
    for one in (only, both, left):
        assert states[one.pk, "politics"] == "ended"
    line = Consent.objects.get(reader=only, topic=breaking)
    assert (line.event, line.how) == ("confirmed", "merged")
    assert "“Politics” into “Breaking news”" in line.words
    politics.refresh_from_db()
    assert merging.left_to_move(politics) == 0
    # Links and addresses of the old topic lead to the new one.
    assert client.get("/sign-up/politics/")["Location"] == "/sign-up/breaking/"
    assert client.get("/box/politics/").json()["headline"] == "Breaking news"
    assert withdrawal.unsubscribe(leave_link(only, politics), "one-click")
    assert Subscription.objects.get(reader=only, topic=breaking).state == "ended"
    with pytest.raises(ValidationError, match="merged into another"):
        topics.bring_topic_back(None, politics)
    with pytest.raises(ValidationError):
        merging.merge_topics(None, politics, breaking)


def test_merging_goes_on_in_chunks(breaking: Topic, politics: Topic) -> None:
    for number in range(5):
        reader(f"r{number}@reader.example", politics)
    Topic.objects.filter(pk=politics.pk).update(access="retired", merged_into=breaking)
    politics.refresh_from_db()
    assert merging.move_some(politics, 2) == 2
    assert merging.left_to_move(politics) == 3
    assert merging.move_all() == 3
    assert Subscription.objects.filter(topic=breaking, state="active").count() == 5


def test_pages_are_in_the_languages_offered(
    newsroom: object, client: Client, settings: Any
) -> None:
    french = {"HTTP_ACCEPT_LANGUAGE": "fr-CA, de;q=0.5"}
    assert client.get("/", **french).headers["Content-Language"] == "de"
    settings.MOREFOLLOWS = replace(settings.MOREFOLLOWS, languages=("en", "fr"))
    assert client.get("/", **french).headers["Content-Language"] == "fr"
    # The desk has no French.
    assert client.get("/desk/sign-in/", **french).headers["Content-Language"] == "de"
