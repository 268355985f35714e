"""`ETag` and `If-Match` (RFC 9110 §13): nobody overwrites what they have not seen."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from morefollows.api.http.problems import ProblemDetails

#: Of a request that takes `If-Match`, for the OpenAPI document. It is no parameter there, as a
#: wrong one is no fault of the request itself.
WITH_IF_MATCH = {"x-if-match": True}


def set_etag(response: HttpResponse, revision: int) -> None:
    response["ETag"] = f'"{revision}"'


def expected_revision(request: HttpRequest, current: int) -> int:
    """The revision that the request expects: that of `If-Match`, or the current one without it.

    Raises `ProblemDetails` (412) if `If-Match` names another one.
    """
    expected_tag(request, str(current))
    return current


def set_tag(response: HttpResponse, tag: str) -> None:
    """Sets an ETag that is not a revision."""
    response["ETag"] = f'"{tag}"'


def expected_tag(request: HttpRequest, current: str) -> None:
    """As `expected_revision`, for an ETag that is not a revision."""
    given = request.headers.get("If-Match", "*").strip()
    wanted = {part.strip() for part in given.split(",")}
    if given != "*" and f'"{current}"' not in wanted:
        raise ProblemDetails(
            412,
            "changed",
            f'If-Match: the current ETag is "{current}". Read it again, then change it.',
        )


def is_unchanged(request: HttpRequest, revision: int) -> bool:
    """Whether `If-None-Match` names this revision: the answer is 304."""
    wanted = {
        part.strip().removeprefix("W/")
        for part in request.headers.get("If-None-Match", "").split(",")
    }
    return f'"{revision}"' in wanted
