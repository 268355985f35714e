"""Signing up, confirming, leaving: what is kept, and what is mailed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import DatabaseError, transaction
from django.test import override_settings
from django.utils import timezone

from morefollows.audience.addresses import BadAddress, parse
from morefollows.audience.consent import confirmation, retention, texts, withdrawal
from morefollows.audience.models import (
    Consent,
    Letter,
    Newsroom,
    Reader,
    Subscription,
    Suppression,
    Topic,
    Wording,
)
from morefollows.audience.newsroom import ensure_sample, set_up_newsroom
from morefollows.audience.suppression import suppressing
from tests.audience.support import CY, age_letters, history, leave_link, newest_link, sign_up


def states() -> list[str]:
    return list(Subscription.objects.order_by("pk").values_list("state", flat=True))


class TestSignUp:
    def test_cy_is_pending_and_one_confirmation_is_owed(self, breaking: Topic) -> None:
        sign_up(breaking)
        cy, letter = Reader.objects.get(), Letter.objects.get()
        assert (cy.address, cy.domain, cy.state, cy.offers) == (
            CY,
            "reader.example",
            "pending",
            False,
        )
        assert states() == ["pending"]
        assert (letter.kind, letter.state, letter.offers, letter.reader) == (
            "confirmation",
            "waiting",
            False,
            cy,
        )
        assert letter.due_at_ms <= timezone.now().timestamp() * 1000

    def test_the_evidence_holds_the_very_words_and_the_place(self, breaking: Topic) -> None:
        sign_up(breaking, offers=True)
        alerts, offers = Consent.objects.order_by("pk")
        assert (
            alerts.words
            == "For free real time alerts sent straight to your inbox sign up to our Breaking "
            "news emails."
        )
        assert (alerts.event, alerts.how, alerts.version, alerts.privacy_version) == (
            "given",
            "form",
            1,
            1,
        )
        assert alerts.page == "https://alerts.herald.example/story/1/"
        assert (alerts.client_address, alerts.language, alerts.form_version) == (
            "192.0.2.7",
            "en",
            "1",
        )
        assert (alerts.topic, offers.topic) == (breaking, None)
        assert offers.words == "I would like to be emailed about offers, events and updates."

    def test_a_german_reader_is_shown_german_words(self, breaking: Topic) -> None:
        sign_up(breaking, language="de")
        assert Consent.objects.get().words.startswith("Kostenlose Eilmeldungen")
        assert Reader.objects.get().language == "de"

    def test_evidence_can_neither_be_changed_nor_deleted(self, breaking: Topic) -> None:
        sign_up(breaking)
        for change in (
            lambda: Consent.objects.update(words="something else"),
            lambda: Consent.objects.all().delete(),
            lambda: Wording.objects.update(text="something else"),
        ):
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                change()

    def test_a_bad_address_keeps_nothing(self, breaking: Topic) -> None:
        with pytest.raises(BadAddress):
            sign_up(breaking, "cy@reader.example\r\nBcc: all@reader.example")
        assert not Reader.objects.exists()

    def test_nobody_can_flood_a_mailbox_through_the_form(self, breaking: Topic) -> None:
        for _ in range(5):
            sign_up(breaking)
            sign_up(breaking, "CY@Reader.Example")
        assert Letter.objects.count() == 1
        assert history() == ["given"]

    def test_after_the_interval_a_new_mail_is_owed(self, breaking: Topic) -> None:
        sign_up(breaking)
        age_letters(0.5)
        sign_up(breaking)
        assert Letter.objects.count() == 2

    def test_another_topic_waits_for_the_interval_to_pass(self, breaking: Topic) -> None:
        sign_up(breaking)
        sign_up(Topic.objects.get(slug="politics"))
        first, second = Letter.objects.order_by("pk")
        assert second.due_at_ms - first.due_at_ms == 600_000

    def test_a_suppressed_address_is_neither_noted_nor_mailed(self, breaking: Topic) -> None:
        Suppression.objects.create(key=parse(CY).key, reason="complained", at=timezone.now())
        sign_up(breaking)
        assert not Reader.objects.exists()
        assert not Letter.objects.exists()

    def test_who_has_it_all_already_gets_no_mail(self, breaking: Topic) -> None:
        sign_up(breaking)
        confirmation.confirm(newest_link())
        age_letters(0.5)
        sign_up(breaking)
        assert Letter.objects.filter(kind="confirmation").count() == 1

    def test_who_ticks_the_offers_later_is_asked_for_them(self, breaking: Topic) -> None:
        sign_up(breaking)
        confirmation.confirm(newest_link())
        age_letters(0.5)
        sign_up(breaking, offers=True)
        assert not Reader.objects.get().offers
        confirmation.confirm(newest_link())
        assert Reader.objects.get().offers
        assert history("offers") == ["given", "confirmed"]
        assert Letter.objects.filter(kind="thanks").count() == 1


class TestConfirm:
    def test_the_button_makes_cy_a_reader_and_thanks_once(self, breaking: Topic) -> None:
        sign_up(breaking, offers=True)
        first = confirmation.confirm(newest_link())
        again = confirmation.confirm(newest_link())
        assert first == (breaking, True, False)
        assert again == (breaking, True, True)
        cy = Reader.objects.get()
        assert (cy.state, cy.offers) == ("confirmed", True)
        assert states() == ["active"]
        assert history() == history("offers") == ["given", "confirmed"]
        assert Letter.objects.filter(kind="thanks").count() == 1
        confirmed = Consent.objects.filter(event="confirmed", purpose="alerts").get()
        assert confirmed.how == "link"
        assert confirmed.words.startswith("For free real time alerts")

    def test_offers_are_never_confirmed_unasked(self, breaking: Topic) -> None:
        sign_up(breaking)
        confirmation.confirm(newest_link())
        assert not Reader.objects.get().offers
        assert history("offers") == []

    def test_an_old_link_is_refused(self, breaking: Topic) -> None:
        sign_up(breaking)
        with override_settings(MOREFOLLOWS=replace(settings.MOREFOLLOWS, confirmation_days=0)):
            assert confirmation.confirm(newest_link()) is None
        assert states() == ["pending"]
        assert confirmation.confirm(newest_link()) is not None

    def test_a_link_from_before_a_leave_brings_nobody_back(self, breaking: Topic) -> None:
        sign_up(breaking)
        old = newest_link()
        confirmation.confirm(old)
        withdrawal.unsubscribe(leave_link(Reader.objects.get(), breaking), "one-click")
        assert confirmation.confirm(old) is None
        sign_up(breaking)
        assert confirmation.confirm(old) is None
        assert confirmation.confirm(newest_link()) is not None
        assert history() == ["given", "confirmed", "withdrawn", "given", "confirmed"]

    def test_a_suppressed_reader_can_not_confirm(self, breaking: Topic) -> None:
        sign_up(breaking)
        suppressing.suppress_readers([Reader.objects.get().pk], "bounced")
        assert confirmation.confirm(newest_link()) is None

    def test_a_forged_link_is_refused(self, breaking: Topic) -> None:
        sign_up(breaking)
        token = newest_link()
        assert confirmation.confirm(token[:-1] + ("A" if token[-1] != "A" else "B")) is None
        assert confirmation.confirm(leave_link(Reader.objects.get(), breaking)) is None


class TestLeave:
    def test_it_ends_the_topic_once_and_the_offers_with_the_last_topic(
        self, breaking: Topic
    ) -> None:
        politics = Topic.objects.get(slug="politics")
        for topic in (breaking, politics):
            sign_up(topic, offers=True)
            confirmation.confirm(newest_link())
        cy = Reader.objects.get()
        assert withdrawal.unsubscribe(leave_link(cy, breaking), "one-click")
        cy.refresh_from_db()
        assert (cy.state, cy.offers) == ("confirmed", True)
        for _ in range(2):
            assert withdrawal.unsubscribe(leave_link(cy, politics), "one-click")
        cy.refresh_from_db()
        assert (cy.state, cy.offers) == ("unsubscribed", False)
        assert states() == ["ended", "ended"]
        assert history().count("withdrawn") == 2
        assert history("offers")[-1] == "withdrawn"
        assert history("offers").count("withdrawn") == 1

    def test_the_link_works_for_good(self, cy: Reader, breaking: Topic) -> None:
        token = leave_link(cy, breaking)
        Topic.objects.create(slug="unused", name="Unused")
        assert withdrawal.unsubscribe(token, "link")
        assert withdrawal.unsubscribe(token, "link")
        assert not withdrawal.unsubscribe("x" * 36, "link")

    def test_offers_can_be_withdrawn_alone(self, breaking: Topic) -> None:
        sign_up(breaking, offers=True)
        confirmation.confirm(newest_link())
        for _ in range(2):
            withdrawal.withdraw_consent(Reader.objects.get(), "offers", how="desk")
        cy = Reader.objects.get()
        assert (cy.state, cy.offers) == ("confirmed", False)
        assert history("offers") == ["given", "confirmed", "withdrawn"]
        assert history() == ["given", "confirmed"]

    def test_cy_can_come_back(self, breaking: Topic) -> None:
        sign_up(breaking)
        confirmation.confirm(newest_link())
        withdrawal.unsubscribe(leave_link(Reader.objects.get(), breaking), "link")
        sign_up(breaking)
        confirmation.confirm(newest_link())
        assert Reader.objects.get().state == "confirmed"
        assert states() == ["active"]


class TestGone:
    @pytest.mark.parametrize(
        ("reason", "state"), [("bounced", "hard bounced"), ("complained", "complained")]
    )
    def test_a_gone_reader_is_suppressed(self, cy: Reader, reason: str, state: str) -> None:
        for _ in range(2):
            suppressing.suppress_readers([cy.pk], reason)
        cy.refresh_from_db()
        assert cy.state == state
        assert Suppression.objects.get().reason == reason


class TestExpiry:
    def test_an_unconfirmed_sign_up_ends_and_its_address_is_forgotten(
        self, breaking: Topic
    ) -> None:
        sign_up(breaking)
        age_letters(7.01)
        assert retention.expire_unconfirmed() == 1
        assert retention.expire_unconfirmed() == 0
        cy = Reader.objects.get()
        assert (cy.address, cy.domain, cy.key) == ("", "", parse(CY).key)
        assert Consent.objects.get().client_address == ""
        sign_up(breaking)
        assert confirmation.confirm(newest_link()) is not None
        assert Reader.objects.get().address == CY

    def test_a_younger_letter_keeps_it_open(self, breaking: Topic) -> None:
        sign_up(breaking)
        age_letters(6.9)
        sign_up(breaking)
        age_letters(0.2)
        assert retention.expire_unconfirmed() == 0

    def test_a_confirmed_reader_stays(self, breaking: Topic) -> None:
        sign_up(breaking)
        confirmation.confirm(newest_link())
        sign_up(Topic.objects.get(slug="politics"))
        age_letters(8)
        assert retention.expire_unconfirmed() == 1
        assert Reader.objects.get().address == CY
        assert states() == ["active", "ended"]


class TestWordings:
    def test_new_words_are_a_new_version_and_old_evidence_keeps_the_old(
        self, breaking: Topic
    ) -> None:
        sign_up(breaking)
        newer = texts.publish("alerts", "en", "Get {topic}.")
        assert (newer.version, texts.publish("alerts", "en", "Get {topic}.").version) == (2, 2)
        sign_up(breaking, "dee@reader.example")
        assert [line.version for line in Consent.objects.order_by("pk")] == [1, 2]
        assert Consent.objects.latest("pk").words == "Get Breaking news."

    def test_a_language_without_words_gets_the_newsrooms(self, newsroom: Newsroom) -> None:
        assert texts.current("offers", "nl").language == "en"
        assert texts.current("offers", "de-AT").language == "de"
        Newsroom.objects.update(language="de")
        assert texts.current("offers", "nl").language == "de"

    @pytest.mark.parametrize("language", ["en", "de"])
    def test_the_privacy_notice_says_all_that_it_must(
        self, newsroom: Newsroom, language: str
    ) -> None:
        text = texts.current("privacy", language).text
        needed = {
            "en": [
                "The Harbour Herald",
                "12 Ropewalk",
                "alerts@herald.example",
                "What we use",
                "Art. 6(1)(a)",
                "mail server",
                "7 days",
                "corrected or deleted",
                "Leave",
                "data protection authority",
            ],
            "de": [
                "The Harbour Herald",
                "12 Ropewalk",
                "alerts@herald.example",
                "Wofür",
                "Art. 6 Abs. 1 lit. a",
                "Mailserver",
                "7 Tagen",
                "Berichtigung, Löschung",
                "abmelden",
                "Datenschutzbehörde",
            ],
        }
        flat = " ".join(text.split())
        assert [words for words in needed[language] if words not in flat] == []
        assert "{" not in text

    def test_a_changed_newsroom_publishes_a_new_notice(self, newsroom: Newsroom) -> None:
        set_up_newsroom("The Harbour Herald", postal_address="2 New Street")
        notice = texts.current("privacy", "en")
        assert notice.version == 2
        assert "2 New Street" in notice.text


def test_a_second_sample_changes_nothing(newsroom: Newsroom) -> None:
    Newsroom.objects.update(name="Mine")
    assert ensure_sample().name == "Mine"
    assert list(Topic.objects.values_list("slug", flat=True)) == ["breaking", "politics", "weather"]


def test_without_an_interval_every_sign_up_is_mailed_at_once(breaking: Topic) -> None:
    with override_settings(MOREFOLLOWS=replace(settings.MOREFOLLOWS, confirmation_interval=0)):
        sign_up(breaking)
        Letter.objects.update(
            due_at_ms=int((timezone.now() - timedelta(seconds=1)).timestamp() * 1000)
        )
        sign_up(breaking)
    assert Letter.objects.count() == 2
