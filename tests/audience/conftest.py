"""Nobody else writes in these tests."""

from __future__ import annotations

import pytest

from morefollows.audience.signup import writer


@pytest.fixture(autouse=True)
def one_group_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer._group, "_apart", 0.0)
