"""Pages of a list, by cursor: as fast at a million rows as at ten.

A cursor holds the primary key of the last row of a page. Rows are listed newest first, so a row
that is added meanwhile shifts nothing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Field, Schema

from morefollows.api.http.problems import FieldError, ProblemDetails

MOST = 100  #: rows in a page
Row = TypeVar("Row", bound=Model)


class PageQuery(Schema):
    """Which page of a list."""

    limit: int = Field(25, ge=1, le=MOST, description="Rows in the page.")
    cursor: str = Field(
        "", max_length=64, description="From `next_cursor` of the page before; empty: the first."
    )


def page(
    request: HttpRequest,
    response: HttpResponse,
    rows: QuerySet[Row],
    query: PageQuery,
    show: Callable[[Row], Any],
) -> dict[str, Any]:
    """One page of the rows, newest first. Sets the `Link` header of the next one (RFC 8288).

    Raises `ProblemDetails` for a cursor that is not ours.
    """
    last = _decode(query.cursor)
    if last is not None:
        rows = rows.filter(pk__lt=last)
    found = list(rows.order_by("-pk")[: query.limit + 1])
    more = len(found) > query.limit
    found = found[: query.limit]
    cursor = _encode(found[-1].pk) if more else None
    if cursor is not None:
        asked = request.GET.copy()
        asked["cursor"] = cursor
        response["Link"] = f'<{request.path}?{asked.urlencode()}>; rel="next"'
    return {"items": [show(row) for row in found], "next_cursor": cursor}


def _encode(pk: int) -> str:
    return base64.urlsafe_b64encode(b"k%d" % pk).decode().rstrip("=")


def _decode(cursor: str) -> int | None:
    if not cursor:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
        number = int(text[1:])
    except (ValueError, binascii.Error):
        number, text = 0, b""
    if text[:1] != b"k" or not 0 < number < 2**63:
        detail = "must be `next_cursor` of the page before"
        raise ProblemDetails(
            404, "not-found", f"cursor: {detail}", errors=[FieldError("cursor", detail)]
        )
    return number
