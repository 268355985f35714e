"""The pages that readers meet: what they answer, to whom, and what they never do."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import html5lib
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.addresses import parse
from morefollows.audience.models import (
    Consent,
    Letter,
    Newsroom,
    Reader,
    Subscription,
    Suppression,
    Topic,
)
from morefollows.audience.newsroom import set_up_newsroom
from morefollows.stories.models import Story, Update
from tests.audience.support import CY, age_letters, leave_link, newest_link, sign_up


@pytest.fixture
def visitor() -> Client:
    """Somebody's browser, as strict about forgery as a real server is with it."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def told(story: Story) -> Story:
    """Ada's story, published and developing."""
    publish(story, 1, "first")
    Story.objects.filter(pk=story.pk).update(state=Story.State.DEVELOPING)
    return story


def publish(story: Story, number: int, kind: str, text: str = "") -> None:
    Update.objects.create(
        story=story,
        number=number,
        kind=kind,
        headline=story.headline,
        standfirst=story.standfirst,
        text=text or story.text,
        language=story.language,
        author=story.author,
        published_at=timezone.now(),
    )


def snapshot() -> list[Any]:
    """All that a page could have changed."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Reader, Subscription, Consent, Letter, Suppression)
    ]


def strictly(html: bytes) -> Any:
    """The page, parsed; any error of HTML is one of the test."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(html.decode())


def post(visitor: Client, address: str = CY, **data: str) -> Any:
    """As the page's own form does, with what it carries along."""
    return visitor.post(
        "/sign-up/breaking/", {**hidden(visitor), "email": address, "page": "/", **data}
    )


def hidden(visitor: Client, page: str = "/sign-up/breaking/") -> dict[str, str]:
    found = strictly(visitor.get(page).content).findall(".//form//input[@type='hidden']")
    return {field.get("name"): field.get("value") for field in found}


class TestSignUpBox:
    def test_it_is_the_box_of_the_specification(self, visitor: Client, newsroom: Newsroom) -> None:
        page = strictly(visitor.get("/").content)
        email = page.find(".//input[@name='email']")
        assert (email.get("type"), email.get("autocomplete")) == ("email", "email")
        assert page.find(".//label[@for='email']").text == "Email address"
        assert page.find(".//form//button").text == "Sign up"
        offers = page.find(".//input[@name='offers']")
        assert offers.get("type") == "checkbox"
        assert offers.get("checked") is None
        assert (
            page.find(".//label[@for='offers']").text
            == "I would like to be emailed about offers, events and updates."
        )
        assert page.find(".//form//a[@href='/privacy/']").text == "Read our privacy notice."

    def test_cy_signs_up(self, visitor: Client, newsroom: Newsroom) -> None:
        answer = post(visitor, offers="yes")
        assert (answer.status_code, answer["Location"]) == (303, "/sign-up/breaking/thanks/")
        assert (
            "Thanks for signing up to the Breaking news emails."
            in visitor.get(answer["Location"]).content.decode()
        )
        assert Reader.objects.get().address == CY
        assert Letter.objects.get().offers
        line = Consent.objects.first()
        assert line is not None
        assert (line.page, line.client_address) == ("https://alerts.herald.example/", "127.0.0.1")

    def test_offers_are_asked_for_apart(self, visitor: Client, newsroom: Newsroom) -> None:
        post(visitor)
        assert not Letter.objects.get().offers

    @pytest.mark.parametrize(
        "address", ["a@b", "a..b@x.example", "", "cy@reader.example\n", "cy", "a\x00b@x.example"]
    )
    def test_a_bad_address_gets_its_reason_beside_the_field(
        self, visitor: Client, newsroom: Newsroom, address: str
    ) -> None:
        answer = post(visitor, address, offers="yes")
        assert answer.status_code == 422
        email = strictly(answer.content).find(".//input[@name='email']")
        assert (email.get("aria-invalid"), email.get("aria-describedby")) == ("true", "email-error")
        error = strictly(answer.content).find(".//*[@id='email-error']")
        assert error.text.startswith("Please enter a valid email address: ")
        assert strictly(answer.content).find(".//input[@name='offers']").get("checked") is not None
        assert not Reader.objects.exists()

    def test_what_was_typed_stays_and_is_no_markup(
        self, visitor: Client, newsroom: Newsroom
    ) -> None:
        typed = '"><script>alert(1)</script>@x'
        email = strictly(post(visitor, typed).content).find(".//input[@name='email']")
        assert email.get("value") == typed

    def test_new_known_and_suppressed_get_the_same_answer_to_the_byte(
        self, visitor: Client, cy: Reader, breaking: Topic
    ) -> None:
        Suppression.objects.create(
            key=parse("gone@reader.example").key, reason="complained", at=timezone.now()
        )
        sign_up(breaking, "pending@reader.example")
        answers = []
        for address in (CY, "gone@reader.example", "pending@reader.example", "new@reader.example"):
            answer = post(Client(), address)
            page = visitor.get(answer["Location"])
            answers.append(
                (answer.status_code, sorted(answer.headers.items()), answer.content, page.content)
            )
        assert all(answer == answers[0] for answer in answers)
        assert Letter.objects.count() == 2

    def test_they_get_it_after_the_same_time(
        self, visitor: Client, cy: Reader, monkeypatch: Any
    ) -> None:
        waits: list[float] = []
        monkeypatch.setattr("morefollows.public.signup.time.sleep", waits.append)
        monkeypatch.setattr(
            "morefollows.audience.signup.entry._ANSWER_AFTER", 5
        )  # longer than the busiest machine takes
        for address in (CY, "new@reader.example"):
            post(visitor, address)
            assert 0 < waits[-1] <= 5

    def test_a_robot_gets_the_same_answer_and_nothing_happens(
        self, visitor: Client, newsroom: Newsroom
    ) -> None:
        assert post(visitor, website="https://spam.example").status_code == 303
        assert not Reader.objects.exists()

    def test_the_page_of_the_evidence_can_not_be_made_up_freely(
        self, visitor: Client, newsroom: Newsroom
    ) -> None:
        answer = post(visitor, page="https://elsewhere.example/")
        assert answer.status_code == 303
        assert Consent.objects.get().page == "https://alerts.herald.example/sign-up/breaking/"

    def test_a_topic_that_is_not_there(self, visitor: Client, newsroom: Newsroom) -> None:
        assert visitor.get("/sign-up/nothing/").status_code == 404
        assert visitor.post("/sign-up/nothing/", {"email": CY}).status_code == 404

    def test_german_readers_are_spoken_to_in_german(
        self, visitor: Client, newsroom: Newsroom
    ) -> None:
        page = visitor.get("/", headers={"Accept-Language": "de-AT,de;q=0.9"})
        assert "Ich möchte per E-Mail" in page.content.decode()
        address = "/sign-up/breaking/?lang=de"
        visitor.post(address, {**hidden(visitor, address), "email": CY})
        assert Reader.objects.get().language == "de"
        assert '<html lang="de">' in visitor.get("/confirm/" + newest_link() + "/").content.decode()


class TestConfirmPage:
    @pytest.mark.parametrize("method", ["get", "head", "options"])
    def test_looking_changes_nothing(self, visitor: Client, breaking: Topic, method: str) -> None:
        sign_up(breaking, offers=True)
        before = snapshot()
        for token in (newest_link(), leave_link(Reader.objects.get(), breaking)):
            for place in ("confirm", "leave"):
                getattr(visitor, method)(f"/{place}/{token}/")
        assert snapshot() == before

    def test_the_button_confirms(self, visitor: Client, breaking: Topic) -> None:
        sign_up(breaking, offers=True)
        address = f"/confirm/{newest_link()}/"
        page = strictly(visitor.get(address).content)
        lead = "".join(page.findall(".//main//p")[0].itertext())
        assert lead.strip().startswith("You are signing up to Breaking news")
        assert [item.text for item in page.findall(".//main//li")][1].startswith(
            "I would like to be emailed"
        )
        assert page.find(".//main//form").get("method") == "post"
        assert "You are signed up" in visitor.post(address, {"button": "confirm"}).content.decode()
        assert Reader.objects.get().state == "confirmed"
        again = visitor.post(address)
        assert again.status_code == 200
        assert Letter.objects.filter(kind="thanks").count() == 1

    def test_an_old_or_forged_link_says_what_to_do(self, visitor: Client, breaking: Topic) -> None:
        sign_up(breaking)
        token = newest_link()
        age_letters(8)
        for address in (f"/confirm/{token}/", "/confirm/nonsense/"):
            for answer in (visitor.get(address), visitor.post(address)):
                assert answer.status_code == 410
                assert strictly(answer.content).find(".//a[@href='/sign-up/breaking/']") is not None
        assert Reader.objects.get().state == "pending"

    def test_it_shows_no_address_and_is_kept_nowhere(
        self, visitor: Client, breaking: Topic
    ) -> None:
        sign_up(breaking)
        answer = visitor.get(f"/confirm/{newest_link()}/")
        assert CY not in answer.content.decode()
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] == "no-referrer"


class TestLeavePage:
    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
            (
                b"List-Unsubscribe=One-Click",
                "application/x-www-form-urlencoded; charset=iso-8859-1",
            ),
            (
                b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
                b"One-Click\r\n--x--\r\n",
                "multipart/form-data; boundary=x",
            ),
            (b"", "application/x-www-form-urlencoded"),
            (b"broken", "multipart/form-data; boundary="),
            (b"x=1&" * 300, "application/x-www-form-urlencoded"),
        ],
    )
    def test_one_click_without_cookies(
        self, visitor: Client, cy: Reader, breaking: Topic, body: bytes, kind: str
    ) -> None:
        for _ in range(2):
            answer = visitor.post(f"/leave/{leave_link(cy, breaking)}/", body, content_type=kind)
            assert answer.status_code == 200
            assert not answer.cookies
        cy.refresh_from_db()
        assert cy.state == "unsubscribed"
        assert Consent.objects.get(event="withdrawn").how == "one-click"

    def test_a_button_for_people(self, visitor: Client, cy: Reader, breaking: Topic) -> None:
        address = f"/leave/{leave_link(cy, breaking)}/"
        button = strictly(visitor.get(address).content).find(".//main//form//button")
        assert button.text == "Unsubscribe"
        answer = visitor.post(address, {"button": "leave"})
        assert "You get no more Breaking news emails" in answer.content.decode()
        assert Consent.objects.get(event="withdrawn").how == "link"

    def test_a_forged_link_changes_nothing(self, visitor: Client, cy: Reader) -> None:
        before = snapshot()
        assert visitor.post("/leave/" + "A" * 36 + "/").status_code == 404
        assert snapshot() == before

    def test_a_link_that_no_reader_was_ever_sent_is_refused(
        self, visitor: Client, breaking: Topic
    ) -> None:
        nobody = Reader(pk=999_999)
        assert visitor.post(f"/leave/{leave_link(nobody, breaking)}/").status_code == 404


class TestStories:
    def test_the_front_page_has_the_latest_told_first_and_no_drafts(
        self, visitor: Client, told: Story, ada: Editor
    ) -> None:
        other = Story.objects.create(
            headline="Mayor resigns",
            text="x",
            topic=told.topic,
            author=ada,
            state=Story.State.FINAL,
        )
        publish(other, 1, "first")
        Story.objects.create(headline="Not yet", text="x", topic=told.topic, author=ada)
        headlines = [link.text for link in strictly(visitor.get("/").content).findall(".//h3/a")]
        assert headlines == ["Mayor resigns", told.headline]

    def test_a_story_says_more_follows_while_it_develops(
        self, visitor: Client, told: Story
    ) -> None:
        address = f"/story/{told.uuid}/"
        page = visitor.get(address).content.decode()
        assert "More follows on this breaking news story." in page
        assert "<strong>harbour bridge</strong>" in page
        assert '<a href="https://port.example/notice">port authority</a>' in page
        assert 'action="/sign-up/breaking/"' in page
        Story.objects.update(state=Story.State.FINAL)
        assert "More follows" not in visitor.get(address).content.decode()

    def test_updates_stand_newest_on_top(self, visitor: Client, told: Story) -> None:
        publish(told, 2, "update", "Trains run again.")
        page = visitor.get(f"/story/{told.uuid}/").content.decode()
        assert page.index("Trains run again.") < page.index("second pier")

    def test_the_page_speaks_the_storys_language(self, visitor: Client, told: Story) -> None:
        told.language = "de"
        publish(told, 2, "update", "Die Züge fahren wieder.")
        page = strictly(visitor.get(f"/story/{told.uuid}/").content)
        assert page.get("lang") == "en"
        assert page.find(".//article/div").get("lang") == "de"
        assert [part.get("lang") for part in page.findall(".//article/div//section")][:2] == [
            "de",
            "en",
        ]

    def test_a_draft_and_what_is_not_there_are_not_found(
        self, visitor: Client, story: Story
    ) -> None:
        assert visitor.get(f"/story/{story.uuid}/").status_code == 404
        assert visitor.get(f"/story/{UUID(int=0)}/").status_code == 404

    def test_a_withdrawn_story_is_a_notice(self, visitor: Client, told: Story) -> None:
        Story.objects.update(state=Story.State.WITHDRAWN)
        page = visitor.get(f"/story/{told.uuid}/").content.decode()
        assert "We have withdrawn this story" in page
        assert "second pier" not in page
        assert told.headline not in visitor.get("/").content.decode()


class TestAllPages:
    @pytest.fixture
    def pages(self, told: Story, breaking: Topic) -> list[str]:
        sign_up(breaking, "dee@reader.example")
        dee = Reader.objects.get(address="dee@reader.example")
        return [
            reverse("home"),
            reverse("story", args=[told.uuid]),
            reverse("sign-up", args=["breaking"]),
            reverse("thanks", args=["breaking"]),
            reverse("confirm", args=[newest_link()]),
            reverse("confirm", args=["nonsense"]),
            reverse("leave", args=[leave_link(dee, breaking)]),
            reverse("leave", args=["nonsense"]),
            reverse("privacy"),
        ]

    @pytest.mark.parametrize("language", ["en", "de"])
    def test_they_are_valid_and_need_neither_cookie_nor_script(
        self, visitor: Client, pages: list[str], language: str
    ) -> None:
        for address in pages:
            answer = visitor.get(address, {"lang": language})
            page = strictly(answer.content)
            assert page.get("lang") == language
            assert len(page.findall(".//h1")) == 1, address
            assert len(page.findall(".//main")) == 1
            scripts = [
                one for one in page.findall(".//script") if one.get("type") != "application/ld+json"
            ]
            assert all(script.get("src") and not script.text for script in scripts)
            assert not re.search(rb'\bstyle="|\bon\w+="|http://', answer.content), address
            ids = [element.get("id") for element in page.iter() if element.get("id")]
            assert len(ids) == len(set(ids))
            assert not answer.cookies

    def test_looking_at_them_changes_nothing(self, visitor: Client, pages: list[str]) -> None:
        before = snapshot()
        for address in pages:
            visitor.get(address)
            visitor.head(address)
        assert snapshot() == before

    def test_before_the_newsroom_is_set_up_they_say_so(self, visitor: Client, db: None) -> None:
        for address in ("/", "/privacy/", "/sign-up/breaking/"):
            answer = visitor.get(address)
            assert answer.status_code == 503
            strictly(answer.content)


def test_a_refused_link_leaves_no_token_in_the_log(
    visitor: Client, breaking: Topic, caplog: Any
) -> None:
    from morefollows.processes.logs import OneLine

    sign_up(breaking)
    token = newest_link()
    age_letters(8)
    visitor.get(f"/confirm/{token}/")
    lines = [OneLine().format(record) for record in caplog.records]
    assert any("/confirm/…" in line for line in lines)
    assert not any(token in line for line in lines)


def test_a_new_notice_is_shown_with_its_version(visitor: Client, newsroom: Newsroom) -> None:
    set_up_newsroom("The Harbour Herald", postal_address="2 New Street")
    page = visitor.get("/privacy/").content.decode()
    assert "Version 2" in page
    assert "2 New Street" in page
