"""What is remembered of alerts between two looks at their progress, by many threads at once."""

from __future__ import annotations

import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from morefollows.feedback import progress


def test_many_threads_may_look_at_many_alerts(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(OrderedDict[int, Any]):
        """Lets another thread go ahead between two steps."""

        def setdefault(self, key: int, default: Any = None) -> Any:
            found = super().setdefault(key, default)
            time.sleep(0.001)
            return found

    monkeypatch.setattr(progress, "_seen", Slow())
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(progress._remembered, list(range(40)) * 5))
    assert len(found) == 200
    assert len(progress._seen) == progress._MOST_SEEN
