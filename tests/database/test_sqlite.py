"""How a connection to SQLite begins."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

_BEFORE_IT_IS_THERE = """
import django
django.setup()
import sqlite3, sys
from django.db import connection
connection.settings_dict["OPTIONS"]["timeout"] = 0.1
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE one (x)")
connection.close()
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("BEGIN IMMEDIATE")
with connection.cursor() as cursor:
    print(cursor.execute("PRAGMA auto_vacuum").fetchone()[0])
"""
_LOOK = """
import django
django.setup()
from django.db import connection
connection.settings_dict["OPTIONS"]["timeout"] = 0.1
with connection.cursor() as cursor:
    print(cursor.execute("PRAGMA auto_vacuum").fetchone()[0])
"""


def look(folder: Path, code: str = _LOOK) -> str:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MOREFOLLOWS_", "DATABASE_URL"))
    }
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder / "morefollows.sqlite3")],
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


def test_a_process_that_made_the_file_reads_while_somebody_writes(tmp_path: Path) -> None:
    assert look(tmp_path, _BEFORE_IT_IS_THERE) == "2"
