"""Version 1 of the API: its requests, its OpenAPI document, and the page that describes it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.errors import HttpError
from ninja.errors import ValidationError as InvalidRequest

from morefollows.api.http import problems
from morefollows.api.http.json_body import JsonObject, body_problem
from morefollows.api.http.problems import ProblemDetails
from morefollows.api.requests import KeyWith, handled
from morefollows.api.resources import (
    alerts,
    audience,
    drafts,
    drills,
    images,
    imports,
    readers,
    stories,
    suppressions,
    topics,
)
from morefollows.api.resources.administration import (
    health,
    key,
    machines,
    people,
    settings,
    sites,
    sources,
    webhooks,
)
from morefollows.api.resources.administration import log as activity_log
from morefollows.api.resources.incoming import bring_in, came_back, ingest, rules, wire
from morefollows.stories.errors import ActionRefused, NotApproved

_ABOUT = """\
A newsroom's programs write stories, break them, and hear what became of them.

Every request but `GET /health` needs a key: `Authorization: Bearer mf_…`. Errors are problem
details (RFC 9457) whose `errors` name the field. Times are RFC 3339, ids are UUIDs. With an
`Idempotency-Key`, a request that is repeated within 24 hours is done once, and answered the same.
"""

api = NinjaAPI(
    title="More Follows",
    version="1",
    description=_ABOUT,
    docs_url=None,
    parser=JsonObject(),
    openapi_url=None,
    urls_namespace="api",
)
api.add_router("/stories", stories.router, tags=["stories"])
api.add_router("/stories", drafts.router, tags=["stories"])
api.add_router("/alerts", alerts.router, tags=["alerts"])
api.add_router("/stories", images.attached, tags=["images"])
api.add_router("/images", images.router, tags=["images"])
api.add_router("/audience", audience.router, tags=["audience"])
api.add_router("/imports", imports.router, tags=["imports"])
api.add_router("/people", people.router, tags=["people"])
api.add_router("/settings", settings.router, tags=["settings"])
api.add_router("/topics", topics.router, tags=["topics"])
api.add_router("/readers", readers.router, tags=["readers"])
api.add_router("/suppressions", suppressions.router, tags=["suppressions"])
api.add_router("/webhooks", webhooks.router, tags=["webhooks"])
api.add_router("/sources", sources.router, tags=["sources"])
api.add_router("/ingest", ingest.router, tags=["ingest"])
api.add_router("/bring-in", bring_in.router, tags=["bring-in"])
api.add_router("/wire", wire.router, tags=["wire"])
api.add_router("/rules", rules.router, tags=["rules"])
api.add_router("/drills", drills.router, tags=["drills"])
api.add_router("/came-back", came_back.router, tags=["came back"])
api.add_router("/replies", came_back.replies, tags=["replies"])
api.add_router("/sites", sites.router, tags=["sites"])
api.add_router("/machines", machines.router, tags=["machines"])
api.add_router("/key", key.router, tags=["key"])
api.add_router("/log", activity_log.router, tags=["log"])
api.add_router("/relays", health.relays, tags=["relays"])
api.add_router("/health", health.router, tags=["health"])


@api.exception_handler(ProblemDetails)
def _problem(_request: HttpRequest, error: ProblemDetails) -> HttpResponse:
    return problems.response(error)


@api.exception_handler(InvalidRequest)
def _invalid_request(_request: HttpRequest, error: InvalidRequest) -> HttpResponse:
    return problems.response(problems.invalid_request(error.errors))


@api.exception_handler(ValidationError)
def _invalid(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    return problems.response(problems.of_validation(error))


@api.exception_handler(NotApproved)
def _not_approved(_request: HttpRequest, error: NotApproved) -> HttpResponse:
    return problems.response(ProblemDetails(403, "not-approved", str(error)))


@api.exception_handler(ActionRefused)
def _refused(_request: HttpRequest, error: ActionRefused) -> HttpResponse:
    return problems.response(ProblemDetails(409, "state", str(error)))


@api.exception_handler(PermissionDenied)
def _denied(_request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    return problems.response(problems.forbidden(str(error) or "The key’s role can’t do this."))


@api.exception_handler(Http404)
def _not_found(_request: HttpRequest, _error: Http404) -> HttpResponse:
    return problems.response(problems.not_found("such thing"))


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    if problem := body_problem(request):
        return problems.response(problem)
    return problems.response(ProblemDetails(error.status_code, "bad-request", str(error)))


@api.exception_handler(Exception)
def _unexpected(_request: HttpRequest, error: Exception) -> HttpResponse:
    raise error  # `requests.handled` answers it, after the transaction was rolled back


def _no_such(request: HttpRequest, rest: str = "") -> HttpResponse:
    raise problems.not_found("resource at this address")


not_found = handled(_no_such)
not_found.csrf_exempt = True  # type: ignore[attr-defined]


# -- the document ---------------------------------------------------------------------------------

_PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
_IDEMPOTENCY: dict[str, Any] = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "Of what is not a GET: a repetition within 24 hours does nothing more.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}


def _scopes() -> dict[str, str]:
    """The scope that each request needs, by its operation id."""
    return {
        str(operation.operation_id): callback.scope.value
        for _prefix, router in api._routers
        for view in router.path_operations.values()
        for operation in view.operations
        for callback in operation.auth_callbacks
        if isinstance(callback, KeyWith)
    }


@lru_cache(1)
def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    found: dict[str, Any] = dict(api.get_openapi_schema(path_prefix="/api/v1/"))
    found["components"]["schemas"]["Problem"] = _PROBLEM_SCHEMA
    # Not a parameter of each operation: 422 for a key that was used is no fault of a body.
    found["components"]["parameters"] = {"IdempotencyKey": _IDEMPOTENCY}
    problem = {
        "description": "Problem",
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    scopes = _scopes()
    for operations in found["paths"].values():
        for operation in operations.values():
            if scope := scopes.get(operation["operationId"]):
                operation["x-scope"] = scope
            operation["responses"] = {
                str(status): one for status, one in operation["responses"].items()
            } | {"default": problem}
    return found


@require_safe
def openapi(_request: HttpRequest) -> HttpResponse:
    """The OpenAPI document. It needs no key."""
    answer = JsonResponse(document())
    answer["Cache-Control"] = "public, max-age=300"
    return answer


def urls() -> list[URLPattern]:
    """The patterns below /api/v1/."""
    patterns = [one for one in api.urls[0] if isinstance(one, URLPattern)]
    for one in patterns:
        one.callback = handled(one.callback)
    return patterns
