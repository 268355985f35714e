"""Suppressions lifted in bulk, by a fresh sign-up, and by hand; and what stays whatever happens."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.db import connection
from django.test import Client
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.addresses import parse
from morefollows.audience.consent import confirmation
from morefollows.audience.models import (
    Bounce,
    Consent,
    Letter,
    Reader,
    Subscription,
    Suppression,
    Topic,
)
from morefollows.audience.suppression import bulk_lift, may_sign_up_again, suppressing
from morefollows.audience.suppression.actions import suppress
from morefollows.audience.suppression.bulk_lift import SuppressionFilter
from morefollows.audit.models import AuditEntry
from morefollows.cli.main import cli
from morefollows.courier.outbox import letter_claims as letter_claims
from tests.audience.support import CY, newest_link, sign_up

pytestmark = pytest.mark.django_db


def test_the_three_forms_of_who_may_sign_up_again_say_the_same() -> None:
    for number, (reason, from_list) in enumerate(product(Suppression.Reason, (False, True))):
        Suppression.objects.create(
            key=f"key{number}", reason=reason, from_list=from_list, at=timezone.now()
        )
    by_row = {
        one.pk for one in Suppression.objects.all() if may_sign_up_again.may_sign_up_again(one)
    }
    assert by_row == {one.pk for one in may_sign_up_again.suppressions_that_may()}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT x.id FROM audience_suppression x WHERE {may_sign_up_again.SQL}")
        assert by_row == {row[0] for row in cursor.fetchall()}
    assert len(by_row) == 1


def readers(topic: Topic, domain: str, number: int) -> list[int]:
    """Confirmed readers of this domain, with subscriptions."""
    now = timezone.now()
    made = Reader.objects.bulk_create(
        Reader(
            address=f"cy{i}@{domain}",
            domain=domain,
            key=parse(f"cy{i}@{domain}").key,
            state="confirmed",
            created_at=now,
            confirmed_at=now,
        )
        for i in range(number)
    )
    Subscription.objects.bulk_create(
        Subscription(reader=reader, topic=topic, state="active", since=now) for reader in made
    )
    return [reader.pk for reader in made]


def bounced(topic: Topic, domain: str, number: int, *, hours_ago: float = 0) -> list[int]:
    made = readers(topic, domain, number)
    suppressing.suppress_readers(made, "bounced")
    Suppression.objects.filter(domain=domain).update(
        at=timezone.now() - timedelta(hours=hours_ago, minutes=1)
    )
    return made


def command(*words: str, say: str = "") -> Result:
    return CliRunner().invoke(cli, ["suppressions", *words], input=say, catch_exceptions=False)


def confirmed() -> int:
    return Reader.objects.filter(state="confirmed").count()


class TestInBulk:
    def test_only_what_bounced_here_in_that_time_is_lifted(self, breaking: Topic) -> None:
        bounced(breaking, "big.example", 1200)
        bounced(breaking, "old.example", 3, hours_ago=30)
        complained = readers(breaking, "angry.example", 2)
        suppressing.suppress_readers(complained, "complained")
        suppress([parse("x@list.example").key], "bounced")
        said = command("lift", "--since", "2h", "--yes")
        assert said.exit_code == 0, said.output
        assert "1,200  bounced  big.example" in said.output
        assert "Lifted 1,200; 1,200 readers get mail again." in said.output
        assert confirmed() == 1200
        assert (
            Subscription.objects.filter(state="active", reader__state="confirmed").count() == 1200
        )
        assert (
            sorted(Suppression.objects.values_list("reason", flat=True))
            == ["bounced"] * 4 + ["complained"] * 2
        )
        entry = AuditEntry.objects.get(what="lift suppressions")
        assert (entry.details["lifted"], entry.details["readers"]) == (1200, 1200)

    def test_by_domain_and_asked_first(self, breaking: Topic) -> None:
        bounced(breaking, "big.example", 3)
        bounced(breaking, "xn--lser-loa.example", 2)
        assert command("lift", "--domain", "läser.example", say="n\n").exit_code == 1
        assert Suppression.objects.count() == 5
        assert command("lift", "--domain", "läser.example", "--dry-run").exit_code == 0
        assert Suppression.objects.count() == 5
        assert command("lift", "--domain", "läser.example", say="y\n").exit_code == 0
        assert (
            Suppression.objects.filter(domain="big.example").count()
            == Suppression.objects.count()
            == 3
        )

    def test_what_is_suppressed_while_it_asks_is_not_meant(self, breaking: Topic) -> None:
        bounced(breaking, "big.example", 2)
        suppressing.suppress_readers(readers(breaking, "late.example", 1), "bounced")
        Suppression.objects.filter(domain="late.example").update(
            at=timezone.now() + timedelta(minutes=1)
        )
        assert command("lift", "--since", "1h", "--yes").exit_code == 0
        assert Suppression.objects.get().domain == "late.example"

    def test_a_reason_has_to_be_named_and_who_complained_has_left(self, breaking: Topic) -> None:
        complained = readers(breaking, "angry.example", 2)
        suppressing.suppress_readers(complained, "complained")
        assert command("lift", "--domain", "angry.example", "--yes").output.startswith(
            "        0  suppressed"
        )
        assert command("lift", "--reason", "complained", "--yes").exit_code == 0
        assert not Suppression.objects.exists()
        assert set(Reader.objects.values_list("state", flat=True)) == {"unsubscribed"}
        assert not Subscription.objects.exclude(state="ended").exists()

    def test_an_address_or_a_filter_but_not_both_and_not_neither(self) -> None:
        assert command("lift").exit_code == 2
        assert command("lift", CY, "--since", "2h").exit_code == 2
        assert command("lift", "--since", "yesterday").exit_code == 2

    def test_they_are_counted_without_being_touched(self, breaking: Topic) -> None:
        bounced(breaking, "big.example", 2)
        suppress([parse("x@list.example").key], "left elsewhere")
        found = json.loads(command("list", "--json").output)
        assert found["suppressions"] == 3
        assert {"reason": "bounced", "domain": "big.example", "number": 2} in found["groups"]
        assert (
            json.loads(command("list", "--reason", "erased", "--json").output)["suppressions"] == 0
        )

    def test_each_gets_the_state_back_that_they_had(self, breaking: Topic) -> None:
        made = bounced(breaking, "big.example", 3)
        Reader.objects.filter(pk=made[0]).update(confirmed_at=None)
        Subscription.objects.filter(reader=made[1]).update(state="ended")
        Bounce.objects.create(
            reader_id=made[2],
            first_at=timezone.now(),
            counted_at=timezone.now(),
            last_at=timezone.now(),
            count=2,
        )
        told: list[Any] = []
        assert bulk_lift.lift(SuppressionFilter(), "command", told.append).readers == 1
        assert [Reader.objects.get(pk=pk).state for pk in made] == [
            "pending",
            "unsubscribed",
            "confirmed",
        ]
        assert told == [bulk_lift.Lifted(3, 1)] and not Bounce.objects.exists()


class TestAFreshSignUp:
    def confirm(self, topic: Topic) -> Reader:
        sign_up(topic)
        assert confirmation.confirm(newest_link()) is not None
        return Reader.objects.get()

    def test_confirming_again_lifts_what_had_bounced(self, breaking: Topic) -> None:
        cy = self.confirm(breaking)
        suppressing.suppress_readers([cy.pk], "bounced")
        Letter.objects.all().delete()
        sign_up(breaking)
        assert Suppression.objects.exists(), "typing an address lifts nothing"
        [job] = letter_claims.claim_letters("one", 10)
        assert job.kind == "confirmation"
        letter_claims.record_results([letter_claims.LetterResult(job, "accepted", 1)])
        assert Suppression.objects.exists()
        assert confirmation.confirm(newest_link()) is not None
        cy.refresh_from_db()
        assert not Suppression.objects.exists() and cy.state == "confirmed"
        assert Subscription.objects.get().state == "active"

    @pytest.mark.parametrize(
        "reason", ["complained", "left elsewhere", "erased", "desk", "bounced"]
    )
    def test_nothing_else_is_lifted_by_it(self, breaking: Topic, reason: str) -> None:
        """Nor is what a list brought along, whatever its reason."""
        suppress([parse(CY).key], reason)
        sign_up(breaking)
        assert not Letter.objects.exists() and not Reader.objects.exists()

    def test_a_link_mailed_before_a_complaint_lifts_nothing(self, breaking: Topic) -> None:
        cy = self.confirm(breaking)
        Letter.objects.all().delete()
        suppressing.suppress_readers([cy.pk], "bounced")
        sign_up(breaking)
        link = newest_link()
        Suppression.objects.update(reason="complained")
        assert confirmation.confirm(link) is None
        assert Suppression.objects.exists()


class TestAtTheDesk:
    @pytest.fixture
    def ada(self, client: Client) -> Client:
        ada = Editor.objects.create(email="ada@herald.example", name="Ada", role="administrator")
        client.force_login(ada)
        return client

    def test_it_counts_and_lifts_what_the_page_showed(self, breaking: Topic, ada: Client) -> None:
        bounced(breaking, "big.example", 3)
        page = ada.get("/desk/suppressions/", {"domain": "big.example"}).content.decode()
        assert "3 suppressed addresses" in page and "Lift 3 suppressions" in page
        until = re.findall(r'name="until"\s+value="([^"]*)"', page)[-1]
        suppressing.suppress_readers(readers(breaking, "late.example", 1), "bounced")
        assert ada.post("/desk/suppressions/lift/", {"until": until}).status_code == 302
        assert Suppression.objects.count() == 4, "not sure"
        assert (
            ada.post("/desk/suppressions/lift/", {"until": until, "sure": "on"}).status_code == 302
        )
        assert Suppression.objects.get().domain == "late.example"
        assert confirmed() == 3
        entry = AuditEntry.objects.get(what="lift suppressions")
        assert entry.editor is not None and entry.details["lifted"] == 3

    def test_only_for_administrators(self, client: Client) -> None:
        client.force_login(
            Editor.objects.create(email="ben@herald.example", name="Ben", role="editor")
        )
        assert client.get("/desk/suppressions/").status_code == 403
        assert client.post("/desk/suppressions/lift/", {"sure": "on"}).status_code == 403


def test_consent_is_never_touched_by_a_bounce(breaking: Topic) -> None:
    bounced(breaking, "big.example", 2)
    bulk_lift.lift(SuppressionFilter(), Consent.How.COMMAND, lambda lifted: None)
    assert not Consent.objects.exists()


def test_who_bounced_here_stays_out_of_an_import_and_is_counted_apart(breaking: Topic) -> None:
    from io import BytesIO

    from morefollows.audience.lists import import_readers

    bounced(breaking, "big.example", 2)
    suppress([parse("x@list.example").key], "left elsewhere")
    file = BytesIO(
        b"email,confirmed_at\n"
        + b"".join(b"%b,2024-05-04\n" % a for a in (b"cy0@big.example", b"x@list.example"))
    )
    for dry_run in (True, False):
        file.seek(0)
        report = import_readers(
            file, topic=breaking, provenance="a list", progress=lambda _: None, dry_run=dry_run
        )
        assert (report.bounced, report.suppressed, report.confirmed) == (1, 1, 0)
