"""What is nobody else's business, and what must not fail for its sake."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from morefollows import notify


def test_files_are_their_owners_own(tmp_path: Path) -> None:
    """Also in a data folder that everybody can enter, as one made by hand is."""
    tmp_path.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    subprocess.run(
        [sys.executable, "-m", "morefollows", "migrate"],
        env={**environment, "MOREFOLLOWS_DATA": str(tmp_path)},
        check=True,
        umask=0o022,
    )
    assert (tmp_path / "morefollows.sqlite3").exists()
    assert [path.name for path in tmp_path.iterdir() if path.stat().st_mode & 0o077] == []


def test_a_word_that_cannot_be_said_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder was")
    notify.announce(tmp_path / "data", "letter")
