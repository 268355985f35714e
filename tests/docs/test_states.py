"""An alert's state: the docs have the code's table, and one module alone writes states."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "morefollows"
WRITES = {
    "update",
    "create",
    "bulk_create",
    "get_or_create",
    "update_or_create",
    "acreate",
    "aupdate",
    "Alert",
}
SQL = re.compile(
    r"UPDATE\s+stories_alert\b[^;]*?\bSET\b(?:(?!\bWHERE\b)[^;])*\bstate\s*=", re.IGNORECASE
)
OTHERS = re.compile(r"\b(?!Alert\b)[A-Z]\w+\.State\b")


def test_the_page_has_the_tables_as_they_are() -> None:
    from morefollows.courier.batch import mail_states
    from morefollows.courier.ledger import outcomes
    from morefollows.stories.alerts import transition_table

    page = (ROOT / "docs" / "reference" / "states.md").read_text(encoding="utf-8")
    for table in (transition_table, outcomes, mail_states):
        rows = table.as_markdown()
        assert f"--- |\n{rows}\n\n" in page, "put in what tools/states prints"


def test_the_alerts_page_knows_which_states_are_under_way() -> None:
    from morefollows.stories.models import Alert

    script = (SOURCE / "desk" / "static" / "desk" / "alert.js").read_text(encoding="utf-8")
    states = re.search(r"const running = \(state\) => \[(.*?)\]", script)
    assert states is not None
    assert re.findall(r'"(.*?)"', states[1]) == list(Alert.UNDER_WAY)


def test_no_other_module_writes_an_alerts_state() -> None:
    found = {
        f"{path.relative_to(SOURCE)}: {write}"
        for path in SOURCE.rglob("*.py")
        if "migrations" not in path.parts
        and path != SOURCE / "stories" / "alerts" / "transitions.py"
        for write in state_writes(path.read_text(encoding="utf-8"))
    }
    assert found == set()


@pytest.mark.parametrize(
    "code",
    [
        "Alert.objects.filter(pk=1).update(state='sent')",
        "held = alerts_of(story)\nheld.update(ended_at=now, state=alert.State.SENT)",
        "Alert.objects.create(update=update, state=State.SENT)",
        "Alert(state='held')",
        "alert.state = 'sent'",
        "alert.state, alert.ended_at = 'sent', None",
        "setattr(alert, 'state', 'sent')",
        "alert.save(update_fields=['state', 'ended_at'])",
        "Alert.objects.bulk_update(alerts, ['state'])",
        "Alert.objects.update_or_create(pk=1, defaults={'state': 'sent'})",
        "cursor.execute('UPDATE stories_alert SET ended_at = %s, state = %s WHERE id = 1')",
    ],
)
def test_a_write_would_be_found(code: str) -> None:
    assert list(state_writes(code + "\nalert = Alert"))


@pytest.mark.parametrize(
    "code",
    [
        "Reader.objects.filter(pk=1).update(state='unsubscribed')",
        "gone.update(state=Reader.State.UNSUBSCRIBED)",
        "Alert.objects.filter(state='sent').update(repeat=True)",
        "cursor.execute(\"UPDATE stories_alert SET cut_from = 1 WHERE state = 'sending'\")",
    ],
)
def test_what_is_no_such_write_is_let_be(code: str) -> None:
    assert not list(state_writes(code + "\nalert = Alert"))


def state_writes(source: str) -> Iterator[str]:
    """What may write an alert's state.

    Harmless are writes by the class of another model, and of another model's `State`. Of the others
    each counts, unless the module does not know alerts at all.
    """
    tree = ast.parse(source)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    knows_alerts = any("alert" in name.lower() for name in names)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and SQL.search(node.value)
        ):
            yield node.value
        elif knows_alerts and _writes(node) and not OTHERS.search(ast.unparse(node)):
            yield ast.unparse(node)


def _writes(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(
            isinstance(part, ast.Attribute)
            and part.attr == "state"
            and ast.unparse(part.value) != "self"
            for target in targets
            for part in ast.walk(target)
        )
    if not isinstance(node, ast.Call) or _of_another_model(node.func):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    if name in WRITES and any(keyword.arg == "state" for keyword in node.keywords):
        return True
    return name in {*WRITES, "save", "asave", "bulk_update", "setattr"} and any(
        isinstance(part, ast.Constant) and part.value == "state"
        for argument in (*node.args, *(keyword.value for keyword in node.keywords))
        for part in ast.walk(argument)
    )


def _of_another_model(node: ast.expr) -> bool:
    """`Reader.objects...`: begins with a class that is not `Alert`."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return False
    return node.id[:1].isupper() and node.id != "Alert"
