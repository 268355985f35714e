"""An LRU cache in memory of the HTML, plain text and images rendered from published texts.

Invariant: the key contains the text itself, so a changed text never gets an old result.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

from django.conf import settings
from django.utils import translation
from django.utils.safestring import SafeString

from morefollows.stories import markdown
from morefollows.stories.images.figure import PlacedImage

T = TypeVar("T")
_MOST = 8_000_000  # characters of keys and results in one process


class RenderingCache:
    """An LRU cache of up to `most` characters. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, tuple[int, Any]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, size: int, make: Callable[[], T]) -> T:
        """Returns the value of `key`, from `make` if it is not cached.

        `size`: characters of the key; the length of the value is added if it is a string.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return cast(T, self._kept[key][1])
        made = make()  # without the lock; two threads may compute the same value
        size += len(made) if isinstance(made, str) else 0
        with self._lock:
            if key not in self._kept and size <= self._most:
                self._kept[key] = size, made
                self._size += size
                while self._size > self._most:
                    self._size -= self._kept.popitem(last=False)[1][0]
        return made


_cache = RenderingCache(_MOST)


def cached_html(text: str, *, lazy: bool = True) -> SafeString:
    """See `markdown.to_html`."""
    return _cached("html", text, lazy, make=lambda: markdown.to_html(text, lazy=lazy))


def cached_text(written: str) -> str:
    """See `markdown.to_text`."""
    return _cached("text", written, make=lambda: markdown.to_text(written))


def cached_images(text: str) -> list[PlacedImage]:
    """See `markdown.images`."""
    return _cached("images", text, make=lambda: markdown.images(text))


def _cached(kind: str, text: str, *more: Hashable, make: Callable[[], T]) -> T:
    """The result depends on the settings' URL (for images) and the active language, too."""
    key = (kind, text, settings.MOREFOLLOWS.url, translation.get_language(), *more)
    return _cache.get(key, len(text), make)
