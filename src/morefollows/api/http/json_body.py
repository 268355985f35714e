"""Reads the body of a request: one JSON object (RFC 8259), with the content type that says so."""

from __future__ import annotations

import json
import math
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from morefollows.api.http.problems import ProblemDetails


class JsonObject(Parser):
    """The parser of all requests with a body."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Raises `ProblemDetails`: 415 for another content type, 400 for another body.

        As ninja answers 400 of its own for whatever is raised here, it is kept for `body_problem`.
        """
        try:
            return self._object(request)
        except ProblemDetails as problem:
            request.body_problem = problem  # type: ignore[attr-defined]
            raise

    def _object(self, request: HttpRequest) -> dict[str, Any]:
        if request.content_type != "application/json":
            raise ProblemDetails(415, "media-type", "Content-Type: send application/json.")
        try:
            found = json.loads(request.body, parse_float=_number, parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise ProblemDetails(400, "bad-request", "The body is not JSON in UTF-8.") from None
        if not isinstance(found, dict):
            raise ProblemDetails(400, "bad-request", "The body must be one JSON object.")
        return found


def _number(text: str) -> int | float:
    """7.0 is a whole number, too (JSON Schema 2020-12, Validation §6.1.1)."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is too large")
    return int(value) if value.is_integer() else value


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def body_problem(request: HttpRequest) -> ProblemDetails | None:
    """What was wrong with the request's body, if it could not be read."""
    return getattr(request, "body_problem", None)
