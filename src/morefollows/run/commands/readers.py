"""`readers import` and `readers export`."""

from __future__ import annotations
