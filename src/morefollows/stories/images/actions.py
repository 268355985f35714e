"""What changes the images that are kept: adding one, noting which updates show it, clearing away what nothing shows."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.stories import markdown
from morefollows.stories.images import files
from morefollows.stories.images.address import Picture
from morefollows.stories.models import Image, Story, Update


def add(file: bytes, editor: Editor) -> Picture:
    """Keeps what an image file shows. The same picture again is the same image. Raises `ValidationError`.

    It is on disk before the database knows of it: what the database knows can be shown.
    """
    picture, size = files.keep(file)
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
            image.added_at = timezone.now()  # its days begin again
            image.save(update_fields=["added_at"])
        if not files.path(picture).exists():  # it was being cleared away when we came
            files.keep(file)
    return picture


def hold_on_to(update: Update) -> None:
    """Notes which images an update shows. Called in the transaction that freezes it."""
    names = {shown.picture.name for shown in markdown.images(update.text)}
    update.images.set(Image.objects.filter(name__in=names))


def clear_away() -> int:
    """Deletes what was added `MOREFOLLOWS_IMAGE_DAYS` ago, and stands in no update and no draft. Returns how many."""
    before = timezone.now() - timedelta(days=settings.MOREFOLLOWS.image_days)
    gone = 0
    for image in Image.objects.filter(added_at__lt=before, updates=None):
        with transaction.atomic():
            # Locked, and looked at once more: it may be added again at this moment, or its story be sent.
            locked = (
                Image.objects.select_for_update().filter(pk=image.pk, added_at__lt=before).first()
            )
            if (
                locked is None
                or locked.updates.exists()
                or Story.objects.filter(text__contains=image.name).exists()
            ):
                continue
            files.remove(of(locked))
            locked.delete()
            gone += 1
    return gone


def of(image: Image) -> Picture:
    """The widest that is kept of it."""
    return Picture(image.name, image.width, image.height, image.extension)
