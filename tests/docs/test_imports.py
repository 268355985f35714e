"""Module rules that import-linter can't check: cycles, and writes outside of actions.

The direction of imports is in pyproject.toml, and `make check` runs it.
"""

from __future__ import annotations

import ast
from pathlib import Path

import grimp

SOURCE = Path(__file__).parents[2] / "src" / "morefollows"


def test_no_two_modules_import_each_other_by_whatever_way() -> None:
    """Imports for types alone count, too: they are read together."""
    graph = grimp.build_graph("morefollows", cache_dir=None)
    ahead = {
        module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules
    }
    while free := {module for module, imported in ahead.items() if not imported}:
        ahead = {
            module: imported - free for module, imported in ahead.items() if module not in free
        }
    while last := {
        module for module in ahead if not any(module in imported for imported in ahead.values())
    }:
        ahead = {module: imported for module, imported in ahead.items() if module not in last}
    assert sorted(ahead) == []


def test_only_actions_and_the_ledger_change_the_database() -> None:
    """Pages and commands call actions: writes elsewhere lack a transaction and the log."""
    verbs = {
        "create",
        "bulk_create",
        "save",
        "delete",
        "bulk_update",
        "get_or_create",
        "update_or_create",
    }
    broken = []
    for place in ("desk", "public", "cli"):
        for path in (SOURCE / place).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in verbs
                ):
                    broken.append(
                        f"{path.relative_to(SOURCE)}, line {node.lineno}: .{node.func.attr}()"
                    )
    assert broken == []
