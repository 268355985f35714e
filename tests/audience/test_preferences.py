"""The preference page: behind a signed link, changed by buttons only, and in force at once."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from morefollows.audience import drills as drill
from morefollows.audience.addresses import parse
from morefollows.audience.consent import texts, withdrawal
from morefollows.audience.link_tokens import links
from morefollows.audience.link_tokens.tokens import ALL_TOPICS, OFFERS
from morefollows.audience.models import Consent, Letter, Reader, Suppression, Topic
from morefollows.audience.signup import entry
from morefollows.audience.suppression import suppressing
from morefollows.courier.outbox import letter_claims as letter_claims
from morefollows.stories.models import Story, StoryPreference
from tests.audience.support import CY, leave_link, sign_up
from tests.support.people import reader

HOW_MUCH = {
    "section": "terms",
    "frequency": "every",
    **dict.fromkeys(("most_a_day", "quiet_from", "quiet_to", "time_zone"), ""),
}


def link(cy: Reader) -> str:
    cy.refresh_from_db()
    return (
        f"/preferences/{links.link_tokens().preferences(links.row(cy), cy.links_version).decode()}/"
    )


def post(cy: Reader, **form: str) -> int:
    return Client().post(link(cy), form).status_code


def shown(topic: Topic) -> str:
    return entry.statement(topic, texts.in_force("en"), "en")


def events(cy: Reader, purpose: str) -> list[tuple[str, str]]:
    return list(
        Consent.objects.filter(reader=cy, purpose=purpose)
        .order_by("pk")
        .values_list("event", "how")
    )


def test_opening_it_changes_nothing_and_keeps_the_link_to_itself(cy: Reader) -> None:
    before = list(Reader.objects.values()), Consent.objects.count()
    for path in (link(cy), f"{link(cy)}data/", f"{link(cy)}erase/"):
        for method in (Client().get, Client().head):
            answer = method(path)
            assert answer.status_code == 200
            assert answer["Referrer-Policy"] == "no-referrer"
            assert "no-store" in answer["Cache-Control"]
            assert not answer.cookies
    assert (list(Reader.objects.values()), Consent.objects.count()) == before


@pytest.mark.parametrize("path", ["", "data/", "erase/"])
def test_a_link_that_is_not_ours(cy: Reader, path: str) -> None:
    good = link(cy)
    other_kind = f"/preferences/{links.link_tokens().leave(links.row(cy), ALL_TOPICS).decode()}/"
    for wrong in (
        good[:-9] + ("B" if good[-9] == "A" else "A") + good[-8:],
        f"/preferences/{'A' * 36}/",
        other_kind,
    ):
        assert Client().get(wrong + path).status_code == 404
        assert Client().post(wrong + path, {"section": "pause"}).status_code in (404, 405)
    assert Reader.objects.get(pk=cy.pk).paused_until is None


def test_another_topic_is_consent_given_and_confirmed_by_the_link(cy: Reader) -> None:
    politics = Topic.objects.get(slug="politics")
    form = {"section": "topics", "topic": "politics", "shown": shown(politics)}
    for _ in range(2):
        assert post(cy, **form) == 303
    lines = Consent.objects.filter(reader=cy, topic=politics).order_by("pk")
    assert [(one.event, one.how) for one in lines] == [("given", "link"), ("confirmed", "link")]
    assert "Politics" in lines[0].words
    assert lines[0].page == "https://alerts.herald.example/preferences/"
    assert cy.subscriptions.get(topic=politics).state == "active"
    assert post(cy, section="topics", topic="politics", do="leave") == 303
    assert cy.subscriptions.get(topic=politics).state == "ended"
    assert events(cy, "alerts")[-1] == ("withdrawn", "link")
    assert post(cy, section="topics", topic="politics", shown="made up") == 404


def test_who_left_comes_back_and_who_is_suppressed_does_not(cy: Reader, breaking: Topic) -> None:
    withdrawal.unsubscribe(leave_link(cy, breaking), "one-click")
    form = {"section": "topics", "topic": "breaking", "shown": shown(breaking)}
    assert post(cy, **form) == 303
    cy.refresh_from_db()
    assert cy.state == "confirmed"
    suppressing.suppress_readers([cy.pk], "complained")
    assert post(cy, section="topics", topic="breaking", do="leave") == 303
    assert post(cy, **form) == 422
    assert post(cy, section="offers", shown=shown(breaking)) == 422
    cy.refresh_from_db()
    assert (cy.state, cy.offers) == ("complained", False)


def test_offers_are_a_consent_of_their_own(cy: Reader, breaking: Topic) -> None:
    assert post(cy, section="offers", do="agree", shown=shown(breaking)) == 303
    cy.refresh_from_db()
    assert cy.offers
    assert events(cy, "offers") == [("given", "link"), ("confirmed", "link")]
    assert Consent.objects.filter(purpose="offers")[0].words == texts.current("offers", "en").text
    way_out = f"/leave/{links.link_tokens().leave(links.row(cy), OFFERS).decode()}/"
    assert Client().post(way_out, {"List-Unsubscribe": "One-Click"}).status_code == 200
    cy.refresh_from_db()
    assert (cy.offers, cy.state) == (False, "confirmed")
    assert events(cy, "offers")[-1] == ("withdrawn", "one-click")
    assert cy.subscriptions.get().state == "active"


def test_the_way_out_of_a_digest_leads_out_of_all_topics(cy: Reader) -> None:
    politics = Topic.objects.get(slug="politics")
    post(cy, section="topics", topic="politics", shown=shown(politics))
    assert (
        Client()
        .post(f"/leave/{links.link_tokens().leave(links.row(cy), ALL_TOPICS).decode()}/")
        .status_code
        == 200
    )
    assert set(cy.subscriptions.values_list("state", flat=True)) == {"ended"}
    cy.refresh_from_db()
    assert cy.state == "unsubscribed"


def test_how_much_and_when(cy: Reader) -> None:
    form = {
        **HOW_MUCH,
        "frequency": "first",
        "most_a_day": "3",
        "quiet_from": "22:00",
        "quiet_to": "07:30",
    }
    assert post(cy, **form) == 303
    cy.refresh_from_db()
    assert (cy.frequency, cy.most_a_day, cy.quiet_from, cy.quiet_to) == ("first", 3, 1320, 450)
    assert (cy.has_preferences, cy.flash_passes) == (True, False)
    assert cy.summary_at_ms is not None
    assert cy.summary_at_ms > timezone.now().timestamp() * 1000
    page = Client().get(link(cy)).content.decode()
    assert 'value="22:00"' in page
    assert '<option value="3" selected>' in " ".join(page.split())
    assert post(cy, **HOW_MUCH) == 303
    cy.refresh_from_db()
    assert not cy.has_preferences
    assert cy.summary_at_ms is not None, "what was held back until now is told at once"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"quiet_from": "22:00"}, "both times"),
        ({"quiet_from": "22:00", "quiet_to": "22:00"}, "an end that is not"),
        ({"quiet_from": "late", "quiet_to": "07:00"}, "such as 22:00"),
        ({"frequency": "never"}, ""),
        ({"time_zone": "Moon/Tranquility"}, ""),
        ({"most_a_day": "999999999999"}, ""),
    ],
)
def test_what_can_not_be_chosen(cy: Reader, wrong: dict[str, str], told: str) -> None:
    answer = Client().post(link(cy), HOW_MUCH | wrong)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    cy.refresh_from_db()
    assert not cy.has_preferences


def test_a_break_and_its_end(cy: Reader) -> None:
    assert post(cy, section="pause", do="pause") == 303
    cy.refresh_from_db()
    assert cy.has_preferences
    assert cy.paused_until is not None
    assert timedelta(days=6.9) < cy.paused_until - timezone.now() <= timedelta(days=7)
    assert "Paused until" in Client().get(link(cy)).content.decode()
    assert post(cy, section="pause", do="go on") == 303
    cy.refresh_from_db()
    assert not cy.has_preferences
    assert cy.paused_until <= timezone.now()
    assert "Paused until" not in Client().get(link(cy)).content.decode()


def test_a_story_is_unmuted_and_the_language_changed(cy: Reader, story: Story) -> None:
    StoryPreference.objects.create(reader=cy, story=story, choice="mute", at=timezone.now())
    assert story.headline in Client().get(link(cy)).content.decode()
    assert post(cy, section="stories", story=str(story.uuid)) == 303
    assert not StoryPreference.objects.exists()
    assert post(cy, section="language", language="de") == 303
    assert '<html lang="de"' in Client().get(link(cy)).content.decode()
    assert post(cy, section="language", language="xx") == 422


def new_link() -> str:
    letter = Letter.objects.filter(kind="new address").latest("pk")
    return f"/new-address/{links.link_tokens().new_address(links.row(letter)).decode()}/"


def test_a_new_address_is_confirmed_there(cy: Reader) -> None:
    old_link = link(cy)
    assert post(cy, section="address", email="cy@elsewhere.example") == 303
    cy.refresh_from_db()
    assert cy.address == CY
    asked = letter_claims.claim_letters("one", 10)
    assert [(job.kind, job.address) for job in asked] == [("new address", "cy@elsewhere.example")]
    assert Client().get(new_link()).status_code == 200
    cy.refresh_from_db()
    assert cy.address == CY
    for _ in range(2):
        assert Client().post(new_link()).status_code == 200
    cy.refresh_from_db()
    assert (cy.address, cy.domain, cy.key) == (
        "cy@elsewhere.example",
        "elsewhere.example",
        parse(cy.address).key,
    )
    assert events(cy, "alerts")[-1] == ("confirmed", "link")
    assert Client().get(old_link).status_code == 404
    assert [(job.kind, job.address) for job in letter_claims.claim_letters("one", 10)] == [
        ("moved", CY)
    ]


@pytest.mark.parametrize("why", ["taken", "suppressed"])
def test_an_address_that_is_known_is_answered_like_any_other(
    cy: Reader, breaking: Topic, why: str
) -> None:
    dee = "dee@reader.example"
    free_answer = Client().post(link(cy), {"section": "address", "email": "new@reader.example"})
    if why == "taken":
        reader(dee, breaking)
    else:
        Suppression.objects.create(key=parse(dee).key, reason="left elsewhere", at=timezone.now())
    answer = Client().post(link(cy), {"section": "address", "email": dee})
    assert (answer.status_code, answer.url) == (free_answer.status_code, free_answer.url)  # type: ignore[attr-defined]
    assert not Letter.objects.filter(address=dee).exists()
    # Also when it became so between the mail and the button:
    later = "later@reader.example"
    post(cy, section="address", email=later)
    if why == "taken":
        reader(later, breaking)
    else:
        Suppression.objects.create(key=parse(later).key, reason="desk", at=timezone.now())
    assert Client().post(new_link()).status_code == 410
    cy.refresh_from_db()
    assert cy.address == CY


def test_nobody_floods_an_address_through_it(cy: Reader) -> None:
    for _ in range(3):
        post(cy, section="address", email="victim@reader.example")
    assert Letter.objects.filter(address="victim@reader.example").count() == 1
    for n in range(30):
        post(cy, section="address", email=f"victim{n}@reader.example")
    assert Letter.objects.filter(kind="new address").count() <= 10
    assert post(cy, section="address", email="a@b..c") == 422


def test_however_it_is_spelt_an_address_is_asked_once(cy: Reader, breaking: Topic) -> None:
    spellings = ["victim@bücher.example", "Victim@bücher.example", "VICTIM@Bücher.Example"]
    spellings += [
        "victim@xn--bcher-kva.example",
        "vIctim@XN--BCHER-KVA.example",
        " victim@bücher.example",
    ]
    for spelt in spellings:
        assert post(cy, section="address", email=spelt) == 303
    reader("dee@reader.example", breaking)
    assert (
        post(
            Reader.objects.get(address="dee@reader.example"), section="address", email=spellings[1]
        )
        == 303
    )
    assert Letter.objects.filter(kind="new address").count() == 1


SPELLINGS = (
    "victim@bücher.example",
    "VICTIM@Bücher.example",
    "victim@xn--bcher-kva.example",
    " Victim@BÜCHER.example ",
)


def test_however_it_is_spelt_a_sign_up_is_confirmed_by_one_mail(breaking: Topic) -> None:
    for spelt in SPELLINGS:
        sign_up(breaking, spelt)
    assert Letter.objects.filter(kind="confirmation").count() == 1
    assert Reader.objects.count() == 1


def test_however_it_is_spelt_an_address_is_invited_to_drills_once(breaking: Topic) -> None:
    for spelt in SPELLINGS:
        drill.invite_reader(parse(spelt), "en")
    assert Letter.objects.filter(kind="invitation").count() == 1
    assert Reader.objects.count() == 1


def test_one_reader_causes_few_such_mails_an_hour(cy: Reader) -> None:
    for n in range(5):
        post(cy, section="address", email=f"new{n}@reader.example")
    assert Letter.objects.filter(kind="new address").count() == 3
    Letter.objects.update(created_at=timezone.now() - timedelta(hours=2))
    for n in range(5, 10):
        post(cy, section="address", email=f"new{n}@reader.example")
    assert Letter.objects.filter(kind="new address").count() == 5, "and no more than a day's"


def test_a_new_address_that_mail_can_not_carry_is_refused_with_what_was_meant(cy: Reader) -> None:
    answer = Client().post(link(cy), {"section": "address", "email": "o\u2019brien@reader.example"})
    assert answer.status_code == 422
    assert "Did you mean o&#x27;brien@reader.example?" in answer.content.decode()


def test_all_that_is_known_to_take_along(cy: Reader, story: Story) -> None:
    StoryPreference.objects.create(reader=cy, story=story, choice="follow", at=timezone.now())
    answer = Client().get(f"{link(cy)}data/")
    assert "attachment" in answer["Content-Disposition"]
    known = json.loads(answer.content)
    assert known["address"] == CY
    assert known["topics"][0]["state"] == "active"
    assert [line["event"] for line in known["consent"][0]["lines"]] == ["given", "confirmed"]
    assert known["stories"][0]["choice"] == "follow"


def test_erasing_leaves_the_hash(cy: Reader) -> None:
    path = f"{link(cy)}erase/"
    assert Client().post(path).status_code == 200
    assert not Reader.objects.filter(pk=cy.pk).exists()
    assert Suppression.objects.get().reason == "erased"
    assert Client().post(path).status_code == 404
