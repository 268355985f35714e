"""The box's own addresses: who may ask, what they hear, and what comes of it."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.utils import timezone

import morefollows
from morefollows.audience import sites
from morefollows.audience.addresses import parse
from morefollows.audience.consent import texts
from morefollows.audience.models import (
    Consent,
    Letter,
    Reader,
    SignUpTally,
    SpentWork,
    Suppression,
    Topic,
    Wording,
)
from morefollows.audience.signup import entry, hourly_limits
from tests.audience.support import CY, sign_up
from tests.audience.test_proof_of_work import packed, solve

SITE = "https://www.herald.example"
FORM = "application/x-www-form-urlencoded"
SCRIPT = Path(morefollows.__file__).parent / "public/static/public/box.js"


@pytest.fixture
def site(breaking: Topic) -> str:
    return sites.add_site(SITE).origin


def read(path: str = "", origin: str = SITE, **query: str) -> Any:
    headers = {"Origin": origin} if origin else {}
    return Client(enforce_csrf_checks=True).get(f"/box/breaking/{path}", query, headers=headers)


def send(email: str = CY, origin: str = SITE, client: str = "192.0.2.7", **fields: str) -> Any:
    """What the box does: words and a ticket, then the form."""
    known = {"shown": read().json()["shown"], "ticket": read("ticket/").json()["ticket"]}
    data = {"email": email, "page": "/2026/bridge/", **known, **fields}
    answer = Client(enforce_csrf_checks=True, REMOTE_ADDR=client)
    return answer.post(
        "/box/breaking/", urlencode(data), content_type=FORM, headers={"Origin": origin}
    )


def with_settings(**changes: Any) -> Any:
    return override_settings(MOREFOLLOWS=replace(settings.MOREFOLLOWS, **changes))


class TestScript:
    def test_it_is_small(self) -> None:
        assert len(gzip.compress(SCRIPT.read_bytes(), 9)) <= 6 * 1024

    def test_caches_keep_it_and_any_site_may_have_it(self, db: None) -> None:
        answer = Client().get("/box.js", headers={"Accept-Encoding": "gzip, br"})
        assert gzip.decompress(answer.content) == SCRIPT.read_bytes()
        assert answer["Content-Type"].startswith("text/javascript")
        assert "max-age=3600" in answer["Cache-Control"] and "public" in answer["Cache-Control"]
        assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert not answer.cookies
        again = Client().get("/box.js", headers={"If-None-Match": answer["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert Client().get("/box.js").content == SCRIPT.read_bytes()

    def test_it_keeps_nothing_and_asks_nobody_else(self) -> None:
        text = SCRIPT.read_text()
        for word in (
            "cookie",
            "localStorage",
            "sessionStorage",
            "innerHTML",
            "eval(",
            "http://",
            "sendBeacon",
        ):
            assert word not in text.replace("No cookies", ""), word


class TestWhoMayAsk:
    def test_an_allowed_site_gets_words_and_a_ticket_without_credentials(self, site: str) -> None:
        for path in ("", "ticket/"):
            answer = read(path)
            assert answer.status_code == 200
            assert answer["Access-Control-Allow-Origin"] == SITE
            assert "Access-Control-Allow-Credentials" not in answer
            assert "Origin" in answer["Vary"]
            assert not answer.cookies
        assert read("ticket/")["Cache-Control"] == "no-store"
        assert "public" in read()["Cache-Control"]

    @pytest.mark.parametrize(
        "origin",
        [
            "https://herald.example",
            "http://www.herald.example",
            SITE + ":8443",
            SITE + ".evil.example",
            "null",
            "x",
        ],
    )
    def test_nobody_else(self, site: str, origin: str) -> None:
        for path in ("", "ticket/"):
            answer = read(path, origin)
            assert (answer.status_code, answer.json()) == (403, {"state": "unknown site"})
        # Nor with what an allowed site was given.
        assert send(origin=origin).json() == {"state": "renew", "wait": 0.0}
        assert not Reader.objects.exists()

    def test_our_own_pages_do(self, breaking: Topic) -> None:
        for origin in ("", "http://testserver", "https://alerts.herald.example"):
            with override_settings(ALLOWED_HOSTS=["testserver"]):
                assert read("", origin).status_code == 200

    def test_a_site_that_was_removed_signs_up_nobody_at_once(self, site: str) -> None:
        known = {"shown": read().json()["shown"], "ticket": read("ticket/").json()["ticket"]}
        sites.remove_site(SITE)
        form = urlencode({"email": CY, **known})
        answer = Client().post("/box/breaking/", form, content_type=FORM, headers={"Origin": SITE})
        assert (answer.status_code, answer.json()["state"]) == (403, "unknown site")
        assert not Reader.objects.exists()


class TestSignUp:
    def test_the_evidence_is_of_what_was_shown_where(self, site: str) -> None:
        known = read(lang="de-AT").json()
        texts.publish(Wording.Kind.ALERTS, "de", "Ganz andere Worte für {topic}.")
        assert send(shown=known["shown"], offers="yes").json() == {"state": "thanks"}
        alerts, offers = Consent.objects.order_by("pk")
        assert (alerts.words, offers.words) == (known["alerts"], known["offers"])
        assert (alerts.page, alerts.form_version) == (f"{SITE}/2026/bridge/", "box 1")
        assert (alerts.language, alerts.version, Reader.objects.get().language) == ("de", 1, "de")
        assert alerts.client_address == "192.0.2.7"

    @pytest.mark.parametrize(
        "page", ["https://elsewhere.example/", "//x", "/a?b=c", "/a b", "/\r\nx", "x" * 500]
    )
    def test_the_page_is_a_path_of_that_site(self, site: str, page: str) -> None:
        send(page=page)
        assert Consent.objects.get().page in (f"{SITE}/", f"{SITE}//x")

    def test_languages_that_we_do_not_speak_get_the_newsrooms(self, site: str) -> None:
        assert read(lang="fr").json()["language"] == "en"
        assert read(lang="DE").json()["language"] == "de"

    def test_a_bad_address_hears_why_in_its_language(self, site: str) -> None:
        answer = send("cy@", shown=read(lang="de").json()["shown"]).json()
        assert answer["state"] == "wrong"
        assert "fehlt" in answer["said"]

    def test_a_slip_is_asked_about_and_either_answer_counts(self, site: str) -> None:
        asked = send("ann@gmial.com").json()
        assert (asked["state"], asked["address"]) == ("suggest", "ann@gmail.com")
        assert not Reader.objects.exists()
        assert send("ann@gmial.com", sure="other@gmial.com").json()["state"] == "suggest"
        assert send("ann@gmial.com", sure="ann@gmial.com").json()["state"] == "thanks"
        assert Reader.objects.get().address == "ann@gmial.com"

    def test_what_mail_can_not_carry_is_only_taken_as_it_was_meant(self, site: str) -> None:
        asked = send("o\u2019brien@reader.example").json()
        assert (asked["state"], asked["address"], "no" in asked) == (
            "suggest",
            "o'brien@reader.example",
            False,
        )
        refused = send("o\u2019brien@reader.example", sure="o\u2019brien@reader.example").json()
        assert (refused["state"], "Did you mean o'brien@reader.example?" in refused["said"]) == (
            "wrong",
            True,
        )
        assert not Reader.objects.exists()
        assert (
            send("o\u2019brien@reader.example", instead="o'brien@reader.example").json()["state"]
            == "thanks"
        )

    def test_new_known_and_suppressed_get_the_same_answer_and_robots_too(
        self, site: str, cy: Reader
    ) -> None:
        Suppression.objects.create(
            key=parse("gone@reader.example").key, reason="complained", at=timezone.now()
        )
        sign_up(cy.subscriptions.get().topic, "pending@reader.example")
        answers = [
            send(address, **more)
            for address, more in (
                (CY, {}),
                ("gone@reader.example", {}),
                ("pending@reader.example", {}),
                ("new@reader.example", {}),
                ("robot@reader.example", {"website": "https://spam.example"}),
            )
        ]
        assert {(answer.status_code, answer.content) for answer in answers} == {
            (200, b'{"state": "thanks"}')
        }
        assert not Reader.objects.filter(address__startswith="robot").exists()
        assert Letter.objects.count() == 2


class TestTickets:
    def test_a_client_that_is_too_quick_has_to_wait(self, site: str) -> None:
        with with_settings(sign_up_seconds=5):
            answer = send().json()
        assert answer["state"] == "again"
        assert 4 < answer["wait"] <= 5
        assert not Reader.objects.exists()

    def test_an_old_one_has_to_be_fetched_anew(
        self, site: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ticket = read("ticket/").json()["ticket"]
        monkeypatch.setattr(entry, "LIFETIME", -1)
        assert send(ticket=ticket).json()["state"] == "renew"

    @pytest.mark.parametrize("field", ["ticket", "shown"])
    def test_without_one_nothing_happens(self, site: str, field: str) -> None:
        assert send(**{field: ""}).json()["state"] == "renew"
        assert send(**{field: "A" * 60}).json()["state"] == "renew"
        assert not Reader.objects.exists()


class TestPressure:
    @pytest.fixture(autouse=True)
    def limited(self) -> Iterator[None]:
        with with_settings(
            sign_ups_a_network=2, sign_ups_a_network_at_most=5, sign_ups_a_domain=4, work=200
        ):
            yield

    def test_many_from_one_network_have_to_work_and_then_to_wait(self, site: str) -> None:
        addresses = [f"cy{n}@gmail.com" for n in range(6)]
        assert [send(a).json()["state"] for a in addresses[:3]] == ["thanks", "thanks", "work"]
        solved = solve(send(addresses[2]).json()["challenge"])
        assert send(addresses[2], altcha=packed(solved)).json()["state"] == "thanks"
        assert SpentWork.objects.get().challenge == solved["challenge"]
        assert send(addresses[3]).json()["state"] == "later"
        assert "network" in send(addresses[3], altcha=packed(solved)).json()["said"]
        assert send(addresses[4], client="192.0.2.8").json()["state"] == "thanks"
        assert Reader.objects.count() == 4

    def test_work_is_good_once(self, site: str) -> None:
        for n in range(2):
            send(f"cy{n}@gmail.com")
        solved = packed(solve(send("cy3@gmail.com").json()["challenge"]))
        assert send("cy3@gmail.com", altcha=solved).json()["state"] == "thanks"
        assert send("cy4@gmail.com", altcha=solved).json()["state"] == "work"

    def test_a_household_has_one_64_of_ipv6(self, site: str) -> None:
        states = [
            send(f"cy{n}@gmail.com", client=f"2001:db8:0:1::{n + 1}").json()["state"]
            for n in range(3)
        ]
        assert states == ["thanks", "thanks", "work"]
        assert send("cy9@gmail.com", client="2001:db8:0:2::1").json()["state"] == "thanks"

    def test_many_for_one_domain_have_to_work_but_never_to_wait(self, site: str) -> None:
        states = [
            send(f"cy{n}@victim.example", client=f"192.0.2.{n}").json()["state"] for n in range(7)
        ]
        assert states == ["thanks"] * 4 + ["work"] * 3
        assert send("cy@gmail.com", client="192.0.2.99").json()["state"] == "thanks"

    def test_one_address_from_many_places_gets_few_mails(self, site: str) -> None:
        with with_settings(
            confirmation_interval=0,
            confirmations_a_day=3,
            sign_ups_a_domain=1_000,
            sign_ups_a_mailbox=1_000,
        ):
            for n in range(10):
                assert send(client=f"192.0.2.{n}", offers="yes").json() == {"state": "thanks"}
                # As if the mails had been sent a while ago, and the words had to be asked for anew.
                Letter.objects.update(created_at=timezone.now() - timezone.timedelta(hours=n + 1))
        assert Letter.objects.count() == 3

    @pytest.mark.parametrize(
        ("addresses", "other"),
        [
            ([f"victim+{n}@gmail.com" for n in range(6)], "victim2@gmail.com"),
            (["v.i.c@gmail.com", "vic@googlemail.com", "vi.c+a@gmail.com"], "v-ic@gmail.com"),
            (["ada+1@house.example", "ada+2@house.example", "Ada@house.example"], "a.da@x.example"),
            (["ada-1@yahoo.com", "ada-2@yahoo.com", "ada@yahoo.com"], "a.da@yahoo.com"),
        ],
    )
    def test_one_mailbox_under_many_addresses_from_many_networks(
        self, site: str, addresses: list[str], other: str
    ) -> None:
        with with_settings(sign_ups_a_mailbox=2, sign_ups_a_domain=1_000, work=200):
            states = [
                send(address, client=f"198.51.{n}.1").json()["state"]
                for n, address in enumerate(addresses)
            ]
            assert states == ["thanks", "thanks", *["work"] * (len(states) - 2)]
            assert send(other, client="203.0.113.1").json()["state"] == "thanks"

    def test_a_provider_of_a_million_64s_is_a_network_too(self, site: str) -> None:
        with with_settings(sign_ups_a_network=2, sign_ups_a_domain=1_000, work=200):
            states = [
                send(f"cy{n}@gmail.com", client=f"2001:db8:0:{n:x}00::1").json()["state"]
                for n in range(10)
            ]
        assert states == ["thanks"] * 8 + ["work"] * 2

    def test_clients_that_are_not_known_are_one_network(self, site: str) -> None:
        states = [send(f"cy{n}@gmail.com", client="nonsense").json()["state"] for n in range(3)]
        assert states == ["thanks", "thanks", "work"]

    def test_very_many_in_all_have_to_work(self, site: str) -> None:
        with with_settings(sign_ups_in_all=16, work=200):
            states = [
                send(f"cy{n}@gmail.com", client=f"198.51.{n}.1").json()["state"] for n in range(40)
            ]
        # There are sixteen tallies for the sum, so that processes do not wait for one row.
        assert 8 <= states.count("thanks") <= 16

    def test_what_one_network_has_solved_is_not_taken_from_another(self, site: str) -> None:
        for n in range(2):
            send(f"cy{n}@gmail.com")
        solved = packed(solve(send("cy3@gmail.com").json()["challenge"]))
        for n in range(2):
            send(f"dy{n}@gmail.com", client="198.51.100.1")
        assert send("cy3@gmail.com", client="198.51.100.1", altcha=solved).json()["state"] == "work"
        assert send("cy3@gmail.com", altcha=solved).json()["state"] == "thanks"

    def test_an_hour_later_all_is_forgotten(self, site: str) -> None:
        for n in range(3):
            send(f"cy{n}@gmail.com")
        SignUpTally.objects.update(since=timezone.now() - timezone.timedelta(minutes=61))
        assert send("cy9@gmail.com").json()["state"] == "thanks"
        SignUpTally.objects.update(since=timezone.now() - timezone.timedelta(minutes=61))
        hourly_limits.forget_old()
        assert not SignUpTally.objects.exists()

    def test_neither_addresses_nor_domains_are_kept_for_it(self, site: str) -> None:
        send("cy@victim.example")
        assert {len(key) for key in SignUpTally.objects.values_list("key", flat=True)} == {64}
        assert not SignUpTally.objects.filter(key__contains="victim").exists()

    def test_on_our_own_page_the_browser_works_too(self, breaking: Topic) -> None:
        from tests.audience.test_pages import post, strictly

        for n in range(2):
            post(Client(), f"cy{n}@gmail.com")
        page = strictly(post(Client(), "cy3@gmail.com").content)
        assert page.find(".//more-follows-box").get("email") == "cy3@gmail.com"
        assert page.find(".//script").get("src") == "/box.js"
        for _ in range(2):
            post(Client(), "cy3@gmail.com")
        answer = post(Client(), "cy3@gmail.com")
        assert answer.status_code == 429
        assert "try again in an hour" in answer.content.decode()
