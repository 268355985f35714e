"""Images of items, over HTTP: fetched with their rights kept, and never from our own networks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from morefollows.audience.models import Topic
from morefollows.ingest.drafts import images
from morefollows.ingest.item import ItemImage, NewsItem
from morefollows.ingest.models import ReceivedItem
from morefollows.ingest.pipeline import ArrivedItem, decide_waiting, receive_items
from morefollows.ingest.sources.actions import add_source
from morefollows.stories.models import Image
from tests.api.test_administration import picture
from tests.ingest.test_sources import Publisher, publisher

__all__ = ["publisher"]  # a fixture

TEXT = "Six people are missing after a ship hit the harbour bridge, the coastguard said."


@pytest.fixture
def server(publisher: Publisher) -> Iterator[Publisher]:
    publisher.answers["/a.png"] = (200, {"Content-Type": "image/png"}, picture())
    publisher.answers["/moved.png"] = (302, {"Location": f"{publisher.url}/a.png"}, b"")
    publisher.answers["/large.png"] = (200, {"Content-Type": "image/png"}, b"x" * 21_000_000)
    publisher.answers["/no.png"] = (200, {"Content-Type": "image/png"}, b"<svg onload='x()'/>")
    yield publisher


def received(breaking: Topic, *found: ItemImage) -> ReceivedItem:
    source = add_source("Wire", "push", by=None, topic=breaking)
    item = NewsItem("Ship hits bridge", TEXT, id="urn:1", language="en", images=found)
    receive_items(source, [ArrivedItem(item, b"raw")], "push")
    decide_waiting()
    return images.rows_due()[0]


def image(server: Publisher, path: str = "/a.png") -> ItemImage:
    rights = "Ann Hale / Reuters | all rights reserved"
    return ItemImage(f"{server.url}{path}", "The broken span", "On Saturday", rights)


def test_an_image_is_fetched_and_keeps_its_rights(server: Publisher, breaking: Topic) -> None:
    row = received(breaking, image(server), image(server, "/moved.png"))
    for _time in range(2):  # as after a kill between the two transactions
        images.add_images(row, asyncio.run(images.fetch_images(row, inside=True)))
    assert row.draft is not None
    row.draft.refresh_from_db()
    assert Image.objects.count() == 1  # the same octets twice
    assert "![The broken span]" in row.draft.text
    assert "Ann Hale / Reuters / all rights reserved" in row.draft.text
    assert row.draft.text.startswith(TEXT) and server.url not in row.draft.text
    assert not images.rows_due()


def test_no_image_of_our_own_networks_is_fetched(server: Publisher, breaking: Topic) -> None:
    row = received(breaking, image(server))
    assert asyncio.run(images.fetch_images(row, inside=False)) == []
    assert server.asked == []


def test_what_is_no_image_or_too_large_is_left_out(server: Publisher, breaking: Topic) -> None:
    row = received(breaking, image(server, "/large.png"), image(server, "/no.png"), image(server))
    images.add_images(row, asyncio.run(images.fetch_images(row, inside=True)))
    assert row.draft is not None
    row.draft.refresh_from_db()
    assert row.draft.text.count("![") == 1 and Image.objects.count() == 1
