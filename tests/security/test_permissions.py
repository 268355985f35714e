"""docs/reference/permissions.md is true: every route × every role × whose object it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.messages import get_messages
from django.db import transaction

from morefollows.helpers import token_routes
from tests.security.scene import METHODS, OBJECTS, PEOPLE, Cell, Scene, request
from tests.support.routes import Route, routes

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "permissions.md"
_REFUSED = re.compile(
    "Your role can’t|Only administrators|Only an editor|You may not|not one of yours"
)


# -- the table -------------------------------------------------------------------------------------


def documented() -> dict[tuple[str, str, str], list[str]]:
    """Route, method and object → an answer for each of `PEOPLE`."""
    found = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 3 + len(PEOPLE):
            for object in cells[2].split(", "):
                found[cells[0], cells[1], object] = cells[3:]
    return found


def asked_for(route: Route) -> list[str]:
    """The objects that a route is asked about; one without an object has "–"."""
    return list(OBJECTS) if "uuid" in route.parts else ["–"]


def test_every_route_has_rows_and_every_row_a_route() -> None:
    expected = {(route.name, object) for route in routes() for object in asked_for(route)}
    assert {(name, object) for name, _method, object in documented()} == expected


def test_every_answer_is_as_documented(scene: Scene) -> None:
    table = documented()
    found = {key: row for route in routes() for key, row in answers(scene, route)}
    wrong = {key: row for key, row in found.items() if table.get(key) != row}
    gone = {key for key in table if key not in found}
    assert not wrong and not gone, f"gone: {gone}; the page should say:\n{as_rows(wrong)}"


def answers(scene: Scene, route: Route) -> Iterator[tuple[tuple[str, str, str], list[str]]]:
    """Answers to all people, for each method that the route takes."""
    for method in METHODS:
        for object in asked_for(route):
            if ask(scene, Cell(route, method, object, "administrator")) == "405":
                break  # whatever the object
            row = [ask(scene, Cell(route, method, object, who)) for who in PEOPLE]
            yield (route.name, method, object), row


def as_rows(found: dict[tuple[str, str, str], list[str]]) -> str:
    """As the page has it: one line for objects with the same answers."""
    lines: dict[tuple[str, str, str], list[str]] = {}
    for (name, method, object), row in found.items():
        lines.setdefault((name, method, " | ".join(row)), []).append(object)
    return "\n".join(
        f"| `{name}` | {method} | {', '.join(objects)} | {row} |"
        for (name, method, row), objects in lines.items()
    )


# -- asking ----------------------------------------------------------------------------------------


def ask(scene: Scene, cell: Cell) -> str:
    """The answer in one word. Nothing of it stays in the database."""
    client = scene.clients[cell.person]
    address, form = request(scene, cell)
    cookies = client.cookies.output()
    with transaction.atomic():
        response = getattr(client, cell.method.lower())(address, form)
        words = "".join(str(one) for one in get_messages(response.wsgi_request))
        if cell.method == "GET":
            words = ""
        transaction.set_rollback(True)
    if client.cookies.output() != cookies and cell.person in scene.people:
        client.force_login(scene.people[cell.person])  # it was signed out
    return answer(cell.route, response, words)


def answer(route: Route, response: Any, words: str) -> str:
    status, onward = response.status_code, response.headers.get("Location", "")
    if status == 302 and onward.startswith("/desk/sign-in/?next="):
        return "sign in"
    if status in (401, 403) or _REFUSED.search(words):
        return "no"
    if status in (404, 410):
        return "link" if route.path in token_routes.ALL or route.name == "image" else "none"
    return "405" if status == 405 else "yes"
