"""The import rule of docs/flow.md, read from the code: imports climb only.

accounts, audience ← bulletin ← courier ← delivery. Doors (agency, live, inbox and every part's views) may call any
part. Helpers import no part. Only `run` and the page of addresses import everything, and nothing imports `run`.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
HEIGHT = {"accounts": 0, "audience": 0, "stories": 1, "courier": 2, "delivery": 3}
DOORS = ("agency", "live", "inbox")
ROOF = ("run", "urls", "__main__")
HOT = (
    "courier.smtp",
    "courier.message.template",
    "courier.boundary",
    "courier.dkim",
    "line",
    "live.events",
    "live.hub",
    "live.stream",
)
"""The hot path: plain bytes and asyncio. Not one of these may pull Django in, by whatever way."""


@cache
def modules() -> dict[str, Path]:
    """Every module of the package: its name below `morefollows.` and its file."""
    found = {}
    for path in sorted((SOURCE / "morefollows").rglob("*.py")):
        parts = list(path.relative_to(SOURCE / "morefollows").with_suffix("").parts)
        if "migrations" in parts:
            continue
        if parts[-1] == "__init__":
            parts.pop()
        found[".".join(parts)] = path
    return found


@cache
def imports(path: Path) -> frozenset[str]:
    """Full names of all that a file imports, wherever in the file it does so. Relative imports are not ours."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import in line {node.lineno}"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return frozenset(names)


def part(module: str) -> str:
    return module.split(".")[0]


def ours(path: Path) -> set[str]:
    """Those of our own modules that a file imports."""
    named = {name.removeprefix("morefollows.") for name in imports(path) if name.startswith("morefollows.")}
    return {name for name in named if name in modules()}


def allowed(importer: str, imported: str) -> bool:
    here, there = part(importer), part(imported)
    if here in ROOF or here == there:
        return True
    if there in ROOF:
        return False
    if there not in HEIGHT and there not in DOORS:
        return True  # a helper
    if here in DOORS or importer.endswith(".views"):
        return True
    return here in HEIGHT and there in HEIGHT and HEIGHT[there] < HEIGHT[here]


def test_imports_climb_only() -> None:
    broken = [
        f"{importer} imports {imported}"
        for importer, path in modules().items()
        for imported in sorted(ours(path))
        if not allowed(importer, imported)
    ]
    assert broken == []


def test_the_rule_knows_every_part() -> None:
    folders = {path.name for path in (SOURCE / "morefollows").iterdir() if (path / "__init__.py").exists()}
    assert folders == {*HEIGHT, *DOORS, "line", "run"}


def test_the_hot_path_has_no_django_in_it() -> None:
    known = modules()
    assert set(HOT) <= set(known)
    tainted = []
    for hot in HOT:
        reached, ahead = set(), [hot]
        while ahead:
            module = ahead.pop()
            if module in reached:
                continue
            reached.add(module)
            foreign = {name.split(".")[0] for name in imports(known[module])}
            if "django" in foreign:
                tainted.append(f"{hot} reaches Django through {module}")
            ahead += ours(known[module])
    assert tainted == []


def test_tokens_import_no_part() -> None:
    assert ours(modules()["audience.tokens"]) == set()


def test_only_actions_and_the_ledger_change_the_database() -> None:
    """Pages and commands call actions: a write elsewhere would stand outside a transaction and the log."""
    verbs = {"create", "bulk_create", "save", "delete", "bulk_update", "get_or_create", "update_or_create"}
    broken = []
    for module, path in modules().items():
        if not module.endswith((".views", ".forms", ".context")):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in verbs:
                broken.append(f"{module}, line {node.lineno}: .{node.func.attr}()")
    assert broken == []
