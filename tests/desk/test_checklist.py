"""The checklist before Send: what Ada is told of the mail, of its readers, and of what was sent just now."""

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
from morefollows.audience.models import Purpose, Reader, Topic
from morefollows.bulletin import actions, audience
from morefollows.bulletin.models import Alert, Interest, Kind, Story
from morefollows.courier import mails
from morefollows.courier.checklist import LOOK, OK, WRONG, Item, contrast, items
from tests.support.people import reader

NIGHT = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)


def found(story: Story, to: str = "topic", readers: int = 100) -> dict[str, Item]:
    return {item.name: item for item in items.items(story, mails.preview(story), to, readers)}


def state(story: Story, name: str, to: str = "topic", readers: int = 100) -> str:
    return found(story, to, readers)[name].state


def test_a_good_mail_has_nothing_to_look_at(ada_at_desk: Client, story: Story, cy: Reader) -> None:
    assert {item.state for item in found(story).values()} == {OK}
    page = ada_at_desk.get(reverse("story-check", args=(story.uuid,))).content.decode()
    assert "7 points are fine" in page
    assert page.index("Checklist") < page.index('id="send"')


def test_nothing_in_it_stops_anybody(ada_at_desk: Client, story: Story, cy: Reader) -> None:
    story.headline, story.standfirst, story.text = "w" * 120, "w" * 120, "So it is. " * 4900
    story.save()
    page = ada_at_desk.get(reverse("story-check", args=(story.uuid,))).content.decode()
    assert "</span> Look</span>" in page, "the state in words, not in colour alone"
    assert 'id="send"' in page
    assert ada_at_desk.post(reverse("story-send", args=(story.uuid,)), {"revision": story.revision}).status_code == 302
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
        ("", "", WRONG),
    ],
)
def test_the_preheader_is_not_the_headline_again(story: Story, standfirst: str, text: str, expected: str) -> None:
    story.standfirst, story.text = standfirst, text
    assert state(story, "Preheader") == expected


def test_a_mail_that_would_be_cut_off(story: Story) -> None:
    preview = mails.preview(story)
    for size, expected in ((80 * 1024, OK), (80 * 1024 + 1, LOOK), (102 * 1024, WRONG)):
        sized = mails.Preview(**{**vars(preview), "size": size})
        assert next(one.state for one in items.items(story, sized, "topic", 1) if "Size" in one.name) == expected


def test_pictures_without_words(story: Story) -> None:
    picture = f"/images/{'0' * 32}-1200x800.jpg"
    story.text = f"It is closed.\n\n![Tugs at the pier]({picture})\n\n![]({picture})"
    alternatives = found(story)["Alternative texts"]
    assert alternatives.state == WRONG
    assert alternatives.words == "1 picture has none"
    story.text = f"It is closed.\n\n![Tugs at the pier]({picture})"
    assert found(story)["Alternative texts"].words == "1 picture has one"


class TestContrast:
    @pytest.mark.parametrize("kind", [Kind.FIRST, Kind.UPDATE, Kind.CORRECTION, Kind.FINAL])
    @pytest.mark.parametrize("drill", [False, True])
    def test_every_mail_can_be_read_by_day_and_by_night(self, story: Story, kind: str, drill: bool) -> None:
        story.kind, story.note, story.drill = kind, "It was the second pier.", drill
        html = mails.preview(story).html
        for dark in (False, True):
            assert contrast.weakest(html, dark=dark).ratio >= contrast.ENOUGH
        assert contrast.weakest(html, dark=True) != contrast.weakest(html, dark=False)

    def test_so_can_an_offer(self, story: Story) -> None:
        story.topic, story.purpose = None, Purpose.OFFERS
        for dark in (False, True):
            assert contrast.weakest(mails.preview(story).html, dark=dark).ratio >= contrast.ENOUGH

    @pytest.mark.parametrize(
        ("html", "light", "dark"),
        [
            ("<p>Black on white</p>", 21, 18.7),
            ('<div style="background:#777;color:#777"><p>Seen by nobody</p></div>', 1, 1),
            ('<div style="background-color:#000"><a style="color:#767676">Grey <b>and bold</b></a></div>', 4.6, 4.6),
            ('<p style="display:none;color:#fff">Hidden</p><p style="color:#767676">Grey</p>', 4.5, 4.1),
            ('<p class="mf-a" style="color:#000">By its class</p>', 21, 11.7),
            ('<td class="mf-b" style="background-color:#fff"><i>Below it</i></td>', 21, 21),
            ('<td class="mf-c"><p><i>Somewhere below it</i></p></td>', 21, 1.2),
        ],
    )
    def test_it_knows_which_colours_are_in_force(self, html: str, light: float, dark: float) -> None:
        sheet = (
            "<style>@media (prefers-color-scheme: dark) { .mf-a, .no { color: #ccc !important; }"
            " .mf-b > i { color: #fff !important; } .mf-b { background: #000 !important; }"
            " .mf-c > i { color: #121212 !important; } .mf-c i { color: #222 !important; } }</style>"
        )
        page = f"<html><head>{sheet}</head><body>{html}</body></html>"
        assert round(contrast.weakest(page, dark=False).ratio, 1) == pytest.approx(light, abs=0.06)
        assert round(contrast.weakest(page, dark=True).ratio, 1) == pytest.approx(dark, abs=0.06)

    def test_a_colour_that_it_does_not_know_is_not_passed_over(self) -> None:
        with pytest.raises(ValueError, match="tomato"):
            contrast.weakest('<p style="color:tomato">Red</p>', dark=False)


def test_how_long_ago_the_last_alert_was(story: Story, ada: Editor) -> None:
    name = "Last alert on this topic"
    assert found(story)[name].words == "There was none yet."
    before = Story.objects.create(headline="Ferry adrift", text="It is.", topic=story.topic, author=ada)
    alert = actions.send(before, ada, revision=before.revision, alone_reason="night shift")
    assert found(story)[name] == Item(
        name, LOOK, "One is about to be sent: “Ferry adrift”", "See that readers don’t get the same news twice."
    )
    held = int(time.time() * 1000) - 4 * 60_000 - 1000
    Alert.objects.filter(pk=alert.pk).update(held_until=held, state=Alert.State.SENT)
    assert found(story)[name].words == "4 minutes ago: “Ferry adrift”"
    assert state(story, name) == LOOK
    story.kind = Kind.CORRECTION
    assert state(story, name) == OK, "what puts it right can’t be too soon"
    story.kind = Kind.FIRST
    Alert.objects.filter(pk=alert.pk).update(held_until=held - 1_800_000)
    assert state(story, name) == OK
    Alert.objects.filter(pk=alert.pk).update(audience=Alert.Audience.PAGE)
    assert found(story)[name].words == "There was none yet."
    story.drill = True
    assert name not in found(story, "drill")


class TestReadersOnTheirTerms:
    @pytest.fixture
    def readers(self, breaking: Topic, story: Story) -> list[Reader]:
        made = [reader(f"r{number}@reader.example", breaking) for number in range(6)]
        night = {"particular": True, "quiet_from": 22 * 60, "quiet_to": 7 * 60}
        chosen = [
            night,
            {**night, "flash_passes": True},
            {**night, "time_zone": "Asia/Tokyo"},
            {**night, "paused_until": NIGHT + timedelta(days=1)},
            {"particular": True, "paused_until": NIGHT - timedelta(days=1)},
        ]
        for one, fields in zip(made, chosen, strict=False):
            Reader.objects.filter(pk=one.pk).update(**fields)
        return made

    def test_they_are_counted_in_one_look(self, story: Story, readers: list[Reader]) -> None:
        with CaptureQueriesContext(connection) as queries:
            counted = audience.on_their_terms(story.topic, NIGHT)
        assert counted == audience.OnTheirTerms(quiet=2, flash=1, paused=1)
        assert len(queries) == 2, "the newsroom’s time zone, and the readers"
        noon = NIGHT + timedelta(hours=11)
        assert audience.on_their_terms(story.topic, noon) == audience.OnTheirTerms(quiet=0, flash=0, paused=1)
        Interest.objects.create(reader=readers[1], story=story, wish="follow", at=NIGHT)
        assert audience.on_their_terms(story.topic, NIGHT, story) == audience.OnTheirTerms(quiet=1, flash=1, paused=0)
        assert audience.on_their_terms(None, NIGHT) == audience.OnTheirTerms(0, 0, 0), "nobody agreed to offers"

    def test_and_told(self, story: Story, readers: list[Reader], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(timezone, "now", lambda: NIGHT)
        told = found(story, readers=6)["Quiet hours and pauses"]
        assert told.state == LOOK
        assert told.words == "2 readers have quiet hours now and get it when they are over; 1 reader has paused."
        assert told.remedy == "1 of them lets a flash through."
        assert state(story, "Quiet hours and pauses", readers=31) == OK, "fewer than one of ten"
        assert "Quiet hours and pauses" not in found(story, "recipients")

    def test_without_looking_at_all_the_others(self, story: Story, readers: list[Reader]) -> None:
        with CaptureQueriesContext(connection) as queries:
            audience.on_their_terms(story.topic, NIGHT)
        looked = next(one["sql"] for one in queries if "quiet_from" in one["sql"])
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET LOCAL enable_seqscan = off")  # it is a small table here
            cursor.execute(("EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN ") + looked)
            assert "particular_readers" in str(cursor.fetchall())


def test_it_speaks_german(story: Story) -> None:
    story.headline = "h" * 71
    english = found(story)
    with translation.override("de"):
        german = found(story)
    assert not english.keys() & german.keys()
    assert "71 Zeichen" in [item.words for item in german.values()]
