"""The log formats: one line for each event, with tokens in URLs and addresses masked.

`JsonLine` is for programs: each line has the ids of the request and of the alert that it belongs
to, as far as there is one.

Nobody logs an address on purpose; but a database tells the row in its error, and a path may have
anything in it.

Invariant: line breaks in a message are escaped, so they can't forge a second line.
"""

from __future__ import annotations

import json
import logging
import os
import re
from datetime import UTC, datetime
from typing import Any

from morefollows.helpers import token_routes
from morefollows.helpers.telemetry import log_context

# From the beginning of a word alone, so that its time does not grow with the square of the length.
_WORD = r"""[^\s<>()\[\],;:"'=/?&@]"""
_ADDRESS = re.compile(rf"(?<!{_WORD}){_WORD}+?(?:@|%40)[\w.-]+\.\w+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")


class OneLine(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        line = _masked(super().format(record))
        return _CONTROL.sub("?", line.replace("\n", "\\n").replace("\t", " "))


class JsonLine(logging.Formatter):
    """One JSON object a line: time, level, logger, message, pid, request, alert, error."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _masked(record.getMessage()),
            "pid": os.getpid(),
        }
        if request := log_context.request_id():
            line["request"] = request
        if (alert := _alert_of(record)) is not None:
            line["alert"] = alert
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = _masked(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=True)


def _masked(text: str) -> str:
    return _ADDRESS.sub("…", token_routes.masked_tokens(text))


def _alert_of(record: logging.LogRecord) -> int | None:
    """The alert that a message is about, if it begins with its id; else the one worked on."""
    text = str(record.msg)
    if text.startswith("alert %d") and isinstance(record.args, tuple) and record.args:
        first = record.args[0]
        return first if isinstance(first, int) else None
    return log_context.alert_id()


def formatter(kind: str) -> logging.Formatter:
    """The formatter for MOREFOLLOWS_LOG_FORMAT: `text` or `json`."""
    return JsonLine() if kind == "json" else OneLine()


class BriefRefusals(logging.Filter):
    """Takes the traceback from what Django logs of requests that it refused: one line is enough."""

    def filter(self, record: logging.LogRecord) -> bool:
        status = getattr(record, "status_code", 500)
        refused = record.name == "django.request" and status < 500
        if refused or record.name.startswith("django.security"):
            record.exc_info = record.exc_text = None
        return True


def to_stderr(level: str, kind: str) -> None:
    """Configures logging for a process without Django. Django's LOGGING does the same."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(kind))
    logging.basicConfig(handlers=[handler], level=level.upper())
