"""Client addresses in the evidence of consent: whole for some months, then only their network."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import DatabaseError, transaction
from django.test import override_settings
from django.utils import timezone

from morefollows.audience.consent import retention
from morefollows.audience.models import Consent, Reader
from morefollows.helpers.networks import shortened
from morefollows.processes.supervision import up_jobs


@pytest.mark.parametrize(
    ("whole", "short"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("", ""),
    ],
)
def test_a_network_tells_no_household(whole: str, short: str) -> None:
    assert shortened(whole) == short


def test_old_lines_are_shortened_and_say_all_else_as_before(cy: Reader) -> None:
    for address, days in (
        ("192.0.2.77", 91),
        ("2001:db8:1:2:3::4", 400),
        ("192.0.2.78", 89),
        ("", 400),
    ):
        Consent.objects.create(
            reader=cy,
            purpose="alerts",
            event="given",
            how="form",
            at=timezone.now() - timedelta(days=days),
            page="https://herald.example/",
            client_address=address,
        )
    up_jobs.run_housekeeping()
    assert sorted(Consent.objects.values_list("client_address", flat=True)) == [
        "", "", "", "192.0.2.0/24", "192.0.2.78", "2001:db8:1::/48",
    ]  # fmt: skip
    assert Consent.objects.filter(page="https://herald.example/").count() == 4
    assert retention.shorten_client_addresses() == 0
    with override_settings(MOREFOLLOWS=replace(settings.MOREFOLLOWS, client_address_days=30)):
        assert retention.shorten_client_addresses() == 1
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Consent.objects.update(page="elsewhere")
