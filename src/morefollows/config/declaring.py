"""How a setting is declared, and the error of a wrong one. `config.settings` has them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Any


class SettingsError(Exception):
    """A setting is missing or wrong. ``str()`` names the setting and the remedy."""

    def __init__(self, name: str, remedy: str) -> None:
        super().__init__(f"{name}: {remedy}")
        self.name = name
        self.remedy = remedy


def setting(default: Any, read: Callable[[str], Any], help: str, *, name: str = "") -> Any:
    """Declares a field of `Settings`: its default as text, its parser and its help text."""
    return field(metadata={"default": default, "read": read, "help": help, "name": name})
