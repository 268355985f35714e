"""The warning about a similar alert: misses, false warnings, and the desk's page."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.models import Reader
from morefollows.stories import actions
from morefollows.stories.alerts import hold_actions
from morefollows.stories.drafts.similar_alerts import (
    THRESHOLD,
    WITHIN,
    most_resembling,
    resemblance,
)
from morefollows.stories.models import Alert, Story

WARNING = "Possible duplicate"


def test_its_rates_on_a_set_of_headlines() -> None:
    """Invented headlines in English and German: the same news by two editors, and other news."""
    lines = Path(__file__).with_name("headlines.tsv").read_text(encoding="utf-8").splitlines()
    news = [line.split("\t") for line in lines]
    missed, in_vain, same, other = [], [], 0, 0
    for (key, *one), (other_key, *two) in combinations(news, 2):
        warned = resemblance(one[0], one[1], two[0], two[1]) >= THRESHOLD
        assert warned == (resemblance(two[0], two[1], one[0], one[1]) >= THRESHOLD)
        if key == other_key != "-":
            same += 1
            if not warned:
                missed.append((one[0], two[0]))
        else:
            other += 1
            if warned:
                in_vain.append((one[0], two[0]))
    assert (len(news), same, other) == (64, 13, 2003)
    assert (len(missed), len(in_vain)) == (1, 1), (missed, in_vain)


def test_words_not_letters_or_stop_words() -> None:
    assert resemblance("FLOOD in Ålesund!", "", "Flood: Alesund", "") == 1
    assert resemblance("Was it for them?", "", "It was not.", "") == 0
    assert resemblance("?", "", "?", "") == 0


def sent(story: Story, editor: Editor, headline: str) -> Alert:
    other = Story.objects.create(headline=headline, text="t", topic=story.topic, author=editor)
    return actions.send(other, editor, alone_reason="Night shift")


@pytest.mark.django_db
def test_the_desk_shows_both(ada_at_desk: Client, story: Story, ada: Editor, cy: Reader) -> None:
    check = reverse("story-check", args=(story.uuid,))
    sent(story, ada, "Rovers win cup after penalties")
    assert WARNING not in ada_at_desk.get(check).content.decode()
    alert = sent(story, ada, f"{story.headline} <today>")
    page = ada_at_desk.get(check).content.decode()
    assert WARNING in page
    assert f"{story.headline} &lt;today&gt;”</a>" in page
    assert reverse("alert", args=(alert.uuid,)) in page


@pytest.mark.django_db
def test_only_what_was_sent_to_the_same_readers(story: Story, ada: Editor, cy: Reader) -> None:
    alert = sent(story, ada, story.headline)
    assert most_resembling(story) == (alert, 1)
    story.drill = True
    assert most_resembling(story) is None, "a drill is no news"
    story.drill = False
    Alert.objects.update(frozen_at=timezone.now() - WITHIN - timedelta(seconds=1))
    assert most_resembling(story) is None, "that was yesterday"
    again = sent(story, ada, story.headline)
    hold_actions.take_back(again, ada)
    assert most_resembling(story) is None, "nobody was sent it"
    own = actions.send(story, ada, alone_reason="Night shift")
    assert most_resembling(story) is None, f"{own} is its own"
