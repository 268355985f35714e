"""Which processes of this machine die each time they are started, as `up` says in its lock file."""

from __future__ import annotations

import json
from pathlib import Path


def failing_processes(data: Path) -> list[str]:
    """Returns their names, as the `up` of this data folder wrote last. It may have ended."""
    try:
        found = json.loads((data / "up.lock").read_bytes())
    except (OSError, ValueError):
        return []
    return [str(name) for name in found.get("failing", [])] if isinstance(found, dict) else []
