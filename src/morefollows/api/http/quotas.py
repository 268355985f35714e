"""How many requests each key may send a minute, with the IETF draft's `RateLimit` headers."""

from __future__ import annotations

import threading
import time
import uuid

from django.conf import settings

from morefollows.api.http.problems import ProblemDetails

_WINDOW = 60.0  # seconds, in which an empty bucket is filled again


class _Quota:
    """Counts each key's requests in this process: a bucket that is refilled within a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: dict[uuid.UUID, tuple[float, float]] = {}  # key → requests left, at (monotonic)

    def spend(self, key: uuid.UUID) -> dict[str, str]:
        """Counts a request. Returns headers that tell what is left.

        Raises `ProblemDetails` (429).
        """
        most = settings.MOREFOLLOWS.api_requests
        now = time.monotonic()
        with self._lock:
            left, at = self._left.get(key, (float(most), now))
            left = min(float(most), left + (now - at) * most / _WINDOW)
            enough = left >= 1
            self._left[key] = (left - 1 if enough else left, now)
        policy = f'"key";q={most};w={_WINDOW:.0f}'
        if not enough:
            wait = (1 - left) * _WINDOW / most
            raise ProblemDetails(
                429,
                "too-many",
                f"This key may send {most} requests a minute. Wait for {wait:.1f} seconds.",
                headers={
                    "Retry-After": str(int(wait) + 1),
                    "RateLimit-Policy": policy,
                    "RateLimit": f'"key";r=0;t={int(wait) + 1}',
                },
            )
        refill = (most - left + 1) * _WINDOW / most
        return {
            "RateLimit-Policy": policy,
            "RateLimit": f'"key";r={int(left - 1)};t={max(0, int(refill))}',
        }


quota = _Quota()
