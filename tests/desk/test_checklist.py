"""The checklist before Send: facts about the mail, its readers and recent alerts."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from morefollows.accounts.models import Editor
from morefollows.audience.models import Reader, Topic
from morefollows.courier.message import preview as previews
from morefollows.courier.preflight import LOOK, OK, WRONG, Item, content_checks
from morefollows.stories import actions
from morefollows.stories.alerts import alert_audience
from morefollows.stories.models import Alert, Story, StoryPreference, UpdateKind
from tests.support.people import reader

NIGHT = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)


def found(story: Story, to: str = "topic", readers: int = 100) -> dict[str, Item]:
    return {
        item.name: item
        for item in content_checks.items(story, previews.preview(story), to, readers)
    }


def state(story: Story, name: str, to: str = "topic", readers: int = 100) -> str:
    return found(story, to, readers)[name].state


def test_a_good_mail_has_nothing_to_look_at(ada_at_desk: Client, story: Story, cy: Reader) -> None:
    assert {item.state for item in found(story).values()} == {OK}
    page = ada_at_desk.get(reverse("story-check", args=(story.uuid,))).content.decode()
    assert "6 fine" in page
    assert page.index("Checklist") < page.index('id="send"')


def test_nothing_in_it_stops_anybody(ada_at_desk: Client, story: Story, cy: Reader) -> None:
    story.headline, story.standfirst, story.text = "w" * 120, "w" * 120, "So it is. " * 4900
    story.save()
    page = ada_at_desk.get(reverse("story-check", args=(story.uuid,))).content.decode()
    assert "to check" in page, "the state in words, not in colour alone"
    assert 'id="send"' in page
    assert (
        ada_at_desk.post(
            reverse("story-send", args=(story.uuid,)), {"revision": story.revision}
        ).status_code
        == 302
    )
    assert Alert.objects.get().state == Alert.State.HELD


def test_a_long_subject(story: Story) -> None:
    story.headline = "h" * 70
    assert state(story, "Length of the subject") == OK
    story.headline = "h" * 71
    long = found(story)["Length of the subject"]
    assert (long.state, long.words) == (LOOK, "71 characters")
    assert "what matters" in long.remedy


@pytest.mark.parametrize(
    ("standfirst", "text", "expected"),
    [
        ("Harbour bridge is closed after a ferry collision", "So it is.", LOOK),
        ("", "Harbour bridge closed after ferry collision.", LOOK),
        ("", "Nobody is hurt.", OK),
        ("", "", LOOK),
    ],
)
def test_the_preheader_is_not_the_headline_again(
    story: Story, standfirst: str, text: str, expected: str
) -> None:
    story.standfirst, story.text = standfirst, text
    assert state(story, "Preheader") == expected


def test_a_mail_that_would_be_cut_off(story: Story) -> None:
    preview = previews.preview(story)
    for size, expected in ((80 * 1024, OK), (80 * 1024 + 1, LOOK), (102 * 1024, WRONG)):
        sized = previews.Preview(**{**vars(preview), "size": size})
        assert (
            next(
                one.state
                for one in content_checks.items(story, sized, "topic", 1)
                if "Size" in one.name
            )
            == expected
        )


def test_pictures_without_words(story: Story) -> None:
    picture = f"/images/{'0' * 32}-1200x800.jpg"
    story.text = f"It is closed.\n\n![Tugs at the pier]({picture})\n\n![]({picture})"
    alternatives = found(story)["Alternative texts"]
    assert alternatives.state == WRONG
    assert alternatives.words == "1 picture has none"
    story.text = f"It is closed.\n\n![Tugs at the pier]({picture})"
    assert found(story)["Alternative texts"].words == "1 picture has one"


def test_how_long_ago_the_last_alert_was(story: Story, ada: Editor) -> None:
    name = "Last alert on this topic"
    assert found(story)[name].words == "There was none yet."
    before = Story.objects.create(
        headline="Ferry adrift", text="It is.", topic=story.topic, author=ada
    )
    alert = actions.send(before, ada, revision=before.revision, alone_reason="night shift")
    assert found(story)[name] == Item(
        name,
        LOOK,
        "One is about to be sent: “Ferry adrift”",
        "See that readers don’t get the same news twice.",
    )
    held = int(time.time() * 1000) - 4 * 60_000 - 1000
    Alert.objects.filter(pk=alert.pk).update(held_until_ms=held, state=Alert.State.SENT)
    assert found(story)[name].words == "4 minutes ago: “Ferry adrift”"
    assert state(story, name) == LOOK
    story.kind = UpdateKind.CORRECTION
    assert state(story, name) == OK, "what puts it right can’t be too soon"
    story.kind = UpdateKind.FIRST
    Alert.objects.filter(pk=alert.pk).update(held_until_ms=held - 1_800_000)
    assert state(story, name) == OK
    Alert.objects.filter(pk=alert.pk).update(audience=Alert.Audience.PAGE)
    assert found(story)[name].words == "There was none yet."
    story.drill = True
    assert name not in found(story, "drill")


def test_the_last_alert_is_reckoned_from_the_chosen_time(story: Story, ada: Editor) -> None:
    before = Story.objects.create(
        headline="Ferry adrift", text="It is.", topic=story.topic, author=ada
    )
    alert = actions.send(before, ada, revision=before.revision, alone_reason="night shift")
    held = int(time.time() * 1000) - 60_000
    Alert.objects.filter(pk=alert.pk).update(held_until_ms=held, state=Alert.State.SENT)
    preview = previews.preview(story)
    for minutes, expected, words in ((5, LOOK, "6 minutes before"), (180, OK, "3 hours before")):
        at = timezone.now() + timedelta(minutes=minutes)
        said = {one.name: one for one in content_checks.items(story, preview, "topic", 1, at)}
        one = said["Last alert on this topic"]
        assert (one.state, one.words) == (expected, f"{words}: “Ferry adrift”")
        assert one.needs_stop == (expected == LOOK), "a sentence follows"


class TestReadersOnTheirTerms:
    @pytest.fixture
    def readers(self, breaking: Topic, story: Story) -> list[Reader]:
        made = [reader(f"r{number}@reader.example", breaking) for number in range(6)]
        night = {"has_preferences": True, "quiet_from": 22 * 60, "quiet_to": 7 * 60}
        chosen = [
            night,
            {**night, "flash_passes": True},
            {**night, "time_zone": "Asia/Tokyo"},
            {**night, "paused_until": NIGHT + timedelta(days=1)},
            {"has_preferences": True, "paused_until": NIGHT - timedelta(days=1)},
        ]
        for one, fields in zip(made, chosen, strict=False):
            Reader.objects.filter(pk=one.pk).update(**fields)
        return made

    def test_they_are_counted_in_one_look(self, story: Story, readers: list[Reader]) -> None:
        with CaptureQueriesContext(connection) as queries:
            counted = alert_audience.with_preferences(story.topic, NIGHT)
        assert counted == alert_audience.WithPreferences(quiet=2, flash=1, paused=1)
        assert len(queries) == 3, "how many readers, the newsroom’s time zone, and the readers"
        noon = NIGHT + timedelta(hours=11)
        assert alert_audience.with_preferences(story.topic, noon) == alert_audience.WithPreferences(
            quiet=0, flash=0, paused=1
        )
        StoryPreference.objects.create(reader=readers[1], story=story, choice="follow", at=NIGHT)
        assert alert_audience.with_preferences(
            story.topic, NIGHT, story
        ) == alert_audience.WithPreferences(quiet=1, flash=1, paused=0)
        assert alert_audience.with_preferences(None, NIGHT) == alert_audience.WithPreferences(
            0, 0, 0
        ), "nobody agreed to offers"

    def test_and_told(
        self, story: Story, readers: list[Reader], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(timezone, "now", lambda: NIGHT)
        told = found(story, readers=6)["Quiet hours and pauses"]
        assert told.state == LOOK
        assert (
            told.words
            == "2 readers have quiet hours now and get it when they are over; 1 reader has paused."
        )
        assert told.remedy == "1 of them lets a flash through."
        assert state(story, "Quiet hours and pauses", readers=31) == OK, "fewer than one of ten"
        assert "Quiet hours and pauses" not in found(story, "recipients")

    def test_without_looking_at_all_the_others(self, story: Story, readers: list[Reader]) -> None:
        with CaptureQueriesContext(connection) as queries:
            alert_audience.with_preferences(story.topic, NIGHT)
        looked = next(one["sql"] for one in queries if "quiet_from" in one["sql"])
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL enable_seqscan = off")  # it is a small table here
            cursor.execute(
                ("EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN ")
                + looked
            )
            assert "particular_readers" in str(cursor.fetchall())


def test_it_speaks_german(story: Story) -> None:
    story.headline = "h" * 71
    english = found(story)
    with translation.override("de"):
        german = found(story)
    assert not english.keys() & german.keys()
    assert "71 Zeichen" in [item.words for item in german.values()]
