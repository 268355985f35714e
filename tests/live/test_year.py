"""The cost of public pages after a year of stories, by query plans and counts, not time."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.models import Topic
from morefollows.live import published, rendering_cache
from morefollows.stories import markdown
from morefollows.stories.models import Story
from tests.live.support import publish
from tests.support import query_plans, year

PAGES = (
    "/",
    "/topic/breaking/feed.atom",
    "/topic/breaking/feed.rss",
    "/topic/breaking/feed.json",
    "/sitemap-news.xml",
)
BIG = ("stories_story", "stories_update")


@pytest.fixture
def topics(breaking: Topic) -> list[Topic]:
    return [breaking, Topic.objects.create(slug="sport", name="Sport")]


@pytest.fixture(autouse=True)
def nothing_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        rendering_cache, "_cache", rendering_cache.RenderingCache(rendering_cache._MOST)
    )


@pytest.fixture
def renderings(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each text is made into HTML."""
    counted: Counter[str] = Counter()
    to_html = markdown.to_html

    def count(text: str, **options: bool) -> object:
        counted[text] += 1
        return to_html(text, **options)

    monkeypatch.setattr(markdown, "to_html", count)
    return counted


def ask(page: str) -> bytes:
    answer = Client().get(page)
    assert answer.status_code == 200
    return bytes(answer.content)


def test_no_public_page_reads_all_stories(topics: list[Topic], ada: Editor) -> None:
    made = year.stories(1_000, topics, ada)
    year.analyze()
    pages = [*PAGES, f"/story/{made[-1].uuid}/", f"/story/{made[-1].uuid}/feed.atom"]
    for page in pages:
        with query_plans.watch() as watched:
            ask(page)
        assert watched.queries and watched.scans(BIG) == [], page


@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts the steps of SQLite")
def test_four_times_the_stories_cost_no_more(topics: list[Topic], ada: Editor) -> None:
    costs: list[dict[str, int]] = []
    for more in (500, 1_500):
        year.stories(more, topics, ada)
        year.analyze()
        costs.append({})
        for page in PAGES:
            ask(page)
            with query_plans.steps() as taken:
                ask(page)
            costs[-1][page] = taken[0]
    few, many = costs
    for page in PAGES:
        assert many[page] <= 1.5 * few[page] + 20, (page, few[page], many[page])


def test_a_text_is_rendered_once_a_revision(
    topics: list[Topic], ada: Editor, story: Story, renderings: Counter[str]
) -> None:
    year.stories(30, topics, ada)
    publish(story, "first", text="What we know.")
    pages = [
        *PAGES,
        f"/story/{story.uuid}/",
        f"/story/{story.uuid}/feed.json",
        f"/story/{story.uuid}/live.json",
    ]
    for _ in range(3):
        for page in pages:
            ask(page)
    assert renderings and max(renderings.values()) <= 2, (
        "once with its first image at once, once not"
    )
    before = Counter(renderings)
    publish(story, text="What is new.")
    assert b"What is new." in ask("/topic/breaking/feed.atom")
    assert renderings - before == Counter({"What is new.": 1})


def test_what_is_kept_of_texts_has_a_bound() -> None:
    cache = rendering_cache.RenderingCache(1_000)
    made: list[str] = []

    def make(text: str) -> str:
        made.append(text)
        return text

    for number in range(10):
        text = f"{number}" * 100
        assert cache.get(text, 100, lambda text=text: make(text)) == text  # type: ignore[misc]
    assert cache._size == 1_000 and len(cache._kept) == 5
    cache.get("5" * 100, 100, lambda: make("again"))
    cache.get("x" * 5_000, 5_000, lambda: make("large"))
    cache.get("4" * 100, 100, lambda: make("4" * 100))
    assert made[10:] == ["large", "4" * 100] and cache._size <= 1_000


def test_the_latest_are_those_told_last_each_once(topics: list[Topic], ada: Editor) -> None:
    made = year.stories(40, topics, ada, updates=30)
    first = Story.objects.get(pk=made[0].pk)
    publish(first)
    Story.objects.filter(pk=made[-1].pk).update(embargo_until=timezone.now() + timedelta(1))
    Story.objects.filter(pk=made[-2].pk).update(state=Story.State.DRAFT)
    found = published.latest(5)
    assert [story.pk for story in found] == [made[0].pk, *(one.pk for one in reversed(made[-6:-2]))]
    assert [len(published.updates(story)) for story in found] == [31, 30, 30, 30, 30]
    sport = published.latest(100, topic=topics[1])
    assert len(sport) == 19 and {story.topic_id for story in sport} == {topics[1].pk}
    with query_plans.watch() as watched:
        assert found[1].published_updates[0].text  # type: ignore[attr-defined]
    assert watched.queries == [], "the newest update's text is at hand"
