"""The image files of a backup: from the data folder or the bucket, and back into either."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from morefollows.stories.images import address
from morefollows.stories.images.folder_or_bucket import picture_store

FOLDER = "images"  #: in the archive


def stored_images() -> Iterator[tuple[str, int]]:
    """Yields the name in the archive and the octets of each image file. Raises `OSError`.

    None of them ever changes; one may be deleted meanwhile.
    """
    for name, size in sorted(picture_store().names()):
        part, _, file = name.partition("/")
        picture = address.parse_picture(f"/{FOLDER}/{file}")
        if picture is not None and picture.name[:2] == part:
            yield f"{FOLDER}/{name}", size


def image_content(name: str) -> bytes | None:
    """Returns an image file by its name in the archive; None if it is gone. Raises `OSError`."""
    return picture_store().read(name.removeprefix(f"{FOLDER}/"))


def add_missing_images(source: Path) -> int:
    """Adds the images that are missing here; one of the same name is the same. Raises `OSError`.

    `source`: the folder with the images of an unpacked backup, which may be moved. Returns how many
    were added.
    """
    store, added = picture_store(), 0
    for file in source.glob("*/*"):
        name = f"{file.parent.name}/{file.name}"
        if store.size(name) is None:
            store.write(name, file)
            added += 1
    return added
