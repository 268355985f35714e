"""Erasing a reader leaves the keyed hash, reason and date. The database enforces it."""

from __future__ import annotations

import io

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from morefollows.audience import erasure, lists
from morefollows.audience.addresses import parse
from morefollows.audience.consent import confirmation, withdrawal
from morefollows.audience.models import (
    Consent,
    Erasure,
    Letter,
    Reader,
    Subscription,
    Suppression,
    Topic,
)
from morefollows.audience.suppression import suppressing
from morefollows.courier.ledger.claims import ActiveAlert
from morefollows.courier.recipients.selection import load_recipients
from morefollows.stories.models import Story, StoryPreference
from tests.audience.support import CY, leave_link, newest_link, sign_up


def confirmed(breaking: Topic) -> Reader:
    sign_up(breaking, offers=True)
    assert confirmation.confirm(newest_link()) is not None
    return Reader.objects.get()


def test_only_the_suppression_is_left(breaking: Topic) -> None:
    reader = confirmed(breaking)
    pk, way_out = reader.pk, leave_link(reader, breaking)
    before = timezone.now()
    erasure.erase(reader)
    for kept in (Reader, Subscription, Consent, Letter):
        assert not kept.objects.exists(), kept  # type: ignore[attr-defined]
    left = Suppression.objects.get()
    assert (left.key, left.reason) == (parse(CY).key, "erased")
    assert left.at >= before
    assert load_recipients(ActiveAlert(1, "sending", breaking.pk, 0, 0, True), [pk]) == {}
    assert withdrawal.unsubscribe(
        way_out, "one-click"
    )  # the old mail's button works, and finds nothing to end
    erasure.erase(reader)
    withdrawal.withdraw_consent(reader, "alerts", how="desk", topic=breaking)
    assert Suppression.objects.count() == 1
    assert not Consent.objects.exists()


def test_no_table_knows_the_reader_any_more(breaking: Topic, story: Story) -> None:
    reader = confirmed(breaking)
    StoryPreference.objects.create(
        reader=reader, story=story, choice=StoryPreference.Choice.FOLLOW, at=timezone.now()
    )
    pk = reader.pk
    erasure.erase(reader)
    tables = [(field.related_model, field.field.name) for field in Reader._meta.related_objects]
    assert len(tables) >= 4
    for model, name in tables:
        assert not model._default_manager.filter(**{name: pk}).exists(), model  # type: ignore[union-attr]


def test_nothing_brings_an_erased_reader_back(breaking: Topic) -> None:
    erasure.erase(confirmed(breaking))
    report = lists.import_readers(
        io.BytesIO(CY.upper().encode()),
        topic=breaking,
        provenance="old list",
        progress=lambda position: None,
    )
    assert report.suppressed == 1
    assert not Reader.objects.exists()


def test_an_old_suppression_becomes_an_erasure(breaking: Topic) -> None:
    reader = confirmed(breaking)
    suppressing.suppress_readers([reader.pk], Suppression.Reason.BOUNCED)
    erasure.erase(reader)
    assert Suppression.objects.get().reason == "erased"


def test_the_database_keeps_the_evidence_of_everybody_else(breaking: Topic) -> None:
    reader = confirmed(breaking)
    sign_up(breaking, "dee@reader.example")
    Erasure.objects.create(reader=Reader.objects.exclude(pk=reader.pk).get())
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Consent.objects.all().delete()
    assert Consent.objects.filter(reader=reader).count() == 4
