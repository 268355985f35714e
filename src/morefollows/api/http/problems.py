"""Errors of the API: problem details (RFC 9457) that name the field and the remedy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpResponse

MEDIA_TYPE = "application/problem+json"
DOCS = "/api/v1/docs"  #: the page that describes each type of problem

#: Type of problem → its title. A type never changes its meaning.
TITLES: dict[str, str] = {
    "bad-request": "The request can’t be read",
    "no-key": "A key is missing, or is not valid",
    "scope": "The key may not be used for this",
    "right": "The key’s role or topics do not allow this",
    "not-found": "There is nothing here",
    "method": "This method is not possible here",
    "too-large": "The request is too large",
    "media-type": "The content type is not one that is read here",
    "invalid": "Something in the request is not valid",
    "unreadable": "What was sent can’t be read as news",
    "state": "This is not possible as things stand",
    "not-approved": "A colleague has to approve this first",
    "look-alike": "The same headline was sent to this topic in the last 24 hours",
    "changed": "It was changed since you read it",
    "key-reused": "The idempotency key was used for another request",
    "in-progress": "The same request is being answered right now",
    "too-many": "Too many requests",
    "busy": "The service is busy",
    "failed": "Something went wrong here",
}


class FieldError(NamedTuple):
    """`field`: as in the request, such as `headline` or `X-Name`; "" for the whole of it."""

    field: str
    detail: str


class ProblemDetails(Exception):
    """A request that is not done. `detail`: what is wrong and what to do, for a developer."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.more = more


def problem_json(problem: ProblemDetails) -> str:
    """The body of the problem's response."""
    body: dict[str, Any] = {
        "type": f"{DOCS}#{problem.kind}",
        "title": TITLES[problem.kind],
        "status": problem.status,
        "detail": problem.detail,
        **problem.more,
    }
    if problem.errors:
        body["errors"] = [error._asdict() for error in problem.errors]
    return json.dumps(body)


def response(problem: ProblemDetails) -> HttpResponse:
    """The problem as a response."""
    answer = HttpResponse(problem_json(problem), status=problem.status, content_type=MEDIA_TYPE)
    for name, value in problem.headers.items():
        answer[name] = value
    answer["Cache-Control"] = "no-store"
    return answer


def not_found(what: str) -> ProblemDetails:
    return ProblemDetails(404, "not-found", f"There is no {what}.")


def forbidden(detail: str) -> ProblemDetails:
    return ProblemDetails(403, "right", detail)


def of_validation(error: ValidationError) -> ProblemDetails:
    """The problem for a `ValidationError` of an action: what the OpenAPI document can't tell."""
    if hasattr(error, "error_dict"):
        found = [
            FieldError("" if name == NON_FIELD_ERRORS else name, text)
            for name, texts in error.message_dict.items()
            for text in texts
        ]
    else:
        found = [FieldError("", text) for text in error.messages]
    return ProblemDetails(409, "invalid", _summary(found), errors=found)


def invalid_request(errors: Iterable[Mapping[str, Any]]) -> ProblemDetails:
    """The problem for errors of pydantic, which have `loc` and `msg`."""
    found = [
        FieldError(".".join(str(part) for part in one["loc"] if part not in _PLACES), one["msg"])
        for one in errors
    ]
    return ProblemDetails(422, "invalid", _summary(found), errors=found)


_PLACES = ("body", "query", "path", "payload", "header")


def _summary(found: list[FieldError]) -> str:
    return "; ".join(f"{one.field}: {one.detail}" if one.field else one.detail for one in found)
