"""Fetches the images of items that became drafts, and adds them with their rights.

The draft does not wait for them. They are stored as an editor's are, so that no reader's mail
program asks another's server.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from morefollows.ingest.drafts import item_drafts
from morefollows.ingest.drafts.item_drafts import NotDrafted
from morefollows.ingest.item import ItemImage, NewsItem
from morefollows.ingest.item_json import item_from_json
from morefollows.ingest.models import ReceivedItem
from morefollows.ingest.sources.fetching import FetchLimits, NotFetched, fetch
from morefollows.stories import checks
from morefollows.stories.images import actions as image_actions
from morefollows.stories.images import figure

log = logging.getLogger(__name__)

_MOST = 5  # images of one item
_MOST_OCTETS = 20 * 1024 * 1024
_AGAIN = timedelta(minutes=2)
_GIVEN_UP = timedelta(minutes=30)


def wanted(item: NewsItem) -> list[ItemImage]:
    """The item's images that can be shown: an image needs words for those who can't see it."""
    return [
        one
        for one in item.images
        if one.url.startswith(("https://", "http://")) and (one.alt.strip() or one.caption.strip())
    ][:_MOST]


def rows_due(limit: int = 10) -> list[ReceivedItem]:
    """Items whose images are to be fetched now."""
    due = ReceivedItem.objects.filter(images_due_at__lte=timezone.now(), draft__isnull=False)
    return list(due.select_related("source__account", "draft").defer("raw")[:limit])


async def fetch_images(row: ReceivedItem, *, inside: bool) -> list[tuple[ItemImage, bytes]]:
    """Fetches the item's images, beside each other. Those that can't be fetched are left out."""

    async def one(image: ItemImage) -> tuple[ItemImage, bytes] | None:
        try:
            response = await fetch(image.url, FetchLimits(inside, _MOST_OCTETS))
        except NotFetched as error:
            log.warning("an image of item %d can't be fetched: %s", row.pk, error)
            return None
        if response.status != 200:
            log.warning("an image of item %d can't be fetched: %d", row.pk, response.status)
            return None
        return image, response.body

    found = await asyncio.gather(*(one(image) for image in wanted(item_from_json(row.item))))
    return [image for image in found if image is not None]


def add_images(row: ReceivedItem, fetched: list[tuple[ItemImage, bytes]]) -> None:
    """Stores the images, and adds them to the item's draft. Doing it again changes nothing.

    What is missing is fetched again for half an hour, and then given up.
    """
    figures = [text for image, octets in fetched if (text := _figure(row, image, octets))]
    complete = len(fetched) == len(wanted(item_from_json(row.item)))
    again = not complete and timezone.now() < row.received_at + _GIVEN_UP
    with transaction.atomic():
        try:
            with transaction.atomic():
                item_drafts.add_figures(row, figures)
        except NotDrafted as error:
            log.info("the images of item %d are not added: %s", row.pk, error)
            again = error.later
        due_at = timezone.now() + _AGAIN if again else None
        ReceivedItem.objects.filter(pk=row.pk).update(images_due_at=due_at)


def _figure(row: ReceivedItem, image: ItemImage, octets: bytes) -> str:
    """Stores the image; returns its Markdown, "" if it can't be used."""
    try:
        picture = image_actions.add(octets, row.source.account)
    except ValidationError as error:
        log.warning("an image of item %d can't be used: %s", row.pk, " ".join(error.messages))
        return ""
    line = item_drafts.fit_line
    return figure.markdown(
        picture,
        line(image.alt or image.caption, checks.ALT_LIMIT),
        line(image.caption, checks.CAPTION_LIMIT).replace("|", "/") if image.alt else "",
        line(image.rights, checks.CREDIT_LIMIT).replace("|", "/"),
    )
