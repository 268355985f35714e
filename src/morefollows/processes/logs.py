"""The log format: one line for each event, with tokens in URLs masked.

Invariant: line breaks in a message are escaped, so they can't forge a second line.
"""

from __future__ import annotations

import logging
import re

from morefollows.helpers import token_routes

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")


class OneLine(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        line = token_routes.masked_tokens(super().format(record))
        return _CONTROL.sub("?", line.replace("\n", "\\n").replace("\t", " "))


def to_stderr(level: str) -> None:
    """Configures logging for a process without Django. Django's LOGGING does the same."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine())
    logging.basicConfig(handlers=[handler], level=level.upper())
