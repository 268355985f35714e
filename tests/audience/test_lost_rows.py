"""A row lost to a restored backup or a failover, and another row that now has its number."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from morefollows.audience import erasure, key_check
from morefollows.audience.addresses import parse
from morefollows.audience.consent import confirmation, withdrawal
from morefollows.audience.link_tokens import links
from morefollows.audience.link_tokens.tokens import ALL_TOPICS, TokenRow
from morefollows.audience.models import Consent, DrillReader, Letter, Reader, Subscription, Topic
from morefollows.config.keyring import Keyring, Keys
from morefollows.database.uid_field import random_uid
from morefollows.stories.models import Story, StoryPreference
from tests.audience.support import leave_link, newest_link, sign_up


def lost_and_taken(model: Any, number: int) -> None:
    """The row's number after a restore, when another row has been given it."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        column = "uuid" if model is Story else "uid"
        value = random_uid()
        as_kept = value if column == "uid" else value.hex()
        cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", (as_kept, number))


def test_an_old_confirmation_link_confirms_no_stranger(breaking: Topic) -> None:
    sign_up(breaking)
    link = newest_link()
    lost_and_taken(Letter, Letter.objects.get().pk)
    assert confirmation.confirm(link) is None
    assert Reader.objects.get().state == Reader.State.PENDING
    assert confirmation.confirm(newest_link()) is not None


@pytest.mark.parametrize("taken", [Reader, Topic])
def test_an_old_unsubscribe_link_ends_nobody_elses_subscription(
    cy: Reader, breaking: Topic, taken: Any
) -> None:
    link = leave_link(cy, breaking)
    lost_and_taken(taken, cy.pk if taken is Reader else breaking.pk)
    answer = Client().post(f"/leave/{link}/", {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 404
    assert Subscription.objects.get(reader=cy).state == Subscription.State.ACTIVE
    cy.refresh_from_db()
    breaking.refresh_from_db()
    assert withdrawal.unsubscribe(leave_link(cy, breaking), "one-click")


def test_an_old_link_to_preferences_shows_nobody_else(cy: Reader) -> None:
    page = (
        f"/preferences/{links.link_tokens().preferences(links.row(cy), cy.links_version).decode()}/"
    )
    assert Client().get(page).status_code == 200
    lost_and_taken(Reader, cy.pk)
    for path in ("", "data/", "erase/"):
        answer = Client().get(page + path)
        assert answer.status_code == 404 and cy.address not in answer.content.decode()
        assert Client().post(page + path, {"section": "erase"}).status_code in (404, 405)
    assert Reader.objects.filter(pk=cy.pk).exists()


@pytest.mark.parametrize("taken", [Reader, Story])
def test_an_old_link_to_mute_is_about_no_other_reader_or_story(
    cy: Reader, story: Story, taken: Any
) -> None:
    link = links.link_tokens().story(links.row(cy), TokenRow(story.pk, story.uuid.bytes)).decode()
    lost_and_taken(taken, cy.pk if taken is Reader else story.pk)
    assert Client().post(reverse("mute", args=(link,))).status_code == 404
    assert not StoryPreference.objects.exists()


def test_an_old_link_moves_nobody_and_invites_nobody(cy: Reader) -> None:
    DrillReader.objects.create(reader=cy, added_at=timezone.now())
    tokens = links.link_tokens()
    for kind, make, read in (
        (Letter.Kind.NEW_ADDRESS, tokens.new_address, links.new_address),
        (Letter.Kind.INVITATION, tokens.invitation, links.invitation),
    ):
        letter = Letter.objects.create(
            reader=cy, kind=kind, created_at=timezone.now(), due_at_ms=0, address="x@y.example"
        )
        old = make(links.row(letter)).decode()
        assert read(old) == letter
        lost_and_taken(Letter, letter.pk)
        assert read(old) is None
        letter.refresh_from_db()
        assert read(make(links.row(letter)).decode()) == letter


def test_who_was_erased_can_still_press_the_link_in_old_mail(cy: Reader, breaking: Topic) -> None:
    old = [leave_link(cy, breaking), links.link_tokens().leave(links.row(cy), ALL_TOPICS).decode()]
    erasure.erase(cy)
    for link in old:
        assert (
            Client().post(f"/leave/{link}/", {"List-Unsubscribe": "One-Click"}).status_code == 200
        )
    forged = old[0][:-1] + ("A" if old[0][-1] != "A" else "B")
    assert not withdrawal.unsubscribe(forged, "one-click")
    assert not Consent.objects.exists()


def test_rows_that_are_written_past_the_orm_have_a_uid_of_their_own(breaking: Topic) -> None:
    with connection.cursor() as cursor:
        for slug in ("one", "two"):
            cursor.execute(
                "INSERT INTO audience_topic (slug, name, description, position) VALUES (%s, %s, "
                "'', 0)",
                (slug, slug),
            )
    uids = list(Topic.objects.values_list("uid", flat=True))
    assert {len(uid) for uid in uids} == {16} and len(set(uids)) == len(uids)


def test_readers_are_found_by_new_keys_when_the_old_ones_are_lost(
    cy: Reader, tmp_path: Path
) -> None:
    keys = Keys(Keyring.new(), tmp_path / "secret")
    with override_settings(MOREFOLLOWS=dataclasses.replace(settings.MOREFOLLOWS, secret=keys)):
        done = key_check.take_new(keys)
        assert done.readers == 1
        assert Reader.objects.get().key == parse(cy.address).key
        assert key_check.compare(keys) == []
