"""What is generated in `clients/` is that of the API as it stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_clients_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "tools/clients.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_python_client_is_typed() -> None:
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("mypy"), "--strict", "--no-error-summary"),
            *("--config-file", "/dev/null", "clients/python/src"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
