"""Actions on images: add one, link images to the updates that show them, delete unused ones.

Invariant: an image's files are on disk before its row is in the database.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.stories import markdown
from morefollows.stories.images import storing
from morefollows.stories.images.address import Picture
from morefollows.stories.models import Image, Story, Update


def add(file: bytes, editor: Editor) -> Picture:
    """Stores an image file and returns its widest size. Raises `ValidationError`.

    Adding the same picture again returns the same image and restarts its time to live.
    """
    picture, size = storing.store_image(file)
    with transaction.atomic():
        image, made = Image.objects.select_for_update().get_or_create(
            name=picture.name,
            defaults={
                "width": picture.width,
                "height": picture.height,
                "extension": picture.extension,
                "size": size,
                "added_by": editor,
            },
        )
        if not made:
            image.added_at = timezone.now()  # `delete_unused` counts from here
            image.save(update_fields=["added_at"])
        if storing.picture_size(picture) is None:  # `delete_unused` was first to have the lock
            storing.store_image(file)
    return picture


def hold_on_to(update: Update) -> None:
    """Links the images that an update shows. Called in the transaction that freezes it."""
    names = {shown.picture.name for shown in markdown.images(update.text)}
    update.images.set(Image.objects.filter(name__in=names))


def unused_images() -> QuerySet[Image]:
    """Returns the images that `delete_unused` deletes, unless they are used at that moment."""
    before = timezone.now() - timedelta(days=settings.MOREFOLLOWS.image_days)
    shown = Story.objects.filter(text__contains=OuterRef("name"))
    return Image.objects.filter(~Exists(shown), added_at__lt=before, updates=None)


def delete_unused() -> int:
    """Deletes images older than `MOREFOLLOWS_IMAGE_DAYS` that no update and no draft shows.

    Returns how many. Called by housekeeping.
    """
    before = timezone.now() - timedelta(days=settings.MOREFOLLOWS.image_days)
    deleted_count = 0
    for image in unused_images():
        with transaction.atomic():
            # Checked again under the lock: it may be added again, or its story sent, meanwhile.
            locked = (
                Image.objects.select_for_update().filter(pk=image.pk, added_at__lt=before).first()
            )
            if (
                locked is None
                or locked.updates.exists()
                or Story.objects.filter(text__contains=image.name).exists()
            ):
                continue
            storing.delete_files(of(locked))
            locked.delete()
            deleted_count += 1
    return deleted_count


def of(image: Image) -> Picture:
    """The image's widest stored size."""
    return Picture(image.name, image.width, image.height, image.extension)
