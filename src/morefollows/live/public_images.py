"""Which images anybody may see.

Invariant: those are public that a published update shows, and no others.
"""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from morefollows.live.published import published_updates
from morefollows.stories.images.address import Picture
from morefollows.stories.models import Image, Story, Update


def is_public_image(picture: Picture) -> bool:
    """Whether a published update shows the image, in a drill or offer, too.

    Not if the story is under embargo or withdrawn. A notice of withdrawal may show images.
    """
    taken_back = Q(story__state=Story.State.WITHDRAWN) & ~Q(kind=Update.Kind.WITHDRAWAL)
    shown = published_updates().exclude(taken_back).exclude(story__embargo_until__gt=timezone.now())
    known = Image.objects.filter(name=picture.name, extension=picture.extension)
    found = known.filter(Exists(shown.filter(images=OuterRef("pk")))).first()
    return (
        found is not None
        and picture in Picture(found.name, found.width, found.height, found.extension).sizes()
    )
