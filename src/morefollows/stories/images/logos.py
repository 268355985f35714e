"""Takes the newsroom's logo from a file, through the same process as images of stories."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from morefollows.stories.images.storing import store_image

MOST_BYTES = 1_000_000  #: of the file


def store_logo(file: bytes) -> str:
    """Stores a logo, and returns its path on the web. Raises `ValidationError` with a text.

    The smallest stored size is used: 600 pixels wide at the most, which is enough for fine screens.
    """
    if len(file) > MOST_BYTES:
        raise ValidationError(_("A logo may have 1 MB at the most."))
    return store_image(file).picture.sizes()[0].path
