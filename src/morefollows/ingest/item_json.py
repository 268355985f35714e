"""Turns a `NewsItem` into JSON, as `ReceivedItem.item` has it, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from morefollows.ingest.item import ItemImage, ItemStatus, NewsItem

_TIMES = ("embargo", "published_at", "updated_at")


def item_to_json(item: NewsItem) -> dict[str, Any]:
    """Returns what JSON can hold. Fields that are empty are left out."""
    values = {
        one.name: getattr(item, one.name)
        for one in dataclasses.fields(item)
        if getattr(item, one.name) not in (None, "", ())
    }
    for name in _TIMES:
        if name in values:
            values[name] = values[name].isoformat()
    values["images"] = [dataclasses.asdict(image) for image in item.images]
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in values.items()
    }


def item_from_json(values: Mapping[str, Any]) -> NewsItem:
    """Returns the item. Fields that this version does not know are ignored."""
    known = {one.name for one in dataclasses.fields(NewsItem)}
    fields = {name: value for name, value in values.items() if name in known}
    for name in _TIMES:
        if name in fields:
            fields[name] = datetime.fromisoformat(fields[name])
    fields["images"] = tuple(ItemImage(**image) for image in fields.get("images", ()))
    fields["status"] = ItemStatus(fields.get("status", "usable"))
    fields = {
        name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()
    }
    return NewsItem(**({"headline": "", "text": ""} | fields))
