"""Readers at the desk: exact search, evidence, preferences and growth of the audience."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.consent import confirmation, withdrawal
from morefollows.audience.models import Consent, Reader, Suppression, Topic
from morefollows.audience.statistics import count_cache, growth
from morefollows.audience.suppression import suppressing
from morefollows.audit.models import AuditEntry
from morefollows.desk.readers.growth_plot import plot
from morefollows.stories.models import Update
from tests.audience.support import CY, newest_link, sign_up
from tests.support.people import reader

FIND = "/desk/audience/find/"


def test_the_first_look_does_not_wait_for_the_figures(
    ada_at_desk: Client, cy: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    monkeypatch.setattr(count_cache, "_MANY", 1)
    monkeypatch.setattr(count_cache, "_count_behind", begun.extend)
    page = ada_at_desk.get(reverse("audience"), {"days": "365"}).content.decode()
    assert "The readers are being counted." in page and "growth-plot" not in page
    assert "sign-ups of 365 days" in begun and len(begun) == 4
    for name in begun:
        count_cache.KeptFigure.objects.create(name=name, value=[], counted_at_ms=0, cost_ms=0)
    page = ada_at_desk.get(reverse("audience"), {"days": "365"}).content.decode()
    assert "being counted" not in page and "growth-plot" in page


@pytest.fixture
def signed_up(breaking: Topic) -> Reader:
    """Cy, with all the evidence of a real sign-up, offers too."""
    sign_up(breaking, offers=True)
    assert confirmation.confirm(newest_link()) is not None
    return Reader.objects.get()


def audit_entries() -> list[tuple[str, int | None]]:
    return [
        (entry.what, entry.details.get("reader")) for entry in AuditEntry.objects.order_by("pk")
    ]


def test_a_reader_is_found_by_exact_address_alone(ada_at_desk: Client, signed_up: Reader) -> None:
    response = ada_at_desk.post(FIND, {"address": " CY@reader.example "})
    assert response.headers["Location"] == f"/desk/audience/{signed_up.pk}/", (
        "no address stands in a web address"
    )
    assert audit_entries() == [("look up reader", signed_up.pk)]
    assert CY not in str(list(AuditEntry.objects.values_list("details", flat=True)))
    page = ada_at_desk.get(response.headers["Location"]).content.decode()
    for words in (
        CY,
        "Breaking news",
        "sign-up form",
        "https://alerts.herald.example/story/1/",
        "192.0.2.7",
    ):
        assert words in page
    assert "looked this reader up" in page
    assert ada_at_desk.get(FIND).status_code == 405
    for address, status, words in (
        ("c@reader.example", 404, "No reader has this address, and it is not suppressed."),
        ("cy@", 422, "the part after the @ is missing"),
        ("", 422, "Enter an address."),
    ):
        answer = ada_at_desk.post(FIND, {"address": address})
        assert answer.status_code == status
        assert words in answer.content.decode()


def test_the_alerts_and_letters_that_a_reader_had(
    ada_at_desk: Client, signed_up: Reader, story: object
) -> None:
    from array import array

    from morefollows.courier.models import Batch, Outcome
    from morefollows.stories import actions as stories

    alert = stories.send(story, Editor.objects.get(), hold=0)  # type: ignore[arg-type]
    page = reverse("reader", args=(signed_up.pk,))
    assert alert.update.headline not in ada_at_desk.get(page).content.decode()
    Batch.objects.create(
        alert=alert, number=1, size=1, readers=array("q", [signed_up.pk]).tobytes(),
        outcomes=bytes([Outcome.ACCEPTED]), times=bytes(4), first=signed_up.pk, last=signed_up.pk,
    )  # fmt: skip
    shown = ada_at_desk.get(page).content.decode()
    assert alert.update.headline in shown
    assert "thanks" in shown
    for kind, words in (("correction", "Correction:"), ("withdrawal", "Withdrawn: our alert of")):
        Update.objects.filter(pk=alert.update_id).update(kind=kind)
        listed = ada_at_desk.get(page).content.decode().partition("Alerts that they had")[2]
        assert listed.partition("</a>")[0].partition('dir="auto">')[2].startswith(words)


@pytest.mark.parametrize(
    ("state", "word"), [("unsubscribed", "unsubscribed"), ("hard bounced", "bounced")]
)
def test_a_readers_state_has_one_word_at_the_desk(
    ada_at_desk: Client, signed_up: Reader, state: str, word: str
) -> None:
    Reader.objects.update(state=state)
    overview = ada_at_desk.get(reverse("audience"))
    assert word in [str(label) for _name, label, _count in overview.context["tiles"]]
    pages = [reverse(name, args=(signed_up.pk,)) for name in ("reader", "reader-evidence")]
    for page in (overview, *(ada_at_desk.get(one) for one in pages)):
        text = page.content.decode()
        assert re.search(rf">\s*{word}\s*<", text), text
        assert not re.search(r">\s*(left|gone|hard bounced)\s*<", text)


def test_why_an_alert_did_not_come(ada_at_desk: Client, signed_up: Reader) -> None:
    page = reverse("reader", args=(signed_up.pk,))
    assert "every alert" in ada_at_desk.get(page).content.decode()
    Reader.objects.update(
        frequency="first",
        most_a_day=3,
        quiet_from=22 * 60,
        quiet_to=7 * 60 + 30,
        time_zone="Europe/Berlin",
        flash_passes=True,
        paused_until=timezone.now() + timedelta(days=7),
    )
    shown = ada_at_desk.get(page).content.decode()
    for words in (
        "the first alert of each story",
        "22:00–07:30 Europe/Berlin, but a flash passes",
        "Paused until",
    ):
        assert words in shown


@pytest.mark.parametrize(
    ("wish", "left"),
    [
        ({"purpose": "alerts", "topic": "breaking"}, ("unsubscribed", False)),
        ({"purpose": "offers"}, ("confirmed", False)),
    ],
)
def test_a_consent_is_withdrawn_at_a_readers_wish(
    ada_at_desk: Client, signed_up: Reader, wish: dict[str, str], left: tuple[str, bool]
) -> None:
    place, known = reverse("reader-withdraw", args=(signed_up.pk,)), {"mark": signed_up.mark}
    assert ada_at_desk.post(place, wish | {"mark": "of another"}).status_code == 404
    response = ada_at_desk.post(place, wish | known, follow=True)
    assert "Unsubscribed. No mail leaves after this." in response.content.decode()
    signed_up.refresh_from_db()
    assert (signed_up.state, signed_up.offers) == left
    assert (
        Consent.objects.filter(event="withdrawn", how="desk", purpose=wish["purpose"]).count() == 1
    )
    assert audit_entries() == [("withdraw consent", signed_up.pk)]


@pytest.mark.parametrize(
    "wish", [{}, {"purpose": "alerts"}, {"purpose": "offers", "topic": "breaking"}]
)
def test_a_wish_that_is_none_changes_nothing(
    ada_at_desk: Client, signed_up: Reader, wish: dict[str, str]
) -> None:
    wish |= {"mark": signed_up.mark}
    assert (
        ada_at_desk.post(reverse("reader-withdraw", args=(signed_up.pk,)), wish).status_code == 400
    )
    assert audit_entries() == []


def test_an_administrator_erases_and_is_asked_before(
    dora_at_desk: Client, signed_up: Reader
) -> None:
    erase = reverse("reader-erase", args=(signed_up.pk,))
    known = {"mark": signed_up.mark}
    assert "tick that you are sure" in dora_at_desk.post(erase, known, follow=True).content.decode()
    assert dora_at_desk.post(erase, {"sure": "on", "mark": "of another"}).status_code == 404
    assert dora_at_desk.post(erase, {"sure": "on"}).status_code == 404
    assert Reader.objects.exists()
    dora_at_desk.post(erase, known | {"sure": "on"})
    assert not Reader.objects.exists()
    assert Suppression.objects.get().reason == "erased"
    assert audit_entries() == [("erase reader", signed_up.pk)]
    answer = dora_at_desk.post(FIND, {"address": CY})
    assert answer.status_code == 404
    assert "suppressed: erased at the reader" in answer.content.decode()
    assert dora_at_desk.get(reverse("reader", args=(signed_up.pk,))).status_code == 404
    assert dora_at_desk.get(f"/desk/audience/{2**70}/").status_code == 404


def test_an_administrator_lifts_a_suppression(
    dora_at_desk: Client, ada_at_desk: Client, signed_up: Reader
) -> None:
    suppressing.suppress_readers([signed_up.pk], "bounced")
    lift = reverse("suppression-lift", args=(Suppression.objects.get().pk,))
    page = reverse("reader", args=(signed_up.pk,))
    assert lift in dora_at_desk.get(page).content.decode()
    assert lift not in ada_at_desk.get(page).content.decode()
    assert ada_at_desk.post(lift).status_code == 403
    assert dora_at_desk.post(lift).status_code == 404, "it does not say which"
    assert (
        dora_at_desk.post(lift, {"mark": Suppression.objects.get().mark}).headers["Location"]
        == page
    )
    assert not Suppression.objects.exists()
    assert Reader.objects.get().state == "confirmed"
    assert audit_entries() == [("lift suppression", signed_up.pk)]
    assert dora_at_desk.post(lift).status_code == 404


def test_the_whole_declaration_can_be_printed(ada_at_desk: Client, signed_up: Reader) -> None:
    page = ada_at_desk.get(reverse("reader-evidence", args=(signed_up.pk,))).content.decode()
    given = Consent.objects.filter(purpose="offers").first()
    assert given is not None
    assert given.words in page
    assert len(re.findall(r"SHA-256 [0-9a-f]{64}", page)) >= 5
    assert "Privacy notice, version 1 (en)" in page
    assert "<h2>Who is responsible</h2>" in page and "## Who" not in page
    css = Path(str(finders.find("desk/readers.css"))).read_text(encoding="utf-8")
    assert "@media print" in css


def test_who_may_what(ben_at_desk: Client, ada_at_desk: Client, signed_up: Reader) -> None:
    pages = [
        reverse("audience"),
        *(reverse(name, args=(signed_up.pk,)) for name in ("reader", "reader-evidence")),
    ]
    assert [ben_at_desk.get(page).status_code for page in pages] == [403, 403, 403]
    assert [ada_at_desk.get(page).status_code for page in pages] == [200, 200, 200]
    assert ben_at_desk.post(FIND, {"address": CY}).status_code == 403
    assert (
        ben_at_desk.post(
            reverse("reader-withdraw", args=(signed_up.pk,)), {"purpose": "offers"}
        ).status_code
        == 403
    )
    assert (
        ada_at_desk.post(reverse("reader-erase", args=(signed_up.pk,)), {"sure": "on"}).status_code
        == 403
    )
    assert 'href="/desk/audience/"' not in ben_at_desk.get("/desk/").content.decode()
    assert Reader.objects.exists()


class TestGrowth:
    ZONE = ZoneInfo("Asia/Kathmandu")  # far from UTC, and not by whole hours

    def test_who_came_and_who_went(self, breaking: Topic) -> None:
        today = timezone.localdate(timezone=self.ZONE)
        for number, days in enumerate((0, 3, 3, 40)):
            one = reader(f"r{number}@reader.example", breaking)
            then = timezone.now() - timedelta(days=days)
            Reader.objects.filter(pk=one.pk).update(
                created_at=then - timedelta(days=1), confirmed_at=then
            )
        sign_up(breaking, "pending@reader.example")
        first, second = Reader.objects.filter(state="confirmed").order_by("pk")[1:3]
        withdrawal.withdraw_consent(first, "alerts", how="link", topic=breaking)
        suppressing.suppress_readers([second.pk], "bounced")
        days = growth.growth(30, self.ZONE)
        assert (len(days), days[-1].day, days[0].day) == (30, today, today - timedelta(days=29))
        assert days[-1] == growth.Day(today, 1, 2, 2)
        assert days[-4] == growth.Day(today - timedelta(days=3), 2, 0, 3)
        assert days[0].total == 1
        assert sum(day.came for day in days) == 3

    def test_imported_readers_count_from_their_import(self, breaking: Topic) -> None:
        one = reader(CY, breaking)
        Reader.objects.filter(pk=one.pk).update(confirmed_at=timezone.now() - timedelta(days=500))
        assert growth.growth(30, self.ZONE)[-1].came == 1

    def test_a_day_begins_at_the_newsrooms_midnight(self, breaking: Topic) -> None:
        midnight = datetime.combine(timezone.localdate(timezone=self.ZONE), time(), self.ZONE)
        for address, seconds in ((CY, 1), ("dee@reader.example", -1), ("eve@reader.example", -2)):
            one, then = reader(address, breaking), midnight + timedelta(seconds=seconds)
            Reader.objects.filter(pk=one.pk).update(created_at=then, confirmed_at=then)
        assert [day.came for day in growth.growth(30, self.ZONE)[-2:]] == [2, 1]

    def test_an_earlier_confirmation_is_none_of_a_later_sign_up(
        self, signed_up: Reader, breaking: Topic
    ) -> None:
        withdrawal.withdraw_consent(signed_up, "alerts", how="link", topic=breaking)
        sign_up(breaking, page="https://herald.example/")
        assert growth.sign_ups_by_page(30) == [
            ("https://alerts.herald.example/story/1/", 1, 1),
            ("https://herald.example/", 1, 0),
        ]

    def test_sign_ups_by_page(self, signed_up: Reader, breaking: Topic) -> None:
        sign_up(breaking, "dee@reader.example")
        sign_up(breaking, "dee@reader.example")
        assert growth.sign_ups_by_page(30) == [("https://alerts.herald.example/story/1/", 2, 1)]

    @pytest.mark.parametrize("total", [0, 1, 3, 7, 10, 999, 123_456, 1_000_000])
    def test_the_picture_holds_every_day(self, total: int) -> None:
        days = [
            growth.Day(date(2026, 1, 1) + timedelta(days=n), n % 3, n % 2, total) for n in range(30)
        ]
        drawn = plot(days)
        assert drawn.ticks[0].value == 0
        assert len(drawn.ticks) <= 6
        assert drawn.ticks[-1].value >= total
        for _x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", drawn.line):
            assert 12 <= float(y) <= 190
        for bar in drawn.bars:
            assert 214 <= float(bar.y) <= float(bar.y) + float(bar.height) <= 276.1
        assert len(drawn.bars) == 20 + 15
