"""How a connection to SQLite begins."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

_LOOK = """
import django
django.setup()
from django.db import connection
connection.settings_dict["OPTIONS"]["timeout"] = 0.1
with connection.cursor() as cursor:
    print(cursor.execute("PRAGMA auto_vacuum").fetchone()[0])
"""


def look(folder: Path) -> str:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MOREFOLLOWS_", "DATABASE_URL"))
    }
    done = subprocess.run(
        [sys.executable, "-c", _LOOK],
        env={
            **kept,
            "MOREFOLLOWS_DATA": str(folder),
            "DJANGO_SETTINGS_MODULE": "morefollows.config.django",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_new_connection_reads_while_somebody_writes(tmp_path: Path) -> None:
    assert look(tmp_path) == "2"
    with contextlib.closing(
        sqlite3.connect(tmp_path / "morefollows.sqlite3", isolation_level=None)
    ) as other:
        other.execute("CREATE TABLE one (x)")
        other.execute("BEGIN IMMEDIATE")
        assert look(tmp_path) == "2"
