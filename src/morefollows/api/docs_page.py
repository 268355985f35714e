"""The page that describes the API to people. It is made from the OpenAPI document."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from morefollows.api import v1
from morefollows.api.http.problems import TITLES
from morefollows.api.scopes import Scope


class ParameterDoc(NamedTuple):
    name: str
    kind: str
    required: bool
    about: str


class RequestDoc(NamedTuple):
    """One request, as the page shows it."""

    id: str
    method: str
    path: str
    about: str
    scope: str
    parameters: list[ParameterDoc]
    statuses: list[str]


@require_safe
@cache_control(public=True, max_age=300)
def page(request: HttpRequest) -> HttpResponse:
    """The page. It needs no key, and nothing from elsewhere."""
    subjects: dict[str, list[RequestDoc]] = {}
    document = v1.document()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            found = _request(document, path, method, operation)
            subjects.setdefault(operation["tags"][0], []).append(found)
    context = {
        "subjects": subjects,
        "scopes": Scope.choices,
        "problems": TITLES.items(),
        "about": document["info"]["description"].split("\n\n"),
    }
    return render(request, "api/docs.html", context)


def _request(
    document: dict[str, Any], path: str, method: str, operation: dict[str, Any]
) -> RequestDoc:
    parameters = [
        _parameter(one["name"], one["schema"], one["required"], one.get("description", ""))
        for one in operation.get("parameters", [])
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if reference := body.get("schema", {}).get("$ref"):
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
        required = schema.get("required", [])
        parameters += [
            _parameter(name, one, name in required, one.get("description", ""))
            for name, one in schema["properties"].items()
        ]
    return RequestDoc(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        about=operation.get("description", ""),
        scope=operation.get("x-scope", ""),
        parameters=parameters,
        statuses=[status for status in operation["responses"] if status != "default"],
    )


def _parameter(name: str, schema: dict[str, Any], required: bool, about: str) -> ParameterDoc:
    return ParameterDoc(name, _kind(schema), required, about)


def _kind(schema: dict[str, Any]) -> str:
    """A type in words, such as `string or null`."""
    if "enum" in schema:
        return ", ".join(str(one) for one in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    found = str(schema.get("format") or schema.get("type", "object"))
    return f"list of {_kind(schema['items'])}" if found == "array" else found
