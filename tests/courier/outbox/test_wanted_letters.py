"""Which letters are still sent: every combination of kind and state of the reader."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.utils import timezone

from morefollows.audience import addresses
from morefollows.audience.models import (
    DrillReader,
    Letter,
    Reader,
    Subscription,
    Suppression,
    Topic,
)
from morefollows.courier.outbox import letter_claims as letter_claims

KINDS = ("confirmation", "thanks", "invitation", "new address", "moved")
SUBSCRIBED = (None, "pending", "active", "ended")
SUPPRESSED = (None, ("bounced", False), ("bounced", True), ("complained", False))
INVITED = (None, False, True)  # not; invited; has confirmed


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_who_wants_a_letter(breaking: Topic, kind: str) -> None:
    now = timezone.now()
    expected = set()
    for number, (subscribed, suppressed, invited, of_offers, has_offers, old) in enumerate(
        itertools.product(
            SUBSCRIBED, SUPPRESSED, INVITED, (False, True), (False, True), (False, True)
        )
    ):
        address = addresses.parse(f"reader{number}@reader.example")
        reader = Reader.objects.create(
            address=address.text,
            domain=address.domain,
            key=address.key,
            created_at=now,
            offers=has_offers,
        )
        if subscribed:
            Subscription.objects.create(reader=reader, topic=breaking, state=subscribed, since=now)
        if suppressed:
            reason, from_list = suppressed
            Suppression.objects.create(key=reader.key, reason=reason, from_list=from_list, at=now)
        if invited is not None:
            DrillReader.objects.create(
                reader=reader, added_at=now, confirmed_at=now if invited else None
            )
        elsewhere = addresses.parse(f"new{number}@elsewhere.example")
        to = (
            {"address": elsewhere.text, "domain": elsewhere.domain}
            if kind in ("new address", "moved")
            else {}
        )
        letter = Letter.objects.create(
            reader=reader, topic=breaking, kind=kind, offers=of_offers, due_at_ms=1,
            created_at=now - timedelta(days=400 if old else 0), **to,
        )  # fmt: skip
        bounced = suppressed == ("bounced", False)
        wanted = {
            "confirmation": (bounced and subscribed in ("pending", "active"))
            or (not suppressed and subscribed == "pending")
            or (not suppressed and subscribed == "active" and of_offers and not has_offers),
            "thanks": subscribed == "active" and not suppressed,
            "invitation": invited is False and not suppressed,
        }  # fmt: skip
        if wanted.get(kind, True) and not old:
            expected.add(letter.pk)
    jobs = {job.letter: job for job in letter_claims.claim_letters("w", 10_000)}
    assert set(jobs) == expected
    assert not Letter.objects.filter(pk__in=expected, state="expired").exists()
    assert not Letter.objects.exclude(pk__in=expected).exclude(state="expired").exists()
    for letter in Letter.objects.filter(pk__in=list(jobs)[:5]).select_related("reader", "topic"):
        assert jobs[letter.pk] == letter_claims._job(letter)
        assert type(jobs[letter.pk].offers) is bool


@pytest.mark.django_db
def test_a_letter_of_no_topic_and_one_whose_new_address_is_suppressed(breaking: Topic) -> None:
    now = timezone.now()
    reader = Reader.objects.create(
        address="cy@reader.example", domain="reader.example", key="k", created_at=now
    )
    DrillReader.objects.create(reader=reader, added_at=now)
    for name in ("taken", "free"):
        Letter.objects.create(
            reader=reader,
            kind="new address",
            address=f"{name}@x.example",
            domain="x.example",
            created_at=now,
            due_at_ms=1,
        )
    invitation = Letter.objects.create(
        reader=reader, kind="invitation", created_at=now, due_at_ms=1
    )
    Suppression.objects.create(
        key=addresses.parse("taken@x.example").key, reason="complained", at=now
    )
    jobs = {job.address: job for job in letter_claims.claim_letters("w", 10)}
    assert set(jobs) == {"free@x.example", "cy@reader.example"}
    assert jobs["cy@reader.example"] == letter_claims._job(Letter.objects.get(pk=invitation.pk))
