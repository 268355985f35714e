"""What `up` tells the processes that it has started, by the file that is also its lock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LOCK = "up.lock"  #: in the data folder


def facts(data: Path) -> dict[str, Any]:
    """What the `up` of this data folder told last; nothing if there was none. It may have ended since."""
    try:
        found = json.loads((data / LOCK).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def failing(data: Path) -> list[str]:
    """The processes that die each time they are started."""
    return [str(name) for name in facts(data).get("failing", [])]
