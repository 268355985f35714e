"""A program and its keys."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from morefollows.accounts.models import Role
from morefollows.api.keys import create_key
from morefollows.api.scopes import Scope

ALL = tuple(Scope.values)
HEADLINE = "Ferry runs aground off the harbour mouth"
BODY = {"headline": HEADLINE, "text": "Nobody is hurt."}


class Program:
    """A newsroom's program: sends JSON with its key, and reads the answer."""

    def __init__(self, *scopes: str, role: str = "editor", **more: Any) -> None:
        self.key, self.text = create_key(
            "CMS", created_by=None, role=Role(role), scopes=scopes or ALL, **more
        )
        self.client = Client(headers={"authorization": f"Bearer {self.text}"})

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {} if body is None else {"data": json.dumps(body)}
        return self.client.generic(
            method,
            f"/api/v1{path}",
            content_type="application/json",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            **sent,
        )

    def draft(self, **more: Any) -> dict[str, Any]:
        answer = self("POST", "/stories", BODY | more)
        assert answer.status_code == 201, answer.content
        return answer.json()
