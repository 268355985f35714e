"""A key can do nothing beyond its scopes, whatever its role."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest

from morefollows.api.models import IdempotentRequest
from morefollows.api.scopes import Scope
from morefollows.api.v1 import document
from morefollows.audit.models import AuditEntry
from tests.api.support import Program

NUMBERED = r"{(person|delivery|rule|flood|mail|reply)_id}"  #: the others are UUIDs
OPEN = {"getHealth"}  #: needs no key


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, one)
        for path, found in document()["paths"].items()
        for method, one in found.items()
    ]


def test_every_request_but_that_for_health_names_its_scope() -> None:
    silent = {one["operationId"] for _m, _p, one in operations() if "x-scope" not in one}
    needs_none = {one["operationId"] for _m, _p, one in operations() if one.get("security") == []}
    assert silent - needs_none <= OPEN | KEY_ITSELF
    assert {one["x-scope"] for _m, _p, one in operations() if "x-scope" in one} == set(Scope.values)


KEY_ITSELF = {"getKey"}  #: any key may ask what it is


@pytest.mark.parametrize("scope", Scope.values)
def test_without_its_scope_nothing_is_read_or_written(newsroom: object, scope: str) -> None:
    program = Program(*(one for one in Scope.values if one != scope), role="administrator")
    before = AuditEntry.objects.count()
    asked = [one for one in operations() if one[2].get("x-scope") == scope]
    assert asked
    for method, path, one in asked:
        address = re.sub(NUMBERED, "1", path.removeprefix("/api/v1"))
        address = re.sub(r"{\w+_id}", str(UUID(int=7)), address)
        address = re.sub(r"{\w+}", "breaking", address)
        answer = program(method, address, {} if method != "GET" else None, idempotency_key="k")
        assert answer.status_code == 403, (one["operationId"], answer.content)
        assert answer.json()["scope"] == scope
    assert AuditEntry.objects.count() == before
    assert not IdempotentRequest.objects.exists()
