"""Every route of `urls.py`, with an address of each, for tests that go through all of them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.urls import URLPattern, URLResolver, get_resolver

_PART = re.compile(r"<(?:(?P<converter>[a-z_]+):)?(?P<name>\w+)>")
#: For a part of a path, by its converter, when a test has nothing better.
_STAND_INS = {
    "uuid": str(uuid.UUID(int=7)),
    "int": "1",
    "slug": "breaking",
    "str": "A" * 36,
    "path": "a/b",
}


@dataclass(frozen=True)
class Route:
    """One route. `path`: as `urls.py` has it, such as ``desk/story/<uuid:uuid>/``."""

    name: str
    path: str
    view: Callable[..., Any]

    @property
    def parts(self) -> dict[str, str]:
        """The names of the path's variable parts → converter."""
        return {found["name"]: found["converter"] or "str" for found in _PART.finditer(self.path)}

    def address(self, given: Mapping[str, str] = {}) -> str:
        """A path. `given`: part → text, unquoted; missing parts get a stand-in."""

        def part(found: re.Match[str]) -> str:
            text = given.get(found["name"], _STAND_INS[found["converter"] or "str"])
            return quote(text.encode("utf-8", "surrogatepass"), safe="")

        return "/" + _PART.sub(part, self.path)


def routes() -> list[Route]:
    """All routes, those of included modules too.

    Left out are the requests of the API, which ask for a key: tests/api goes through them.
    """
    found = _flat(get_resolver().url_patterns, "", "")
    return [one for one in found if not one.name.startswith("api:")]


def _flat(patterns: list[Any], before: str, space: str) -> Iterator[Route]:
    for one in patterns:
        path = before + _plain(str(one.pattern))
        if isinstance(one, URLResolver):
            yield from _flat(one.url_patterns, path, f"{space}{one.namespace or ''}:".lstrip(":"))
        elif isinstance(one, URLPattern):
            yield Route(f"{space}{one.name or path}", path, one.callback)


def _plain(pattern: str) -> str:
    """A pattern as `path` has it. A regular expression's groups become parts of type ``str``."""
    named = re.sub(r"\(\?P<(\w+)>[^()]*\)", r"<str:\1>", pattern)
    return named.removeprefix("^").removesuffix("$").removesuffix("\\Z")
