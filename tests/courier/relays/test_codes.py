"""Only `courier.smtp.replies` judges reply codes, and only the SMTP client speaks them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

COURIER = Path(__file__).parents[3] / "src" / "morefollows" / "courier"
#: The SMTP client, and the place of the judgement
SPEAK_SMTP = {*(COURIER / "smtp").rglob("*.py"), COURIER / "relays" / "interface.py"}
STATUS = re.compile(r"[245]\.\d{1,3}\.(\d{1,3})?")


def validators(path: Path) -> list[str]:
    """Where a module compares a reply's code or status, or knows one of them.

    A relay without SMTP may make replies of its own, for `replies` to judge.
    """
    found = []
    tree = ast.parse(path.read_text(encoding="utf-8"))
    made = {
        id(given)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id == "Reply"
        for given in node.args
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and id(node) not in made
            and isinstance(node.value, str)
            and STATUS.fullmatch(node.value)
        ):
            found.append(f"{path.name}:{node.lineno}: knows {node.value}")
        if isinstance(node, ast.Compare):
            for side in (node.left, *node.comparators):
                if isinstance(side, ast.Attribute) and side.attr in ("code", "status"):
                    found.append(f"{path.name}:{node.lineno}: compares a {side.attr}")
    return found


def test_nobody_else_judges_by_a_code() -> None:
    # The statuses of the checklist, and of the providers' APIs, are those of HTTP.
    http = {COURIER / "provider_apis" / "relay.py"}
    modules = [
        path
        for path in {*COURIER.rglob("*.py")} - http
        if not {"migrations", "preflight"} & set(path.parts)
    ]
    assert [word for path in modules if path not in SPEAK_SMTP for word in validators(path)] == []
    assert validators(COURIER / "smtp" / "transactions" / "data.py")
