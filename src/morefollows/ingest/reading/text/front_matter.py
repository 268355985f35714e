"""Front matter above a text: ours, and that of Hugo and Jekyll in YAML, TOML or JSON."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any

from morefollows.ingest.item import UnreadableItem
from morefollows.ingest.reading import bounds

_MOST = 20_000  # characters
_FIRST_JSON = re.compile(r"\{\s*\"\w+\"\s*:")


@dataclass
class FrontMatter:
    """What it says, in the item's words, and the text below it."""

    text: str
    given: dict[str, str] = field(default_factory=dict)
    topics: tuple[str, ...] = ()
    published_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None
    draft: bool = False


#: Names by which the same thing goes, in the order in which they count.
_NAMES = {
    "headline": ("headline", "title"),
    "standfirst": ("standfirst", "description", "summary", "subtitle", "excerpt", "dek", "lead"),
    "byline": ("byline", "author", "authors"),
    "dateline": ("dateline", "place", "location"),
    "language": ("language", "lang", "locale"),
    "topic": ("topic",),
    "url": ("canonical_url", "canonicalurl", "url", "permalink"),
    "source": ("source",),
    "rights": ("rights", "copyright", "license"),
}


def split(text: str) -> FrontMatter:
    """Separates front matter from the text. Raises `UnreadableItem` if it is not valid."""
    text = text.lstrip("\n")
    lines = text.split("\n")
    mark = lines[0].strip()
    if mark == "---" and _is_front_matter(lines):
        return _of(_yaml, *_until(lines, ("---", "..."), "three hyphens: ---"))
    if mark == "+++":
        return _of(_toml, *_until(lines, ("+++",), "three plus signs: +++"))
    if _FIRST_JSON.match(text):
        return _json(text)
    return FrontMatter(text)


def _is_front_matter(lines: list[str]) -> bool:
    """A rule of three hyphens may stand above a story, too."""
    below = next((line for line in lines[1:] if line.strip()), "")
    return bool(re.match(r"\s*(?:[\w-]+\s*:|#|---\s*$)", below))


def _until(lines: list[str], ends: tuple[str, ...], words: str) -> tuple[str, str]:
    for number, line in enumerate(lines[1:], 1):
        if line.strip() in ends:
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :])
        if number > 500:
            break
    raise UnreadableItem("front matter", f"does not end; close it with a line of {words}")


def _of(parse: Any, head: str, text: str) -> FrontMatter:
    if len(head) > _MOST:
        raise UnreadableItem("front matter", f"has more than {_MOST:,} characters")
    return _read(parse(head), text)


def _yaml(head: str) -> dict[str, Any]:
    import yaml

    keys = re.findall(r"^([\w-]+)\s*:", head, re.MULTILINE)
    for key in keys:
        if keys.count(key) > 1:
            raise UnreadableItem("front matter", f"{key} is given twice; keep one")
    aliased = False
    try:
        tokens = yaml.scan(head, Loader=yaml.SafeLoader)
        aliased = any(isinstance(token, yaml.AliasToken) for token in tokens)
        found = yaml.safe_load(head) if head.strip() and not aliased else {}
    except (yaml.YAMLError, ValueError, RecursionError):
        found = _simple(head)
    if aliased:
        raise UnreadableItem("front matter", "has a YAML alias (*); write the value itself")
    if not isinstance(found, dict):
        raise UnreadableItem("front matter", "must have a name, a colon and a value on each line")
    return found


def _simple(head: str) -> dict[str, Any]:
    """One name, a colon and a value a line: a value may have what YAML would take for markup."""
    found: dict[str, Any] = {}
    for number, line in enumerate(head.split("\n"), 2):
        if not line.strip():
            continue
        key, colon, value = line.partition(":")
        if not colon or not re.fullmatch(r"[\w-]+", key.strip()):
            raise UnreadableItem(
                "front matter", f"line {number} must be a name, a colon and a value"
            )
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        found[key.strip()] = value
    return found


def _toml(head: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(head)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UnreadableItem("front matter", f"is not TOML: {error}") from None


def _json(text: str) -> FrontMatter:
    import json

    bounds.check_json_depth(text[:_MOST])
    try:
        found, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableItem("front matter", f"is not JSON: {error}") from None
    return _read(found, text[end:])


def _read(found: dict[str, Any], text: str) -> FrontMatter:
    values = {str(key).lower(): value for key, value in found.items()}
    unknown = [key for key in values if key == "headlin" or key == "headlines"]
    if unknown:
        raise UnreadableItem("front matter", f"{unknown[0]} is not known; write headline")
    matter = FrontMatter(text.lstrip("\n"))
    for name, keys in _NAMES.items():
        given = next((values[key] for key in keys if values.get(key) is not None), None)
        if given is None:
            # "headline:" with nothing behind it is a mistake, and is told below.
            if name == "headline" and any(key in values for key in keys):
                raise UnreadableItem("headline", "is missing; write it behind “headline:”")
            continue
        matter.given[name] = _words(given)
    topics = [values.get(key) for key in ("tags", "categories", "topics", "keywords", "category")]
    matter.topics = tuple(one for value in topics for one in _list(value))
    matter.published_at = _moment(values.get("date") or values.get("published"))
    matter.updated_at = _moment(
        values.get("lastmod") or values.get("last_modified_at") or values.get("updated")
    )
    matter.draft = values.get("draft") is True or values.get("published") is False
    _check(matter.given)
    return matter


def _check(given: dict[str, str]) -> None:
    language = given.get("language", "").replace("_", "-")
    if language and not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", language):
        raise UnreadableItem("language", "must look like en or de")
    if language:
        given["language"] = language
    if given.get("topic") and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", given["topic"]):
        raise UnreadableItem("topic", "must look like breaking")


def _words(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("name") or value.get("title") or ""
    if isinstance(value, list):
        return ", ".join(word for one in value[:10] if (word := _words(one)))
    return " ".join(str(value).split()) if not isinstance(value, bool) else ""


def _list(value: Any) -> list[str]:
    if isinstance(value, str):
        return [one.strip() for one in value.split(",") if one.strip()][:20]
    if isinstance(value, list):
        return [word for one in value[:20] if (word := _words(one))]
    return []


def _moment(value: Any) -> dt.datetime | None:
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if isinstance(value, dt.datetime):
        return value if value.tzinfo else value.replace(tzinfo=dt.UTC)
    return None
