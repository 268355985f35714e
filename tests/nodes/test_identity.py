"""What a process is called."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from morefollows.nodes import identity


def test_a_known_node_starts_also_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = identity.node_id(tmp_path)

    def full(self: Path, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    assert identity.node_id(tmp_path) == made
