"""A story's metadata for search engines and social networks: schema.org in JSON-LD."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe

from morefollows.audience.models import Newsroom
from morefollows.live import published, rendering_cache
from morefollows.live.feeds import entries
from morefollows.stories.images import figure
from morefollows.stories.images.figure import PlacedImage
from morefollows.stories.models import Story, Update

_HEADLINE = 110  # characters; search engines cut longer headlines
# “</script>” or “<!--” in a text would change where the element ends (WHATWG HTML §4.12.1.3).
# U+2028 and U+2029 ended lines in JavaScript before ES2019.
_ESCAPES = {
    ord("<"): "\\u003c",
    ord(">"): "\\u003e",
    ord("&"): "\\u0026",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


class Card(NamedTuple):
    """The preview image of links to a story (Open Graph)."""

    address: str
    width: int
    height: int
    alt: str


def card(story: Story) -> Card:
    """The story's newest image; without one the newsroom's own, with 1200 × 630 pixels."""
    newest = next(_images(story), None)
    if newest is not None:
        return Card(
            figure.link(newest.picture), newest.picture.width, newest.picture.height, newest.alt
        )
    return Card(_own_card(), 1200, 630, Newsroom.objects.get(pk=1).name)


def _own_card() -> str:
    return entries.absolute(static("morefollows/card.png"))


def _images(story: Story) -> Iterator[PlacedImage]:
    """The public images of a story, the newest update's first."""
    for update in published.updates(story):
        # Of a withdrawn story, only what the withdrawal itself shows is public.
        if not published.is_withdrawn(story) or update.kind == Update.Kind.WITHDRAWAL:
            yield from rendering_cache.cached_images(update.text)


def json_ld(story: Story) -> SafeString:
    """NewsArticle, and LiveBlogPosting with every update; "" if the story is withdrawn.

    The result is escaped for a script element.
    """
    if published.is_withdrawn(story):
        return SafeString("")
    newsroom = Newsroom.objects.get(pk=1)
    graph = [_article(story, newsroom), _live_blog(story, newsroom)]
    text = json.dumps({"@context": "https://schema.org", "@graph": graph}, ensure_ascii=False)
    return mark_safe(text.translate(_ESCAPES))  # noqa: S308 - escaped above


def _article(story: Story, newsroom: Newsroom) -> dict[str, Any]:
    updates = published.updates(story)
    article = {
        "@type": "NewsArticle",
        "@id": f"{entries.story_address(story)}#article",
        **_common(story, newsroom),
        "articleSection": story.topic.name if story.topic else "",
        "articleBody": "\n\n".join(rendering_cache.cached_text(update.text) for update in updates),
    }
    corrections = [
        _correction(update) for update in updates if update.kind == Update.Kind.CORRECTION
    ]
    return article | ({"correction": corrections} if corrections else {})


def _live_blog(story: Story, newsroom: Newsroom) -> dict[str, Any]:
    updates = published.updates(story)
    blog = {
        "@type": "LiveBlogPosting",
        "@id": f"{entries.story_address(story)}#live",
        **_common(story, newsroom),
        # The newest update comes first.
        "coverageStartTime": _iso(updates[-1]),
        "liveBlogUpdate": [_posting(story, update, newsroom) for update in updates],
    }
    return blog if published.is_open(story) else blog | {"coverageEndTime": _iso(updates[0])}


def _common(story: Story, newsroom: Newsroom) -> dict[str, Any]:
    updates = published.updates(story)
    return {
        "headline": updates[0].headline[:_HEADLINE],
        "description": updates[0].standfirst or updates[0].headline,
        "url": entries.story_address(story),
        "mainEntityOfPage": entries.story_address(story),
        "inLanguage": updates[0].language,
        "image": [_image(shown) for shown in _images(story)] or [_own_card()],
        "datePublished": _iso(updates[-1]),
        "dateModified": _iso(updates[0]),
        "author": [_publisher(newsroom)],
        "publisher": _publisher(newsroom),
    }


def _posting(story: Story, update: Update, newsroom: Newsroom) -> dict[str, Any]:
    address = f"{entries.story_address(story)}#update-{update.number}"
    images = [_image(shown) for shown in rendering_cache.cached_images(update.text)]
    return {
        "@type": "BlogPosting",
        "@id": address,
        "url": address,
        "headline": update.headline[:_HEADLINE],
        "articleBody": rendering_cache.cached_text(update.text),
        "inLanguage": update.language,
        "datePublished": _iso(update),
        "author": [_publisher(newsroom)],
    } | ({"image": images} if images else {})


def _image(shown: PlacedImage) -> dict[str, Any]:
    picture = shown.picture
    image = {
        "@type": "ImageObject",
        "url": figure.link(picture),
        "width": picture.width,
        "height": picture.height,
        "description": shown.alt,
    }
    image |= {"caption": shown.caption} if shown.caption else {}
    return image | ({"creditText": shown.credit} if shown.credit else {})


def _correction(update: Update) -> dict[str, Any]:
    return {
        "@type": "CorrectionComment",
        "text": update.note or rendering_cache.cached_text(update.text),
        "datePublished": _iso(update),
    }


def _publisher(newsroom: Newsroom) -> dict[str, Any]:
    home = entries.absolute("/")
    return {
        "@type": "NewsMediaOrganization",
        "name": newsroom.name,
        "url": home,
        "logo": _own_card(),
    }


def _iso(update: Update) -> str:
    return update.published_at.isoformat() if update.published_at else ""
