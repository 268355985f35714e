"""The rule for migrations: a version goes on working on the tables of the next one."""

from __future__ import annotations

import importlib.machinery
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
_STATE_AND_DATABASE = (
    "migrations.SeparateDatabaseAndState("
    "state_operations=[{state}], database_operations=[{database}])"
)
_RENAME = "migrations.RenameModel('A', 'B')"


@pytest.fixture(scope="module")
def rule() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("rule", str(ROOT / "tools" / "migrations"))
    spec = importlib.util.spec_from_loader("rule", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("operation", "contract", "wrong"),
    [
        ("migrations.RemoveField(model_name='a', name='b')", False, "contract step"),
        ("migrations.RemoveField(model_name='a', name='b')", True, ""),
        ("migrations.RenameField('a', 'b', 'c')", False, "contract step"),
        (
            "migrations.AddField('a', 'b', field=models.IntegerField(default=0))",
            False,
            "db_default",
        ),
        ("migrations.AddField('a', 'b', field=models.IntegerField(null=True))", False, ""),
        ("migrations.AddField('a', 'b', field=models.IntegerField(db_default=0))", False, ""),
        ("migrations.CreateModel(name='a', fields=[])", False, ""),
        ("migrations.RenameIndex('a', new_name='b', old_name='c')", False, ""),
        (_STATE_AND_DATABASE.format(state=_RENAME, database=""), False, ""),
        (_STATE_AND_DATABASE.format(state="", database=_RENAME), False, "contract step"),
    ],
)
def test_what_an_older_version_cannot_bear_is_named(
    rule: ModuleType, tmp_path: Path, operation: str, contract: bool, wrong: str
) -> None:
    file = tmp_path / "0002_change.py"
    file.write_text(
        f"class Migration:\n    contract = {contract}\n    operations = [{operation}]\n"
    )
    found = rule.problems(file)
    assert bool(found) == bool(wrong) and wrong in "".join(found)


def test_ours_keep_to_it(rule: ModuleType) -> None:
    assert rule.main() == 0
