"""Reads what `up` publishes to its child processes in its lock file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LOCK = "up.lock"  #: in the data folder


def facts(data: Path) -> dict[str, Any]:
    """Returns what the `up` of this data folder wrote last, {} if nothing. It may have ended."""
    try:
        found = json.loads((data / LOCK).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def failing(data: Path) -> list[str]:
    """Returns the names of the processes that die each time they are started."""
    return [str(name) for name in facts(data).get("failing", [])]
