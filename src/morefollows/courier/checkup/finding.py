"""The result of one check of `doctor`."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    check: str
    state: str  #: "ok", "note" (works, but look at it) or "wrong"
    message: str
