"""Updates as IPTC ninjs 3.0, for import into other newsrooms' systems."""

from __future__ import annotations

from typing import Any

from morefollows.audience.models import Newsroom
from morefollows.live import published, rendering_cache
from morefollows.live.feeds import entries
from morefollows.stories.images import figure
from morefollows.stories.images.figure import PlacedImage
from morefollows.stories.models import Story, Update

_STANDARD = {
    "name": "ninjs",
    "version": "3.0",
    "schema": "https://www.iptc.org/std/ninjs/ninjs-schema_3.0.json",
}


def item(story: Story, update: Update) -> dict[str, Any]:
    """The ninjs object of a story. Each update is a version of it.

    A withdrawn story has `pubStatus` canceled and no content. `edNote` is not written, because it
    is internal to a newsroom.
    """
    newsroom = Newsroom.objects.get(pk=1)
    updates = published.updates(story)
    withdrawn = published.is_withdrawn(story)
    version = updates[0] if withdrawn else update
    fields: dict[str, Any] = {
        "standard": _STANDARD,
        "uri": entries.story_id(story),
        "type": "text",
        "representationType": "full",
        "version": str(version.number),
        "firstCreated": _rfc3339(updates[-1]),
        "versionCreated": _rfc3339(version),
        "pubStatus": "canceled" if withdrawn else "usable",
        "language": version.language,
        "copyrightHolder": newsroom.name,
        "infoSources": [{"name": newsroom.name, "role": "publisher"}],
        "altIds": [{"role": "web page", "value": entries.story_address(story)}],
    }
    return fields if withdrawn else fields | _content(update)


def _content(update: Update) -> dict[str, Any]:
    html, text = (
        str(rendering_cache.cached_html(update.text)),
        rendering_cache.cached_text(update.text),
    )
    content: dict[str, Any] = {
        "headlines": [{"role": "main", "contentType": "text/plain", "value": update.headline}],
        "bodies": [
            {"role": "main", "contentType": "text/html", "value": html},
            {
                "role": "main",
                "contentType": "text/plain",
                "wordCount": len(text.split()),
                "value": text,
            },
        ],
    }
    if update.standfirst:
        content["descriptions"] = [
            {"role": "standfirst", "contentType": "text/plain", "value": update.standfirst}
        ]
    if update.kind != Update.Kind.FIRST:
        content["genres"] = [{"name": str(update.get_kind_display()), "literal": update.kind}]
    if images := rendering_cache.cached_images(update.text):
        content["associations"] = [
            _picture(number, shown, update) for number, shown in enumerate(images, 1)
        ]
    return content


def _picture(number: int, shown: PlacedImage, update: Update) -> dict[str, Any]:
    descriptions = [{"role": "alternative text", "contentType": "text/plain", "value": shown.alt}]
    if shown.caption:
        descriptions.append(
            {"role": "caption", "contentType": "text/plain", "value": shown.caption}
        )
    picture = {
        "name": f"image {number}",
        "uri": figure.link(shown.picture),
        "type": "picture",
        "pubStatus": "usable",
        "language": update.language,
        "descriptions": descriptions,
        "renditions": [
            {
                "name": f"{size.width} pixels wide",
                "href": figure.link(size),
                "contentType": size.content_type,
                "width": size.width,
                "height": size.height,
            }
            for size in shown.picture.sizes()
        ],
    }
    return picture | ({"by": shown.credit} if shown.credit else {})


def _rfc3339(update: Update) -> str:
    return update.published_at.isoformat() if update.published_at else ""
