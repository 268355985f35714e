"""Reads settings for pages and commands: the value in force, where it comes from, what it does."""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings

from morefollows.config.editable import EDITABLE, SPECS
from morefollows.config.settings import variable
from morefollows.setup import in_force
from morefollows.setup.models import StoredSetting


class ShownSetting(NamedTuple):
    """A setting that can be changed at the desk."""

    name: str  #: field of `Settings`
    variable: str
    group: str
    acts: str  #: see `config.editable.Acts`
    text: str  #: as in the environment; empty for a secret
    default: str
    origin: str  #: `environment`, `desk` or `default`
    secret: bool
    is_set: bool  #: a secret that has a value
    help: str

    @property
    def locked(self) -> bool:
        """Whether the environment gives it, so that the desk can't change it."""
        return self.origin == "environment"


def shown_settings(group: str = "") -> list[ShownSetting]:
    """Returns every editable setting, or those of one group, in the order of `EDITABLE`."""
    kept = {row.name: row.value for row in StoredSetting.objects.all()}
    return [_shown(name, kept) for name, how in EDITABLE.items() if group in ("", how.group)]


def _shown(name: str, kept: dict[str, str]) -> ShownSetting:
    how, spec = EDITABLE[name], SPECS[name]
    locked = in_force.given_by_environment(name)
    default = spec.metadata["default"]
    value = getattr(settings.MOREFOLLOWS, name)
    if how.secret:
        text = ""
    elif name in kept and not locked:
        text = kept[name]
    else:
        text = as_text(name, value)
    return ShownSetting(
        name,
        variable(spec),
        how.group,
        how.acts,
        text,
        default,
        "environment" if locked else "desk" if name in kept else "default",
        how.secret,
        bool(value),
        spec.metadata["help"],
    )


def as_text(name: str, value: object) -> str:
    """Returns a parsed value as the environment would have it."""
    if name == "digest_time" and isinstance(value, int):
        return f"{value // 60:02}:{value % 60:02}"
    if name == "languages" and isinstance(value, tuple):
        return " ".join(value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
