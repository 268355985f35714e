"""The programs that the tests need: each name that is asked for can be looked for."""

import re
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_SCRIPT = _ROOT / "tools" / "test-needs"


def test_every_program_that_is_asked_for_can_be_looked_for() -> None:
    script = _SCRIPT.read_text()
    (default,) = re.findall(r"\|\| set -- (.+)", script)
    looked = script[script.index("look() {") : script.index("debian() {")]
    known = {
        name.strip()
        for line in re.findall(r"^ {8}([a-z |-]+)\)", looked, re.M)
        for name in line.split("|")
    }
    asked = re.findall(
        r"tools/test-needs +([a-z][a-z -]*)$", (_ROOT / "Makefile").read_text(), re.M
    )
    assert len(asked) > 5
    for names in (default, *asked):
        assert set(names.split()) <= known, names
